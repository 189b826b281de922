#include "ledger/segment_log.h"

#include <catch2/catch.hpp>
#include <thread>

#include "ledger/follower.h"
#include "support/faulty_files.h"
#include "support/ledger_script.h"
#include "support/temp_folder.h"

using namespace thalweg;
using namespace thalweg::ledger;

namespace {

const Path kFolder = "/ledger";

BlockInfo add(SegmentLog& log, std::size_t size, std::uint64_t seed, std::int64_t time = 10) {
  const Bytes bytes = some_bytes(seed, size);
  const EntryRef entry{2, bytes};
  auto block = log.append({&entry, 1}, time);
  REQUIRE(block.has_value());
  return *block;
}

std::unique_ptr<SegmentLog> opened(FileSystem& files, const SegmentOptions& options) {
  auto log = SegmentLog::open(files, kFolder, options);
  REQUIRE(log.has_value());
  return *std::move(log);
}

}  // namespace

TEST_CASE("a new log begins with its genesis block, whose hash is the log's id", "[ledger]") {
  FaultyFiles files;
  OpenReport report;
  auto log = SegmentLog::open(files, kFolder, small_segments(), &report);
  REQUIRE(log.has_value());
  CHECK(report.created);
  CHECK((*log)->head().number == 1);
  CHECK((*log)->head().hash == (*log)->id());
  CHECK((*log)->first_block() == 1);
  auto genesis = (*log)->read(1);
  REQUIRE(genesis.has_value());
  REQUIRE((*genesis)->entries.size() == 1);
  CHECK(as_text((*genesis)->entries[0].bytes) == "test");
  const Hash256 id = (*log)->id();
  log = Error{};
  CHECK(opened(files, small_segments())->id() == id);
}

TEST_CASE("entries come back in order, in two parts or one, over many segments and a reopening", "[ledger]") {
  FaultyFiles files;
  auto log = opened(files, small_segments());
  for (std::uint64_t i = 0; i < 50; ++i) {
    const Bytes a = some_bytes(i, i * 17), b = some_bytes(i + 1000, i * 5);
    const EntryRef entries[] = {{2, a, b}, {3, b}};
    REQUIRE(log->append(entries, static_cast<std::int64_t>(i)).has_value());
  }
  REQUIRE(log->segments().size() > 5);
  for (int round = 0; round < 2; ++round) {
    std::uint64_t number = 1;
    std::uint64_t i = 0;
    while (number <= log->head().number) {
      auto block = log->read(number++);
      REQUIRE(block.has_value());
      if ((*block)->entries[0].type != 2) continue;  // genesis and openers
      REQUIRE((*block)->entries.size() == 2);
      Bytes whole = some_bytes(i, i * 17);
      const Bytes b = some_bytes(i + 1000, i * 5);
      whole.insert(whole.end(), b.begin(), b.end());
      CHECK(std::ranges::equal((*block)->entries[0].bytes, whole));
      CHECK((*block)->entries[0].more.empty());
      CHECK(std::ranges::equal((*block)->entries[1].bytes, b));
      ++i;
    }
    CHECK(i == 50);
    log.reset();
    log = opened(files, small_segments());
  }
}

TEST_CASE("every later segment opens with the entry that the opener gives for the block before", "[ledger]") {
  FaultyFiles files;
  auto log = opened(files, small_segments());
  for (std::uint64_t i = 0; i < 60; ++i) add(*log, 600, i);
  for (const SegmentInfo& segment : log->segments()) {
    if (segment.first_block == 1) continue;
    auto before = log->read(segment.first_block - 1);
    auto opener = log->read(segment.first_block);
    REQUIRE((before && opener));
    CHECK((*opener)->entries[0].type == 7);
    CHECK(std::ranges::equal((*opener)->entries[0].bytes, (*before)->info.hash));
    CHECK(log->segment_of(segment.first_block) == segment.first_block);
    CHECK(log->segment_of(segment.last_block) == segment.first_block);
  }
}

