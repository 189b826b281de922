// grown_region.h: the Laixi with as many parties, waters and agreements beside it as one likes.
#pragma once

#include <utility>
#include <vector>

#include "region/region.h"

namespace thalweg::bench {

struct GrownRegion {
  region::Texts texts;
  /// Sender and section of records that the region lets go, one per agreement at most.
  std::vector<std::pair<std::string, std::string>> sections;
};

/// The three neighbours of the Laixi with their six agreements; `parties` - 3 others, five along each of their rivers,
/// each with a section and all under one statutory agreement; and agreements on single sections up to `agreements`:
/// by turns between two of the others, and between 荣昌 and one of them, for section data and notices. So what 荣昌
/// sends of 高洞电站 goes to 泸县 and 大足 at every size, while half of all agreements are 荣昌's. At least three
/// parties and seven agreements.
GrownRegion grown_region(std::size_t parties, std::size_t agreements);

}  // namespace thalweg::bench
