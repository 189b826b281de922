// restart.h: how soon a hub with a long ledger serves again after SIGKILL, and what memory it takes, also per idle
// gate.
#pragma once

#include <cstddef>
#include <vector>

#include "base/file.h"

namespace thalweg::bench {

struct RestartOptions {
  Path programs;                     ///< folder of thalwegd and thalweg-gate
  std::vector<std::size_t> records;  ///< stored, ascending; measured at each
  int runs = 5;                      ///< kills at each
  bool json = false;
};

/// Hub and gates are processes. 荣昌 sends to 泸县 through the whole exchange until the ledger holds so many records;
/// then all are killed, and the hub alone is started. Prints a table. Errors: what a program or a file says.
Status measure_restart(const RestartOptions& options);

/// What `gates` connected gates (two lanes each) that say nothing add to the hub's memory. Prints a line.
Status measure_idle_gates(const Path& programs, std::size_t gates, bool json);

}  // namespace thalweg::bench
