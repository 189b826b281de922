#include "model/parcel.h"

#include <lz4.h>

#include <catch2/catch.hpp>
#include <memory>

#include "model/record.h"

namespace thalweg {
namespace {

ParcelHeader some_header(std::uint32_t count) {
  ParcelHeader header;
  header.lane = Lane::kUrgent;
  header.flags = ParcelHeader::kResubmission;
  header.ledger_id.fill(1);
  header.party = "500153";
  header.gate = "rongchang-1";
  header.incarnation = *Uuid::parse("0199738a-3c00-7c51-a9d2-5e8f10b64e27");
  header.number = 7;
  header.previous_root.fill(2);
  header.count = count;
  header.merkle_root.fill(3);
  header.sent_unix_ns = 1'790'114'402'250'000'000;
  header.checkpoint_block = 41;
  header.checkpoint_hash.fill(4);
  return header;
}

std::vector<ByteView> views(const std::vector<std::string>& records) {
  std::vector<ByteView> out;
  for (const std::string& record : records) out.push_back(as_bytes(record));
  return out;
}

Bytes with_body(const ParcelHeader& header, ByteView body) {
  Bytes out;
  encode_header(header, out);
  out.insert(out.end(), kSignatureBytes, 9);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

Bytes some_parcel(const std::vector<std::string>& records, Compression compression) {
  return with_body(some_header(static_cast<std::uint32_t>(records.size())), pack_body(views(records), compression));
}

Bytes stored_body(std::uint8_t compression, std::uint32_t raw_size, ByteView stored) {
  Bytes body;
  ByteWriter w(body);
  w.u8(compression);
  w.u32(raw_size);
  w.blob(stored);
  return body;
}

/// Parses and expands memory of exactly this size.
Code code_of(ByteView bytes, std::size_t max_raw = kMaxParcelRawBytes) {
  const auto exact = std::make_unique<std::uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  const auto parcel = ParcelView::parse({exact.get(), bytes.size()});
  if (!parcel) return parcel.error().code;
  const auto body = ParcelBody::expand(*parcel, max_raw);
  return body ? Code::kOk : body.error().code;
}

const std::vector<std::string> kRecords = {std::string(300, 'a'), "", "{\"x\":1}", std::string(300, 'b')};

}  // namespace

TEST_CASE("a parcel gives back its header and its records", "[model][parcel]") {
  for (Compression compression : {Compression::kNone, Compression::kLz4}) {
    const Bytes bytes = some_parcel(kRecords, compression);
    const auto parcel = ParcelView::parse(bytes);
    REQUIRE(parcel);
    CHECK(parcel->header == some_header(4));
    CHECK(parcel->signature.size() == kSignatureBytes);
    CHECK(parcel->signature[0] == 9);
    CHECK(parcel->whole.size() == bytes.size());
    Bytes header;
    encode_header(parcel->header, header);
    CHECK(Bytes(parcel->signed_bytes.begin(), parcel->signed_bytes.end()) == header);
    auto expanded = ParcelBody::expand(*parcel);
    REQUIRE(expanded);
    const ParcelBody body = *std::move(expanded);
    REQUIRE(body.count() == kRecords.size());
    for (std::size_t i = 0; i < kRecords.size(); ++i) {
      CHECK(as_text(body.record(i)) == kRecords[i]);
      CHECK(body.kind(i) == kWholeRecord);
      // The padding behind each record may be read.
      unsigned sum = 0;
      for (std::size_t k = 0; k < kRecordPadding; ++k) sum += body.record(i).data()[body.record(i).size() + k];
      CHECK(sum < 256 * kRecordPadding);
    }
  }
}

TEST_CASE("compression is used where it helps and only there", "[model][parcel]") {
  CHECK(pack_body(views(kRecords), Compression::kLz4).size() < 100);
  CHECK(pack_body(views(kRecords), Compression::kLz4)[0] == 1);
  CHECK(pack_body(views(kRecords), Compression::kNone)[0] == 0);
  CHECK(raw_body_size(views(kRecords)) == 607 + 4 * kLeafOverhead);
  std::string noise(200, '\0');
  std::uint32_t state = 1;
  for (char& c : noise) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  CHECK(pack_body(views({noise}), Compression::kLz4)[0] == 0);
}

TEST_CASE("a parcel cut at any byte, or with a byte behind it, is refused", "[model][parcel]") {
  for (Compression compression : {Compression::kNone, Compression::kLz4}) {
    const Bytes whole = some_parcel(kRecords, compression);
    REQUIRE(code_of(whole) == Code::kOk);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      if (code_of(ByteView(whole).first(size)) != Code::kParcelFormat) FAIL("cut at " << size);
    }
    Bytes longer = whole;
    longer.push_back(0);
    CHECK(code_of(longer) == Code::kParcelFormat);
  }
}

TEST_CASE("a parcel with any byte changed is refused or stays within bounds", "[model][parcel]") {
  for (Compression compression : {Compression::kNone, Compression::kLz4}) {
    const Bytes whole = some_parcel({std::string(40, 'a'), "{\"x\":1}", std::string(40, 'a')}, compression);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (int c = 0; c < 256; ++c) {
        Bytes changed = whole;
        changed[i] = static_cast<std::uint8_t>(c);
        (void)code_of(changed);
      }
    }
  }
}

