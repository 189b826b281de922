#include "trust/seal.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "model/parcel.h"
#include "model/parcel_part.h"
#include "trust/merkle.h"
#include "trust/tests/made_keys.h"

using namespace thalweg;
using namespace thalweg::trust;

namespace {

ParcelHeader made_header() {
  ParcelHeader header;
  header.party = "500153";
  header.gate = "front";
  header.lane = Lane::kUrgent;
  header.incarnation.bytes.fill(7);
  header.number = 12;
  header.ledger_id.fill(0x5a);
  header.previous_root.fill(3);
  header.sent_unix_ns = kJan2026_unix_ns;
  return header;
}

struct Made {
  std::vector<std::string> texts;
  std::vector<ByteView> records;
  ParcelHeader header = made_header();
  SigningKey key = made_key(1);
  Bytes bytes;

  explicit Made(std::size_t count, Compression compression = Compression::kNone) {
    for (std::size_t i = 0; i < count; ++i) texts.push_back(R"({"id":")" + std::to_string(i) + R"("})");
    for (const std::string& text : texts) records.push_back(as_bytes(text));
    Result<Bytes> sealed = seal_parcel(header, records, key, compression);
    REQUIRE(sealed);
    bytes = *std::move(sealed);
  }
};

/// Everything that a receiver does with a parcel, and the first code that is not kOk.
Code receive(ByteView bytes, const PublicKey& key) {
  const Result<ParcelView> view = ParcelView::parse(bytes);
  if (!view) return view.error().code;
  const Result<ParcelBody> body = ParcelBody::expand(*view);
  if (!body) return body.error().code;
  const Status checked = check_parcel(*view, *body, key);
  return checked ? Code::kOk : checked.error().code;
}

Code receive_part(ByteView bytes, const PublicKey& key) {
  const Result<PartView> view = PartView::parse(bytes);
  if (!view) return view.error().code;
  const Result<PartBody> body = PartBody::expand(*view);
  if (!body) return body.error().code;
  const Status checked = check_part(*view, *body, key);
  return checked ? Code::kOk : checked.error().code;
}

Bytes part_of(const Made& made, std::vector<std::uint32_t> indexes) {
  const ParcelView view = *ParcelView::parse(made.bytes);
  const ParcelBody body = *ParcelBody::expand(view);
  return *make_part(view, body, indexes, Compression::kNone);
}

}  // namespace

TEST_CASE("a sealed parcel passes its check and carries its records", "[trust]") {
  for (const std::size_t count : {1U, 2U, 3U, 255U, 4096U}) {
    const Made made(count, Compression::kLz4);
    const ParcelView view = *ParcelView::parse(made.bytes);
    CHECK(view.header == made.header);
    CHECK(view.header.count == count);
    const ParcelBody body = *ParcelBody::expand(view);
    CHECK(check_parcel(view, body, made.key.public_key()));
    CHECK(as_text(body.record(count - 1)) == made.texts.back());
  }
}

TEST_CASE("a parcel of another key, or of a key with another algorithm, is refused", "[trust]") {
  const Made made(3);
  CHECK(receive(made.bytes, made_key(2).public_key()) == Code::kParcelSignature);
  PublicKey foreign = made.key.public_key();
  foreign.algorithm = 2;
  CHECK(receive(made.bytes, foreign) == Code::kAlgorithmUnknown);
}

TEST_CASE("a parcel with any byte changed is refused", "[trust]") {
  const Made made(3);
  REQUIRE(receive(made.bytes, made.key.public_key()) == Code::kOk);
  for (std::size_t i = 0; i < made.bytes.size(); ++i) {
    Bytes bad = made.bytes;
    bad[i] ^= 0x01;
    INFO("byte " << i);
    CHECK(receive(bad, made.key.public_key()) != Code::kOk);
  }
}

TEST_CASE("records that were changed, swapped or left out do not give the signed root", "[trust]") {
  const Made made(3);
  const ParcelView view = *ParcelView::parse(made.bytes);
  const auto outcome = [&](std::vector<ByteView> records) {
    Bytes bytes(made.bytes.begin(), made.bytes.end() - static_cast<std::ptrdiff_t>(view.body.size()));
    const Bytes body = pack_body(records, Compression::kNone);
    bytes.insert(bytes.end(), body.begin(), body.end());
    return receive(bytes, made.key.public_key());
  };
  CHECK(outcome(made.records) == Code::kOk);
  CHECK(outcome({made.records[1], made.records[0], made.records[2]}) == Code::kParcelRoot);
  CHECK(outcome({made.records[0], made.records[1], as_bytes("{}")}) == Code::kParcelRoot);
  CHECK(outcome({made.records[0], made.records[1]}) != Code::kOk);
}

