// Sealed segments that were compressed: nothing changes for readers, and no power cut or full disk harms them.
#include <catch2/catch.hpp>
#include <thread>

#include "ledger/segment_file.h"
#include "ledger/verify.h"
#include "support/faulty_files.h"
#include "support/ledger_script.h"

using namespace thalweg;
using namespace thalweg::ledger;

namespace {

const Path kFolder = "/ledger";

SegmentOptions options() {
  SegmentOptions o = small_segments(700'000);  // several frames each
  o.recent_bytes = 1;
  return o;
}

/// Four segments of text that shrinks, and what was acknowledged.
std::unique_ptr<SegmentLog> written(FileSystem& files, Acknowledged& told, const Path& folder = kFolder) {
  auto log = SegmentLog::open(files, folder, options());
  REQUIRE(log.has_value());
  for (std::uint64_t i = 0; (*log)->segments().size() < 4; ++i) {
    std::string text;
    while (text.size() < 60'000) text += R"({"code":"w21003","value":)" + std::to_string(i * text.size()) + "}";
    const EntryRef entry{2, as_bytes(text)};
    auto block = (*log)->append({&entry, 1}, 1);
    REQUIRE(block.has_value());
    told[block->number] = block->hash;
  }
  return *std::move(log);
}

std::unique_ptr<SegmentLog> opened(FileSystem& files) {
  auto log = SegmentLog::open(files, kFolder, options());
  if (!log) FAIL(log.error().message);
  return *std::move(log);
}

VerifyReport verified(FileSystem& files) {
  VerifyOptions chain;
  chain.chain_only = true;
  auto report = verify_ledger(files, kFolder, chain);
  if (!report) FAIL(report.error().message);
  return *std::move(report);
}

}  // namespace

TEST_CASE("compressed segments read, verify, reopen and go like plain ones", "[ledger][durability]") {
  FaultyFiles files;
  Acknowledged told;
  auto log = written(files, told);
  const std::uint64_t before = log->total_bytes();
  int compressed = 0;
  while (*log->compress_one()) ++compressed;
  CHECK(compressed == 3);
  CHECK(log->total_bytes() < before / 2);
  CHECK(log->segments().front().file == "00000000000000000001.segz");
  CHECK_FALSE(files.exists(kFolder / segment_name(1)));
  CHECK(faults_of(*log, told) == "");
  for (std::uint64_t number = log->head().number; number > 0; number -= std::min<std::uint64_t>(number, 7))
    CHECK(log->read(number).has_value());
  log.reset();
  CHECK(verified(files).content());
  CHECK(verified(files).blocks == told.rbegin()->first);
  for (const Path& p : files.all_files())
    if (p.extension() == ".idx") REQUIRE(files.remove(p));
  log = opened(files);
  CHECK(faults_of(*log, told) == "");
  CHECK_FALSE(*log->compress_one());
  const std::uint64_t second = log->segments()[1].first_block;
  CHECK(*log->drop_before(second) == second);
  CHECK_FALSE(files.exists(kFolder / compressed_name(1)));
  log.reset();
  CHECK(opened(files)->first_block() == second);
}

TEST_CASE("what does not shrink by a tenth stays as it is", "[ledger][durability]") {
  FaultyFiles files;
  auto log = opened(files);
  for (std::uint64_t i = 0; i < 30; ++i) {
    const Bytes bytes = some_bytes(i, 60'000);
    const EntryRef entry{2, bytes};
    REQUIRE(log->append({&entry, 1}, 1).has_value());
  }
  while (*log->compress_one()) {
  }
  for (const SegmentInfo& s : log->segments()) CHECK(s.file.ends_with(".seg"));
}

TEST_CASE("a power cut in any step of compressing leaves every block readable", "[ledger][durability]") {
  FaultyFiles whole;
  Acknowledged told;
  { auto log = written(whole, told); }
  std::uint64_t steps = 0;
  {
    auto files = whole.copy();
    auto log = opened(*files);
    const std::uint64_t begun = files->steps();
    REQUIRE(*log->compress_one());
    steps = files->steps() - begun;
  }
  CHECK(steps > 6);
  for (std::uint64_t step = 1; step <= steps; ++step) {
    for (Loss loss : {Loss::kAll, Loss::kNone, Loss::kTorn, Loss::kShuffled}) {
      auto files = whole.copy();
      auto log = opened(*files);
      files->cut_at(files->steps() + step);
      CHECK_FALSE(log->compress_one().has_value());
      files->restart(loss, step);
      log.reset();
      CHECK(verified(*files).content());
      log = opened(*files);
      CAPTURE(step, static_cast<int>(loss));
      CHECK(faults_of(*log, told) == "");
      while (*log->compress_one()) {
      }
      CHECK(faults_of(*log, told) == "");
      for (const Path& p : files->all_files()) CHECK(p.extension() != ".new");
    }
  }
}

TEST_CASE("a disk that is too full or fails while compressing costs nothing and gives the space back",
          "[ledger][durability]") {
  FaultyFiles whole;
  Acknowledged told;
  { auto log = written(whole, told); }
  for (FileOp op : {FileOp::kWrite, FileOp::kSync, FileOp::kRename, FileOp::kRead, FileOp::kOpen}) {
    auto files = whole.copy();
    auto log = opened(*files);
    const std::uint64_t used = files->used_bytes();
    files->fail(op, op == FileOp::kSync ? Code::kSyncFailed : Code::kDiskFull);
    CHECK_FALSE(log->compress_one().has_value());
    CHECK(files->used_bytes() == used);
    CHECK(faults_of(*log, told) == "");
    CHECK(*log->compress_one());
    CHECK(faults_of(*log, told) == "");
  }
}

TEST_CASE("a flipped byte in a compressed segment is found and the file named", "[ledger][durability]") {
  FaultyFiles whole;
  Acknowledged told;
  {
    auto log = written(whole, told);
    while (*log->compress_one()) {
    }
  }
  const std::string name = compressed_name(1);
  const std::uint64_t size = whole.content(kFolder / name).size();
  for (std::uint64_t at = 0; at < size; at += at < 64 || at + 64 > size ? 1 : 4001) {
    auto files = whole.copy();
    files->flip_byte(kFolder / name, at, 0x04);
    const VerifyReport report = verified(*files);
    CAPTURE(at);
    REQUIRE(report.fault.has_value());
    CHECK(report.fault->file == name);
    auto log = SegmentLog::open(*files, kFolder, options());
    if (!log) continue;  // the header or the table
    std::uint64_t unread = 0;
    for (std::uint64_t number = 1; number < (*log)->segments()[1].first_block; ++number) {
      auto block = (*log)->read(number);
      if (block) continue;
      CHECK(block.error().code == Code::kDamaged);
      CHECK(block.error().message.find(name) != std::string::npos);
      ++unread;
    }
    CHECK(unread > 0);
  }
}

TEST_CASE("readers go on while segments are compressed and dropped", "[ledger][durability]") {
  FaultyFiles files;
  Acknowledged told;
  auto log = written(files, told);
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::thread reader([&] {
    for (std::uint64_t i = 0; !done; ++i) {
      const std::uint64_t first = log->first_block();
      const std::uint64_t number = first + i * 7 % (log->head().number - first + 1);
      auto block = log->read(number);
      if (!block && !(block.error().code == Code::kNotFound && number < log->first_block())) ++wrong;
    }
  });
  while (*log->compress_one()) {
  }
  const std::uint64_t last = log->segments().back().first_block;
  CHECK(*log->drop_before(last) == last);
  done = true;
  reader.join();
  CHECK(wrong == 0);
}
