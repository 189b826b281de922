#include "base/clock.h"

#include <ctime>

namespace thalweg {
namespace {

std::int64_t read_clock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  std::int64_t wall_unix_ns() const override { return read_clock(CLOCK_REALTIME); }
  std::int64_t steady_ns() const override { return read_clock(CLOCK_MONOTONIC); }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace thalweg
