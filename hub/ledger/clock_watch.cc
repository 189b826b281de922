// clock_watch.cc: block times, and whether the clock may be believed.
#include "ledger/clock_watch.h"

namespace thalweg::ledger {

ClockWatch::ClockWatch(const Clock& clock, std::int64_t last_block_unix_ns)
    : clock_(clock),
      offset_ns_(clock.wall_unix_ns() - clock.steady_ns()),
      doubtful_(clock.wall_unix_ns() < last_block_unix_ns) {}

std::int64_t ClockWatch::now_unix_ns() {
  std::lock_guard guard(mutex_);
  return look();
}

std::int64_t ClockWatch::look() {
  // A thread that is held up between its two looks would see a step where there was none.
  constexpr std::int64_t kTogether_ns = 1'000'000'000;
  std::int64_t before = 0, wall = 0, steady = 0;
  do {
    before = clock_.steady_ns();
    wall = clock_.wall_unix_ns();
    steady = clock_.steady_ns();
  } while (steady - before > kTogether_ns);
  const std::int64_t offset = wall - steady;
  const std::int64_t drift = offset - offset_ns_;
  // Slow correction (ntpd slewing) is followed, so that it never adds up to a step.
  if (drift > kStep_ns || drift < -kStep_ns) doubtful_ = true;
  offset_ns_ = offset;
  return wall;
}

bool ClockWatch::doubtful() {
  std::lock_guard guard(mutex_);
  look();
  return doubtful_;
}

void ClockWatch::doubt() {
  std::lock_guard guard(mutex_);
  doubtful_ = true;
}

void ClockWatch::confirm() {
  std::lock_guard guard(mutex_);
  offset_ns_ = clock_.wall_unix_ns() - clock_.steady_ns();
  doubtful_ = false;
}

Result<std::int64_t> last_believed_unix_ns(const SegmentLog& log) {
  constexpr std::size_t kRunBytes = 1u << 20;
  const auto believed = [](const BlockInfo& block) { return (block.flags & BlockInfo::kClockDoubtful) == 0; };
  if (const BlockInfo head = log.head(); believed(head)) return head.time_unix_ns;
  const std::vector<SegmentInfo> segments = log.segments();
  std::optional<std::int64_t> newest;
  for (auto segment = segments.rbegin(); segment != segments.rend() && !newest; ++segment)
    for (std::uint64_t block = segment->first_block; block <= segment->last_block;) {
      TW_ASSIGN(const std::vector<BlockPtr> run, log.read_run(block, kRunBytes));
      for (const BlockPtr& one : run)
        if (believed(one->info)) newest = one->info.time_unix_ns;
      block += run.size();
    }
  if (newest) return *newest;
  TW_ASSIGN(const BlockPtr oldest, log.read(log.first_block()));
  return oldest->info.time_unix_ns;
}

}  // namespace thalweg::ledger
