// sink_feed_test.cc: what an adapter is given, in which order, and when a record is given up.
#include <catch2/catch.hpp>

#include "gate/sink_feed.h"
#include "inbox_fixture.h"

using namespace thalweg;
using namespace thalweg::gate;
using namespace thalweg::gate::test;

namespace {

/// A feed with a sink that the test plays.
struct FeedBench : InboxBench {
  FeedBench() {
    adapter.instance = "table";
    adapter.kind = "sink";
    adapter.receive.types = {"thalweg.section.*"};
    sinks = {"table"};
    rule.max_attempts = 3;
    rule.first_delay_ms = 1000;
  }
  void begin() {
    must(open());
    feed = std::make_unique<SinkFeed>(adapter, rule, *box, clock);
    on_block = [this] { feed->pump(); };
  }
  void end() {
    on_block = nullptr;
    feed.reset();
    close();
  }
  void attach(bool exercise_aware = false) {
    feed->attach(
        [this](const link::LocalDeliver& deliver) {
          batch = deliver.batch;
          given.clear();
          for (const auto& one : deliver.records)
            given.push_back({std::string(as_text(one.record)), one.attempt, one.flags});
          return true;
        },
        exercise_aware);
  }
  void answer(const std::vector<link::Answer>& answers) {
    link::LocalVerdicts verdicts;
    verdicts.batch = batch;
    for (const link::Answer one : answers) verdicts.verdicts.push_back({one, Code::kOk, "because"});
    given.clear();
    must(feed->on_verdicts(verdicts));
    settle_all();
  }
  /// While the inbox writes what it can.
  bool pump_until(const std::function<bool()>& done) {
    for (int turn = 0; turn < 100; ++turn) {
      clock.advance_s(10);
      feed->pump();
      if (done()) return true;
      bool passed = false;
      box->write(InboxType::kTaken, TakenEntry{0}.encode(), [&passed](const Error*) { passed = true; });
      if (passed) loop->io().run_one();  // refused: that a block failed is on its way
      run_until([&] { return passed; });
    }
    return false;
  }
  struct Given {
    std::string record;
    std::uint32_t attempt;
    std::uint8_t flags;
  };
  AdapterConfig adapter;
  RetryRule rule;
  std::unique_ptr<SinkFeed> feed;
  std::vector<Given> given;
  std::uint64_t batch = 0;
};

using link::Answer;

}  // namespace

TEST_CASE("records come in order, once accepted they do not come again, and the cursor survives a restart") {
  FeedBench bench;
  bench.begin();
  bench.attach();
  bench.welcome(1, 1);
  must(bench.deliver(1, bench.parcel(1, {"a", "b"})));
  REQUIRE(bench.given.size() == 2);
  bench.answer({Answer::kAccepted, Answer::kAccepted});
  CHECK(bench.given.empty());
  CHECK(bench.stands.back().taken == 1);
  must(bench.deliver(2, bench.parcel(2, {"c"})));
  CHECK(bench.given.size() == 1);
  // Not answered when the process ends: it comes again, the others do not.
  bench.end();
  bench.begin();
  bench.attach();
  CHECK(bench.given.size() == 1);
  bench.answer({Answer::kAccepted});
  CHECK(bench.box->stand().taken == 2);
  bench.end();
}

TEST_CASE("after a retry that record and all behind it wait, and what was accepted behind it does not come again") {
  FeedBench bench;
  bench.begin();
  bench.attach();
  bench.welcome(1, 1);
  must(bench.deliver(1, bench.parcel(1, {"a", "b", "c", "d"})));
  REQUIRE(bench.given.size() == 4);
  const std::string second = bench.given[1].record, fourth = bench.given[3].record;
  bench.answer({Answer::kAccepted, Answer::kRetry, Answer::kAccepted, Answer::kRetry});
  CHECK(bench.given.empty());
  must(bench.deliver(2, bench.parcel(2, {"e"})));
  CHECK(bench.given.empty());
  CHECK(bench.box->stand().taken == 0);
  bench.clock.advance_s(2);
  bench.feed->pump();
  REQUIRE(bench.given.size() == 3);
  CHECK(bench.given[0].record == second);
  CHECK(bench.given[0].attempt == 2);
  CHECK(bench.given[1].record == fourth);
  CHECK(bench.given[1].attempt == 1);
  bench.answer({Answer::kAccepted, Answer::kAccepted, Answer::kAccepted});
  CHECK(bench.box->stand().taken == 2);
  bench.end();
}

