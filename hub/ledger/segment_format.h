// segment_format.h: the bytes of segment files.
// See docs/formats/segment.md; the numbers here and there are the same and a test compares them.
#pragma once

#include <optional>

#include "ledger/ledger.h"

namespace thalweg::ledger {

inline constexpr std::size_t kSegmentHeaderBytes = 112;
inline constexpr std::size_t kBlockHeaderBytes = 112;
inline constexpr std::size_t kEntryHeaderBytes = 5;
inline constexpr std::size_t kMaxEntryBytes = 16u << 20;
inline constexpr std::size_t kMaxPayloadBytes = 32u << 20;

/// What opens a segment file.
struct SegmentHeader {
  static constexpr std::uint8_t kOpensWithBlock = 1;  ///< header and first block became visible together

  std::uint8_t flags = 0;
  std::uint64_t salt = 0;  ///< of the block headers' checksums: stored data cannot be made to look like a block
  std::uint64_t first_block = 0;
  std::uint64_t previous_first_block = 0;  ///< of the segment before; 0 in the first one
  Hash256 previous{};                      ///< hash of block first_block - 1
  Hash256 ledger_id{};                     ///< zero in the first segment, whose block 1 gives it
  bool operator==(const SegmentHeader&) const = default;
};

void encode(const SegmentHeader& header, Bytes& out);
/// Errors: kLedgerFormat (not such a file, or another version), kDamaged (checksum).
Result<SegmentHeader> decode_segment_header(ByteView bytes);

/// From the system's random numbers.
std::uint64_t fresh_salt();

/// "00000000000000000001.seg": twenty digits of the first block's number.
std::string segment_name(std::uint64_t first_block);
/// The number in a name that segment_name() made.
std::optional<std::uint64_t> segment_number(std::string_view name);

/// A block header as it stands in the file.
struct BlockHeader {
  BlockInfo info;
  std::uint32_t payload_bytes = 0;
  std::uint32_t payload_crc = 0;
};

Hash256 entry_hash(std::uint8_t type, ByteView bytes, ByteView more = {});
/// Covers everything in `info` but `bytes` and `hash`.
Hash256 block_hash(const BlockInfo& info, std::span<const Hash256> entry_hashes);

/// Appends a whole block to `out` and completes `info` (entries, bytes, hash).
void encode_block(BlockInfo& info, std::span<const EntryRef> entries, std::uint64_t salt, Bytes& out);

/// Reads the fixed part and checks its checksum and bounds. Nothing when these bytes are no block header.
std::optional<BlockHeader> decode_block_header(ByteView bytes, std::uint64_t salt);
/// Splits a payload into its entries. Empty when it does not hold exactly `count` entries.
std::vector<EntryRef> split_payload(ByteView payload, std::uint32_t count);
/// The block's hash, computed from what stands there.
Hash256 computed_hash(const BlockInfo& info, std::span<const EntryRef> entries);

/// Sequential reading of a file with one buffer. Not thread-safe.
class FileWindow {
 public:
  FileWindow(const File& file, std::uint64_t size, std::size_t ahead = 1u << 20)
      : file_(file), size_(size), ahead_(ahead) {}
  /// The bytes from `offset`: `wanted` of them, or fewer at the end. Valid until the next call. Errors: kIo.
  Result<ByteView> at(std::uint64_t offset, std::size_t wanted);
  std::uint64_t size() const { return size_; }

 private:
  const File& file_;
  std::uint64_t size_;
  std::size_t ahead_;
  std::uint64_t start_ = 0;
  Bytes buffer_;
};

}  // namespace thalweg::ledger
