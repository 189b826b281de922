// soak_run.h: half an hour of half the load with bad lines: does anything grow?
#pragma once

#include "chaos/net_trial.h"

namespace thalweg::chaos {

struct SoakOptions {
  PlanOptions plan;  ///< length and seed; the rest is the soak's
  World::Options world;
  int pause_s = 10;  ///< between measurements
  bool chinese = false;
  Path json;  ///< where the numbers go; empty: nowhere
};

/// Exit code.
int run_soak(const SoakOptions& options);

}  // namespace thalweg::chaos
