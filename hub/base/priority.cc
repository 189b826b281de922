#include "base/priority.h"

#include <sys/resource.h>

namespace thalweg {

void give_way() {
  constexpr int kSteps = 10;  // a tenth of the others' weight in Linux's scheduler; measured in docs/benchmarks.md
  (void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + kSteps);  // on Linux 0 is the calling thread
}

}  // namespace thalweg
