// clock_watch.h: block times, and whether the clock may be believed.
#pragma once

#include <atomic>
#include <mutex>

#include "base/clock.h"

namespace thalweg::ledger {

/// Gives the time for the next block and notices when the wall clock is not to be trusted (rule 26): it stepped by
/// over 5 minutes against the steady clock, or stands before the last block at the start. Only a person clears that.
///
/// Borrows: `clock`, which outlives it. Threads: any.
class ClockWatch {
 public:
  static constexpr std::int64_t kStep_ns = 5 * 60 * 1'000'000'000LL;

  ClockWatch(const Clock& clock, std::int64_t last_block_unix_ns);
  /// Wall time now. The ledger raises it to the time of the block before.
  std::int64_t now_unix_ns();
  bool doubtful() const { return doubtful_; }
  void confirm();

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::int64_t offset_ns_;  ///< wall minus steady, as last believed; guarded by mutex_
  std::atomic<bool> doubtful_;
};

}  // namespace thalweg::ledger
