// hub_test.cc: what operators and full disks do to a hub at work.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "ledger/verify.h"
#include "support/exchange.h"
#include "support/fake_clock.h"

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
      for (int i = 0; !ended_; ++i)
        exchange.publish(gate, json::array({observation_draft(gate + "-" + std::to_string(i))}));
    });
  }
  ~Sender() {
    ended_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> ended_{false};
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
