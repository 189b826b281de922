// recovery.h: what a segment file holds, and whether its end was torn or its middle damaged.
#pragma once

#include "ledger/segment_format.h"

namespace thalweg::ledger {

/// The outcome of reading a segment from its first block on.
struct ScanResult {
  enum class End {
    kClean,    ///< the file ends behind the last block, or only zeros follow
    kTorn,     ///< a block begins that is not whole, and none follows: it was being written
    kDamaged,  ///< something is wrong that no interrupted write can leave behind
  };
  End end = End::kClean;
  std::uint64_t end_offset = 0;  ///< where the whole blocks end
  BlockInfo last;                ///< number 0 when there is no whole block
  std::uint64_t last_offset = 0;
  std::vector<std::uint32_t> offsets;  ///< of each whole block
  std::string message;                 ///< for kTorn and kDamaged
};

/// What is known before the scan.
struct ScanFrom {
  SegmentHeader header;
  /// True for the last segment of a log: only there can a block be torn.
  bool may_be_torn = true;
};

/// Reads a segment wholly: framing, checksums, hashes, chain, times, epochs. `on_block` (may be empty) sees each whole
/// block with its offset; its views are valid during the call; an error from it ends the scan.
/// Errors: kIo, and those of `on_block`.
Result<ScanResult> scan_segment(const File& file, std::uint64_t size, const ScanFrom& from,
                                const std::function<Status(const Block&, std::uint64_t offset)>& on_block = {});

/// Finds the blocks of a sealed segment by their headers alone. Errors: kDamaged (offset), kIo.
Result<std::vector<std::uint32_t>> scan_offsets(const File& file, std::uint64_t size, const SegmentHeader& header,
                                                std::uint64_t last_block);

}  // namespace thalweg::ledger
