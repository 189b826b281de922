// hub_test.cc: what operators and full disks do to a hub at work.
#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "ledger/verify.h"
#include "support/exchange.h"
#include "support/fake_clock.h"
#include "support/real_disk.h"

using namespace thalweg;

namespace {

struct Working : Exchange {
  Working() {
    start_hub();
    enrol("rongchang", "500153");
    enrol("luxian", "510521");
  }
  void start_gates() {
    for (const char* name : {"rongchang", "luxian"}) start_gate(name);
  }
  /// The first fault of either lane; empty when verify is content with both.
  std::string fault() {
    for (const char* lane : {"routine", "urgent"}) {
      const auto report = must(ledger::verify_ledger(real_files(), path("hub") / "state" / "ledger" / lane, {}));
      if (report.fault)
        return std::to_string(static_cast<int>(report.fault->code)) + " block " + std::to_string(report.fault->block) +
               ": " + report.fault->message;
    }
    return {};
  }
  /// What the hub accepted has arrived, and nothing of it was put aside.
  void luxian_believes_all() {
    REQUIRE(eventually([&] {
      const json status = ask_hub({{"cmd", "status"}});
      for (const json& party : status["parties"])
        if (party["party"] == "510521") return party["lanes"]["routine"]["lag"] == 0;
      return false;
    }));
    CHECK(ask_gate("luxian", {{"cmd", "deadletters"}, {"act", "list"}})["letters"].empty());
  }
  std::uint64_t parcels() { return ask_hub({{"cmd", "status"}})["lanes"]["routine"]["parcels"]; }
};

/// Publishes one record after the other, from its own thread, until it goes.
class Sender {
 public:
  Sender(Exchange& exchange, std::string gate) {
    thread_ = std::thread([this, &exchange, gate = std::move(gate)] {
      try {
        for (int i = 0; !ended_; ++i)
          exchange.publish(gate, json::array({observation_draft(gate + "-" + std::to_string(i))}));
      } catch (const std::exception& error) {
        fault_ = error.what();
      }
    });
  }
  ~Sender() {
    ended_ = true;
    thread_.join();
    CHECK(fault_ == "");
  }

