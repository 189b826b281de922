// chunks.h: transfers cut into chunks by the sender and put together by the receiver.
#pragma once

#include <memory>
#include <optional>

#include "link/message.h"

namespace thalweg::link {

using SharedBytes = std::shared_ptr<const Bytes>;

/// Puts the chunks of one session together, one transfer at a time, in order.
///
/// Threads: one loop.
class ChunkAssembler {
 public:
  ChunkAssembler(Transfer kind, std::size_t max_transfer_bytes) : kind_(kind), max_bytes_(max_transfer_bytes) {}

  /// Takes the next chunk; gives the whole when it was the last one. A chunk at offset 0 starts anew, whatever was
  /// there. One copy of the payload, no memory is cleared before.
  /// Errors: kLinkFrame (wrong kind, not where the last one ended), kParcelTooLarge. The assembler is then empty.
  Result<std::optional<Bytes>> add(const Chunk& chunk);

  /// Bytes that the transfer under way still needs; 0 when none is.
  std::size_t missing_bytes() const { return active_ ? total_ - bytes_.size() : 0; }
  std::size_t held_bytes() const { return bytes_.size(); }
  /// What to offer for going on; offset 0 when nothing is held. Costs a CRC over what is held.
  Partial partial() const;
  void clear();

 private:
  Transfer kind_;
  std::size_t max_bytes_;
  bool active_ = false;
  std::uint64_t number_ = 0;
  std::uint32_t total_ = 0;
  Bytes bytes_;
};

/// Where the sender stands in one transfer.
class ChunkSplitter {
 public:
  /// `from` says where to go on; ignored unless it is about this number, shorter than the whole, and its CRC fits.
  ChunkSplitter(Transfer kind, std::uint64_t number, SharedBytes whole, const Partial& from = {});

  /// The next chunk of at most `most_bytes`, without moving on; `bytes` points into the whole.
  Chunk peek(std::size_t most_bytes, std::uint64_t backlog_bytes) const;
  /// That chunk was sent.
  void advance(std::size_t bytes) { offset_ += bytes; }
  bool done() const { return offset_ == whole_->size(); }
  std::size_t left_bytes() const { return whole_->size() - offset_; }
  std::uint64_t number() const { return number_; }
  std::size_t offset() const { return offset_; }

 private:
  Transfer kind_;
  std::uint64_t number_;
  SharedBytes whole_;
  std::size_t offset_ = 0;
};

}  // namespace thalweg::link
