// hostile_attacks.h: what is done to a hub, one function each.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "chaos/hostile_curve.h"
#include "trust/keys.h"

namespace thalweg::chaos {

/// What an attacker has: an address, a key that nobody knows, and the keys of a party that has gone over to him.
struct Target {
  std::uint16_t port = 0;
  CurveIdentity stranger, insider;
  std::string party;
  trust::SigningKey signing;
};

/// What was done, by name; for the table.
using Tally = std::map<std::string, std::uint64_t>;

/// Goes on until `stop`.
using Attack = std::function<void(const Target& target, const std::atomic<bool>& stop, Tally& tally)>;

struct Trouble {
  std::string name;
  Attack attack;
  /// Names of the hub's figures, one of which at least must have grown.
  std::vector<std::string> counted_as;
  std::uint64_t descriptors = 0;  ///< that the attacker needs
  double least_share = 0;         ///< of the honest throughput that must be left during the attack
};

/// Descriptors that an attacker may have: as many as this process may open, but for some of its own. Of the hard limit:
/// raises the soft one.
std::uint64_t descriptors_to_spare();

/// All of them, in the order in which they are tried.
std::vector<Trouble> all_troubles();
/// Of a hub that may open so many descriptors: more connections than that, held open.
Trouble few_descriptors(std::uint64_t descriptors);

}  // namespace thalweg::chaos
