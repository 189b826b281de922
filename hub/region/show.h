// show.h: a region as people read it.
#pragma once

#include "region/region.h"

namespace thalweg::region {

/// `thalweg region show`: rivers in flow order with their sections, parties, dams and confluences, then parties with
/// their neighbours, then agreements with their state at `at_unix_ns`.
std::string show(const Region& region, Language language, std::int64_t at_unix_ns);
/// The same as JSON (one object), for --json.
std::string show_json(const Region& region, std::int64_t at_unix_ns);

}  // namespace thalweg::region