TEST_CASE("each field of the header is kept within its bounds", "[model][parcel]") {
  const Bytes good = some_parcel(kRecords, Compression::kNone);
  const auto with_byte = [&](std::size_t at, std::uint8_t value) {
    Bytes changed = good;
    changed[at] = value;
    return code_of(changed);
  };
  CHECK(with_byte(0, 'X') == Code::kParcelFormat);
  CHECK(with_byte(4, 2) == Code::kParcelFormat);
  CHECK(with_byte(5, 0) == Code::kAlgorithmUnknown);
  CHECK(with_byte(5, 2) == Code::kAlgorithmUnknown);
  CHECK(with_byte(6, 2) == Code::kAlgorithmUnknown);
  CHECK(with_byte(7, 2) == Code::kParcelFormat);
  CHECK(with_byte(8, 2) == Code::kParcelFormat);
  CHECK(with_byte(43, '/') == Code::kParcelFormat);  // the first character of the party
  CHECK(with_byte(51, '.') == Code::kParcelFormat);  // the first character of the gate

  const auto with_number = [&](auto change) {
    ParcelHeader header = some_header(4);
    Bytes out;
    encode_header(header, out);
    const std::size_t number_at = out.size() - 8 - 32 - 8 - 32 - 4 - 32 - 8;
    const std::size_t count_at = number_at + 8 + 32;
    Bytes changed = good;
    change(changed, number_at, count_at);
    return code_of(changed);
  };
  CHECK(with_number([](Bytes& b, std::size_t number_at, std::size_t) { b[number_at] = 0; }) == Code::kParcelFormat);
  CHECK(with_number([](Bytes& b, std::size_t, std::size_t count_at) { b[count_at] = 0; }) == Code::kParcelFormat);
  CHECK(with_number([](Bytes& b, std::size_t, std::size_t count_at) { b[count_at] = 3; }) == Code::kParcelFormat);
  CHECK(with_number([](Bytes& b, std::size_t, std::size_t count_at) { b[count_at] = 5; }) == Code::kParcelFormat);
  CHECK(with_number([](Bytes& b, std::size_t, std::size_t count_at) { b[count_at + 1] = 0x10; }) ==
        Code::kParcelTooLarge);
}

TEST_CASE("a body that lies about its sizes is refused", "[model][parcel]") {
  const ParcelHeader header = some_header(1);
  Bytes raw{kWholeRecord, 3, 0, 0, 0, 'a', 'b', 'c'};
  const auto code = [&](const Bytes& body) { return code_of(with_body(header, body)); };
  CHECK(code(stored_body(0, 8, raw)) == Code::kOk);
  CHECK(code(stored_body(0, 7, raw)) == Code::kParcelFormat);
  CHECK(code(stored_body(0, 9, raw)) == Code::kParcelFormat);
  CHECK(code(stored_body(2, 8, raw)) == Code::kParcelFormat);
  CHECK(code(stored_body(1, 8, raw)) == Code::kParcelFormat);  // not LZ4
  Bytes longer_leaf = raw;
  longer_leaf[1] = 4;
  CHECK(code(stored_body(0, 8, longer_leaf)) == Code::kParcelFormat);
  Bytes shorter_leaf = raw;
  shorter_leaf[1] = 2;
  CHECK(code(stored_body(0, 8, shorter_leaf)) == Code::kParcelFormat);
  Bytes endless_leaf = raw;
  endless_leaf[4] = 0xff;
  CHECK(code(stored_body(0, 8, endless_leaf)) == Code::kParcelFormat);
  Bytes other_kind = raw;
  other_kind[0] = 1;
  CHECK(code(stored_body(0, 8, other_kind)) == Code::kParcelFormat);
  CHECK(code(stored_body(0, 0, {})) == Code::kParcelFormat);
  CHECK(code(stored_body(1, 0, {})) == Code::kParcelFormat);
}

