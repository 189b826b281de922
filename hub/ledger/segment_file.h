// segment_file.h: a segment's bytes, from a plain file or from one that was compressed after sealing.
#pragma once

#include "ledger/segment_format.h"

namespace thalweg::ledger {

/// Where the bytes of a compressed segment are stored.
class StoredFrames {
 public:
  virtual ~StoredFrames() = default;
  /// Offset in the compressed file of the frame that holds `offset` of the segment.
  virtual std::uint64_t frame_of(std::uint64_t offset) const = 0;
  /// Offset of the frame that could not be expanded, once a read has failed for that.
  virtual std::optional<std::uint64_t> damaged_frame() const = 0;
};

/// An open segment. `file` reads as if it were never compressed.
struct SegmentFile {
  std::unique_ptr<File> file;
  std::uint64_t size = 0;    ///< of the segment
  std::uint64_t stored = 0;  ///< on the disk
  bool compressed = false;
  const StoredFrames* frames = nullptr;  ///< of a compressed one; lives in `file`
  std::string name;
};

/// "00000000000000000001.segz".
std::string compressed_name(std::uint64_t first_block);
/// The number in a name that segment_name() or compressed_name() made.
std::optional<std::uint64_t> any_segment_number(std::string_view name);

/// Opens whichever of the two is there, the plain one first. `mode` is for the plain one.
/// Errors: kNotFound, kDamaged (a compressed file whose header or table does not fit; `damaged_at` tells where), kIo,
/// kDenied.
Result<SegmentFile> open_segment(FileSystem& files, const Path& folder, std::uint64_t first_block, OpenMode mode,
                                 std::uint64_t* damaged_at = nullptr);

/// True when compressing a segment pays: a sample of it shrinks by a tenth. Costs 5 ms. Errors: kIo.
Result<bool> worth_compressing(const File& file, std::uint64_t size);

/// Writes <number>.segz beside <number>.seg, reads it back, and gives its size. The plain file stays.
/// Costs about 3 s of one core for 64 MiB, 2 MiB of memory, two syncs. Errors: kDiskFull, kIo, kSyncFailed.
Result<std::uint64_t> compress_segment(FileSystem& files, const Path& folder, std::uint64_t first_block,
                                       const File& plain, std::uint64_t size);

}  // namespace thalweg::ledger
