#include "intake/parcel_check.h"

#include <catch2/catch.hpp>
#include <set>

#include "region/load.h"
#include "support/sample_records.h"
#include "trust/seal.h"

using namespace thalweg;
using namespace thalweg::intake;

namespace {

constexpr std::int64_t kNow = 1'790'114'400'000'000'000;  // 2026-09-23T06:00+08:00

/// The Laixi region with one gate of 荣昌 and one of 泸县.
struct Bench {
  Bench() {
    std::vector<region::Mistake> mistakes;
    auto loaded =
        region::load_folder(real_files(), std::string(THALWEG_SOURCE_DIR) + "/examples/regions/laixi", mistakes);
    REQUIRE(loaded);
    auto fresh = std::make_shared<Policy>();
    fresh->region = *loaded;
    fresh->routes = std::make_shared<routing::RouteTable>(*loaded, kNow);
    fresh->keys = with(with(trust::KeyDirectory::empty(), "500153", rongchang), "510521", luxian);
    policy = fresh;
    context.policy = policy;
    context.now_unix_ns = kNow;
    context.origin_of = [](const RecordId&) { return std::optional<std::string>(); };
    context.known = [](const RecordId&) { return false; };
  }

  static trust::KeyDirectory::Ptr with(trust::KeyDirectory::Ptr keys, const std::string& party,
                                       const trust::SigningKey& key) {
    const trust::SigningKey identity = trust::SigningKey::generate();
    trust::GateCertificate c;
    c.party = party;
    c.gate = "gate-1";
    c.serial = 1;
    c.identity = identity.public_key();
    c.signing = key.public_key();
    c.curve_z85 = trust::CurveKeyPair::generate().public_z85;
    c.valid_from_unix_ns = kNow - 1'000'000'000;
    c.valid_to_unix_ns = kNow + 86'400'000'000'000;
    const auto document = trust::sign(c, identity);
    REQUIRE(document);
    return *keys->with(*document, kNow, trust::Unpinned::kPinFirst);
  }

  Bytes seal(const std::vector<Bytes>& records, const std::string& party, Lane lane = Lane::kRoutine,
             std::uint8_t flags = 0) {
    ParcelHeader header;
    header.party = party;
    header.gate = "gate-1";
    header.lane = lane;
    header.number = 1;
    header.flags = flags;
    header.sent_unix_ns = kNow;
    std::vector<ByteView> views(records.begin(), records.end());
    return *trust::seal_parcel(header, views, party == "500153" ? rongchang : luxian, Compression::kLz4);
  }

  Result<CheckedParcel> check(const Bytes& parcel) { return checker.check(*ParcelView::parse(parcel), context); }

  trust::SigningKey rongchang = trust::SigningKey::generate();
  trust::SigningKey luxian = trust::SigningKey::generate();
  PolicyPtr policy;
  IncidentBook incidents;
  ParcelCheck checker{incidents};
  CheckContext context;
};

}  // namespace

TEST_CASE("section data goes to the neighbour below by the agreement in force") {
  Bench b;
  const auto checked =
      b.check(b.seal({samples::observation("500153", "1"), samples::observation("500153", "2")}, "500153"));
  REQUIRE(checked);
  CHECK(checked->verdicts.exceptions.empty());
  bool luxian = false;
  for (const Grant& grant : checked->decision.grants) {
    CHECK(grant.records == std::vector<IndexRange>{{0, 2}});
    for (const std::string& receiver : grant.receivers)
      if (receiver == "510521") {
        luxian = true;
        CHECK(grant.agreement == "section-rongchang-luxian");
      }
  }
  CHECK(luxian);
}

TEST_CASE("one bad record is refused with every fault and its path, the others of its parcel go on") {
  Bench b;
  const Bytes bad = samples::record(
      "500153", "thalweg.section.observation.v1", "laixi-gaodong",
      R"({"section":"laixi-gaodong","time":"yesterday","time_label":"instant","mode":"guess","review":"raw","factors":[]})",
      Lane::kRoutine, "bad");
  const auto checked =
      b.check(b.seal({samples::observation("500153", "1"), bad, samples::observation("500153", "2")}, "500153"));
  REQUIRE(checked);
  REQUIRE(checked->verdicts.exceptions.size() == 1);
  const RecordVerdict& verdict = checked->verdicts.exceptions[0];
  CHECK(verdict.index == 1);
  CHECK(verdict.code == Code::kRecordSchema);
  CHECK(verdict.text.find("data.time") != std::string::npos);
  CHECK(verdict.text.find("data.mode") != std::string::npos);
  REQUIRE_FALSE(checked->decision.grants.empty());
  CHECK(checked->decision.grants[0].records == std::vector<IndexRange>{{0, 1}, {2, 1}});
  CHECK(checked->refused == 1);
}

TEST_CASE("a record that another party is said to have made is refused") {
  Bench b;
  const auto checked = b.check(b.seal({samples::observation("510521")}, "500153"));
  REQUIRE(checked);
  REQUIRE(checked->verdicts.exceptions.size() == 1);
  CHECK(checked->verdicts.exceptions[0].code == Code::kRecordSourceMismatch);
}

