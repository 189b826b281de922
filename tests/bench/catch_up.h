// catch_up.h: a receiver that was away while all was sent: how fast it catches up, and the bytes that all of it costs.
#pragma once

#include <vector>

#include "bench/figure.h"
#include "bench/load.h"

namespace thalweg::bench {

struct CatchUp {
  double records = 0;
  double seconds = 0;   ///< from starting the receiver's gate until all is in its inbox, and settled at the hub
  double payload = 0;   ///< bytes of all records as they are in the ledger before compression
  double bodies = 0;    ///< the same as stored
  double ledger = 0;    ///< bytes of all blocks of the lane at the end: settlements, signatures, numbers and hashes too
  double disk = 0;      ///< blocks of the hub's folder with all stored and none delivered, above those of an empty hub
  double wire_in = 0;   ///< TCP payload of both directions: sender's gate and hub, until the hub had all
  double wire_out = 0;  ///< the same from then on; what the sender is told of the receiver is in it
};

/// Sends `records` while the receiver's gate is away, then starts it. `rate`: one by one, so many a second; 0: in
/// batches, as many as go through.
CatchUp catch_up(std::size_t records, Load::Kind kind, double rate = 0);

/// As the peers' measurements of these names say them.
std::vector<Figure> behind_figures(const CatchUp& run);
std::vector<Figure> bytes_figures(const CatchUp& run);

}  // namespace thalweg::bench
