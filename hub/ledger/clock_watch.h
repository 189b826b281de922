// clock_watch.h: block times, and whether the clock may be believed.
#pragma once

#include <mutex>

#include "base/clock.h"
#include "ledger/segment_log.h"

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
  /// Looks at the clock, too: a step is noticed although nothing is written.
  bool doubtful();
  /// Somebody else has a reason to doubt it.
  void doubt();
  void confirm();

 private:
  std::int64_t look();  ///< with the mutex held

  const Clock& clock_;
  std::mutex mutex_;
  std::int64_t offset_ns_;  ///< wall minus steady, as last believed; guarded by mutex_
  bool doubtful_;           ///< guarded by mutex_
};

/// Time of the newest block that was written while the clock was believed. Costs nothing when that is the last one,
/// else reading back to it. Errors: as Ledger::read_run().
Result<std::int64_t> last_believed_unix_ns(const SegmentLog& log);

}  // namespace thalweg::ledger
