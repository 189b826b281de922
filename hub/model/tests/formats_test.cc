// The worked examples of docs/formats/ are decoded from the pages themselves and encoded to the same bytes.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "base/hash.h"
#include "model/parcel.h"
#include "model/parcel_part.h"
#include "model/record.h"
#include "model/record_builder.h"
#include "model/time.h"
#include "model/verdict.h"

namespace thalweg {
namespace {

/// The lines of the block that opens with "```<name>".
std::vector<std::string> block(const std::string& page, const std::string& name) {
  std::ifstream in(std::string(THALWEG_SOURCE_DIR) + "/docs/formats/" + page);
  REQUIRE(in);
  std::vector<std::string> lines;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (inside && line == "```") return lines;
    if (inside) lines.push_back(line);
    if (line == "```" + name) inside = true;
  }
  FAIL("no block " << name << " in " << page);
  return lines;
}

Bytes hex_block(const std::string& page, const std::string& name) {
  std::string digits;
  for (const std::string& line : block(page, "hex " + name)) {
    for (char c : line.substr(0, line.find(';'))) {
      if (c != ' ') digits += c;
    }
  }
  const auto bytes = from_hex(digits);
  REQUIRE(bytes);
  return *bytes;
}

Hash256 leaf_hash(ByteView record) { return sha256({Bytes{0x00, 0x00}, record}); }

void check_header(const ParcelHeader& header) {
  CHECK(header.signature_algorithm == kEd25519);
  CHECK(header.hash_algorithm == kSha256);
  CHECK(header.lane == Lane::kRoutine);
  CHECK(header.flags == 0);
  CHECK(header.ledger_id == sha256(as_bytes("example ledger")));
  CHECK(header.party == "500153");
  CHECK(header.gate == "rongchang-1");
  CHECK(header.incarnation.text() == "0199738a-3c00-7c51-a9d2-5e8f10b64e27");
  CHECK(header.number == 7);
  CHECK(header.previous_root == sha256(as_bytes("root of parcel 6")));
  CHECK(header.count == 2);
  CHECK(format_rfc3339(header.sent_unix_ns) == "2026-09-23T06:00:02.250+08:00");
  CHECK(header.checkpoint_block == 41);
  CHECK(header.checkpoint_hash == sha256(as_bytes("example block 41")));
}

}  // namespace

TEST_CASE("the parcel of parcel.md is decoded and encoded to the same bytes", "[model][formats]") {
  const Bytes bytes = hex_block("parcel.md", "parcel");
  const auto parcel = ParcelView::parse(bytes);
  REQUIRE(parcel);
  check_header(parcel->header);
  const auto body = ParcelBody::expand(*parcel);
  REQUIRE(body);
  REQUIRE(body->count() == 2);
  RecordReader reader;
  CHECK(reader.read(body->record(0))->time == "2026-09-07T02:00:00+08:00");
  CHECK(reader.read(body->record(1))->time == "2026-09-23T06:00:00+08:00");
  const Hash256 leaves[] = {leaf_hash(body->record(0)), leaf_hash(body->record(1))};
  CHECK(parcel->header.merkle_root == sha256({Bytes{0x01}, leaves[0], leaves[1]}));

  Bytes again;
  encode_header(parcel->header, again);
  again.insert(again.end(), parcel->signature.begin(), parcel->signature.end());
  const ByteView records[] = {body->record(0), body->record(1)};
  const Bytes packed = pack_body(records, Compression::kNone);
  again.insert(again.end(), packed.begin(), packed.end());
  CHECK(again == bytes);
}

TEST_CASE("the part of parcel.md is decoded and encoded to the same bytes", "[model][formats]") {
  const Bytes parcel_bytes = hex_block("parcel.md", "parcel");
  const Bytes bytes = hex_block("parcel.md", "part");
  const auto parcel = ParcelView::parse(parcel_bytes);
  const auto part = PartView::parse(bytes);
  REQUIRE(part);
  check_header(part->header);
  const auto body = PartBody::expand(*part);
  REQUIRE(body);
  REQUIRE(body->count() == 1);
  const PartRecord& record = body->record(0);
  CHECK(record.index == 1);
  CHECK(as_text(record.bytes) == as_text(ParcelBody::expand(*parcel)->record(1)));
  CHECK(part->header.merkle_root == sha256({Bytes{0x01}, record.path, leaf_hash(record.bytes)}));

  Bytes again;
  encode_part(*parcel, {&record, 1}, Compression::kNone, again);
  CHECK(again == bytes);
}

TEST_CASE("the verdicts of parcel.md are decoded and encoded to the same bytes", "[model][formats]") {
  const Bytes bytes = hex_block("parcel.md", "verdicts");
  const auto verdicts = ParcelVerdicts::decode(bytes);
  REQUIRE(verdicts);
  CHECK(*verdicts == ParcelVerdicts{{{1, Code::kNoAgreement, "no agreement"}}});
  Bytes again;
  verdicts->encode(again);
  CHECK(again == bytes);
}

TEST_CASE("the record of record.md is read and built to the same bytes", "[model][formats]") {
  const Bytes bytes = hex_block("record.md", "record");
  CHECK(block("record.md", "json record") == std::vector<std::string>{std::string(as_text(bytes))});
  RecordReader reader;
  const auto envelope = reader.read_copy(bytes);
  REQUIRE(envelope);
  CHECK(envelope->party == "500153");
  CHECK(envelope->type == "thalweg.section.observation.v1");
  CHECK(envelope->lane_value == Lane::kRoutine);
  CHECK(envelope->submitter == "instance:station-1");

  Draft draft;
  draft.id =
      record_id_for(envelope->time_unix_ns / 1'000'000, "500153", "station-1", "A500226_0002/20260923060000/2011");
  CHECK(draft.id.text() == envelope->id);
  draft.party = envelope->party;
  draft.type = envelope->type;
  draft.subject = envelope->subject;
  draft.time = envelope->time;
  draft.lane = envelope->lane_value;
  draft.submitter = envelope->submitter;
  draft.data_json = envelope->data_raw;
  Bytes again;
  REQUIRE(build_record(draft, again));
  CHECK(again == bytes);
}

}  // namespace thalweg
