// notice_place.h: where on the water a notice's incident is, as far as the record says.
#pragma once

#include "routing/route_table.h"

namespace thalweg::routing {

struct NoticePlace {
  std::vector<region::Stretch> water;
  region::RiverIndex river = region::kNone;  ///< kNone: not known, so no agreement's scope stands in the way
  region::SectionIndex section = region::kNone;
  std::string unknown;  ///< what was named and is not in the region; the party's own place is used instead
};

/// At night an officer knows a place and a smell: what is not known falls back to the party's own water, and says so.
NoticePlace notice_place(const region::Region& region, PartyIndex party, const Question& question);

}  // namespace thalweg::routing
