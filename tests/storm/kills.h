// kills.h: the storm itself: any program is killed at random moments while records flow both ways.
#pragma once

#include "storm/trial.h"

namespace thalweg::storm {

struct KillPlan {
  std::uint64_t records = 20'000;  ///< each way
  int kills = 50;
  std::uint32_t seed = 0;
};

/// Exit code.
int run_kills(Trial& trial, const KillPlan& plan);

}  // namespace thalweg::storm
