#include "ledger/group_commit.h"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "ledger/clock_watch.h"
#include "ledger/segment_log.h"
#include "support/fake_clock.h"
#include "support/faulty_files.h"
#include "support/ledger_script.h"

using namespace thalweg;
using namespace thalweg::ledger;

namespace {

/// A ledger whose appends wait until the test lets them go.
class GatedLedger final : public Ledger {
 public:
  explicit GatedLedger(Ledger& inner) : inner_(inner) {}
  Hash256 id() const override { return inner_.id(); }
  BlockInfo head() const override { return inner_.head(); }
  std::uint64_t first_block() const override { return inner_.first_block(); }
  Result<BlockPtr> append(std::span<const EntryRef> entries, const AppendAs& as) override {
    std::unique_lock lock(mutex_);
    ++entered_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return allowed_ >= entered_; });
    return inner_.append(entries, as);
  }
  Status set_epoch(std::uint64_t epoch) override { return inner_.set_epoch(epoch); }
  Result<std::vector<BlockPtr>> read_run(std::uint64_t first, std::size_t bytes) const override {
    return inner_.read_run(first, bytes);
  }
  Result<BlockPtr> read(std::uint64_t block) const override { return inner_.read(block); }
  Result<std::uint64_t> drop_before(std::uint64_t block) override { return inner_.drop_before(block); }
  Result<FileSystem::Space> space() const override { return inner_.space(); }
  Watch watch(std::function<void(const BlockPtr&)> on_block) override { return inner_.watch(std::move(on_block)); }

  void wait_entered(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return entered_ >= count; });
  }
  void allow(int count) {
    std::lock_guard guard(mutex_);
    allowed_ = count;
    changed_.notify_all();
  }

 private:
  Ledger& inner_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int entered_ = 0, allowed_ = 0;  // both guarded by mutex_
};

struct Fixture {
  FaultyFiles files;
  FakeClock clock;
  std::unique_ptr<SegmentLog> log;

  Fixture() {
    auto opened = SegmentLog::open(files, "/ledger", small_segments(1u << 20));
    REQUIRE(opened.has_value());
    log = *std::move(opened);
  }
};

}  // namespace

TEST_CASE("what waits while a block is written goes into the next one, in order", "[ledger]") {
  Fixture f;
  GatedLedger gated(*f.log);
  std::vector<Committed> places;
  std::vector<BlockOutcome> outcomes;
  GroupCommitOptions options;
  options.on_block = [&](const BlockOutcome& o) { outcomes.push_back(o); };
  {
    GroupCommit commit(gated, f.clock, options);
    for (std::uint64_t i = 0; i < 5; ++i) {
      Submission entry{2, some_bytes(i, 100), nullptr, Claim::kNormal, i, [&](const Result<Committed>& r) {
                         REQUIRE(r.has_value());
                         places.push_back(*r);
                       }};
      REQUIRE(commit.submit(std::move(entry)));
      if (i == 0) gated.wait_entered(1);
    }
    gated.allow(100);
    commit.flush();
    CHECK(commit.waiting_bytes() == 0);
    CHECK(commit.counters().blocks == 2);
    CHECK(commit.counters().entries == 5);
  }
  REQUIRE(places.size() == 5);
  CHECK(places[0].place == Place{2, 0});
  for (std::uint32_t i = 1; i < 5; ++i) CHECK(places[i].place == Place{3, i - 1});
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[1].tags == std::vector<std::uint64_t>{1, 2, 3, 4});
  CHECK(outcomes[1].block->info.time_unix_ns == FakeClock::kStart_unix_ns);
  auto block = f.log->read(3);
  REQUIRE(block.has_value());
  CHECK(std::ranges::equal((*block)->entries[2].bytes, some_bytes(3, 100)));
}

