#include "model/parcel_part.h"

#include <catch2/catch.hpp>
#include <memory>

#include "model/record.h"

namespace thalweg {
namespace {

Bytes some_parcel(std::uint32_t count) {
  ParcelHeader header;
  header.party = "500153";
  header.gate = "g";
  header.number = 1;
  header.count = count;
  const std::vector<ByteView> records(count, as_bytes("{\"x\":1}"));
  Bytes out;
  encode_header(header, out);
  out.insert(out.end(), kSignatureBytes, 9);
  const Bytes body = pack_body(records, Compression::kNone);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

const Bytes kPath(3 * sizeof(Hash256), 7);

std::vector<PartRecord> some_records() {
  return {{1, kWholeRecord, as_bytes("{\"x\":1}"), kPath},
          {4, kWholeRecord, as_bytes(""), {}},
          {5, kWholeRecord, as_bytes("{\"x\":2}"), kPath}};
}

Bytes some_part(Compression compression, const std::vector<PartRecord>& records = some_records()) {
  const Bytes bytes = some_parcel(6);
  const auto parcel = ParcelView::parse(bytes);
  REQUIRE(parcel);
  Bytes out;
  encode_part(*parcel, records, compression, out);
  return out;
}

Code code_of(ByteView bytes, std::size_t max_raw = kMaxPartRawBytes) {
  const auto exact = std::make_unique<std::uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  const auto part = PartView::parse({exact.get(), bytes.size()});
  if (!part) return part.error().code;
  const auto body = PartBody::expand(*part, max_raw);
  return body ? Code::kOk : body.error().code;
}

}  // namespace

TEST_CASE("a part gives back the parcel's header and the records it was made from", "[model][parcel]") {
  for (Compression compression : {Compression::kNone, Compression::kLz4}) {
    const Bytes parcel_bytes = some_parcel(6);
    const auto parcel = ParcelView::parse(parcel_bytes);
    const Bytes bytes = some_part(compression);
    const auto part = PartView::parse(bytes);
    REQUIRE(part);
    CHECK(part->header == parcel->header);
    CHECK(std::equal(part->signed_bytes.begin(), part->signed_bytes.end(), parcel->signed_bytes.begin(),
                     parcel->signed_bytes.end()));
    CHECK(part->signature.size() == kSignatureBytes);
    const auto body = PartBody::expand(*part);
    REQUIRE(body);
    const auto expected = some_records();
    REQUIRE(body->count() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const PartRecord& record = body->record(i);
      CHECK(record.index == expected[i].index);
      CHECK(as_text(record.bytes) == as_text(expected[i].bytes));
      CHECK(as_text(record.path) == as_text(expected[i].path));
      unsigned sum = 0;
      for (std::size_t k = 0; k < kRecordPadding; ++k) sum += record.bytes.data()[record.bytes.size() + k];
      CHECK(sum < 256 * kRecordPadding);
    }
  }
}

TEST_CASE("parts and parcels are told apart by their first bytes", "[model][parcel]") {
  const Bytes part = some_part(Compression::kNone);
  const Bytes parcel = some_parcel(2);
  CHECK(is_part(part));
  CHECK_FALSE(is_part(parcel));
  CHECK_FALSE(is_part({}));
  CHECK(code_of(parcel) == Code::kParcelFormat);
  CHECK_FALSE(ParcelView::parse(part));
}

TEST_CASE("a part cut at any byte, or with a byte behind it, is refused", "[model][parcel]") {
  for (Compression compression : {Compression::kNone, Compression::kLz4}) {
    const Bytes whole = some_part(compression);
    REQUIRE(code_of(whole) == Code::kOk);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      if (code_of(ByteView(whole).first(size)) != Code::kParcelFormat) FAIL("cut at " << size);
    }
    Bytes longer = whole;
    longer.push_back(0);
    CHECK(code_of(longer) == Code::kParcelFormat);
  }
}

TEST_CASE("a part with any byte changed is refused or stays within bounds", "[model][parcel]") {
  for (Compression compression : {Compression::kNone, Compression::kLz4}) {
    const Bytes whole = some_part(compression);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (int change = 1; change < 256; change += 3) {
        Bytes changed = whole;
        changed[i] = static_cast<std::uint8_t>(changed[i] ^ change);
        (void)code_of(changed);
      }
    }
  }
}

TEST_CASE("records of a part that are out of order, beyond the parcel or too many are refused", "[model][parcel]") {
  const auto with_entries = [](std::uint32_t count, std::initializer_list<std::uint32_t> indexes,
                               std::uint8_t hashes = 0, std::uint8_t kind = kWholeRecord) {
    Bytes raw;
    ByteWriter entries(raw);
    entries.u32(count);
    for (std::uint32_t index : indexes) {
      entries.u32(index);
      entries.u8(kind);
      entries.u32(0);
      entries.u8(hashes);
      raw.insert(raw.end(), hashes * sizeof(Hash256), 1);
    }
    const Bytes bytes = some_parcel(6);
    const auto parcel = ParcelView::parse(bytes);
    Bytes out;
    ByteWriter w(out);
    w.raw(as_bytes("TWPP"));
    w.u8(1);
    w.raw(parcel->signed_bytes);
    w.raw(parcel->signature);
    w.u8(0);
    w.u32(static_cast<std::uint32_t>(raw.size()));
    w.blob(raw);
    return code_of(out);
  };
  CHECK(with_entries(2, {0, 5}) == Code::kOk);
  CHECK(with_entries(1, {0}, 12) == Code::kOk);
  CHECK(with_entries(1, {0}, 13) == Code::kParcelFormat);
  CHECK(with_entries(1, {0}, 0, 1) == Code::kParcelFormat);
  CHECK(with_entries(2, {5, 0}) == Code::kParcelFormat);
  CHECK(with_entries(2, {1, 1}) == Code::kParcelFormat);
  CHECK(with_entries(1, {6}) == Code::kParcelFormat);
  CHECK(with_entries(0, {}) == Code::kParcelFormat);
  CHECK(with_entries(1, {}) == Code::kParcelFormat);
  CHECK(with_entries(1, {0, 1}) == Code::kParcelFormat);
  CHECK(with_entries(7, {0, 1, 2, 3, 4, 5}) == Code::kParcelFormat);
  CHECK(with_entries(0xffffffff, {0}) == Code::kParcelFormat);
}

TEST_CASE("a part never expands beyond the limit it is given", "[model][parcel]") {
  CHECK(code_of(some_part(Compression::kLz4), 100) == Code::kParcelTooLarge);
  CHECK(code_of(Bytes(kMaxPartBytes + 1, 0)) == Code::kParcelTooLarge);
}

TEST_CASE("the part of a full parcel, with all its paths, travels", "[model][parcel]") {
  const Bytes bytes = some_parcel(kMaxParcelRecords);
  const auto parcel = ParcelView::parse(bytes);
  const std::string record((kMaxParcelRawBytes / kMaxParcelRecords) - kLeafOverhead, 'x');
  const Bytes path(kMaxPathBytes, 5);
  std::vector<PartRecord> records;
  for (std::uint32_t i = 0; i < kMaxParcelRecords; ++i) records.push_back({i, kWholeRecord, as_bytes(record), path});
  Bytes out;
  encode_part(*parcel, records, Compression::kNone, out);
  CHECK(out.size() <= kMaxPartBytes);
  CHECK(code_of(out) == Code::kOk);
}

}  // namespace thalweg
