// snapshot.h: what was derived from a ledger up to a block, so that a start need not read it all again.
#pragma once

#include <optional>

#include "ledger/ledger.h"

namespace thalweg::ledger {

/// Derived state after `block`.
struct Snapshot {
  std::uint64_t block = 0;
  Hash256 block_hash{};
  Bytes state;  ///< the owner's own form
};

/// Keeps the newest two snapshots of one ledger in a folder. Each is written whole or not at all.
///
/// Borrows: `files`, which outlives it. Threads: one at a time.
class SnapshotStore {
 public:
  static constexpr std::uint64_t kMaxReplayBytes = 64u << 20;  ///< rule 10

  SnapshotStore(FileSystem& files, Path folder) : files_(files), folder_(std::move(folder)) {}

  /// The newest snapshot that is whole and stands on this ledger's chain; nothing when there is none: then all is
  /// replayed. Errors: kIo.
  Result<std::optional<Snapshot>> load(const Ledger& ledger);
  /// Errors: kDiskFull, kIo, kSyncFailed; the older snapshots stay.
  Status save(const Snapshot& snapshot);
  /// True when blocks of `bytes_since` bytes after the last snapshot make a new one worth it (half of what a start may
  /// replay, so that one that is being written is still in time).
  static bool due(std::uint64_t bytes_since) { return bytes_since >= kMaxReplayBytes / 2; }

 private:
  FileSystem& files_;
  Path folder_;
};

}  // namespace thalweg::ledger
