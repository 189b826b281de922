// clock_watch.cc: block times, and whether the clock may be believed.
#include "ledger/clock_watch.h"

namespace thalweg::ledger {

ClockWatch::ClockWatch(const Clock& clock, std::int64_t last_block_unix_ns)
    : clock_(clock),
      offset_ns_(clock.wall_unix_ns() - clock.steady_ns()),
      doubtful_(clock.wall_unix_ns() < last_block_unix_ns) {}

std::int64_t ClockWatch::now_unix_ns() {
  std::lock_guard guard(mutex_);
  const std::int64_t wall = clock_.wall_unix_ns();
  const std::int64_t offset = wall - clock_.steady_ns();
  const std::int64_t drift = offset - offset_ns_;
  // Slow correction (ntpd slewing) is followed, so that it never adds up to a step.
  if (drift > kStep_ns || drift < -kStep_ns) doubtful_ = true;
  offset_ns_ = offset;
  return wall;
}

void ClockWatch::confirm() {
  std::lock_guard guard(mutex_);
  offset_ns_ = clock_.wall_unix_ns() - clock_.steady_ns();
  doubtful_ = false;
}

}  // namespace thalweg::ledger
