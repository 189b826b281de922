// Disks that are full or fail: nothing acknowledged is lost, a failed sync is final, and space that returns is used.
#include <catch2/catch.hpp>

#include "base/file.h"
#include "ledger/verify.h"
#include "support/faulty_files.h"
#include "support/ledger_script.h"
#include "support/temp_folder.h"

using namespace thalweg;
using namespace thalweg::ledger;

namespace {

const Path kFolder = "/ledger";

Result<BlockInfo> add(SegmentLog& log, std::size_t size, std::uint64_t seed) {
  const Bytes bytes = some_bytes(seed, size);
  const EntryRef entry{2, bytes};
  return log.append({&entry, 1}, 1);
}

}  // namespace

TEST_CASE("a full disk refuses blocks until space returns, without a restart", "[ledger][durability]") {
  for (std::size_t size : {200u, 700u, 3000u}) {
    FaultyFiles files;
    const SegmentOptions options = small_segments();
    auto log = SegmentLog::open(files, kFolder, options);
    REQUIRE(log.has_value());
    Acknowledged told;
    files.set_capacity(30'000);
    std::uint64_t refused = 0;
    for (std::uint64_t i = 0; refused < 5; ++i) {
      auto block = add(**log, size, i);
      if (block) {
        CHECK(refused == 0);
        told[block->number] = block->hash;
      } else {
        CHECK(block.error().code == Code::kDiskFull);
        ++refused;
      }
      CHECK(faults_of(**log, told) == "");
    }
    files.set_capacity(60'000);
    for (std::uint64_t i = 0; i < 5; ++i) {
      auto block = add(**log, size, i);
      REQUIRE(block.has_value());
      told[block->number] = block->hash;
    }
    files.cut_now();
    files.restart(Loss::kAll);
    OpenReport report;
    auto again = SegmentLog::open(files, kFolder, options, &report);
    REQUIRE(again.has_value());
    CHECK_FALSE(report.torn.has_value());
    CHECK(faults_of(**again, told) == "");
  }
}

TEST_CASE("a failure in any single write, rename or cut of a run costs that block alone", "[ledger][durability]") {
  for (FileOp op : {FileOp::kWrite, FileOp::kRename, FileOp::kTruncate, FileOp::kOpen, FileOp::kRemove}) {
    for (Code code : {Code::kIo, Code::kDiskFull}) {
      for (std::uint64_t skip = 0; skip < 60; ++skip) {
        FaultyFiles files;
        const SegmentOptions options = small_segments(3000);
        auto log = SegmentLog::open(files, kFolder, options);
        REQUIRE(log.has_value());
        Acknowledged told;
        files.fail(op, code, skip);
        std::uint64_t failed = 0;
        for (std::uint64_t i = 0; i < 40; ++i) {
          auto block = add(**log, 100 + i * 20, i);
          if (block) {
            told[block->number] = block->hash;
          } else {
            CHECK(block.error().code == code);
            ++failed;
          }
        }
        CAPTURE(static_cast<int>(op), skip);
        CHECK(failed <= 1);
        CHECK(faults_of(**log, told) == "");
        files.cut_now();
        files.restart(Loss::kShuffled, skip);
        auto again = SegmentLog::open(files, kFolder, options);
        if (!again) FAIL(again.error().message);
        CHECK(faults_of(**again, told) == "");
      }
    }
  }
}

TEST_CASE("a write that fails and cannot be cut off is not built upon", "[ledger][durability]") {
  FaultyFiles files;
  const SegmentOptions options = small_segments(1u << 20);
  auto log = SegmentLog::open(files, kFolder, options);
  REQUIRE(log.has_value());
  Acknowledged told;
  told[2] = add(**log, 500, 1)->hash;
  files.fail(FileOp::kWrite, Code::kIo);
  files.fail(FileOp::kTruncate, Code::kIo, 0, 2);
  CHECK_FALSE(add(**log, 3000, 2).has_value());
  CHECK_FALSE(add(**log, 100, 3).has_value());
  auto block = add(**log, 100, 4);
  REQUIRE(block.has_value());
  told[block->number] = block->hash;
  files.cut_now();
  files.restart(Loss::kAll);
  OpenReport report;
  auto again = SegmentLog::open(files, kFolder, options, &report);
  REQUIRE(again.has_value());
  CHECK_FALSE(report.torn.has_value());
  CHECK(faults_of(**again, told) == "");
}

TEST_CASE("bytes of a failed write do not come back in a segment that was sealed after it", "[ledger][durability]") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    FaultyFiles files;
    const SegmentOptions options = small_segments(6000);
    auto log = SegmentLog::open(files, kFolder, options);
    REQUIRE(log.has_value());
    Acknowledged told;
    for (std::uint64_t i = 0; i < 3; ++i) told[i + 2] = add(**log, 500, i)->hash;
    files.fail(FileOp::kWrite, Code::kIo);
    CHECK_FALSE(add(**log, 1000, 7).has_value());
    auto block = add(**log, 5000, 8);  // goes to a new segment
    REQUIRE(block.has_value());
    told[block->number] = block->hash;
    REQUIRE((*log)->segments().size() == 2);
    files.cut_now();
    files.restart(seed % 2 == 0 ? Loss::kShuffled : Loss::kTorn, seed);
    VerifyOptions chain;
    chain.chain_only = true;
    auto report = verify_ledger(files, kFolder, chain);
    REQUIRE(report.has_value());
    CAPTURE(seed);
    CHECK(report->content());
    auto again = SegmentLog::open(files, kFolder, options);
    REQUIRE(again.has_value());
    CHECK(faults_of(**again, told) == "");
  }
}

