// floor.h: what one record costs at the least: the steps that the promises need, each alone on one core.
#pragma once

#include <string>
#include <vector>

namespace thalweg::bench {

/// One step of the way from gate to gate. `once_us`: per record of 1 KB in parcels of 1,000, µs of one core.
struct Step {
  std::string name;
  int times;  ///< how often it is done on the way
  double once_us;
};

/// Measured on this machine, about a second. Links, turns between threads, syncs and indexes are not in it: no
/// exchange does without them, but what they have to cost nobody can say.
std::vector<Step> floor_steps();
/// The sum of all, µs per record.
double floor_us(const std::vector<Step>& steps);

}  // namespace thalweg::bench