TEST_CASE("a record that is never taken becomes a dead letter, and the lane goes on") {
  FeedBench bench;
  bench.begin();
  bench.attach();
  bench.welcome(1, 1);
  must(bench.deliver(1, bench.parcel(1, {"a", "b"})));
  SECTION("after so many attempts") {
    for (int attempt = 1; attempt <= 3; ++attempt) {
      REQUIRE(bench.given.size() == 2);
      CHECK(bench.given[0].attempt == static_cast<std::uint32_t>(attempt));
      bench.answer({Answer::kRetry, Answer::kRetry});
      bench.clock.advance_s(100);
      bench.feed->pump();
    }
    REQUIRE(bench.box->state().letters.size() == 1);
    CHECK(bench.box->state().letters.begin()->second.code == Code::kAttemptsExhausted);
  }
  SECTION("after so long") {
    bench.rule.max_age_ms = 60'000;
    bench.answer({Answer::kRetry, Answer::kRetry});
    bench.clock.advance_s(100);
    bench.feed->pump();
    bench.answer({Answer::kRetry, Answer::kRetry});
    bench.clock.advance_s(100);
    bench.feed->pump();
    REQUIRE(bench.box->state().letters.size() == 1);
    CHECK(bench.box->state().letters.begin()->second.code == Code::kAgeExhausted);
  }
  SECTION("when it is rejected") {
    bench.answer({Answer::kRejected, Answer::kRetry});
    bench.clock.advance_s(100);
    bench.feed->pump();
    REQUIRE(bench.box->state().letters.size() == 1);
    CHECK(bench.box->state().letters.begin()->second.code == Code::kAdapterRejected);
  }
  REQUIRE(bench.given.size() == 1);
  bench.answer({Answer::kAccepted});
  CHECK(bench.box->stand().taken == 1);
  CHECK(bench.box->stand().dead == 1);

  // A person lets it be tried again.
  const InboundLetter letter = bench.box->state().letters.begin()->second;
  std::optional<Status> done;
  bench.feed->act(letter, ActEntry::What::kRetry, "zhang", [&](Status status) { done = std::move(status); });
  bench.run_until([&] { return done.has_value(); });
  bench.clock.advance_s(100);
  bench.feed->pump();
  REQUIRE(bench.given.size() == 1);
  CHECK((bench.given[0].flags & link::LocalDeliver::kReplay) != 0);
  bench.answer({Answer::kAccepted});
  CHECK(bench.box->state().letters.empty());
  bench.end();
}

TEST_CASE(
    "a record that is rejected while the disk is full is a dead letter when there is room, and before nothing is "
    "given") {
  FeedBench bench;
  bench.adapter.limits.deliver_batch = 1;
  bench.begin();
  bench.attach();
  bench.welcome(1, 1);
  must(bench.deliver(1, bench.parcel(1, {"a", "b"})));
  REQUIRE(bench.given.size() == 1);
  bench.files->fail(FileOp::kWrite, Code::kDiskFull, 0, UINT64_MAX);
  bench.answer({Answer::kRejected});
  bench.clock.advance_s(10);
  bench.feed->pump();
  bench.settle_all();
  CHECK(bench.box->state().letters.empty());
  CHECK(bench.given.empty());

  SECTION("the disk has room again") {
    bench.files->clear_faults();
    REQUIRE(bench.pump_until([&] { return !bench.box->state().letters.empty(); }));
  }
  SECTION("the gate ends before it has") {
    bench.end();
    bench.files->clear_faults();
    bench.begin();
    bench.attach();
    REQUIRE(bench.given.size() == 1);
    bench.answer({Answer::kRejected});
  }
  REQUIRE(bench.box->state().letters.size() == 1);
  CHECK(bench.box->state().letters.begin()->second.code == Code::kAdapterRejected);
  REQUIRE(bench.given.size() == 1);
  bench.answer({Answer::kAccepted});
  CHECK(bench.box->state().letters.size() == 1);
  CHECK(bench.box->stand().taken == 1);
  bench.end();
}

TEST_CASE("what an adapter took while the disk was full is known to be taken when there is room again") {
  FeedBench bench;
  bench.begin();
  bench.attach();
  bench.welcome(1, 1);
  must(bench.deliver(1, bench.parcel(1, {"a"})));
  bench.files->fail(FileOp::kWrite, Code::kDiskFull, 0, UINT64_MAX);
  bench.answer({Answer::kAccepted});
  CHECK(bench.box->stand().taken == 0);
  bench.files->clear_faults();
  CHECK(bench.pump_until([&] { return bench.box->stand().taken == 1; }));
  bench.end();
}

