// sealed_segment.h: a segment that no longer grows, opened for reading.
#pragma once

#include "ledger/segment_format.h"

namespace thalweg::ledger {

/// Name and place of a segment among the others.
struct SegmentKey {
  SegmentHeader header;
  std::uint64_t last_block = 0;
  std::uint64_t bytes = 0;   ///< of the segment
  std::uint64_t stored = 0;  ///< of its file, compressed or not
  bool compressed = false;
  bool incompressible = false;  ///< was tried since the start and does not shrink
};

/// An open segment file and where its blocks begin. Immutable, shared by readers.
struct SealedSegment {
  std::string name;
  std::uint64_t salt = 0;
  std::uint64_t first_block = 0;
  std::shared_ptr<const File> file;
  std::vector<std::uint32_t> offsets;
  std::uint64_t end = 0;  ///< behind the last block
};

enum class KeepOffsets { kNo, kYes };

/// Opens a sealed segment, plain or compressed. Where its blocks begin comes from the file *.idx beside it, or, when
/// that is missing or does not fit, from the block headers; then the *.idx is written anew if it may be. Errors:
/// kDamaged (file and offset), kIo.
Result<std::shared_ptr<const SealedSegment>> open_sealed(FileSystem& files, const Path& folder, const SegmentKey& key,
                                                         KeepOffsets keep);

/// Writes the *.idx. Not synced: it is derived, and its checksum tells when it is not whole. Failure does no harm.
void save_offsets(FileSystem& files, const Path& folder, std::uint64_t first_block,
                  std::span<const std::uint32_t> offsets);

/// "00000000000000000001.idx".
std::string offsets_name(std::uint64_t first_block);

/// `count` blocks from `number` on out of the bytes of `name` at `offset`. Errors: kDamaged (file and offset).
Result<std::vector<BlockPtr>> parse_blocks(std::shared_ptr<const Bytes> bytes, std::uint64_t salt, std::uint64_t number,
                                           std::size_t count, std::string_view name, std::uint64_t offset);

}  // namespace thalweg::ledger
