// recovery.cc: what a segment file holds, and whether its end was torn or its middle damaged.
#include "ledger/recovery.h"

#include <algorithm>
#include <cstring>

namespace thalweg::ledger {
namespace {

/// True when all bytes from `offset` to the end are zero: room that was filled ahead.
Result<bool> only_zeros(FileWindow& window, std::uint64_t offset) {
  while (offset < window.size()) {
    TW_ASSIGN(ByteView some, window.at(offset, 1u << 16));
    if (some.empty()) break;
    if (std::any_of(some.begin(), some.end(), [](std::uint8_t b) { return b != 0; })) return false;
    offset += some.size();
  }
  return true;
}

/// Offset of a block header behind `offset` with a number above `number`. Its checksum is salted, so that nothing a
/// party sends can pass for one.
Result<std::optional<std::uint64_t>> find_later_block(FileWindow& window, std::uint64_t offset, std::uint64_t number,
                                                      std::uint64_t salt) {
  constexpr std::size_t kStep = 1u << 16;
  for (std::uint64_t at = offset + 1; at < window.size(); at += kStep) {
    TW_ASSIGN(ByteView some, window.at(at, kStep + kBlockHeaderBytes));
    std::size_t i = 0;
    while (i + kBlockHeaderBytes <= some.size()) {
      const auto* hit = static_cast<const std::uint8_t*>(std::memchr(some.data() + i, 'T', some.size() - i));
      if (hit == nullptr) break;
      i = static_cast<std::size_t>(hit - some.data());
      auto header = decode_block_header(some.subspan(i), salt);
      if (header && header->info.number > number) return std::optional(at + i);
      ++i;
    }
  }
  return std::optional<std::uint64_t>();
}

/// Why the bytes at an offset are not the block that should come there.
struct Wrong {
  std::string message;
  bool whole = false;  ///< a whole block that does not belong here: no interrupted write leaves that
};

std::optional<Wrong> wrong(const BlockHeader& h, ByteView payload, const BlockInfo& before, std::uint64_t number,
                           std::vector<EntryRef>& entries) {
  if (payload.size() < h.payload_bytes) return Wrong{"the block is cut short", false};
  if (crc32c(payload) != h.payload_crc) return Wrong{"the checksum of the block's content does not fit", false};
  if (h.info.number != number)
    return Wrong{"block " + std::to_string(h.info.number) + " stands where " + std::to_string(number) + " should",
                 true};
  entries = split_payload(payload, h.info.entries);
  if (entries.empty()) return Wrong{"the entries do not fit the block", true};
  if (computed_hash(h.info, entries) != h.info.hash) return Wrong{"the hash of the block does not fit", true};
  if (h.info.previous != before.hash) return Wrong{"the block does not follow the one before", true};
  if (before.number != 0 && h.info.time_unix_ns < before.time_unix_ns)
    return Wrong{"the block is older than the one before", true};
  if (before.number != 0 && h.info.epoch < before.epoch) return Wrong{"the epoch falls", true};
  return std::nullopt;
}

}  // namespace

Result<ScanResult> scan_segment(const File& file, std::uint64_t size, const ScanFrom& from,
                                const std::function<Status(const Block&, std::uint64_t offset)>& on_block) {
  FileWindow window(file, size);
  ScanResult out;
  BlockInfo before;
  before.hash = from.header.previous;
  std::uint64_t number = from.header.first_block;
  std::uint64_t offset = kSegmentHeaderBytes;
  while (offset < size) {
    TW_ASSIGN(ByteView head, window.at(offset, kBlockHeaderBytes));
    auto header = decode_block_header(head, from.header.salt);
    std::optional<Wrong> fault;
    Block block;
    if (!header) {
      TW_ASSIGN(bool zeros, only_zeros(window, offset));
      if (zeros) break;
      fault = Wrong{"no block begins here", false};
    } else {
      TW_ASSIGN(ByteView whole, window.at(offset, static_cast<std::size_t>(header->info.bytes)));
      fault = wrong(*header, whole.subspan(std::min(whole.size(), kBlockHeaderBytes)), before, number, block.entries);
    }
    if (fault) {
      out.message = "block " + std::to_string(number) + ": " + fault->message;
      out.end = ScanResult::End::kTorn;
      const bool opener = number == from.header.first_block && (from.header.flags & SegmentHeader::kOpensWithBlock);
      if (fault->whole || opener || !from.may_be_torn) {
        out.end = ScanResult::End::kDamaged;
        break;
      }
      TW_ASSIGN(auto later, find_later_block(window, offset, number, from.header.salt));
      if (later) {
        out.end = ScanResult::End::kDamaged;
        out.message += "; a later block stands at offset " + std::to_string(*later);
      }
      break;
    }
    block.info = header->info;
    if (on_block) TW_TRY(on_block(block, offset));
    out.offsets.push_back(static_cast<std::uint32_t>(offset));
    out.last_offset = offset;
    out.last = before = header->info;
    offset += header->info.bytes;
    ++number;
  }
  // Invariant: a segment that became visible together with its first block has it.
  if (out.end == ScanResult::End::kClean && out.offsets.empty() &&
      (from.header.flags & SegmentHeader::kOpensWithBlock)) {
    out.end = ScanResult::End::kDamaged;
    out.message = "block " + std::to_string(number) + ": the block that opens the segment is missing";
  }
  out.end_offset = std::min(offset, std::max<std::uint64_t>(size, kSegmentHeaderBytes));
  return out;
}

Result<std::vector<std::uint32_t>> scan_offsets(const File& file, std::uint64_t size, const SegmentHeader& header,
                                                std::uint64_t last_block) {
  FileWindow window(file, size, 4096);
  std::vector<std::uint32_t> offsets;
  std::uint64_t offset = kSegmentHeaderBytes;
  for (std::uint64_t number = header.first_block; number <= last_block; ++number) {
    TW_ASSIGN(ByteView head, window.at(offset, kBlockHeaderBytes));
    auto block = decode_block_header(head, header.salt);
    if (!block || block->info.number != number || offset + block->info.bytes > size)
      return Error{Code::kDamaged,
                   "offset " + std::to_string(offset) + ": no header of block " + std::to_string(number)};
    offsets.push_back(static_cast<std::uint32_t>(offset));
    offset += block->info.bytes;
  }
  return offsets;
}

}  // namespace thalweg::ledger
