#include "ledger/snapshot.h"

#include <catch2/catch.hpp>

#include "ledger/retention.h"
#include "support/faulty_files.h"
#include "support/ledger_script.h"

using namespace thalweg;
using namespace thalweg::ledger;

namespace {

const Path kFolder = "/ledger";
constexpr std::int64_t kDay = RetentionRules::kDay_ns;

BlockInfo add(SegmentLog& log, std::uint8_t type, std::int64_t time) {
  const Bytes bytes(500, type);
  const EntryRef entry{type, bytes};
  auto block = log.append({&entry, 1}, time);
  REQUIRE(block.has_value());
  return *block;
}

std::unique_ptr<SegmentLog> opened(FileSystem& files) {
  SegmentOptions options = small_segments(3000);
  options.opener = nullptr;
  auto log = SegmentLog::open(files, kFolder, options);
  REQUIRE(log.has_value());
  return *std::move(log);
}

Snapshot of(const BlockInfo& block, std::string_view state) {
  return {block.number, block.hash, Bytes(state.begin(), state.end())};
}

}  // namespace

TEST_CASE("the newest whole snapshot that stands on the chain is loaded, else an older one, else none", "[ledger]") {
  FaultyFiles files;
  auto log = opened(files);
  SnapshotStore store(files, "/state");
  CHECK_FALSE(store.load(*log)->has_value());
  const BlockInfo one = add(*log, 2, 1), two = add(*log, 2, 2), three = add(*log, 2, 3);
  REQUIRE(store.save(of(one, "one")));
  REQUIRE(store.save(of(two, "two")));
  REQUIRE(store.save(of(three, "three")));
  CHECK(files.list("/state")->size() == 2);
  auto loaded = store.load(*log);
  REQUIRE((loaded && *loaded));
  CHECK((*loaded)->block == three.number);
  CHECK(as_text((*loaded)->state) == "three");
  add(*log, 2, 4);
  CHECK((*store.load(*log))->block == three.number);
  files.flip_byte("/state/00000000000000000004.snapshot", 60);
  CHECK((*store.load(*log))->block == two.number);
  Snapshot foreign = of(three, "foreign");
  foreign.block_hash[0] ^= 1;
  REQUIRE(store.save(foreign));
  CHECK((*store.load(*log))->block == two.number);
}

TEST_CASE("a power cut while a snapshot is saved leaves the one before", "[ledger][durability]") {
  for (std::uint64_t step = 1; step < 12; ++step) {
    for (Loss loss : {Loss::kAll, Loss::kNone, Loss::kTorn, Loss::kShuffled}) {
      FaultyFiles files;
      auto log = opened(files);
      const BlockInfo one = add(*log, 2, 1), two = add(*log, 2, 2);
      REQUIRE(files.create_folders("/state"));
      REQUIRE(files.sync_folder("/"));
      SnapshotStore store(files, "/state");
      REQUIRE(store.save(of(one, "one")));
      files.cut_at(files.steps() + step);
      const bool saved = store.save(of(two, std::string(3000, 'x'))).has_value();
      files.cut_now();
      files.restart(loss, step);
      log.reset();
      log = opened(files);
      auto loaded = store.load(*log);
      REQUIRE((loaded && *loaded));
      if (saved) CHECK((*loaded)->block == two.number);
      CHECK(((*loaded)->block == two.number || as_text((*loaded)->state) == "one"));
    }
  }
}

TEST_CASE("retention drops what is old, settled and sealed, and nothing else", "[ledger]") {
  FaultyFiles files;
  auto log = opened(files);
  RetentionRules rules;
  rules.default_age_ns = 10 * kDay;
  rules.age_ns["short"] = 2 * kDay;
  rules.age_ns["long"] = 100 * kDay;
  rules.classes_of = [](const EntryRef& entry, const std::function<void(std::string_view)>& give) -> Status {
    if (entry.type == 3) give("short");
    if (entry.type == 4) give("short"), give("long");
    if (entry.type == 5) give("unheard of");
    return {};
  };
  for (int i = 0; i < 12; ++i) add(*log, 3, i * kDay);
  add(*log, 4, 12 * kDay);
  for (int i = 13; i < 40; ++i) add(*log, 3, i * kDay);
  Retention retention(*log, rules);
  const std::uint64_t head = log->head().number;
  SECTION("nothing while the clock is in doubt") { CHECK(*retention.apply({head, 500 * kDay, true}) == 1); }
  SECTION("nothing that is still needed") {
    CHECK(*retention.apply({1, 500 * kDay, false}) == 1);
    CHECK(*retention.apply({0, 500 * kDay, false}) == 1);
    const std::uint64_t first = *retention.apply({9, 500 * kDay, false});
    CHECK(first > 1);
    CHECK(first <= 9);
  }
  SECTION("nothing before its age, and a long-lived entry holds its segment and all behind it") {
    CHECK(*retention.apply({head, 1 * kDay, false}) == 1);
    const std::uint64_t soon = *retention.apply({head, 11 * kDay, false});
    CHECK(soon > 1);
    std::uint64_t holder = 0;
    for (std::uint64_t n = soon; n <= head; ++n)
      if ((*log->read(n))->entries[0].type == 4) holder = n;
    REQUIRE(holder != 0);
    const std::uint64_t later = *retention.apply({head, 111 * kDay, false});
    CHECK(later <= holder);
    CHECK(log->segment_of(holder) == later);
    CHECK(*retention.apply({head, 112 * kDay, false}) > holder);
  }
  SECTION("never the active segment") {
    CHECK(*retention.apply({head, INT64_MAX, false}) == log->segments().back().first_block);
    CHECK(log->head().number == head);
  }
}

TEST_CASE("an entry without a class is kept for the default time, and endless ages do not overflow", "[ledger]") {
  FaultyFiles files;
  auto log = opened(files);
  RetentionRules rules;
  rules.default_age_ns = INT64_MAX;
  for (int i = 0; i < 20; ++i) add(*log, 2, i * kDay);
  CHECK(*Retention(*log, rules).apply({log->head().number, INT64_MAX - 1, false}) == 1);
}
