// runner.h: thalweg-runner without its command line: connects to the gate, opens the plugin, calls it until told to
// stop.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "model/lane.h"

namespace thalweg::runner {

struct RunnerOptions {
  Path socket;
  Lane lane = Lane::kRoutine;
  std::string instance;
  std::string token;
};

/// Exit codes that the gate's supervisor knows.
inline constexpr int kExitOk = 0;
inline constexpr int kExitHangs = 70;        ///< a call of the plugin did not come back
inline constexpr int kExitUnavailable = 75;  ///< the gate went away
inline constexpr int kExitConfig = 78;       ///< starting again changes nothing

/// Runs to the end. Takes SIGTERM and SIGINT as a wish to stop. One per process: it sets the process's limits.
int run(const RunnerOptions& options, const Clock& clock);

}  // namespace thalweg::runner
