// clock_test.cc: while the hub's clock is in doubt no agreement begins and none ends (rule 26).
#include <algorithm>
#include <catch2/catch.hpp>

#include "ledger/verify.h"
#include "model/time.h"
#include "support/exchange.h"
#include "support/fake_clock.h"

using namespace thalweg;

namespace {

constexpr std::int64_t kDay_ns = 86'400'000'000'000;

struct TurnedClock {
  // Ahead of the ledger's first block, which is written by the system's clock a moment later.
  FakeClock clock{system_clock().wall_unix_ns() + 60'000'000'000};
};

/// 荣昌 sends 泸县 readings by an agreement that ends in half a year.
struct Dated : TurnedClock, Exchange {
  Dated() {
    hub_clock = &clock;
    const Path file = path("hub") / "region" / "agreements.toml";
    std::string text(as_text(must(read_file(real_files(), file, 1 << 20))));
    const std::size_t at = text.find("valid_from", text.find("\"section-rongchang-luxian\""));
    text.insert(at, "valid_to = " + format_rfc3339(clock.wall_unix_ns() + 180 * kDay_ns, 480).substr(0, 10) + "\n");
    REQUIRE(write_file_atomically(real_files(), file, as_bytes(text)).has_value());
    start_hub();
    enrol("rongchang", "500153");
    enrol("luxian", "510521");
    start_gate("rongchang");
    start_gate("luxian");
    check_goes();
  }
  ~Dated() {
    for (const char* gate : {"rongchang", "luxian"}) stop_gate(gate);
    stop_hub();
    for (const char* lane : {"routine", "urgent"}) {
      const auto report = must(ledger::verify_ledger(real_files(), path("hub") / "state" / "ledger" / lane, {}));
      INFO((report.fault ? report.fault->message : "content"));
      CHECK(report.content());
    }
  }
  std::string publish_one() {
    const json sent = publish("rongchang", json::array({observation_draft(std::to_string(++made))}));
    REQUIRE(sent["all_accepted"] == true);
    return sent["settled"][0]["id"];
  }
  /// What the hub made of it.
  json answer(const std::string& id) {
    json record;
    REQUIRE(eventually([&] {
      record = ask_gate("rongchang", {{"cmd", "show"}, {"record", id}})["record"];
      return record.value("state", "stored") != "stored";
    }));
    return record;
  }
  bool goes() {
    const json record = answer(publish_one());
    const json& to = record["receivers"];
    return std::find(to.begin(), to.end(), "510521") != to.end();
  }
  void check_goes() {
    REQUIRE(goes());
    ++gone;
    CHECK(arrived());
  }
  bool arrived() {
    return eventually([&] { return inbox("luxian", 1000).size() == gone; });
  }
  bool in_doubt() { return ask_hub({{"cmd", "status"}})["lanes"]["routine"]["clock_doubtful"]; }
  void restart() {
    stop_hub();
    start_hub();
  }

  int made = 0;
  std::size_t gone = 0;
};

}  // namespace

TEST_CASE("a hub that starts with a dead clock goes on by the agreements that were in force") {
  Dated x;
  x.stop_gate("luxian");
  REQUIRE(x.goes());  // waits for 泸县
  ++x.gone;
  x.stop_hub();
  const std::int64_t back = x.clock.wall_unix_ns();
  x.clock.step_wall_ns(-back);
  x.start_hub();
  CHECK(x.in_doubt());
  x.start_gate("luxian");
  CHECK(x.arrived());
  x.check_goes();
  x.clock.step_wall_ns(back);  // the time comes over the network
  x.hub().follow_dates();
  CHECK(x.in_doubt());
  x.check_goes();
  x.ask_hub({{"cmd", "clock_confirm"}});
  CHECK_FALSE(x.in_doubt());
  x.check_goes();
}

TEST_CASE("an agreement does not end by a clock that jumped past its end, but when somebody says that it is right") {
  Dated x;
  x.stop_gate("luxian");
  REQUIRE(x.goes());  // waits for 泸县
  ++x.gone;
  x.clock.step_wall_ns(365 * kDay_ns);
  x.hub().follow_dates();
  CHECK(x.in_doubt());
  x.start_gate("luxian");
  CHECK(x.arrived());
  x.check_goes();
  SECTION("nor by a region that is read then") {
    x.ask_hub({{"cmd", "reload"}});
    x.check_goes();
  }
  SECTION("nor by a start") {
    x.restart();
    CHECK(x.in_doubt());
    x.check_goes();
    x.clock.step_wall_ns(-365 * kDay_ns);
    x.restart();
    CHECK(x.in_doubt());
    x.check_goes();
  }
  SECTION("and when it was set back it goes on as before") {
    x.clock.step_wall_ns(-365 * kDay_ns);
    x.hub().follow_dates();
    x.check_goes();
    x.ask_hub({{"cmd", "clock_confirm"}});
    x.check_goes();
  }
  SECTION("it was the time that was right") {
    x.ask_hub({{"cmd", "clock_confirm"}});
    CHECK_FALSE(x.in_doubt());
    CHECK_FALSE(x.goes());
  }
}

TEST_CASE("an agreement ends on its day, by a clock that nobody has reason to doubt") {
  Dated x;
  x.clock.advance_ns(181 * kDay_ns);
  CHECK_FALSE(x.in_doubt());
  x.hub().follow_dates();
  CHECK_FALSE(x.goes());
}