TEST_CASE(
    "an inbox whose old segments and whose snapshot are gone gives again what it holds, and passes over nothing") {
  FeedBench bench;
  bench.segment_bytes = 3000;
  bench.begin();
  bench.attach();
  bench.welcome(1, 1);
  for (std::uint64_t n = 1; n <= 10; ++n) {
    must(bench.deliver(n, bench.parcel(n, {std::to_string(n)})));
    bench.answer({n == 10 ? Answer::kRejected : Answer::kAccepted});
  }
  const InboundLetter rejected = bench.box->state().letters.at(1);
  std::optional<Status> dropped;
  bench.feed->act(rejected, ActEntry::What::kDrop, "zhang", [&](Status status) { dropped = std::move(status); });
  bench.run_until([&] { return dropped.has_value(); });
  bench.config_.inbox_bytes = 0;
  bench.box->tick();
  bench.config_.inbox_bytes = UINT64_MAX;
  REQUIRE(bench.box->state().first_ordinal() > 1);
  must(bench.deliver(11, bench.parcel(11, {"not answered"})));
  REQUIRE(bench.given.size() == 1);
  const std::string last = bench.given[0].record;
  bench.end();
  for (const Path& path : bench.files->all_files())
    if (path.extension() == ".snapshot") must(bench.files->remove(path));
  bench.given.clear();

  bench.begin();
  bench.attach();
  REQUIRE_FALSE(bench.given.empty());
  CHECK(bench.given.back().record == last);
  CHECK(bench.box->stand().taken == 0);
  bench.answer(std::vector<Answer>(bench.given.size(), Answer::kAccepted));
  CHECK(bench.box->stand().taken == 11);
  // What was set right stays so.
  bench.end();
  bench.begin();
  bench.attach();
  CHECK(bench.given.empty());
  CHECK(bench.box->stand().taken == 11);
  bench.end();
}

TEST_CASE("a crash counts as an attempt at the first record, which then goes alone until it is found") {
  FeedBench bench;
  bench.begin();
  bench.attach();
  bench.welcome(1, 1);
  must(bench.deliver(1, bench.parcel(1, {"poison", "b"})));
  for (int crash = 1; crash <= 3; ++crash) {
    REQUIRE(bench.given.size() == (crash == 1 ? 2u : 1u));
    bench.given.clear();
    bench.feed->detach(true, "signal SEGV");
    bench.clock.advance_s(100);
    bench.attach();
  }
  bench.settle_all();
  REQUIRE(bench.box->state().letters.size() == 1);
  CHECK(bench.box->state().letters.begin()->second.code == Code::kPluginCrashed);
  REQUIRE(bench.given.size() == 1);
  bench.answer({Answer::kAccepted});
  CHECK(bench.box->stand().taken == 1);
  bench.end();
}

TEST_CASE("exercise records are given only to an adapter that can tell them apart") {
  FeedBench bench;
  bench.begin();
  SECTION("not declared") {
    bench.attach(false);
    bench.welcome(1, 1);
    must(bench.deliver(1, bench.parcel(1, {"a"}, "drill-1")));
    CHECK(bench.given.empty());
    CHECK(bench.feed->counters().exercises_passed_by == 1);
    bench.settle_all();  // the cursor follows the delivery
    CHECK(bench.box->stand().taken == 1);
  }
  SECTION("declared") {
    bench.attach(true);
    bench.welcome(1, 1);
    must(bench.deliver(1, bench.parcel(1, {"a"}, "drill-1")));
    CHECK(bench.given.size() == 1);
  }
  bench.end();
}

TEST_CASE("a record of another type or subject passes the adapter by") {
  FeedBench bench;
  SECTION("type") { bench.adapter.receive.types = {"thalweg.emergency.*"}; }
  SECTION("subject") { bench.adapter.receive.subjects = {"elsewhere"}; }
  bench.begin();
  bench.attach();
  bench.welcome(1, 1);
  must(bench.deliver(1, bench.parcel(1, {"a"})));
  CHECK(bench.given.empty());
  bench.settle_all();  // the cursor follows the delivery
  CHECK(bench.box->stand().taken == 1);
  bench.end();
}

TEST_CASE("verdicts for another batch are a breach of the contract") {
  FeedBench bench;
  bench.begin();
  bench.attach();
  bench.welcome(1, 1);
  must(bench.deliver(1, bench.parcel(1, {"a"})));
  link::LocalVerdicts verdicts;
  verdicts.batch = bench.batch + 1;
  verdicts.verdicts.resize(1);
  CHECK(bench.feed->on_verdicts(verdicts).error().code == Code::kPluginContract);
  bench.end();
}