TEST_CASE("a patient entry goes with the next one that is not, or alone when its patience ends", "[ledger]") {
  constexpr std::int64_t kHour_ns = 3'600'000'000'000;
  Fixture f;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::size_t> blocks;  // entries of each
  GroupCommitOptions options;
  options.on_block = [&](const BlockOutcome& outcome) {
    std::lock_guard guard(mutex);
    blocks.push_back(outcome.tags.size());
    changed.notify_all();
  };
  const auto submit = [](GroupCommit& commit, bool patient) {
    Submission entry;
    entry.type = 7;
    entry.bytes = {1, 2, 3};
    entry.patient = patient;
    REQUIRE(commit.submit(std::move(entry)));
  };
  SECTION("with the next one") {
    options.patience_ns = kHour_ns;
    GroupCommit commit(*f.log, f.clock, options);
    submit(commit, true);
    submit(commit, true);
    submit(commit, false);
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !blocks.empty(); });
    CHECK(blocks == std::vector<std::size_t>{3});
  }
  SECTION("alone, after its patience") {
    options.patience_ns = 1;
    GroupCommit commit(*f.log, f.clock, options);
    submit(commit, true);
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !blocks.empty(); });
  }
  SECTION("alone, when somebody flushes") {
    options.patience_ns = kHour_ns;
    GroupCommit commit(*f.log, f.clock, options);
    submit(commit, true);
    commit.flush();
    CHECK(blocks == std::vector<std::size_t>{1});
  }
  SECTION("alone, at the end") {
    options.patience_ns = kHour_ns;
    {
      GroupCommit commit(*f.log, f.clock, options);
      submit(commit, true);
    }
    CHECK(blocks == std::vector<std::size_t>{1});
  }
}

TEST_CASE("a block ends at its size, and a larger entry has one of its own", "[ledger]") {
  Fixture f;
  GatedLedger gated(*f.log);
  GroupCommitOptions options;
  options.max_block_bytes = 1000;
  std::vector<std::size_t> sizes;
  options.on_block = [&](const BlockOutcome& o) { sizes.push_back(o.tags.size()); };
  GroupCommit commit(gated, f.clock, options);
  REQUIRE(commit.submit(2, Bytes(1), nullptr));
  gated.wait_entered(1);
  for (std::size_t size : {400u, 400u, 400u, 5000u, 10u}) {
    auto more = std::make_shared<const Bytes>(size / 2);
    REQUIRE(commit.submit(Submission{2, Bytes(size - size / 2), more, Claim::kNormal, 0, nullptr}));
  }
  gated.allow(100);
  commit.flush();
  CHECK(sizes == std::vector<std::size_t>{1, 2, 1, 1, 1});
}

