// hub_pages.h: what the hub tells machines: the manifest that gates get, and /metrics.
#pragma once

#include <string>

#include "app/hub_lane.h"

namespace thalweg::app {

/// What a manifest says of the region (docs/formats/trust.md): parties with names and duty telephones, sections, and to
/// whom the party's records go by which agreement.
std::string manifest_json(const intake::Policy& policy, const std::string& party);

/// Text exposition format. Names are documented in docs/operate.md and stable.
std::string metrics_page(HubLane& routine, HubLane& urgent);

}  // namespace thalweg::app
