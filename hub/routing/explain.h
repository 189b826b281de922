// explain.h: a routing decision in words, for `thalweg why`.
#pragma once

#include "routing/route_table.h"

namespace thalweg::routing {

/// Says why a record went where it went: per grant the agreement (id, title, version, kind, since when, scope,
/// direction, who asserts it), and per receiver the reason (along the water with distance and estimated arrival, party
/// of the case, superior, answer).
///
/// `grants` is the stored decision; `region` the version that held at its block. An agreement or party that this
/// version does not have is named by its code. Several lines, each ended by '\n'.
std::string explain(const region::Region& region, const Question& question, std::span<const Grant> grants,
                    region::Language language);
/// The same as a JSON object with both languages.
std::string explain_json(const region::Region& region, const Question& question, std::span<const Grant> grants);

}  // namespace thalweg::routing