 private:
  std::atomic<bool> ended_{false};
  std::string fault_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a gate revoked while it sends leaves nothing in the ledger that came after its revocation") {
  Working x;
  x.stop_hub();
  x.sync_delay_ns = 30'000'000;
  x.start_hub();
  x.sync_delay_ns = 0;
  x.start_gates();
  Sender rongchang(x, "rongchang");
  REQUIRE(eventually([&] { return x.parcels() >= 5; }));
  x.ask_hub({{"cmd", "party_revoke"}, {"party", "500153"}, {"gate", "gate-1"}, {"reason", "stolen"}});
  x.luxian_believes_all();
  x.stop_hub();
  CHECK(x.fault() == "");
}

namespace {

/// The machine's clocks, until somebody sets the one on the wall.
class SetClock final : public Clock {
 public:
  std::int64_t wall_unix_ns() const override { return system_clock().wall_unix_ns() + ahead_ns; }
  std::int64_t steady_ns() const override { return system_clock().steady_ns(); }
  std::atomic<std::int64_t> ahead_ns = 0;
};

}  // namespace

TEST_CASE("keys changed while the hub's clock was ahead hold at once when it is right again") {
  SetClock clock;
  Working x;
  x.stop_hub();
  x.hub_clock = &clock;
  x.start_hub();
  x.start_gates();
  x.publish("rongchang", json::array({observation_draft("before")}));
  REQUIRE(eventually([&] { return x.parcels() >= 1; }));
  x.luxian_believes_all();
  clock.ahead_ns = 5LL * 3600 * 1'000'000'000;
  x.ask_hub({{"cmd", "party_revoke"}, {"party", "500153"}, {"gate", "gate-1"}, {"reason", "stolen"}});
  x.stop_gate("luxian");
  FakeClock later(system_clock().wall_unix_ns() + 5'000'000'000);
  x.enrol("luxian-new", "510521", "gate-1", x.path("luxian") / "identity.key", later);
  clock.ahead_ns = 0;
  SECTION("while it runs") {}
  SECTION("after it was started again") {
    x.stop_hub();
    x.start_hub();
  }
  const auto link = [&](const char* gate) { return x.ask_gate(gate, {{"cmd", "status"}})["lanes"][0]["link"]; };
  x.start_gate("luxian-new");
  CHECK(eventually([&] { return link("luxian-new")["open"] == true; }));
  x.stop_gate("rongchang");
  x.start_gate("rongchang");
  REQUIRE(eventually([&] { return link("rongchang")["open"] == true || link("rongchang")["code"] != 0; }));
  CHECK(link("rongchang")["open"] == false);
  for (const char* gate : {"luxian-new", "rongchang"}) x.stop_gate(gate);
  x.stop_hub();
  CHECK(x.fault() == "");
}

TEST_CASE("a gate replaced while the old machine sends leaves only what each key signed in its time") {
  Working x;
  x.stop_hub();
  x.sync_delay_ns = 30'000'000;
  x.start_hub();
  x.sync_delay_ns = 0;
  x.start_gates();
  Sender rongchang(x, "rongchang");
  REQUIRE(eventually([&] { return x.parcels() >= 5; }));
  FakeClock later(system_clock().wall_unix_ns() + 5'000'000'000);
  x.enrol("rongchang-new", "500153", "gate-1", x.path("rongchang") / "identity.key", later);
  x.luxian_believes_all();
  x.stop_hub();
  CHECK(x.fault() == "");
}

TEST_CASE("an operator's request with a member of the wrong kind is answered, and the hub goes on") {
  Working x;
  for (const char* request :
       {R"({"cmd":"records","limit":"20"})", R"({"cmd":"records","limit":-1})", R"({"cmd":"records","limit":null})",
        R"({"cmd":5})", R"({"cmd":"show","record":7})", R"({"cmd":"why","record":{}})",
        R"({"cmd":"party_add","document":[],"fingerprint":1})", R"({"cmd":"party_revoke","party":5})",
        R"({"cmd":"party_revoke"})", R"({"cmd":"party_revoke","party":"510521","gate":1})",
        R"({"cmd":"receiver_give_up","party":"510521","reason":1})", R"([])", R"({)"}) {
    const json answer = json::parse(x.hub().request(request, "tester"));
    INFO(request << " " << answer.dump());
    CHECK(answer["ok"] == false);
  }
  CHECK(x.ask_hub({{"cmd", "records"}, {"limit", 1}})["records"].size() == 1);
}

TEST_CASE("an act whose reason is too long for the ledger is refused, and nothing of it is done") {
  Working x;
  x.start_gate("rongchang");
  x.publish("rongchang", json::array({observation_draft("one")}));
  REQUIRE(eventually([&] { return x.progress("510521")["sent_to"] == 1; }));
  const std::string reason(70'000, 'r');
  for (const char* act : {"receiver_give_up", "party_revoke"}) {
    const json answer =
        json::parse(x.hub().request(json{{"cmd", act}, {"party", "510521"}, {"reason", reason}}.dump(), "tester"));
    CHECK(answer["ok"] == false);
  }
  CHECK(x.ask_hub({{"cmd", "receiver_give_up"}, {"party", "510521"}, {"reason", "left"}})["given_up"] > 0);
  x.stop_gate("rongchang");
  x.stop_hub();
  CHECK(x.fault() == "");
}

namespace {

/// The real disk, which says that it is nearly full when told to.
class NearlyFull final : public RealDisk {
 public:
  std::atomic<bool> full{false};

  Result<Space> space(const Path&) override {
    return Space{.free_bytes = (full ? 4ull : 50ull) << 30, .total_bytes = 100ull << 30};
  }
};

}  // namespace

TEST_CASE("the last twentieth of the hub's disk is for urgent records and settlements, routine parcels wait") {
  NearlyFull disk;
  Working x;
  x.stop_hub();
  x.hub_files = &disk;
  x.start_hub();
  x.start_gates();
  x.publish("rongchang", json::array({observation_draft("before")}));
  REQUIRE(eventually([&] { return x.inbox("luxian").size() == 1; }));
  disk.full = true;
  const auto link_code = [&] { return x.ask_gate("rongchang", {{"cmd", "status"}})["lanes"][0]["link"]["code"]; };
  int made = 0;
  REQUIRE(eventually([&] {  // the hub looks at its disk four times a second
    x.publish("rongchang", json::array({observation_draft("full-" + std::to_string(++made))}));
    return link_code() == static_cast<int>(Code::kDiskFull);
  }));
  x.publish("rongchang", json::array({notice_draft("warning", "2026-0923-01")}));
  REQUIRE(eventually([&] {
    const json inbox = x.inbox("luxian", 10000);
    return std::any_of(inbox.begin(), inbox.end(), [](const json& r) { return r["lane"] == "urgent"; });
  }));
  // The settlement of what 泸县 holds is in the ledger all the same.
  x.luxian_believes_all();
  disk.full = false;
  REQUIRE(eventually([&] {
    const json progress = x.progress("510521");
    return progress["sent_to"] == made + 1 && progress["lag"] == 0;
  }));
  x.stop_hub();
  CHECK(x.fault() == "");
}

TEST_CASE("a certificate that a gate's disk does not keep is asked for again, and nothing of its party is put aside") {
  Exchange x;
  x.start_hub();
  x.enrol("luxian", "510521");
  x.start_gate("luxian");
  const auto open = [&] { return x.ask_gate("luxian", {{"cmd", "status"}})["lanes"][0]["link"]["open"] == true; };
  REQUIRE(eventually(open));
  const Path in_the_way = x.path("luxian") / "state" / "pins.json.new";
  std::filesystem::create_directories(in_the_way / "full");
  x.enrol("rongchang", "500153");
  REQUIRE(eventually([&] { return !open(); }));
  std::filesystem::remove_all(in_the_way);
  x.start_gate("rongchang");
  x.publish("rongchang", json::array({observation_draft("one")}));
  REQUIRE(eventually([&] { return x.inbox("luxian").size() == 1; }));
}

TEST_CASE("a party that sends more refused records than are kept per day is held back, others go on") {
  Working x;
  x.enrol("dazu", "500111");
  x.stop_hub();
  x.start_hub([](app::HubConfig& config) { config.refused_quota_bytes = 3000; });
  x.start_gates();
  x.start_gate("dazu");
  const auto link_code = [&] { return x.ask_gate("rongchang", {{"cmd", "status"}})["lanes"][0]["link"]["code"]; };
  int made = 0;
  REQUIRE(eventually([&] {
    json wrong = observation_draft("wrong-" + std::to_string(++made));
    wrong["subject"] = wrong["data"]["section"] = "laixi-gaodon";
    x.publish("rongchang", json::array({wrong}));
    return link_code() == static_cast<int>(Code::kParcelQuota);
  }));
  const json status = x.ask_hub({{"cmd", "status"}})["lanes"]["routine"];
  CHECK(status["refused_records"] >= 1);
  CHECK(status["refused_records"] <= 6);
  json reading = observation_draft("d1");
  reading["subject"] = reading["data"]["section"] = "laixi-yutan";
  reading["data"]["station"] = "A500000_2013";
  x.publish("dazu", json::array({reading}));
  REQUIRE(eventually([&] { return x.inbox("rongchang").size() == 1; }));
}

TEST_CASE(
    "what the hub itself concludes is a record of its own stream, which those whom it concerns get and can prove") {
  Working x;
  x.start_gates();
  const Path parties = x.path("hub") / "region" / "parties.toml";
  const Bytes before = must(read_file(real_files(), parties, 1 << 20));
  std::string text(as_text(before));
  REQUIRE(text.find("023-0000-0153") != std::string::npos);
  text.replace(text.find("023-0000-0153"), 13, "023-0000-0999");
  REQUIRE(write_file_atomically(real_files(), parties, as_bytes(text)));
  CHECK(x.ask_hub({{"cmd", "reload"}})["version"] == 2);

  REQUIRE(eventually([&] { return x.hub_events("rongchang").size() == 1; }));
  const json event = x.hub_events("rongchang")[0];
  CHECK(event["type"] == "thalweg.hub.event.v1");
  CHECK(x.hub_events("luxian").empty());
  // The new telephone is in the manifest that the reload sent.
  const std::string sent = x.publish("luxian", json::array({notice_draft("search", "i-1")}))["settled"][0]["id"];
  REQUIRE(eventually([&] {
    const json known = x.ask_gate("luxian", {{"cmd", "show"}, {"record", sent}});
    return known["record"].dump().find("023-0000-0999") != std::string::npos;
  }));
  const json shown = x.ask_hub({{"cmd", "show"}, {"record", event["id"]}});
  INFO(shown.dump());
  CHECK(shown["content"]["source"] == "/party/laixi-hub");
  CHECK(shown["content"]["data"]["kind"] == "region_changed");
  CHECK(shown["content"]["data"]["by"] == "tester");
  CHECK(shown["content"]["data"]["changes"] == json::array({"party 500153: changed"}));
  CHECK(x.ask_hub({{"cmd", "why"}, {"record", event["id"]}})["text_en"].get<std::string>().find("hub itself") !=
        std::string::npos);

  x.stop_hub();
  x.start_hub();
  x.ask_hub({{"cmd", "party_revoke"}, {"party", "500153"}, {"reason", "stolen"}});
  REQUIRE(eventually([&] { return x.hub_events("luxian").size() == 1; }));
  CHECK(x.ask_gate("luxian", {{"cmd", "deadletters"}, {"act", "list"}})["letters"].empty());
  json kinds = json::array();
  std::uint64_t number = 0;
  const json listed = x.ask_hub({{"cmd", "records"}, {"type", "hub.event"}, {"limit", 100}})["records"];
  for (auto at = listed.rbegin(); at != listed.rend(); ++at) {
    const json one = x.ask_hub({{"cmd", "show"}, {"record", (*at)["record"]}});
    kinds.push_back(one["content"]["data"]["kind"]);
    CHECK(one["parcel"] == ++number);  // one stream over the restart
  }
  CHECK(kinds ==
        json::array({"region_changed", "certificate_added", "certificate_added", "region_changed", "key_revoked"}));
  x.stop_hub();
  CHECK(x.fault() == "");
}
