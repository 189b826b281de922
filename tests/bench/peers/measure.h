// measure.h: what is measured of a peer. Every measurement starts a server of its own on an empty folder.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/figure.h"
#include "bench/payloads.h"
#include "bench/peers/peer.h"

namespace thalweg::bench {

struct Sizes {
  std::size_t records = 200'000;   ///< of one throughput run
  std::size_t singles = 10'000;    ///< confirmed one by one, 2,000 a second
  std::size_t urgent = 400;        ///< 20 a second
  std::size_t behind = 1'000'000;  ///< what the receiver that catches up has to read, and what a restart finds
  std::size_t bytes = 200'000;     ///< records of which bytes are counted
  double bulk_rate = 0;            ///< records/s beside the urgent ones; 0: as many as it takes
};

struct Measure {
  const char* name;  ///< as --only takes it
  const char* title;
  std::function<std::vector<Figure>(Peer&, const Sizes&)> run;
};

const std::vector<Measure>& measures();

}  // namespace thalweg::bench
