// follower.h: reading a ledger block after block, with read-ahead.
#pragma once

#include <atomic>

#include "ledger/ledger.h"

namespace thalweg::ledger {

/// Reads blocks in order from a position on. Near the head blocks come from memory.
///
/// Borrows: `ledger`, which outlives it. Holds at most about `read_ahead_bytes` beside what the caller keeps.
/// Threads: one at a time; the wake-up of wait() comes on the appending thread.
class Follower {
 public:
  Follower(Ledger& ledger, std::uint64_t next_block, std::size_t read_ahead_bytes = 1u << 20);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  /// The next block, or null at the head. Errors: as Ledger::read_run(); the position stays.
  Result<BlockPtr> next();
  /// Number of the block that next() will give.
  std::uint64_t position() const { return next_; }
  /// Goes on from `block`.
  void seek(std::uint64_t block);
  /// Calls `wake` once, as soon as the ledger holds position(): at once on this thread when it does already, else on
  /// the appending thread (where it should only post). Replaces an earlier wait().
  void wait(std::function<void()> wake);

 private:
  struct Waiting;
  Ledger& ledger_;
  std::uint64_t next_;
  std::size_t read_ahead_bytes_;
  std::vector<BlockPtr> ahead_;
  std::size_t ahead_at_ = 0;
  std::shared_ptr<Waiting> waiting_;
  Ledger::Watch watch_;
};

}  // namespace thalweg::ledger