TEST_CASE("a parcel whose bytes were changed, or which another key signed, is refused whole") {
  Bench b;
  Bytes parcel = b.seal({samples::observation("500153")}, "500153");
  parcel[parcel.size() - 10] ^= 1;
  CHECK_FALSE(b.check(parcel));
  std::swap(b.rongchang, b.luxian);
  const auto foreign = b.check(b.seal({samples::observation("500153")}, "500153"));
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code == Code::kParcelSignature);
}

TEST_CASE("an expired key is refused by name") {
  Bench b;
  b.context.now_unix_ns = kNow + 2 * 86'400'000'000'000;
  const auto checked = b.check(b.seal({samples::observation("500153")}, "500153"));
  REQUIRE_FALSE(checked);
  CHECK(checked.error().code == Code::kKeyExpired);
}

TEST_CASE("a search goes upstream, a warning downstream, and the end to all who were told") {
  Bench b;
  const auto receivers = [&](const char* kind, const char* key) {
    const auto checked =
        b.check(b.seal({samples::notice("500153", kind, Lane::kUrgent, key)}, "500153", Lane::kUrgent));
    REQUIRE(checked);
    std::set<std::string> all;
    for (const Grant& grant : checked->decision.grants) all.insert(grant.receivers.begin(), grant.receivers.end());
    return all;
  };
  CHECK(receivers("search", "1").contains("500111"));
  CHECK(receivers("warning", "2").contains("510521"));
  const std::set<std::string> end = receivers("end", "3");
  CHECK(end.contains("500111"));
  CHECK(end.contains("510521"));
}

TEST_CASE("an urgent notice with an unknown section passes, marked, routine section data is refused with near names") {
  Bench b;
  std::string data = samples::notice_data("warning");
  data.replace(data.find("laixi-gaodong"), 13, "laixi-gaodnog");
  const auto urgent =
      b.check(b.seal({samples::record("500153", "thalweg.emergency.notice.v1", "2026-0923-01", data, Lane::kUrgent)},
                     "500153", Lane::kUrgent));
  REQUIRE(urgent);
  REQUIRE(urgent->verdicts.exceptions.size() == 1);
  CHECK(is_mark(urgent->verdicts.exceptions[0].code));
  CHECK_FALSE(urgent->decision.grants.empty());

  const auto routine = b.check(b.seal({samples::record("500153", "thalweg.section.observation.v1", "laixi-gaodnog",
                                                       samples::observation_data("2.82", "laixi-gaodnog"))},
                                      "500153"));
  REQUIRE(routine);
  REQUIRE(routine->verdicts.exceptions.size() == 1);
  CHECK(routine->verdicts.exceptions[0].code == Code::kSectionUnknown);
  CHECK(routine->verdicts.exceptions[0].text.find("laixi-gaodong") != std::string::npos);
}

TEST_CASE("enforcement records go to the parties of the case that have agreed, and to nobody else") {
  Bench b;
  const auto checked = b.check(b.seal({samples::record("510521", "thalweg.enforcement.record.v1", "case-7",
                                                       samples::enforcement_data({"510521", "500153", "500111"}))},
                                      "510521"));
  REQUIRE(checked);
  REQUIRE(checked->decision.grants.size() == 1);
  CHECK(checked->decision.grants[0].receivers == std::vector<std::string>{"500153"});
}

TEST_CASE("a clock that is off by more than five minutes marks the record and does not stop it") {
  Bench b;
  b.context.clock_offset_ns = 400'000'000'000;
  const auto checked = b.check(b.seal({samples::observation("500153")}, "500153"));
  REQUIRE(checked);
  REQUIRE(checked->verdicts.exceptions.size() == 1);
  CHECK(checked->verdicts.exceptions[0].code == Code::kClockOffset);
  CHECK_FALSE(checked->decision.grants.empty());
}

TEST_CASE("what a restored gate submits again and the ledger holds is told so and goes nowhere twice") {
  Bench b;
  b.context.known = [](const RecordId&) { return true; };
  const auto again =
      b.check(b.seal({samples::observation("500153")}, "500153", Lane::kRoutine, ParcelHeader::kResubmission));
  REQUIRE(again);
  CHECK(again->verdicts.exceptions.at(0).code == Code::kRecordDuplicate);
  CHECK(again->decision.grants.empty());
  CHECK(again->refused == 0);
}

TEST_CASE("an answer to a record that is not there is refused, or comes too early while a restored hub is refilled") {
  Bench b;
  const Bytes parcel = b.seal({samples::record("510521", "thalweg.receipt.v1", "01997c2a-7b10-7cc3-98c4-dc0c0c07398f",
                                               R"({"record":"01997c2a-7b10-7cc3-98c4-dc0c0c07398f","stage":"signed",)"
                                               R"("party":"510521","officer":"周演","by":"cli",)"
                                               R"("at":"2026-09-23T06:52:00+08:00"})")},
                              "510521");
  const auto refused = b.check(parcel);
  REQUIRE(refused);
  CHECK(refused->verdicts.exceptions.at(0).code == Code::kNotFound);
  b.context.refilling = true;
  const auto early = b.check(parcel);
  REQUIRE_FALSE(early);
  CHECK(early.error().code == Code::kBusy);
  b.context.origin_of = [](const RecordId&) { return std::optional<std::string>("500153"); };
  const auto taken = b.check(parcel);
  REQUIRE(taken);
  CHECK(taken->decision.grants.at(0).receivers == std::vector<std::string>{"500153"});
}
