// verify.cc: is a ledger whole and true?
#include "ledger/verify.h"

#include <algorithm>

#include "ledger/ledger_checker.h"
#include "ledger/recovery.h"
#include "ledger/segment_file.h"

namespace thalweg::ledger {
namespace {

/// Reads the segments of one folder in order. Threads: one.
class Verification {
 public:
  Verification(FileSystem& files, const Path& folder, const VerifyOptions& options)
      : files_(files), folder_(folder), options_(options), checker_(options_, report_) {}

  Result<VerifyReport> run();

 private:
  Status segment(std::uint64_t number, bool last);
  bool header_fits(const SegmentHeader& header, std::uint64_t number);
  Status on_block(const Block& block, std::uint64_t offset);
  void fault(Code code, std::uint64_t offset, std::uint64_t block, std::string message) {
    if (opened_.frames != nullptr && offset != 0) offset = opened_.frames->frame_of(offset);
    if (!report_.fault) report_.fault = VerifyFault{code, name_, offset, block, std::move(message)};
  }
  void tell() const {
    if (options_.progress) options_.progress(done_, total_);
  }

  FileSystem& files_;
  const Path& folder_;
  const VerifyOptions& options_;
  VerifyReport report_;
  LedgerChecker checker_;
  std::string name_;              ///< of the segment that is being read
  SegmentFile opened_;            ///< the same
  std::uint64_t damaged_at_ = 0;  ///< where it could not be opened
  SegmentHeader before_;
  BlockInfo last_;
  bool began_ = false;
  std::uint64_t done_ = 0, total_ = 0, told_ = 0;
};

bool Verification::header_fits(const SegmentHeader& header, std::uint64_t number) {
  if (header.first_block != number) {
    fault(Code::kDamaged, 0, number, "the file is named for another block than it begins with");
  } else if (began_ && header.previous_first_block != before_.first_block) {
    fault(Code::kDamaged, 0, number, "the segment before it is missing");
  } else if (began_ && (header.first_block != last_.number + 1 || header.previous != last_.hash)) {
    fault(Code::kDamaged, 0, number,
          "it does not follow block " + std::to_string(last_.number) + " of the segment before");
  } else if (number != 1 && began_ && header.ledger_id != report_.ledger_id) {
    fault(Code::kLedgerForeign, 0, number, "the segment belongs to another ledger");
  } else if (number == 1 && header.previous != Hash256{}) {
    fault(Code::kDamaged, 0, number, "something stands before the genesis block");
  }
  return report_.content();
}

Status Verification::on_block(const Block& block, std::uint64_t offset) {
  if (report_.blocks == 0) {
    report_.first_block = block.info.number;
    if (block.info.number == 1) report_.ledger_id = block.info.hash;
  }
  report_.blocks += 1;
  report_.entries += block.entries.size();
  report_.bytes += block.info.bytes;
  report_.last_block = block.info.number;
  report_.last_hash = block.info.hash;
  last_ = block.info;
  if (!options_.chain_only) {
    if (auto good = checker_.check(block); !good) {
      fault(good.error().code, offset, block.info.number, good.error().message);
      return good;
    }
  }
  if (options_.witness && options_.witness->first == block.info.number && options_.witness->second != block.info.hash) {
    fault(Code::kProofInvalid, offset, block.info.number, "the block is not the one that the checkpoint vouches for");
    return Error{Code::kProofInvalid, {}};
  }
  done_ += block.info.bytes;
  if (done_ - told_ > (4u << 20)) {
    told_ = done_;
    tell();
  }
  return {};
}

Status Verification::segment(std::uint64_t number, bool last) {
  auto opened = open_segment(files_, folder_, number, OpenMode::kRead, &damaged_at_);
  opened_ = {};
  if (!opened) return Error(std::move(opened).error());
  opened_ = *std::move(opened);
  name_ = opened_.name;
  const std::unique_ptr<File>& file = opened_.file;
  const std::uint64_t size = opened_.size;
  Bytes bytes(kSegmentHeaderBytes);
  TW_ASSIGN(std::size_t got, file->read_at(0, bytes));
  bytes.resize(got);
  auto header = decode_segment_header(bytes);
  if (!header) {
    fault(header.error().code, 0, number, header.error().message);
    return {};
  }
  if (!header_fits(*header, number)) return {};
  if (!began_) {
    report_.ledger_id = header->ledger_id;
    checker_.begin(*header);
  }
  began_ = true;
  before_ = *header;
  auto scan = scan_segment(*file, size, {*header, last},
                           [&](const Block& block, std::uint64_t offset) { return on_block(block, offset); });
  if (!scan) {
    if (report_.fault) return {};               // told by on_block()
    if (scan.error().code == Code::kDamaged) {  // a compressed segment does not expand
      fault(Code::kDamaged, 0, last_.number + 1, scan.error().message);
      if (const auto frame = opened_.frames ? opened_.frames->damaged_frame() : std::nullopt)
        report_.fault->offset = *frame;
      return {};
    }
    return Error(std::move(scan).error()).in(name_);
  }
  if (scan->end == ScanResult::End::kDamaged) fault(Code::kDamaged, scan->end_offset, last_.number + 1, scan->message);
  if (scan->end == ScanResult::End::kTorn)
    report_.torn = OpenReport::Torn{name_, scan->end_offset, size - scan->end_offset};
  return {};
}

Result<VerifyReport> Verification::run() {
  TW_ASSIGN(const std::vector<std::string> names, files_.list(folder_));
  std::vector<std::uint64_t> numbers;
  for (const std::string& entry : names)
    if (auto number = any_segment_number(entry)) numbers.push_back(*number);
  if (numbers.empty()) return Error{Code::kNotFound, folder_.string() + ": no ledger here"};
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  for (std::uint64_t number : numbers) {
    auto opened = open_segment(files_, folder_, number, OpenMode::kRead);
    if (opened) total_ += opened->size;
  }
  for (std::uint64_t number : numbers) {
    name_ = files_.exists(folder_ / segment_name(number)) ? segment_name(number) : compressed_name(number);
    auto read = segment(number, number == numbers.back());
    if (!read) {
      const Code code = read.error().code;
      if (code != Code::kDamaged && code != Code::kLedgerFormat) return Error(std::move(read).error()).in(name_);
      fault(code, damaged_at_, last_.number + 1, read.error().message);
    }
    if (report_.fault) break;
  }
  if (!report_.fault && options_.witness && options_.witness->first > last_.number)
    fault(Code::kLedgerBehind, 0, last_.number,
          "the ledger ends before block " + std::to_string(options_.witness->first) +
              ", for which there is a checkpoint");
  checker_.end();
  done_ = total_;
  tell();
  return report_;
}

}  // namespace

Result<VerifyReport> verify_ledger(FileSystem& files, const Path& folder, const VerifyOptions& options) {
  return Verification(files, folder, options).run();
}

}  // namespace thalweg::ledger
