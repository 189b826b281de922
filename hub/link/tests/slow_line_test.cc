#include "slow_line.h"

namespace thalweg::link {

TEST_CASE("a parcel of 4 MiB crosses a line of 1 Mbit/s with heartbeats on", "[link][line]") {
  slow_line(4u << 20, 1'000'000);
}

}  // namespace thalweg::link
