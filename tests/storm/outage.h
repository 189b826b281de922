// outage.h: one program is away for a minute, ended or hung, while stations go on at a steady pace.
#pragma once

#include "storm/trial.h"

namespace thalweg::storm {

struct OutagePlan {
  bool of_hub = true;     ///< else of 荣昌's gate, which both sends and receives
  bool hung = false;      ///< SIGSTOP and SIGCONT instead of SIGKILL and a new start
  int seconds = 60;       ///< how long
  double rate = 200;      ///< readings a second, each way; a hundredth of it warnings
  int drain_most_s = 60;  ///< what waits must have arrived within that time of the return
};

/// Exit code.
int run_outage(Trial& trial, const OutagePlan& plan);

}  // namespace thalweg::storm