TEST_CASE("a signature of another parcel does not fit", "[trust]") {
  const Made first(3);
  Made second(3);
  second.header.number = 13;
  const Bytes other = *seal_parcel(second.header, second.records, second.key, Compression::kNone);
  const ParcelView view = *ParcelView::parse(first.bytes);
  const ParcelView other_view = *ParcelView::parse(other);
  Bytes mixed(view.signed_bytes.begin(), view.signed_bytes.end());
  mixed.insert(mixed.end(), other_view.signature.begin(), other_view.signature.end());
  mixed.insert(mixed.end(), view.body.begin(), view.body.end());
  CHECK(receive(mixed, first.key.public_key()) == Code::kParcelSignature);
}

TEST_CASE("what does not fit into a parcel is not sealed", "[trust]") {
  const SigningKey key = made_key(1);
  const auto outcome = [&](ParcelHeader header, std::span<const ByteView> records) {
    const Result<Bytes> sealed = seal_parcel(header, records, key, Compression::kLz4);
    return sealed ? Code::kOk : sealed.error().code;
  };
  const std::vector<ByteView> one = {as_bytes("{}")};
  CHECK(outcome(made_header(), one) == Code::kOk);
  CHECK(outcome(made_header(), {}) == Code::kInvalid);
  CHECK(outcome(made_header(), std::vector<ByteView>(4097, one[0])) == Code::kParcelTooLarge);
  const Bytes large(kMaxParcelRawBytes);
  CHECK(outcome(made_header(), std::vector<ByteView>{large}) == Code::kParcelTooLarge);
  ParcelHeader header = made_header();
  header.gate = "no gate";
  CHECK(outcome(header, one) == Code::kInvalid);
  header = made_header();
  header.number = 0;
  CHECK(outcome(header, one) == Code::kInvalid);
}

TEST_CASE("every part of a parcel proves its records under the origin's own signature", "[trust]") {
  const Made made(7);
  for (std::uint32_t mask = 1; mask < 128; ++mask) {
    std::vector<std::uint32_t> indexes;
    for (std::uint32_t i = 0; i < 7; ++i) {
      if ((mask >> i & 1) != 0) indexes.push_back(i);
    }
    const Bytes part = part_of(made, indexes);
    CHECK(receive_part(part, made.key.public_key()) == Code::kOk);
    CHECK(receive_part(part, made_key(2).public_key()) == Code::kParcelSignature);
  }
  const Bytes part = part_of(made, {2, 5});
  const PartBody body = *PartBody::expand(*PartView::parse(part));
  REQUIRE(body.count() == 2);
  CHECK(body.record(1).index == 5);
  CHECK(as_text(body.record(1).bytes) == made.texts[5]);
}

TEST_CASE("a part with any byte changed is refused", "[trust]") {
  const Made made(5);
  const Bytes part = part_of(made, {1, 4});
  for (std::size_t i = 0; i < part.size(); ++i) {
    Bytes bad = part;
    bad[i] ^= 0x01;
    INFO("byte " << i);
    CHECK(receive_part(bad, made.key.public_key()) != Code::kOk);
  }
}

TEST_CASE("a part with swapped paths, swapped records or another's index is refused", "[trust]") {
  const Made made(6);
  const ParcelView view = *ParcelView::parse(made.bytes);
  const Bytes part = part_of(made, {1, 4});
  const PartBody body = *PartBody::expand(*PartView::parse(part));
  const PartRecord one = body.record(0);
  const PartRecord four = body.record(1);
  const auto outcome = [&](const PartRecord& first, const PartRecord& second) {
    Bytes bytes;
    const std::vector<PartRecord> records = {first, second};
    encode_part(view, records, Compression::kNone, bytes);
    return receive_part(bytes, made.key.public_key());
  };
  CHECK(outcome(one, four) == Code::kOk);
  CHECK(outcome({1, 0, one.bytes, four.path}, {4, 0, four.bytes, one.path}) == Code::kProofInvalid);
  CHECK(outcome({1, 0, four.bytes, one.path}, {4, 0, one.bytes, four.path}) == Code::kProofInvalid);
  CHECK(outcome({0, 0, one.bytes, one.path}, four) == Code::kProofInvalid);
  CHECK(outcome({1, 0, one.bytes, {}}, four) == Code::kProofInvalid);
  CHECK(outcome(one, {4, 0, four.bytes, one.path}) == Code::kProofInvalid);
}

TEST_CASE("parts of records that are not there are not made", "[trust]") {
  const Made made(3);
  const ParcelView view = *ParcelView::parse(made.bytes);
  const ParcelBody body = *ParcelBody::expand(view);
  for (const std::vector<std::uint32_t>& indexes :
       {std::vector<std::uint32_t>{}, {3}, {1, 1}, {2, 0}, {0, 4000000000U}}) {
    CHECK(make_part(view, body, indexes, Compression::kNone).error().code == Code::kInvalid);
  }
}
