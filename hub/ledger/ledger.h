// ledger.h: an append-only chain of blocks. Start here.
// See docs/formats/segment.md for the bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/hash.h"

namespace thalweg::ledger {

/// One entry of a block. The bytes are `bytes` followed by `more`, so that a large body need not be copied behind its
/// head to be written. Entries that were read have all in `bytes`.
struct EntryRef {
  std::uint8_t type = 0;  ///< entries.h for the hub's ledger; never 0
  ByteView bytes;
  ByteView more = {};
};

/// What a block says of itself.
struct BlockInfo {
  static constexpr std::uint8_t kClockDoubtful = 1;  ///< written while the clock was not to be trusted (rule 26)

  std::uint64_t number = 0;  ///< 1 is the genesis block; 0 stands for no block
  std::int64_t time_unix_ns = 0;
  std::uint64_t epoch = 0;  ///< leader epoch (rule 28)
  std::uint8_t flags = 0;
  std::uint32_t entries = 0;
  std::uint64_t bytes = 0;  ///< on disk, with the header
  Hash256 previous{};       ///< hash of the block before
  Hash256 hash{};           ///< SHA-256 over all of the above (but `bytes`) and the hashes of the entries
  bool operator==(const BlockInfo&) const = default;
};

/// A block and its entries. The views point into `storage`, which several blocks of one read may share.
struct Block {
  BlockInfo info;
  std::shared_ptr<const Bytes> storage;
  std::vector<EntryRef> entries;
};
using BlockPtr = std::shared_ptr<const Block>;

/// Where an entry stands.
struct Place {
  std::uint64_t block = 0;
  std::uint32_t entry = 0;
  auto operator<=>(const Place&) const = default;

  void encode(ByteWriter& out) const {
    out.u64(block);
    out.u32(entry);
  }
  static Place decode(ByteReader& in) {
    const std::uint64_t block = in.u64();
    return {block, in.u32()};
  }
};

/// What an append needs beside the entries.
struct AppendAs {
  std::int64_t time_unix_ns = 0;  ///< raised to the time of the block before when it is older
  std::uint8_t flags = 0;         ///< BlockInfo::k...
};

/// An append-only chain of blocks on disk: the hub's ledger, and a gate's outbox and inbox.
///
/// Threads: append() and set_epoch() from one thread (see GroupCommit); all else from any, beside them.
/// Durability: a block whose append() returned a value survives a power cut; no other block is promised.
class Ledger {
 public:
  virtual ~Ledger() = default;

  /// Hash of the genesis block: which ledger this is.
  virtual Hash256 id() const = 0;
  /// The last durable block.
  virtual BlockInfo head() const = 0;
  /// The oldest block that is still held.
  virtual std::uint64_t first_block() const = 0;

  /// Writes one block, syncs it, and gives it. On failure the chain is as it was.
  /// Costs one write, one sync and SHA-256 over the entries. Errors: kInvalid (no entries, an entry over 16 MiB),
  /// kDiskFull and kIo (nothing was added; may be tried again), kSyncFailed (the log takes no more until reopened).
  virtual Result<BlockPtr> append(std::span<const EntryRef> entries, const AppendAs& as) = 0;
  /// Leader epoch of the following blocks. Errors: kInvalid when lower than the head's.
  virtual Status set_epoch(std::uint64_t epoch) = 0;

  /// Block `first` and those after it, up to about `max_bytes` (always at least one), or none when `first` is beyond
  /// the head. Checks CRC-32C, not the chain. Errors: kNotFound (dropped), kDamaged (file and offset), kIo.
  virtual Result<std::vector<BlockPtr>> read_run(std::uint64_t first, std::size_t max_bytes) const = 0;
  /// One block. Recent ones come from memory. Errors: as read_run(), and kNotFound beyond the head.
  virtual Result<BlockPtr> read(std::uint64_t block) const = 0;

  /// Forgets blocks before `block`, as far as the store can (local segments: whole ones only). Says what is first now.
  /// Blocks that readers hold stay valid. Errors: kIo.
  virtual Result<std::uint64_t> drop_before(std::uint64_t block) = 0;

  /// Room on the disk. Errors: kIo.
  virtual Result<FileSystem::Space> space() const = 0;

  /// Calls `on_block` after every append, on the appending thread, until the returned handle dies. `on_block` must be
  /// quick and must not call watch() or destroy handles of this ledger.
  using Watch = std::shared_ptr<void>;
  virtual Watch watch(std::function<void(const BlockPtr&)> on_block) = 0;
};

}  // namespace thalweg::ledger