TEST_CASE("an opener that fails leaves the log as it was, and the next append tries again", "[ledger]") {
  FaultyFiles files;
  SegmentOptions options = small_segments(2000);
  bool broken = true;
  options.opener = [&](const BlockInfo&) -> Result<Bytes> {
    if (broken) return Error{Code::kKeyUnreadable, "no key"};
    return Bytes{1};
  };
  auto log = opened(files, options);
  add(*log, 1500, 1);
  const Bytes bytes(1000);
  const EntryRef entry{2, bytes};
  auto failed = log->append({&entry, 1}, 1);
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().code == Code::kKeyUnreadable);
  CHECK(faults_of(*log, {}) == "");
  broken = false;
  CHECK(log->append({&entry, 1}, 1).has_value());
  CHECK(log->segments().size() == 2);
  CHECK(faults_of(*log, {}) == "");
}

TEST_CASE("block times never fall and epochs never fall", "[ledger]") {
  FaultyFiles files;
  auto log = opened(files, small_segments());
  CHECK(add(*log, 10, 1, 1000).time_unix_ns == 1000);
  CHECK(add(*log, 10, 2, 500).time_unix_ns == 1000);
  CHECK(add(*log, 10, 3, 1001).time_unix_ns == 1001);
  REQUIRE(log->set_epoch(3));
  CHECK(add(*log, 10, 4).epoch == 3);
  CHECK_FALSE(log->set_epoch(2));
  log.reset();
  log = opened(files, small_segments());
  CHECK(add(*log, 10, 5, 5).epoch == 3);
  CHECK(log->head().time_unix_ns == 1001);
}

TEST_CASE("an append without entries, with a type of 0 or beyond the bounds is refused", "[ledger]") {
  FaultyFiles files;
  auto log = opened(files, small_segments());
  CHECK(log->append({}, 1).error().code == Code::kInvalid);
  const EntryRef untyped{0, {}};
  CHECK(log->append({&untyped, 1}, 1).error().code == Code::kInvalid);
  const Bytes huge(kMaxEntryBytes + 1);
  const EntryRef big{2, huge};
  CHECK(log->append({&big, 1}, 1).error().code == Code::kInvalid);
  CHECK(log->head().number == 1);
}

