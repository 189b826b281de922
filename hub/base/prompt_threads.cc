#include "base/prompt_threads.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace thalweg {
namespace {

/// A third of what Linux gives on two processors, half of what it gives on one. Shorter ones, as long as such threads
/// are about, cut the turns of all others: 0.1 ms cost a flood of small parcels a tenth (docs/benchmarks.md).
constexpr std::uint64_t kTurn_ns = 400'000;

/// struct sched_attr of sched_setattr(2), as first published; glibc has it from 2.41 on.
struct SchedAttr {
  std::uint32_t size = sizeof(SchedAttr);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0, deadline_ns = 0, period_ns = 0;
};

bool read(SchedAttr& attr) { return ::syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) == 0; }

void set_turn(std::uint64_t turn_ns) {
  SchedAttr attr;  // policy and nice value stay as they are
  if (!read(attr)) return;
  attr.size = sizeof attr;
  attr.runtime_ns = turn_ns;
  (void)::syscall(SYS_sched_setattr, 0, &attr, 0);
}

}  // namespace

std::uint64_t PromptThreads::turn_ns() {
  SchedAttr attr;
  return read(attr) ? attr.runtime_ns : 0;
}

PromptThreads::PromptThreads(bool wanted) : before_ns_(turn_ns()), wanted_(wanted) {
  if (wanted_) set_turn(kTurn_ns);
}

PromptThreads::~PromptThreads() {
  if (wanted_) set_turn(before_ns_);
}

}  // namespace thalweg