TEST_CASE("a failed sync ends writing, reading goes on, and a restart trusts only what it wrote itself",
          "[ledger][durability]") {
  for (FileOp op : {FileOp::kSync, FileOp::kSyncFolder}) {
    for (std::uint64_t skip = 0; skip < 12; ++skip) {
      FaultyFiles files;
      const SegmentOptions options = small_segments(2500);
      auto log = SegmentLog::open(files, kFolder, options);
      REQUIRE(log.has_value());
      Acknowledged told;
      files.fail(op, Code::kSyncFailed, skip);
      bool poisoned = false;
      for (std::uint64_t i = 0; i < 100; ++i) {
        auto block = add(**log, 300, i);
        if (block) {
          CHECK_FALSE(poisoned);
          told[block->number] = block->hash;
        } else {
          CHECK(block.error().code == Code::kSyncFailed);
          poisoned = true;
        }
      }
      CHECK(poisoned);
      CHECK(faults_of(**log, told) == "");
      // The program is started again on the running machine: the lost block still reads well from memory.
      log = Error{};
      auto again = SegmentLog::open(files, kFolder, options);
      REQUIRE(again.has_value());
      CHECK(faults_of(**again, told) == "");
      told[(*again)->head().number] = (*again)->head().hash;
      auto block = add(**again, 300, 99);
      REQUIRE(block.has_value());
      told[block->number] = block->hash;
      files.cut_now();
      files.restart(Loss::kAll);
      auto after = SegmentLog::open(files, kFolder, options);
      CAPTURE(skip);
      if (!after) FAIL(after.error().message);
      CHECK(faults_of(**after, told) == "");
    }
  }
}

TEST_CASE("an error while reading is reported and passes", "[ledger][durability]") {
  FaultyFiles files;
  auto log = SegmentLog::open(files, kFolder, small_segments());
  REQUIRE(log.has_value());
  for (std::uint64_t i = 0; i < 30; ++i) REQUIRE(add(**log, 500, i).has_value());
  files.fail(FileOp::kRead, Code::kIo);
  auto block = (*log)->read(2);
  REQUIRE_FALSE(block.has_value());
  CHECK(block.error().code == Code::kIo);
  CHECK((*log)->read(2).has_value());
  CHECK(add(**log, 500, 31).has_value());
}

TEST_CASE("a second writer is locked out of the folder until the first has gone", "[ledger][durability]") {
  TempFolder folder;
  SegmentOptions options = small_segments();
  options.lock_folder = true;
  auto log = SegmentLog::open(real_files(), folder / "ledger", options);
  REQUIRE(log.has_value());
  auto second = SegmentLog::open(real_files(), folder / "ledger", options);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == Code::kLedgerLocked);
  options.read_only = true;
  auto reader = SegmentLog::open(real_files(), folder / "ledger", options);
  REQUIRE(reader.has_value());
  CHECK((*reader)->head() == (*log)->head());
  CHECK_FALSE(add(**reader, 10, 1).has_value());
  log = Error{};
  options.read_only = false;
  second = SegmentLog::open(real_files(), folder / "ledger", options);
  CHECK(second.has_value());
}
