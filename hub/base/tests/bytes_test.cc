#include "base/bytes.h"

#include <catch2/catch.hpp>

namespace thalweg {

TEST_CASE("hex text gives back the bytes it was made from", "[base]") {
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  CHECK(*from_hex(to_hex(all)) == all);
  CHECK(*from_hex("00FFab") == Bytes{0x00, 0xff, 0xab});
  CHECK(to_hex(Bytes{0x00, 0xff, 0xab}) == "00ffab");
}

TEST_CASE("text that is not hex is refused", "[base]") {
  for (std::string_view bad : {"0", "0g", "0x", "00 ", "é"}) {
    CAPTURE(bad);
    CHECK(from_hex(bad).error().code == Code::kInvalid);
  }
}

TEST_CASE("base64 follows the examples of RFC 4648", "[base]") {
  const std::pair<std::string_view, std::string_view> examples[] = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}};
  for (auto [plain, coded] : examples) {
    CAPTURE(plain);
    CHECK(to_base64(as_bytes(plain)) == coded);
    CHECK(as_text(*from_base64(coded)) == plain);
  }
}

TEST_CASE("base64 that is not canonical is refused", "[base]") {
  for (std::string_view bad : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Z===", "====", "Zm9v\n", "Zm-v"}) {
    CAPTURE(bad);
    CHECK_FALSE(from_base64(bad));
  }
}

TEST_CASE("a reader gives back what a writer wrote", "[base]") {
  Bytes out;
  ByteWriter writer(out);
  writer.u8(1);
  writer.u16(0x0203);
  writer.u32(0x04050607);
  writer.u64(0x08090a0b0c0d0e0f);
  writer.i32(-5);
  writer.i64(-6);
  writer.short_text("荣昌");
  writer.blob(as_bytes("data"));
  CHECK(to_hex(ByteView(out).first(7)) == "01030207060504");

  ByteReader reader(out);
  CHECK(reader.u8() == 1);
  CHECK(reader.u16() == 0x0203);
  CHECK(reader.u32() == 0x04050607);
  CHECK(reader.u64() == 0x08090a0b0c0d0e0f);
  CHECK(reader.i32() == -5);
  CHECK(reader.i64() == -6);
  CHECK(reader.short_text() == "荣昌");
  CHECK(as_text(reader.blob()) == "data");
  CHECK(reader.done());
}

TEST_CASE("a reader at the end gives zeros and says that it failed", "[base]") {
  const Bytes in{1, 2, 3};
  ByteReader reader(in);
  CHECK(reader.u32() == 0);
  CHECK_FALSE(reader.ok());
  CHECK(reader.u8() == 0);  // what was left is not read as something else
  CHECK(reader.array<4>() == std::array<std::uint8_t, 4>{});
  CHECK_FALSE(reader.done());

  const Bytes length_only{0xff, 0xff, 0xff, 0xff};
  ByteReader lying(length_only);
  CHECK(lying.blob().empty());
  CHECK_FALSE(lying.ok());
}

}  // namespace thalweg
