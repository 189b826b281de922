#include "base/hash.h"

#include <catch2/catch.hpp>

namespace thalweg {

TEST_CASE("SHA-256 follows the examples of FIPS 180-4", "[base]") {
  CHECK(to_hex(sha256(as_bytes(""))) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(sha256(as_bytes("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(sha256(Bytes(1'000'000, 'a'))) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 of parts is SHA-256 of the whole", "[base]") {
  CHECK(sha256({as_bytes("a"), as_bytes(""), as_bytes("bc")}) == sha256(as_bytes("abc")));
}

TEST_CASE("CRC-32C follows the examples of RFC 3720, with and without SSE4.2", "[base]") {
  Bytes rising(32);
  for (std::size_t i = 0; i < rising.size(); ++i) rising[i] = static_cast<std::uint8_t>(i);
  const std::pair<Bytes, std::uint32_t> examples[] = {
      {Bytes(32, 0), 0x8a9136aa}, {Bytes(32, 0xff), 0x62a8ab43}, {rising, 0x46dd794e}, {Bytes{}, 0}};
  for (const auto& [bytes, crc] : examples) {
    CHECK(crc32c(bytes) == crc);
    CHECK(crc32c_portable_for_test(bytes) == crc);
  }
}

TEST_CASE("CRC-32C of two parts is that of the whole, at every cut", "[base]") {
  Bytes bytes(100);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37);
  const std::uint32_t whole = crc32c_portable_for_test(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    CHECK(crc32c(ByteView(bytes).subspan(cut), crc32c(ByteView(bytes).first(cut))) == whole);
  }
}

}  // namespace thalweg
