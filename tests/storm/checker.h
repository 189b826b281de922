// checker.h: does an inbox hold what an origin was told is accepted? A pure function, so that its own faults can be
// found.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/ids.h"

namespace thalweg::storm {

/// What was found on one way (one origin, one lane, one inbox).
struct Findings {
  std::uint64_t lost = 0;             ///< accepted and not in the inbox
  std::uint64_t doubled = 0;          ///< in the inbox once too often, counted each time
  std::uint64_t out_of_order = 0;     ///< stands behind one that was accepted later
  std::uint64_t foreign = 0;          ///< in the inbox, and nobody was told that it is accepted
  std::uint64_t forbidden = 0;        ///< in the inbox of one who may not see it
  std::vector<std::string> examples;  ///< the first few of each kind, in words

  bool content() const { return lost + doubled + out_of_order + foreign + forbidden == 0; }
  Findings& operator+=(const Findings& other);
};

/// Compares the records that an origin was told are accepted, in the order of acceptance, with those of that origin and
/// lane in an inbox, in the order in which they came. No id stands twice in `accepted`.
Findings compare(std::span<const RecordId> accepted, std::span<const RecordId> held);

/// Counts as forbidden each of `held` that is among `not_for_it`: records of others, records from after a revocation.
Findings intruders(std::span<const RecordId> not_for_it, std::span<const RecordId> held);

}  // namespace thalweg::storm
