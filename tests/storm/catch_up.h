// catch_up.h: a receiver that was away for 100,000 records comes back: what do the others notice of it?
#pragma once

#include "storm/trial.h"

namespace thalweg::storm {

struct CatchUpPlan {
  std::uint64_t records = 100'000;  ///< that the receiver missed
  int rounds = 3;
  double readings = 100;  ///< a second, to the other receiver, one by one
  double warnings = 20;   ///< beside them
  double factor = 1.2;    ///< p90 of the others may grow by so much …
  double slack_ms = 100;  ///< … and so much: what shared cores and disk cost, far below a stall of the hub
};

/// Exit code.
int run_catch_up(Trial& trial, const CatchUpPlan& plan);

}  // namespace thalweg::storm
