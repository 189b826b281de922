// retention_test.cc: a ledger that grows old: compressed, dropped from the front, and still the only truth.
#include <catch2/catch.hpp>
#include <filesystem>

#include "ledger/verify.h"
#include "support/exchange.h"
#include "support/fake_clock.h"

using namespace thalweg;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kDay_s = 86'400;

struct TurnedClock {
  // Ahead of the ledger's first block, which is written by the system's clock a moment later.
  FakeClock clock{system_clock().wall_unix_ns() + 60'000'000'000};
};

/// A hub that keeps its ledger for 30 days in segments of 16 KiB, by a clock that the test turns and that outlives it.
struct Old : TurnedClock, Exchange {
  Old() {
    hub_segment_bytes = 16u << 10;
    hub_clock = &clock;
    start();
    enrol("dazu", "500111");
    enrol("rongchang", "500153");
    enrol("luxian", "510521");
  }
  void start() {
    start_hub([](app::HubConfig& config) { config.retention_days = 30; });
  }
  void send(int count) {
    for (int i = 0; i < count; ++i) {
      clock.advance_ms(1);
      const json sent = publish("rongchang", json::array({observation_draft("k" + std::to_string(++made))}));
      REQUIRE(sent["all_accepted"] == true);
    }
  }
  json lane() { return ask_hub({{"cmd", "status"}})["lanes"]["routine"]; }
  bool settled(const std::string& party) {
    return eventually([&] {
      const json progress = this->progress(party);
      return progress["sent_to"] >= made && progress["lag"] == 0;
    });
  }
  ledger::VerifyReport verified() {
    return must(ledger::verify_ledger(real_files(), path("hub") / "state" / "ledger" / "routine", {}));
  }
  std::size_t files(const std::string& ending) {
    std::size_t count = 0;
    for (const auto& file : fs::directory_iterator(path("hub") / "state" / "ledger" / "routine"))
      count += file.path().extension() == ending ? 1 : 0;
    return count;
  }

  int made = 0;
};

}  // namespace

TEST_CASE("old segments that everybody has settled are dropped, and what is left is a whole ledger") {
  Old x;
  for (const char* name : {"dazu", "rongchang", "luxian"}) x.start_gate(name);
  x.send(60);
  REQUIRE(x.settled("500111"));
  REQUIRE(x.settled("510521"));
  REQUIRE(x.hub().keep_house().has_value());
  CHECK(x.lane()["first_block"] == 1);  // too young to go
  CHECK(x.files(".segz") > 2);          // and compressed
  x.stop_gate("dazu");

  x.clock.advance_s(31 * kDay_s);
  x.send(1);
  REQUIRE(x.settled("510521"));
  REQUIRE(x.hub().keep_house().has_value());
  const std::uint64_t first = x.lane()["first_block"];
  CHECK(first > 1);
  const ledger::VerifyReport report = x.verified();
  INFO((report.fault ? report.fault->message : "content"));
  CHECK(report.content());
  CHECK_FALSE(report.from_genesis);
  CHECK(report.first_block == first);

  // Everything derived may go too: the ledger tells it all, although its beginning is gone.
  x.stop_hub();
  fs::remove_all(x.path("hub") / "state" / "derived");
  x.start();
  x.start_gate("dazu");
  x.send(5);
  REQUIRE(eventually([&] { return x.inbox("dazu", 1000).size() == 66 && x.inbox("luxian", 1000).size() == 66; }));
  CHECK(x.lane()["epoch"] == 0);  // nobody took the hub for one that was restored
  const std::string newest = x.inbox("luxian", 1)[0]["id"];
  CHECK(x.ask_hub({{"cmd", "why"}, {"record", newest}})["grants"].size() > 0);
  // The keys are known again, so a revocation still finds its gate; and the ledger can be carried on by its genesis.
  CHECK(x.ask_hub({{"cmd", "party_revoke"}, {"party", "500111"}, {"reason", "test"}})["revoked"].size() == 1);
  x.stop_hub();
  CHECK(x.verified().content());
}

TEST_CASE("a receiver that has not settled holds old segments back, and status says who, until it is given up") {
  Old x;
  for (const char* name : {"rongchang", "luxian"}) x.start_gate(name);
  x.send(60);
  REQUIRE(x.settled("510521"));
  x.clock.advance_s(31 * kDay_s);
  x.send(1);
  REQUIRE(x.settled("510521"));
  REQUIRE(x.hub().keep_house().has_value());
  CHECK(x.lane()["held_back_by"] == "500111");
  CHECK(x.lane()["first_block"] < 20);

  SECTION("it comes and settles") {
    x.start_gate("dazu");
    REQUIRE(eventually([&] { return x.inbox("dazu", 1000).size() == 61; }));
    REQUIRE(x.settled("500111"));
    REQUIRE(x.hub().keep_house().has_value());
    CHECK(x.lane()["first_block"] > 20);
    CHECK_FALSE(x.lane().contains("held_back_by"));
  }
  SECTION("it is given up by a recorded decision") {
    CHECK(x.ask_hub({{"cmd", "receiver_give_up"}, {"party", "500111"}, {"reason", "left the exchange"}})["given_up"] >=
          61);
    REQUIRE(x.hub().keep_house().has_value());
    CHECK(x.lane()["first_block"] > 20);
    // Should it come after all, it gets what is still there and goes on.
    x.start_gate("dazu");
    x.send(1);
    REQUIRE(eventually([&] {
      const json inbox = x.inbox("dazu", 1000);
      return !inbox.empty() && inbox.size() < 62 && x.progress("500111")["lag"] == 0;
    }));
  }
  x.stop_hub();
  const ledger::VerifyReport report = x.verified();
  INFO((report.fault ? report.fault->message : "content"));
  CHECK(report.content());
}

TEST_CASE("while the hub's clock is in doubt nothing is dropped, however old it looks") {
  Old x;
  for (const char* name : {"dazu", "rongchang", "luxian"}) x.start_gate(name);
  x.send(60);
  REQUIRE(x.settled("500111"));
  REQUIRE(x.settled("510521"));
  x.clock.step_wall_ns(31 * kDay_s * 1'000'000'000);  // somebody set it, no time has passed
  x.send(1);
  REQUIRE(x.settled("510521"));
  REQUIRE(eventually([&] { return x.lane()["clock_doubtful"] == true; }));
  REQUIRE(x.hub().keep_house().has_value());
  CHECK(x.lane()["first_block"] == 1);
  x.ask_hub({{"cmd", "clock_confirm"}});
  REQUIRE(x.settled("500111"));
  REQUIRE(x.hub().keep_house().has_value());
  CHECK(x.lane()["first_block"] > 1);
}
