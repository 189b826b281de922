// refusal.h: why a record goes to nobody, and what would be needed.
#pragma once

#include "routing/tables.h"

namespace thalweg::routing {

region::Words unknown_sender(const Question& question);
region::Words unknown_origin(const Question& question);
region::Words unknown_section(const region::Region& region, PartyIndex sender, const Question& question);
region::Words lane_not_allowed(const Question& question);
/// Names the agreement that would be needed, and one that is there but not in force.
region::Words no_agreement(const RouteTable::Tables& tables, PartyIndex sender, const Question& question,
                           RiverIndex river, SectionIndex section);

}  // namespace thalweg::routing
