// notice_route.h: notices to neighbours along the water, and reports upwards: what the law asks for.
#pragma once

#include "routing/tables.h"

namespace thalweg::routing {

/// Never refused for want of an agreement: adjoining parties that no agreement covers are told as a fallback.
Route route_notice(const RouteTable::Tables& tables, PartyIndex sender, const Question& question);
/// To the superior, and to those above it that an agreement names.
Route route_report(const RouteTable::Tables& tables, PartyIndex sender, const Question& question);

}  // namespace thalweg::routing
