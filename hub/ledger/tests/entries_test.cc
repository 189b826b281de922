#include "ledger/entries.h"

#include <catch2/catch.hpp>

#include "support/ledger_script.h"

using namespace thalweg;
using namespace thalweg::ledger;

namespace {

template <class Decode>
void check_hostile(const Bytes& whole, Decode decode) {
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    (void)decode(cut).has_value();
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (std::uint8_t mask : {0x01, 0x80, 0xff}) {
      Bytes flipped = whole;
      flipped[at] ^= mask;
      (void)decode(flipped).has_value();
    }
  }
  Bytes version = whole;
  version[0] = 2;
  auto refused = decode(version);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Code::kLedgerFormat);
  Bytes longer = whole;
  longer.push_back(0);
  (void)decode(longer).has_value();
}

Decision one_receiver() {
  Decision d;
  d.grants.push_back({"laixi-routine", 3, 0, {{0, 200}}, {"510521"}});
  d.sequences.push_back({"510521", 41});
  return d;
}

}  // namespace

TEST_CASE("every entry of the hub's ledger comes back as it was written, and no bytes break its codec", "[ledger]") {
  SECTION("genesis") {
    Genesis in{"hub-laixi", 1, 1, {}, {}, 123456789, "first"};
    in.signing_key.fill(7);
    in.nonce.fill(9);
    auto out = decode_genesis(encode(in));
    REQUIRE(out.has_value());
    CHECK(out->hub == in.hub);
    CHECK(out->signing_key == in.signing_key);
    CHECK(out->nonce == in.nonce);
    CHECK(out->note == in.note);
    check_hostile(encode(in), decode_genesis);
  }
  SECTION("parcel") {
    ParcelVerdicts verdicts;
    verdicts.exceptions.push_back({3, Code::kRecordTypeUnknown, "no such type"});
    Bytes whole = encode_parcel_head(verdicts, one_receiver());
    const Bytes parcel = some_bytes(1, 300);
    whole.insert(whole.end(), parcel.begin(), parcel.end());
    auto out = decode_parcel(whole);
    REQUIRE(out.has_value());
    CHECK(out->verdicts == verdicts);
    CHECK(out->decision == one_receiver());
    CHECK(std::ranges::equal(out->parcel, parcel));
    CHECK(std::ranges::equal(*parcel_of(whole), parcel));
    check_hostile(encode_parcel_head(verdicts, one_receiver()), decode_parcel);
    check_hostile(encode_parcel_head(verdicts, one_receiver()), parcel_of);
  }
  SECTION("settlement") {
    Settlement in{"510521", "gate-1", 2, 90, 80, 1, {}, {}, {1, 2, 3}};
    in.root.fill(4);
    in.signature.fill(5);
    auto out = decode_settlement(encode(in));
    REQUIRE(out.has_value());
    CHECK(out->receiver == in.receiver);
    CHECK(out->sequence == 90);
    CHECK(out->taken_sequence == 80);
    CHECK(out->extra == in.extra);
    check_hostile(encode(in), decode_settlement);
    in.taken_sequence = 91;
    CHECK_FALSE(decode_settlement(encode(in)).has_value());
  }
  SECTION("region version") {
    RegionVersion in{4, "officer", {{"rivers.toml", "[river]"}, {"agreements.toml", ""}}};
    auto out = decode_region_version(encode(in));
    REQUIRE(out.has_value());
    CHECK(out->version == 4);
    CHECK(out->files == in.files);
    check_hostile(encode(in), decode_region_version);
  }
  SECTION("act") {
    Act in{"王", "party.revoke", 5, R"({"party":"500111"})"};
    auto out = decode_act(encode(in));
    REQUIRE(out.has_value());
    CHECK(out->who == in.who);
    CHECK(out->args_json == in.args_json);
    check_hostile(encode(in), decode_act);
  }
  SECTION("redelivery") {
    Redelivery in{Redelivery::kReplay, {7, 2}, one_receiver(), "deadletters retry"};
    auto out = decode_redelivery(encode(in));
    REQUIRE(out.has_value());
    CHECK(out->parcel == in.parcel);
    CHECK(out->decision == in.decision);
    CHECK(out->why == in.why);
    check_hostile(encode(in), decode_redelivery);
  }
  SECTION("epoch") {
    auto out = decode_epoch(encode(EpochEntry{6, "restored"}));
    REQUIRE(out.has_value());
    CHECK(out->epoch == 6);
    CHECK(out->why == "restored");
    check_hostile(encode(EpochEntry{6, "restored"}), decode_epoch);
  }
  SECTION("summary") {
    Summary in;
    in.as_of = 900;
    in.genesis = {1, 2, 3};
    in.genesis_unix_ns = 5;
    in.streams.push_back({"500153", "gate-1", Uuid{}, 77, Hash256{9}});
    in.receivers.push_back({"510521", 40, 39, 38, 12, 2, {{6, 30}, {8, 35}}});
    in.documents.push_back({EntryType::kCertificate, 4, {7, 7}});
    in.region_since = 3;
    in.region = {2, "王", {{"region.toml", "format = 1"}}};
    auto out = decode_summary(encode(in));
    REQUIRE(out.has_value());
    CHECK(out->as_of == 900);
    CHECK(out->genesis == in.genesis);
    REQUIRE(out->streams.size() == 1);
    CHECK(out->streams[0].number == 77);
    CHECK(out->streams[0].root == in.streams[0].root);
    REQUIRE(out->receivers.size() == 1);
    CHECK(out->receivers[0].given_up == 12);
    CHECK(out->receivers[0].epochs == in.receivers[0].epochs);
    REQUIRE(out->documents.size() == 1);
    CHECK(out->documents[0].bytes == in.documents[0].bytes);
    CHECK(out->region.files == in.region.files);
    check_hostile(encode(in), decode_summary);
  }
}

TEST_CASE("what the ledger adds to a parcel of one agreement and one receiver stays under 80 bytes", "[ledger]") {
  const Bytes head = encode_parcel_head({}, one_receiver());
  CHECK(kEntryHeaderBytes + head.size() < 80);
  // Of these the framing itself: entry header, version, length of the head.
  Bytes content;
  ParcelVerdicts().encode(content);
  one_receiver().encode(content);
  CHECK(kEntryHeaderBytes + head.size() - content.size() == 10);
}

TEST_CASE("an entry that nobody could read again is named before it is written", "[ledger]") {
  CHECK(readable(EntryType::kAct, encode(Act{"who", "what", 1, "{}"})));
  CHECK_FALSE(readable(EntryType::kAct, encode(Act{"who", "what", 1, std::string((64u << 10) + 1, ' ')})));
  CHECK(readable(EntryType::kRegionVersion, encode(RegionVersion{1, "who", {{"a.toml", "a = 1"}}})));
  CHECK_FALSE(
      readable(EntryType::kRegionVersion, encode(RegionVersion{1, "who", {{"a.toml", std::string(9u << 20, ' ')}}})));
  CHECK_FALSE(readable(EntryType::kSummary, Bytes((16u << 20) + 1)));
}
