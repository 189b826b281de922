#include "link/chunks.h"

#include <algorithm>

#include "base/hash.h"

namespace thalweg::link {

Result<std::optional<Bytes>> ChunkAssembler::add(const Chunk& chunk) {
  if (chunk.kind != kind_) {
    clear();
    return Error{Code::kLinkFrame, "a chunk of the wrong kind"};
  }
  if (chunk.offset == 0) {
    clear();
    if (chunk.total > max_bytes_)
      return Error{Code::kParcelTooLarge, "a transfer of " + std::to_string(chunk.total) + " bytes"};
    active_ = true;
    number_ = chunk.number;
    total_ = chunk.total;
    bytes_.reserve(total_);
  } else if (!active_ || chunk.number != number_ || chunk.total != total_ || chunk.offset != bytes_.size()) {
    clear();
    return Error{Code::kLinkFrame, "a chunk that does not go on where the last one ended"};
  }
  bytes_.insert(bytes_.end(), chunk.bytes.begin(), chunk.bytes.end());
  if (bytes_.size() < total_) return std::optional<Bytes>();
  std::optional<Bytes> whole(std::move(bytes_));
  clear();
  return whole;
}

Partial ChunkAssembler::partial() const {
  if (!active_) return {};
  return {number_, static_cast<std::uint32_t>(bytes_.size()), crc32c(bytes_)};
}

void ChunkAssembler::clear() {
  active_ = false;
  number_ = 0;
  total_ = 0;
  bytes_ = Bytes();
}

ChunkSplitter::ChunkSplitter(Transfer kind, std::uint64_t number, SharedBytes whole, const Partial& from)
    : kind_(kind), number_(number), whole_(std::move(whole)) {
  if (from.number == number && from.offset > 0 && from.offset < whole_->size() &&
      crc32c(ByteView(*whole_).first(from.offset)) == from.crc)
    offset_ = from.offset;
}

Chunk ChunkSplitter::peek(std::size_t most_bytes, std::uint64_t backlog_bytes) const {
  Chunk chunk;
  chunk.kind = kind_;
  chunk.number = number_;
  chunk.total = static_cast<std::uint32_t>(whole_->size());
  chunk.offset = static_cast<std::uint32_t>(offset_);
  chunk.backlog = static_cast<std::uint32_t>(std::min<std::uint64_t>(backlog_bytes, UINT32_MAX));
  chunk.bytes = ByteView(*whole_).subspan(offset_, std::min({most_bytes, kMaxChunkBytes, left_bytes()}));
  return chunk;
}

}  // namespace thalweg::link
