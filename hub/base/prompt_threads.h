// prompt_threads.h: threads that get a processor soon after they have something to do.
#pragma once

#include <cstdint>

namespace thalweg {

/// While it lives, threads and programs that the current thread starts (and what these start) are given turns of 0.4 ms
/// instead of some ms. They take no more of a processor than before, but a thread whose turns are shorter goes first
/// when it wakes: full processors do not make an urgent lane wait for the ends of others' turns.
///
/// Linux 6.12 and later (sched_setattr(2): sched_runtime of SCHED_OTHER), without any privilege; others ignore it.
/// Not a nice value: beside other busy programs, threads that give way to them stand still (docs/benchmarks.md).
class PromptThreads {
 public:
  /// With `wanted` off it does nothing.
  explicit PromptThreads(bool wanted);
  ~PromptThreads();
  PromptThreads(const PromptThreads&) = delete;
  PromptThreads& operator=(const PromptThreads&) = delete;

  /// Length of the current thread's turns, in nanoseconds; 0 where the kernel does not say.
  static std::uint64_t turn_ns();

 private:
  const std::uint64_t before_ns_;
  const bool wanted_;
};

}  // namespace thalweg
