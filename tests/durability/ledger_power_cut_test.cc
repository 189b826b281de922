// The power fails in every single step of a scripted run; what was acknowledged is there afterwards.
#include <catch2/catch.hpp>

#include "support/faulty_files.h"
#include "support/ledger_script.h"

using namespace thalweg;
using namespace thalweg::ledger;

namespace {

/// What the run was told before the power went.
struct Told {
  Acknowledged blocks;
  std::uint64_t keep_from = 1;  ///< lowest block that was ever named in drop_before
};

/// Blocks of many sizes, several segments, a reopening, dropped segments, an epoch. Ends when anything fails.
void run_script(FaultyFiles& files, const SegmentOptions& options, Told& told) {
  std::mt19937_64 random(7);
  for (int session = 0; session < 2; ++session) {
    auto log = SegmentLog::open(files, "/hub/ledger/routine", options);
    if (!log) return;
    told.blocks[(*log)->head().number] = (*log)->head().hash;
    if (session == 1 && !(*log)->set_epoch(1)) return;
    for (int i = 0; i < 26; ++i) {
      std::vector<Bytes> bytes;
      const std::size_t count = 1 + random() % 3;
      for (std::size_t e = 0; e < count; ++e) bytes.push_back(some_bytes(random(), random() % 1400));
      std::vector<EntryRef> entries;
      for (const Bytes& b : bytes) entries.push_back({2, b});
      auto block = (*log)->append(entries, 100 + i);
      if (!block) return;
      told.blocks[block->number] = block->hash;
      if (i == 20) {
        told.keep_from = block->number - 10;
        if (!(*log)->drop_before(told.keep_from)) return;
      }
    }
  }
}

void check_cut(std::uint64_t step, Loss loss, std::uint64_t seed, const SegmentOptions& options) {
  FaultyFiles files;
  files.cut_at(step);
  Told told;
  run_script(files, options, told);
  REQUIRE(files.power_is_off());
  files.restart(loss, seed);
  CAPTURE(step, static_cast<int>(loss), seed);
  OpenReport report;
  auto log = SegmentLog::open(files, "/hub/ledger/routine", options, &report);
  if (!log) FAIL("not opened: " << log.error().message);
  CHECK((*log)->first_block() <= told.keep_from);
  CHECK(faults_of(**log, told.blocks) == "");
  // It goes on, and what is written now outlives the next cut as well.
  Bytes more = some_bytes(step, 900);
  const EntryRef entry{2, more};
  auto block = (*log)->append({&entry, 1}, 500);
  REQUIRE(block.has_value());
  told.blocks[block->number] = block->hash;
  files.cut_now();
  files.restart(Loss::kShuffled, seed + 1);
  auto again = SegmentLog::open(files, "/hub/ledger/routine", options);
  if (!again) FAIL("not opened again: " << again.error().message);
  CHECK(faults_of(**again, told.blocks) == "");
}

std::uint64_t steps_of_script(const SegmentOptions& options) {
  FaultyFiles files;
  Told told;
  run_script(files, options, told);
  REQUIRE(told.blocks.size() > 40);
  return files.steps();
}

}  // namespace

TEST_CASE("a power cut in any step of a run loses nothing that was acknowledged", "[ledger][durability]") {
  const SegmentOptions options = small_segments();
  const std::uint64_t steps = steps_of_script(options);
  CHECK(steps > 150);
  SECTION("when all that was not synced is gone") {
    for (std::uint64_t step = 1; step <= steps; ++step) check_cut(step, Loss::kAll, step, options);
  }
  SECTION("when the process was killed and the machine ran on") {
    for (std::uint64_t step = 1; step <= steps; ++step) check_cut(step, Loss::kNone, step, options);
  }
  SECTION("when writes are torn between sectors") {
    for (std::uint64_t step = 1; step <= steps; ++step)
      for (std::uint64_t seed = 0; seed < 3; ++seed) check_cut(step, Loss::kTorn, step * 10 + seed, options);
  }
  SECTION("when sectors and names reach the disk in any order") {
    for (std::uint64_t step = 1; step <= steps; ++step)
      for (std::uint64_t seed = 0; seed < 5; ++seed) check_cut(step, Loss::kShuffled, step * 10 + seed, options);
  }
}

TEST_CASE("a power cut loses nothing in a log without openers and without room filled ahead", "[ledger][durability]") {
  SegmentOptions options = small_segments();
  options.opener = nullptr;
  options.fill_bytes = 0;
  const std::uint64_t steps = steps_of_script(options);
  for (std::uint64_t step = 1; step <= steps; ++step)
    for (Loss loss : {Loss::kAll, Loss::kNone, Loss::kTorn, Loss::kShuffled}) check_cut(step, loss, step, options);
}

TEST_CASE("a power cut during the repair after a power cut loses nothing", "[ledger][durability]") {
  const SegmentOptions options = small_segments();
  const std::uint64_t steps = steps_of_script(options);
  for (std::uint64_t step = 5; step <= steps; step += 3) {
    for (std::uint64_t second = 1; second <= 8; ++second) {
      FaultyFiles files;
      files.cut_at(step);
      Told told;
      run_script(files, options, told);
      files.restart(Loss::kShuffled, step);
      files.cut_at(files.steps() + second);
      { auto repaired = SegmentLog::open(files, "/hub/ledger/routine", options); }
      files.cut_now();
      files.restart(Loss::kShuffled, step + second);
      auto log = SegmentLog::open(files, "/hub/ledger/routine", options);
      CAPTURE(step, second);
      if (!log) FAIL("not opened: " << log.error().message);
      CHECK(faults_of(**log, told.blocks) == "");
    }
  }
}