TEST_CASE("waiting entries are bounded in bytes, and settlements have a reserve", "[ledger]") {
  Fixture f;
  GatedLedger gated(*f.log);
  GroupCommitOptions options;
  options.max_waiting_bytes = 10'000;
  options.reserve_waiting_bytes = 3'000;
  GroupCommit commit(gated, f.clock, options);
  int taken = 0;
  Status status;
  while ((status = commit.submit(2, Bytes(900), nullptr))) ++taken;
  CHECK(status.error().code == Code::kBusy);
  CHECK(taken == 10);
  int reserve = 0;
  while ((status = commit.submit(Submission{3, Bytes(900), nullptr, Claim::kReserve, 0, nullptr}))) ++reserve;
  CHECK(status.error().code == Code::kBusy);
  CHECK(reserve == 3);
  CHECK(commit.waiting_bytes() <= 13'000);
  // Tiny entries cost their place in the queue too.
  gated.allow(1000);
  commit.flush();
  CHECK(commit.submit(2, Bytes(900), nullptr));
  commit.stop();
  CHECK(commit.submit(2, Bytes(1), nullptr).error().code == Code::kClosed);
  CHECK(faults_of(*f.log, {}) == "");
}

TEST_CASE("one entry larger than the whole room is taken when nothing else waits", "[ledger]") {
  Fixture f;
  GroupCommitOptions options;
  options.max_waiting_bytes = 1000;
  GroupCommit commit(*f.log, f.clock, options);
  CHECK(commit.submit(2, Bytes(5000), nullptr));
  CHECK(commit.submit(2, Bytes(kMaxEntryBytes + 1), nullptr).error().code == Code::kInvalid);
  CHECK(commit.submit(0, Bytes(1), nullptr).error().code == Code::kInvalid);
}

TEST_CASE("a full disk fails all that waits, in order, after resume() the same commit goes on", "[ledger]") {
  Fixture f;
  GatedLedger gated(*f.log);
  std::vector<std::pair<std::uint64_t, bool>> ends;
  GroupCommitOptions options;
  options.max_block_bytes = 1500;
  options.disk_reserve_share = 0;
  std::vector<std::size_t> failed_together;
  options.on_block = [&](const BlockOutcome& o) {
    if (o.error) failed_together.push_back(o.tags.size());
  };
  GroupCommit commit(gated, f.clock, options);
  f.files.set_capacity(f.files.used_bytes() + 2500);  // room for the first, not for the second
  for (std::uint64_t i = 0; i < 4; ++i) {
    auto done = [&ends, i](const Result<Committed>& r) { ends.emplace_back(i, r.has_value()); };
    REQUIRE(commit.submit(Submission{2, Bytes(2000), nullptr, Claim::kNormal, i, done}));
    if (i == 0) gated.wait_entered(1);
  }
  gated.allow(100);
  commit.flush();
  CHECK(ends == std::vector<std::pair<std::uint64_t, bool>>{{0, true}, {1, false}, {2, false}, {3, false}});
  CHECK(failed_together == std::vector<std::size_t>{3});
  REQUIRE(commit.failure().has_value());
  CHECK(commit.failure()->code == Code::kDiskFull);
  CHECK(commit.submit(2, Bytes(1), nullptr).error().code == Code::kDiskFull);
  f.files.set_capacity(1u << 20);
  CHECK(commit.submit(2, Bytes(1), nullptr).error().code == Code::kDiskFull);
  commit.resume();
  CHECK(commit.submit(2, Bytes(2000), nullptr));
  commit.flush();
  CHECK(f.log->head().number == 3);
  CHECK(faults_of(*f.log, {}) == "");
}

TEST_CASE("after a failed sync every block fails, also after resume()", "[ledger]") {
  Fixture f;
  GroupCommit commit(*f.log, f.clock, {});
  f.files.fail(FileOp::kSync, Code::kSyncFailed);
  REQUIRE(commit.submit(2, Bytes(10), nullptr));
  commit.flush();
  CHECK(commit.failure()->code == Code::kSyncFailed);
  commit.resume();
  REQUIRE(commit.submit(2, Bytes(10), nullptr));
  commit.flush();
  CHECK(commit.failure()->code == Code::kSyncFailed);
  CHECK(f.log->head().number == 1);
}

TEST_CASE("the last of the disk is kept for settlements and urgent records, and given back when there is room",
          "[ledger]") {
  Fixture f;
  f.files.set_capacity(100'000);
  GroupCommitOptions options;
  options.disk_reserve_share = 0.5;
  GroupCommit commit(*f.log, f.clock, options);
  Status status;
  int taken = 0;
  for (; taken < 200; ++taken) {
    status = commit.submit(2, Bytes(1000), nullptr);
    if (!status) break;
    commit.flush();
    f.clock.advance_ms(300);
  }
  REQUIRE_FALSE(status);
  CHECK(status.error().code == Code::kDiskFull);
  CHECK_FALSE(commit.failure().has_value());
  CHECK(f.files.space("/")->free_bytes > 45'000);
  CHECK(commit.submit(Submission{3, Bytes(1000), nullptr, Claim::kReserve, 0, nullptr}));
  f.files.set_capacity(300'000);
  CHECK_FALSE(commit.submit(2, Bytes(1000), nullptr));  // asked lately
  f.clock.advance_ms(300);
  CHECK(commit.submit(2, Bytes(1000), nullptr));
}

TEST_CASE("a wall clock that jumps or starts in the past makes blocks marked until a person confirms it", "[ledger]") {
  Fixture f;
  GroupCommit commit(*f.log, f.clock, {});
  auto write = [&] {
    REQUIRE(commit.submit(2, Bytes(1), nullptr));
    commit.flush();
    return f.log->head();
  };
  CHECK(write().flags == 0);
  f.clock.advance_s(3600);
  CHECK(write().flags == 0);
  f.clock.step_wall_ns(4 * 60 * 1'000'000'000LL);
  CHECK(write().flags == 0);
  const std::int64_t before = f.log->head().time_unix_ns;
  f.clock.step_wall_ns(-365LL * 86'400 * 1'000'000'000);
  CHECK(write().flags == BlockInfo::kClockDoubtful);
  CHECK(f.log->head().time_unix_ns == before);
  CHECK(commit.clock_doubtful());
  commit.confirm_clock();
  CHECK_FALSE(commit.clock_doubtful());
  CHECK(write().flags == 0);
  commit.stop();
  GroupCommit later(*f.log, f.clock, {});  // its clock stands a year before the last block
  CHECK(later.clock_doubtful());
}

TEST_CASE("a wall clock that jumps is noticed by who asks, although nothing is written", "[ledger]") {
  Fixture f;
  GroupCommit commit(*f.log, f.clock, {});
  CHECK_FALSE(commit.clock_doubtful());
  f.clock.step_wall_ns(365LL * 86'400 * 1'000'000'000);
  CHECK(commit.clock_doubtful());
  f.clock.step_wall_ns(-365LL * 86'400 * 1'000'000'000);
  CHECK(commit.clock_doubtful());  // until somebody confirms it
}

TEST_CASE("the last time that was believed is found behind any number of segments written in doubt", "[ledger]") {
  FaultyFiles files;
  auto log = *SegmentLog::open(files, "/ledger", small_segments(4096));
  const auto write = [&](std::int64_t time, std::uint8_t flags) {
    const Bytes bytes(1000);
    const EntryRef entry{2, bytes};
    REQUIRE(log->append({&entry, 1}, AppendAs{time, flags}).has_value());
  };
  const std::int64_t start = log->head().time_unix_ns;
  CHECK(*last_believed_unix_ns(*log) == start);
  for (int i = 1; i <= 10; ++i) write(start + i, 0);
  CHECK(*last_believed_unix_ns(*log) == start + 10);
  for (int i = 1; i <= 20; ++i) write(start + 1000 + i, BlockInfo::kClockDoubtful);
  REQUIRE(log->segments().size() > 5);
  CHECK(*last_believed_unix_ns(*log) == start + 10);
  REQUIRE(log->drop_before(25).has_value());  // all that is left was written in doubt
  CHECK(*last_believed_unix_ns(*log) > start + 1000);
  write(start + 2000, 0);
  CHECK(*last_believed_unix_ns(*log) == start + 2000);
}

TEST_CASE("many threads submit, everything is in the log once and each thread's order is kept", "[ledger]") {
  Fixture f;
  std::atomic<int> done = 0;
  {
    GroupCommit commit(*f.log, f.clock, {});
    std::vector<std::thread> threads;
    for (std::uint8_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::uint32_t i = 0; i < 500; ++i) {
          Bytes bytes;
          ByteWriter w(bytes);
          w.u8(t);
          w.u32(i);
          while (!commit.submit(2, bytes, [&](const Result<Committed>& r) { done += r.has_value(); })) {
            std::this_thread::yield();
          }
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  CHECK(done == 2000);
  std::array<std::uint32_t, 4> next{};
  for (std::uint64_t number = 2; number <= f.log->head().number; ++number) {
    auto block = f.log->read(number);
    REQUIRE(block.has_value());
    for (const EntryRef& entry : (*block)->entries) {
      ByteReader r(entry.bytes);
      const std::uint8_t t = r.u8();
      REQUIRE(t < 4);
      CHECK(r.u32() == next[t]++);
    }
  }
  CHECK(next == std::array<std::uint32_t, 4>{500, 500, 500, 500});
}
