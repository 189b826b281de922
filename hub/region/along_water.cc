// along_water.cc: who lies above and below, in the order in which the water reaches them.
#include <algorithm>

#include "region/region.h"

namespace thalweg::region {
namespace {

/// The nearest arrival per party.
class Arrivals {
 public:
  Arrivals(const Region& region, PartyIndex but_for) : region_(region), but_for_(but_for) {}

  void reach(ReachIndex reach, const AlongWater& at) {
    const Reach& r = region_.reach(reach);
    add(r.left, reach, at);
    if (r.right != r.left) add(r.right, reach, at);
  }
  std::vector<AlongWater> in_order() && {
    std::ranges::sort(found_, [this](const AlongWater& a, const AlongWater& b) {
      if (a.km != b.km) return a.km < b.km;
      return region_.party(a.party).code < region_.party(b.party).code;
    });
    return std::move(found_);
  }

 private:
  void add(PartyIndex party, ReachIndex reach, AlongWater at) {
    if (party == kNone || party == but_for_) return;
    at.party = party;
    at.reach = reach;
    const auto known = std::ranges::find(found_, party, &AlongWater::party);
    if (known == found_.end()) {
      found_.push_back(at);
    } else if (at.km < known->km) {
      *known = at;
    }
  }

  const Region& region_;
  PartyIndex but_for_;
  std::vector<AlongWater> found_;
};

AlongWater further(AlongWater at, const Reach& reach, double km) {
  km = std::max(km, 0.0);
  at.km += km;
  at.hours += reach.hours(km);
  at.hours_known = at.hours_known && (km == 0 || reach.velocity_m_s > 0);
  return at;
}

}  // namespace

std::vector<AlongWater> Region::downstream(std::span<const Stretch> places, PartyIndex but_for) const {
  Arrivals arrivals(*this, but_for);
  for (const Stretch& place : places) {
    AlongWater at;
    double km = place.to_km;
    for (ReachIndex r = place.reach; r != kNone; r = reaches_[r].next) {
      arrivals.reach(r, at);
      at = further(at, reaches_[r], reaches_[r].length_km - km);
      km = reaches_[r].next_km;
    }
  }
  return std::move(arrivals).in_order();
}

std::vector<AlongWater> Region::upstream(std::span<const Stretch> places, PartyIndex but_for) const {
  struct Step {
    ReachIndex reach;
    double from_km, to_km;
    AlongWater at;
  };
  Arrivals arrivals(*this, but_for);
  for (const Stretch& place : places) {
    if (place.reach == kNone) continue;
    std::vector<Step> open{{place.reach, place.from_km, place.to_km, {}}};
    while (!open.empty()) {  // a tree, as each reach has one next: nothing is walked twice
      const Step step = open.back();
      open.pop_back();
      const Reach& reach = reaches_[step.reach];
      arrivals.reach(step.reach, step.at);
      for (const Inflow& inflow : reach.inflows) {
        if (inflow.km > step.to_km) break;
        const double length = reaches_[inflow.from].length_km;
        open.push_back({inflow.from, length, length, further(step.at, reach, step.from_km - inflow.km)});
      }
    }
  }
  return std::move(arrivals).in_order();
}

std::vector<Stretch> Region::water_of(PartyIndex party, RiverIndex river) const {
  std::vector<Stretch> water;
  for (const ReachIndex r : parties_[party].reaches)
    if (river == kNone || reaches_[r].river == river) water.push_back({r, 0, reaches_[r].length_km});
  return water;
}

Stretch Region::place_of(SectionIndex section) const {
  return {sections_[section].reach, sections_[section].km, sections_[section].km};
}

PartyIndex Region::common_superior(PartyIndex a, PartyIndex b) const {
  for (PartyIndex above = parties_[a].superior; above != kNone; above = parties_[above].superior)
    if (is_above(above, b)) return above;
  return kNone;
}

bool Region::is_above(PartyIndex above, PartyIndex party) const {
  for (PartyIndex at = parties_[party].superior; at != kNone; at = parties_[at].superior)
    if (at == above) return true;
  return false;
}

}  // namespace thalweg::region
