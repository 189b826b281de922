// river.h: basins, rivers, reaches and dams: the directed graph along which water and warnings go.
#pragma once

#include "region/party.h"

namespace thalweg::region {

struct Basin {
  std::string code;
  Words name;
};

/// Water that enters a reach: the reach above it of the same river (at km 0), or the last reach of a tributary.
struct Inflow {
  ReachIndex from = kNone;
  double km = 0;
};

/// A stretch of a river with the same parties on its banks. Kilometres count from its upper end.
struct Reach {
  std::string code;
  RiverIndex river = kNone;
  std::uint32_t order = 0;  ///< 1 is the uppermost of its river
  double length_km = 0;
  double velocity_m_s = 0;      ///< mean flow velocity for estimates of arrival; 0 is unknown
  PartyIndex left = kNone;      ///< looking downstream; kNone outside of the region
  PartyIndex right = kNone;     ///< equal to `left` where one party has both banks
  ReachIndex next = kNone;      ///< where the water goes on; kNone where it leaves the region
  double next_km = 0;           ///< at which km of `next` it arrives
  std::vector<Inflow> inflows;  ///< ascending by km

  /// Hours the water needs for `km`; 0 when the velocity is unknown.
  double hours(double km) const { return velocity_m_s > 0 ? km / (velocity_m_s * 3.6) : 0; }
};

enum class DamKind : std::uint8_t { kDam, kGate, kHydropower };

struct Dam {
  Words name;
  DamKind kind = DamKind::kDam;
  ReachIndex reach = kNone;
  double km = 0;
};

struct River {
  std::string code;
  Words name;
  std::vector<std::string> aliases;  ///< 澎溪河 = 小江; names and aliases may stand for two rivers (大溪河)
  BasinIndex basin = kNone;
  std::vector<ReachIndex> reaches;  ///< in flow order, at least one
  ReachIndex joins = kNone;         ///< the reach that it flows into; kNone where it leaves the region
  double joins_km = 0;
  std::vector<Dam> dams;  ///< in flow order
};

}  // namespace thalweg::region
