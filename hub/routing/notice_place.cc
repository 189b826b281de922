// notice_place.cc: where on the water a notice's incident is, as far as the record says.
#include "routing/notice_place.h"

namespace thalweg::routing {

using region::kNone;
using region::Region;

NoticePlace notice_place(const Region& region, PartyIndex party, const Question& question) {
  NoticePlace place;
  if (!question.section.empty()) {
    auto section = region.section_by_key(question.section);
    if (!section) section = region.section_named(question.section);
    if (section) {
      place.section = *section;
      place.river = region.section(*section).river;
      place.water.push_back(region.place_of(*section));
      return place;
    }
    place.unknown = question.section;
  }
  if (!question.river.empty()) {
    if (const auto river = region.river_by_key(question.river)) {
      place.river = *river;
      place.water = region.water_of(party, *river);
      if (place.water.empty())  // an incident on a river of others: anywhere on it
        for (const region::ReachIndex reach : region.river(*river).reaches)
          place.water.push_back({reach, 0, region.reach(reach).length_km});
      return place;
    }
    if (place.unknown.empty()) place.unknown = question.river;
  }
  place.water = region.water_of(party);
  return place;
}

}  // namespace thalweg::routing