TEST_CASE("a run of blocks keeps to the bytes asked for but always gives one", "[ledger]") {
  FaultyFiles files;
  SegmentOptions options = small_segments(100'000);
  options.recent_bytes = 1;  // from disk
  auto log = opened(files, options);
  for (std::uint64_t i = 0; i < 30; ++i) add(*log, 1000 - kBlockHeaderBytes - kEntryHeaderBytes, i);
  for (std::size_t blocks : {1u, 2u, 7u}) {
    auto run = log->read_run(3, blocks * 1000);
    REQUIRE(run.has_value());
    CHECK(run->size() == blocks);
    CHECK(run->front()->info.number == 3);
  }
  CHECK(log->read_run(3, 999)->size() == 1);
  CHECK(log->read_run(29, 1u << 20)->size() == 3);
  CHECK(log->read_run(31, 1u << 20)->size() == 1);
  CHECK(log->read_run(32, 1u << 20)->empty());
  CHECK(log->read(32).error().code == Code::kNotFound);
  CHECK(log->read(0).error().code == Code::kNotFound);
}

TEST_CASE("dropping forgets whole segments only, never the active one, and what readers hold stays valid", "[ledger]") {
  FaultyFiles files;
  auto log = opened(files, small_segments(3000));
  for (std::uint64_t i = 0; i < 60; ++i) add(*log, 400, i);
  const auto segments = log->segments();
  REQUIRE(segments.size() > 6);
  auto held = log->read(2);
  REQUIRE(held.has_value());
  const Bytes copy((*held)->entries[0].bytes.begin(), (*held)->entries[0].bytes.end());
  CHECK(*log->drop_before(segments[2].first_block + 1) == segments[2].first_block);
  CHECK(log->read(segments[2].first_block - 1).error().code == Code::kNotFound);
  CHECK(log->read(segments[2].first_block).has_value());
  CHECK(std::ranges::equal((*held)->entries[0].bytes, copy));
  CHECK(*log->drop_before(UINT64_MAX) == segments.back().first_block);
  CHECK(log->head().number == segments.back().last_block);
  const Hash256 id = log->id();
  log.reset();
  log = opened(files, small_segments(3000));
  CHECK(log->first_block() == segments.back().first_block);
  CHECK(log->id() == id);
  CHECK(faults_of(*log, {}) == "");
  for (const Path& path : files.all_files()) CHECK(path.extension() != ".new");
}

TEST_CASE("descriptors for sealed segments are bounded and blocks are found all the same", "[ledger]") {
  FaultyFiles files;
  SegmentOptions options = small_segments(2000);
  options.open_segments = 2;
  auto log = opened(files, options);
  for (std::uint64_t i = 0; i < 60; ++i) add(*log, 400, i);
  for (std::uint64_t step : {1u, 7u, 11u})
    for (std::uint64_t i = 0; i < log->head().number; ++i) {
      const std::uint64_t number = 1 + i * step % log->head().number;
      auto block = log->read(number);
      REQUIRE(block.has_value());
      CHECK((*block)->info.number == number);
    }
}

TEST_CASE("a follower sees every block once, across segments, and is woken at the head", "[ledger]") {
  FaultyFiles files;
  auto log = opened(files, small_segments());
  for (std::uint64_t i = 0; i < 40; ++i) add(*log, 700, i);
  Follower follower(*log, 1, 4000);
  std::uint64_t expected = 1;
  while (true) {
    auto block = follower.next();
    REQUIRE(block.has_value());
    if (!*block) break;
    CHECK((*block)->info.number == expected++);
  }
  CHECK(expected == log->head().number + 1);
  int woken = 0;
  follower.wait([&] { ++woken; });
  CHECK(woken == 0);
  add(*log, 10, 1);
  CHECK(woken == 1);
  add(*log, 10, 2);
  CHECK(woken == 1);
  follower.wait([&] { ++woken; });
  CHECK(woken == 2);
  follower.seek(2);
  CHECK((*follower.next())->info.number == 2);
}

TEST_CASE("readers, followers and dropping run beside the writer", "[ledger]") {
  TempFolder folder;
  SegmentOptions options = small_segments(20'000);
  auto log = SegmentLog::open(real_files(), folder / "ledger", options);
  REQUIRE(log.has_value());
  constexpr std::uint64_t kBlocks = 600;
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> wrong = 0;
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kBlocks; ++i) {
      const Bytes bytes = some_bytes(i, 300);
      const EntryRef entry{2, bytes};
      if (!(*log)->append({&entry, 1}, 1)) ++wrong;
    }
    done = true;
  });
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      Follower follower(**log, (*log)->first_block(), 3000);
      std::uint64_t last = 0;
      while (!done || last < (*log)->head().number) {
        auto block = follower.next();
        if (!block) {
          if (block.error().code != Code::kNotFound) ++wrong;
          follower.seek((*log)->first_block());
          last = follower.position() - 1;
          continue;
        }
        if (!*block) {
          std::this_thread::yield();
          continue;
        }
        if (last != 0 && (*block)->info.number != last + 1) ++wrong;
        last = (*block)->info.number;
      }
    });
  }
  while (!done) {
    const std::uint64_t head = (*log)->head().number;
    if (head > 200 && !(*log)->drop_before(head - 200)) ++wrong;
    std::this_thread::yield();
  }
  writer.join();
  for (auto& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(faults_of(**log, {}) == "");
}

TEST_CASE("a watch ends with its handle", "[ledger]") {
  FaultyFiles files;
  auto log = opened(files, small_segments());
  int seen = 0;
  auto watch = log->watch([&](const BlockPtr&) { ++seen; });
  add(*log, 10, 1);
  watch.reset();
  add(*log, 10, 2);
  CHECK(seen == 1);
}
