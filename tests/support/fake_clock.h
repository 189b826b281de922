// fake_clock.h: a clock that stands still until the test turns it.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace thalweg {

/// Threads: any.
class FakeClock final : public Clock {
 public:
  /// 2026-09-23T06:00:00+08:00, a moment of the published readings of 高洞电站.
  static constexpr std::int64_t kStart_unix_ns = 1'790'114'400'000'000'000;

  explicit FakeClock(std::int64_t wall_unix_ns = kStart_unix_ns) : wall_unix_ns_(wall_unix_ns) {}

  std::int64_t wall_unix_ns() const override { return wall_unix_ns_ + passed_ns_; }
  std::int64_t steady_ns() const override { return 1'000'000'000 + passed_ns_; }

  /// Time passes on both clocks, at one moment.
  void advance_ns(std::int64_t by) { passed_ns_ += by; }
  void advance_ms(std::int64_t by) { advance_ns(by * 1'000'000); }
  void advance_s(std::int64_t by) { advance_ns(by * 1'000'000'000); }
  /// Somebody sets the wall clock; steady time does not notice.
  void step_wall_ns(std::int64_t by) { wall_unix_ns_ += by; }

 private:
  std::atomic<std::int64_t> wall_unix_ns_;  ///< at the start, and by how much it was set
  std::atomic<std::int64_t> passed_ns_{0};
};

}  // namespace thalweg
