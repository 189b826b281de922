// clock.h: wall and steady time as an interface, so that tests can turn the clock.
#pragma once

#include <cstdint>

namespace thalweg {

/// Threads: any.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Nanoseconds since 1970-01-01T00:00Z. May jump in both directions.
  virtual std::int64_t wall_unix_ns() const = 0;
  /// Nanoseconds since some moment; never goes back.
  virtual std::int64_t steady_ns() const = 0;
};

/// The machine's clocks. Lives as long as the process.
const Clock& system_clock();

}  // namespace thalweg