TEST_CASE("a compressed body that lies about its sizes is refused", "[model][parcel]") {
  const ParcelHeader header = some_header(1);
  Bytes raw{kWholeRecord, 0, 2, 0, 0};
  raw.resize(5 + 512, 'x');
  Bytes packed(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(raw.size()))));
  packed.resize(static_cast<std::size_t>(
      LZ4_compress_default(reinterpret_cast<const char*>(raw.data()), reinterpret_cast<char*>(packed.data()),
                           static_cast<int>(raw.size()), static_cast<int>(packed.size()))));
  const auto code = [&](std::uint32_t raw_size, ByteView stored) {
    return code_of(with_body(header, stored_body(1, raw_size, stored)));
  };
  const std::uint32_t size = static_cast<std::uint32_t>(raw.size());
  CHECK(code(size, packed) == Code::kOk);
  CHECK(code(size - 1, packed) == Code::kParcelFormat);
  CHECK(code(size + 1, packed) == Code::kParcelFormat);
  CHECK(code(0, packed) == Code::kParcelFormat);
  CHECK(code(0xffffffff, packed) == Code::kParcelTooLarge);
  CHECK(code(0x80000000, packed) == Code::kParcelTooLarge);
  for (std::size_t cut = 0; cut < packed.size(); ++cut)
    CHECK(code(size, ByteView(packed).first(cut)) == Code::kParcelFormat);
}

TEST_CASE("a decompression bomb is refused before memory is taken", "[model][parcel]") {
  // The densest LZ4 there is: zeros, 255 to one.
  Bytes raw(kMaxParcelRawBytes - 10, 0);
  Bytes packed(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(raw.size()))));
  packed.resize(static_cast<std::size_t>(
      LZ4_compress_default(reinterpret_cast<const char*>(raw.data()), reinterpret_cast<char*>(packed.data()),
                           static_cast<int>(raw.size()), static_cast<int>(packed.size()))));
  REQUIRE(packed.size() < raw.size() / 250);
  const ParcelHeader header = some_header(1);
  const Bytes honest = with_body(header, stored_body(1, static_cast<std::uint32_t>(raw.size()), packed));
  CHECK(code_of(honest) == Code::kParcelFormat);  // expands, but to empty leaves beyond the count
  CHECK(code_of(honest, 1 << 20) == Code::kParcelTooLarge);
  // Claims more than its bytes could ever give.
  const Bytes tiny(100, 0);
  CHECK(code_of(with_body(header, stored_body(1, 4'000'000, tiny))) == Code::kParcelFormat);
  CHECK(code_of(with_body(header, stored_body(1, kMaxParcelRawBytes + 1, packed))) == Code::kParcelTooLarge);
}

TEST_CASE("a parcel is refused above 4 MiB, and full ones travel", "[model][parcel]") {
  const std::string noise = [] {
    std::string text(kMaxParcelRawBytes - kLeafOverhead, '\0');
    std::uint32_t state = 1;
    for (char& c : text) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    return text;
  }();
  const Bytes largest = some_parcel({noise}, Compression::kLz4);
  CHECK(largest.size() <= kMaxParcelBytes);
  CHECK(code_of(largest) == Code::kOk);
  Bytes beyond(kMaxParcelBytes + 1, 0);
  std::copy(largest.begin(), largest.end(), beyond.begin());
  CHECK(code_of(beyond) == Code::kParcelTooLarge);
}

TEST_CASE("a parcel holds up to 4,096 records", "[model][parcel]") {
  const std::vector<std::string> records(kMaxParcelRecords, "{}");
  const Bytes bytes = some_parcel(records, Compression::kLz4);
  const auto parcel = ParcelView::parse(bytes);
  REQUIRE(parcel);
  const auto body = ParcelBody::expand(*parcel);
  REQUIRE(body);
  CHECK(body->count() == kMaxParcelRecords);
  CHECK(as_text(body->record(kMaxParcelRecords - 1)) == "{}");
}

TEST_CASE("a view that was never parsed expands to nothing", "[model][parcel]") {
  CHECK_FALSE(ParcelBody::expand(ParcelView{}));
}

}  // namespace thalweg
