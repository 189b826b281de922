// refusal_test.cc: what is not to be taken, and machines that may speak no longer: clear answers, and nobody else
// suffers.
#include <catch2/catch.hpp>

#include "support/exchange.h"
#include "support/fake_clock.h"

using namespace thalweg;

namespace {

struct Neighbours : Exchange {
  Neighbours() {
    start_hub();
    enrol("dazu", "500111");
    enrol("rongchang", "500153");
    enrol("luxian", "510521");
    for (const char* name : {"dazu", "rongchang", "luxian"}) start_gate(name);
  }

  /// The record as its sender sees it, once the hub has answered.
  json answered(const std::string& name, const std::string& id) {
    json record;
    REQUIRE(eventually([&] {
      record = ask_gate(name, {{"cmd", "show"}, {"record", id}})["record"];
      return record.value("state", "stored") != "stored";
    }));
    return record;
  }
  json link_of(const std::string& name) { return ask_gate(name, {{"cmd", "status"}})["lanes"][0]["link"]; }
};

}  // namespace

TEST_CASE("a record without an agreement comes back with the one that is needed, and is kept as a dead letter") {
  Neighbours x;
  const json record = {
      {"type", "thalweg.enforcement.record.v1"},
      {"subject", "case-9"},
      {"time", "2026-09-23T09:00:00+08:00"},
      {"data",
       {{"case", "case-9"},
        {"kind", "joint_patrol"},
        {"step", "found"},
        {"at", "2026-09-23T09:00:00+08:00"},
        {"parties", {{{"code", "500111"}, {"role", "lead"}}, {{"code", "510521"}, {"role", "partner"}}}}}}};
  const json sent = x.publish("dazu", json::array({record}));
  INFO(sent.dump());
  REQUIRE(sent["all_accepted"] == true);  // by the gate; what the hub says comes later
  const json shown = x.answered("dazu", sent["settled"][0]["id"]);
  INFO(shown.dump());
  CHECK(shown["state"] == "refused");
  CHECK(shown["code"] == static_cast<int>(Code::kNoAgreement));
  CHECK(shown["text"].get<std::string>().find("agreement") != std::string::npos);
  CHECK(shown["text"].get<std::string>().find("510521") != std::string::npos);
  const json letters = x.ask_gate("dazu", {{"cmd", "deadletters"}, {"act", "list"}})["letters"];
  REQUIRE(letters.size() == 1);
  CHECK(letters[0]["record"] == sent["settled"][0]["id"]);
  CHECK(x.inbox("luxian").empty());
}

TEST_CASE("an unknown section is refused with the names nearest to it, and the records beside it go on") {
  Neighbours x;
  json wrong = observation_draft("k1");
  wrong["subject"] = wrong["data"]["section"] = "laixi-gaodon";
  const json sent = x.publish("rongchang", json::array({wrong, observation_draft("k2")}));
  INFO(sent.dump());
  REQUIRE(sent["settled"].size() == 2);
  const json shown = x.answered("rongchang", sent["settled"][0]["id"]);
  INFO(shown.dump());
  CHECK(shown["state"] == "refused");
  CHECK(shown["code"] == static_cast<int>(Code::kSectionUnknown));
  CHECK(shown["text"].get<std::string>().find("laixi-gaodong") != std::string::npos);
  REQUIRE(eventually([&] { return x.inbox("luxian").size() == 1; }));
  CHECK(x.inbox("luxian")[0]["id"] == sent["settled"][1]["id"]);
}

TEST_CASE("a gate replaced by a machine with a new certificate: the new one takes over, the old one is refused") {
  Neighbours x;
  REQUIRE(x.publish("rongchang", json::array({observation_draft("k1")}))["all_accepted"] == true);
  REQUIRE(eventually([&] { return x.inbox("luxian").size() == 1; }));
  x.stop_gate("rongchang");

  // Serials are the time of making in seconds: this one is made a little later.
  FakeClock later(system_clock().wall_unix_ns() + 5'000'000'000);
  x.enrol("rongchang-new", "500153", "gate-1", x.path("rongchang") / "identity.key", later);
  x.start_gate("rongchang-new");
  const json sent = x.publish("rongchang-new", json::array({observation_draft("k2")}));
  REQUIRE(sent["all_accepted"] == true);
  REQUIRE(eventually([&] { return x.inbox("luxian").size() == 2; }));
  CHECK(x.inbox("luxian")[0]["id"] == sent["settled"][0]["id"]);
  CHECK(x.inbox("luxian")[0].value("state", "") == "received");

  x.start_gate("rongchang");
  x.publish("rongchang", json::array({observation_draft("k3")}));
  REQUIRE(eventually([&] { return x.link_of("rongchang")["open"] == false && x.link_of("rongchang")["code"] != 0; }));
  REQUIRE(x.publish("rongchang-new", json::array({observation_draft("k4")}))["all_accepted"] == true);
  REQUIRE(eventually([&] { return x.inbox("luxian").size() == 3; }));
  CHECK(x.link_of("rongchang-new")["open"] == true);
}

TEST_CASE("the session of a revoked gate ends at once, and what was accepted before stays") {
  Neighbours x;
  REQUIRE(x.publish("rongchang", json::array({observation_draft("k1")}))["all_accepted"] == true);
  REQUIRE(eventually([&] { return x.inbox("luxian").size() == 1; }));
  REQUIRE(x.link_of("rongchang")["open"] == true);
  x.ask_hub({{"cmd", "party_revoke"}, {"party", "500153"}, {"gate", "gate-1"}, {"reason", "stolen"}});
  REQUIRE(eventually([&] { return x.link_of("rongchang")["open"] == false; }));
  x.publish("rongchang", json::array({observation_draft("k2")}));
  REQUIRE(x.publish("dazu", json::array({notice_draft("information", "2026-0923-02")})).contains("settled"));
  CHECK(x.inbox("luxian").size() == 1);
}
