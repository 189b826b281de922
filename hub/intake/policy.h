// policy.h: what holds at a moment: region, routes, keys. Replaced as a whole.
#pragma once

#include <memory>

#include "region/region.h"
#include "routing/route_table.h"
#include "trust/directory.h"

namespace thalweg::intake {

/// Immutable; lanes share it and take a new one between two parcels, so that it holds from the next block on (rule 3).
struct Policy {
  std::shared_ptr<const region::Region> region;
  std::shared_ptr<const routing::RouteTable> routes;
  trust::KeyDirectory::Ptr keys;
  std::uint64_t region_version = 0;
};
using PolicyPtr = std::shared_ptr<const Policy>;

}  // namespace thalweg::intake
