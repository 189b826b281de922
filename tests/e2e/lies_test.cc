// lies_test.cc: gates with valid keys that say what is not so: the hub goes on, and its ledger stays true.
#include <catch2/catch.hpp>
#include <limits>

#include "ledger/verify.h"
#include "support/exchange.h"
#include "support/fake_clock.h"
#include "support/own_gate.h"
#include "support/sample_records.h"

using namespace thalweg;

namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

struct TurnedClock {
  // Ahead of the ledger's first block, which is written by the system's clock a moment later.
  FakeClock clock{system_clock().wall_unix_ns() + 60'000'000'000};
};

/// 荣昌 sends, 泸县 lies, by a clock that the test turns and that outlives the hub.
struct Lied : TurnedClock, Exchange {
  Lied() {
    hub_clock = &clock;
    start_hub();
    enrol("rongchang", "500153");
    enrol("luxian", "510521");
    enrol("dazu", "500111");
  }
  std::uint64_t epoch() { return ask_hub({{"cmd", "status"}})["lanes"]["routine"]["epoch"]; }
  std::uint64_t now_s() const { return static_cast<std::uint64_t>(clock.wall_unix_ns() / 1'000'000'000); }
  void publish_one(const std::string& key) {
    REQUIRE(publish("rongchang", json::array({observation_draft(key)}))["all_accepted"] == true);
  }
  void check_ledger() {
    stop_hub();
    const auto report = must(ledger::verify_ledger(real_files(), path("hub") / "state" / "ledger" / "routine", {}));
    INFO((report.fault ? report.fault->message : "content"));
    CHECK(report.content());
  }
};

}  // namespace

TEST_CASE("a gate that speaks of an epoch that no clock can have made is refused, and the hub goes on") {
  Lied x;
  {
    OwnGate liar(x, "luxian", [](link::Hello& hello) { hello.inbox_epoch = kMost - 1; });
    CHECK_FALSE(liar.in());
    CHECK(liar.end() == Code::kData);
  }
  {
    OwnGate liar(x, "luxian", [](link::Hello& hello) { hello.checkpoint_block = kMost / 2; });
    CHECK(liar.in());
  }
  CHECK(x.epoch() == x.now_s());  // as after any restored copy
  CHECK_FALSE(x.hub().failed());
  x.stop_hub();
  x.start_hub();
  x.start_gate("rongchang");
  x.start_gate("luxian");
  x.publish_one("after");
  REQUIRE(eventually([&] { return x.inbox("luxian").size() == 1; }));
  for (const char* gate : {"rongchang", "luxian"}) x.stop_gate(gate);
  x.check_ledger();
}

TEST_CASE("a gate can make the hub begin an epoch once an hour, whatever it says of deliveries") {
  Lied x;
  const auto beyond = [&](link::Hello& hello) {
    hello.inbox_epoch = x.epoch();
    hello.inbox_sequence = 1'000'000;
  };
  {
    OwnGate liar(x, "luxian", beyond);
    CHECK(liar.in());
  }
  const std::uint64_t first = x.epoch();
  CHECK(first > 0);
  {
    OwnGate liar(x, "luxian", beyond);
    CHECK_FALSE(liar.in());
    CHECK(liar.end() == Code::kBusy);
  }
  CHECK(x.epoch() == first);
  SECTION("another gate may be one that knows better") {
    OwnGate other(x, "dazu", beyond);
    CHECK(other.in());
    CHECK(x.epoch() > first);
  }
  SECTION("and so may this one, an hour later") {
    x.clock.advance_s(3600);
    OwnGate liar(x, "luxian", beyond);
    CHECK(liar.in());
    CHECK(x.epoch() > first);
  }
  SECTION("who tells the truth is let in all the same") {
    OwnGate honest(x, "luxian", [&](link::Hello& hello) { hello.inbox_epoch = first; });
    CHECK(honest.in());
    CHECK(x.epoch() == first);
  }
}

TEST_CASE("a delivery that a gate says to hold instead of the hub's makes an epoch once, then it is not believed") {
  Lied x;
  x.start_gate("rongchang");
  x.publish_one("one");
  Hash256 wrong{};
  wrong[0] = 1;
  {
    OwnGate liar(x, "luxian", [&](link::Hello& hello) { hello.inbox_fresh = true; });
    REQUIRE(eventually([&] { return liar.delivered() == 1; }));
    liar.settle(1, 1, wrong);
    CHECK(liar.end() == Code::kClosed);
  }
  const std::uint64_t first = x.epoch();
  CHECK(first > 0);
  OwnGate liar(x, "luxian", [&](link::Hello& hello) { hello.inbox_fresh = true; });
  REQUIRE(eventually([&] { return liar.delivered() == 1; }));
  liar.settle(1, 1, wrong);
  CHECK(liar.end() == Code::kSettlementInvalid);
  CHECK(x.epoch() == first);
  x.stop_gate("rongchang");
  x.check_ledger();
}

TEST_CASE("gates that know of blocks that a restored hub lost make it begin one epoch, not one each") {
  Lied x;
  const auto knows = [](link::Hello& hello) { hello.checkpoint_block = 1000; };
  OwnGate first(x, "luxian", knows);
  const std::uint64_t epoch = first.welcome().epoch;
  CHECK(epoch > 0);
  x.clock.advance_s(1);
  OwnGate second(x, "dazu", knows);
  CHECK(second.welcome().epoch == epoch);
  CHECK(x.epoch() == epoch);
}

TEST_CASE("an epoch with a number of the future does not make the hub wait for records for as long") {
  Lied x;
  {
    CHECK(OwnGate(x, "luxian", [&](link::Hello& h) { h.inbox_epoch = x.now_s() + 10 * 365 * 86'400; }).in());
  }
  const auto receipt = [](const std::string& key) {
    return samples::record("510521", "thalweg.receipt.v1", "record",
                           R"({"record":"01997c2a-7b10-7cc3-98c4-dc0c0c07398f","stage":"signed","party":"510521",)"
                           R"("officer":"test","by":"cli","at":"2026-09-23T06:52:00+08:00"})",
                           Lane::kRoutine, key);
  };
  OwnGate gate(x, "luxian");
  gate.send(1, gate.parcel(receipt("1")));
  CHECK(gate.answer(1) == Code::kBusy);
  x.clock.advance_s(61);
  OwnGate later(x, "luxian");
  later.send(1, later.parcel(receipt("2")));
  CHECK(later.answer(1) == Code::kOk);  // the parcel; its record is refused for good
}

TEST_CASE("a gate that begins one stream after another is held back until the next day, and goes on in those it has") {
  Lied x;
  const auto begin = [&](int stream, Uuid& incarnation) {
    OwnGate gate(x, "rongchang", [&](link::Hello& hello) {
      if (!incarnation.is_zero()) hello.incarnation = incarnation;
      incarnation = hello.incarnation;
    });
    gate.send(1, gate.parcel(samples::observation("500153", std::to_string(stream))));
    return gate.answer(1);
  };
  Uuid last;
  for (int stream = 1; stream <= 100; ++stream) REQUIRE(begin(stream, last = {}) == Code::kOk);
  Uuid further;
  CHECK(begin(101, further) == Code::kParcelQuota);
  CHECK(begin(100, last) == Code::kOk);  // sent again: answered as before
  x.clock.advance_s(86'400);
  CHECK(begin(101, further) == Code::kOk);
}

TEST_CASE("a settlement that has more taken than held does not come into the ledger") {
  Lied x;
  x.start_gate("rongchang");
  x.publish_one("one");
  {
    OwnGate liar(x, "luxian", [&](link::Hello& hello) { hello.inbox_fresh = true; });
    REQUIRE(eventually([&] { return liar.delivered() == 1; }));
    liar.settle(1, 2);
    CHECK(liar.end() == Code::kSettlementInvalid);
  }
  OwnGate honest(x, "luxian", [&](link::Hello& hello) { hello.inbox_fresh = true; });
  REQUIRE(eventually([&] { return honest.delivered() == 1; }));
  honest.settle(1, 1);
  REQUIRE(eventually([&] { return x.progress("510521")["lag"] == 0; }));
  x.stop_gate("rongchang");
  x.check_ledger();
}
