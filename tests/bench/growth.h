// growth.h: does a record cost more where there are more parties and agreements? ./run bench --only growth.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bench/figure.h"

namespace thalweg::bench {

/// One size of region and what was measured in it, run by run.
struct GrowthPoint {
  std::size_t parties = 0, agreements = 0;
  std::vector<std::vector<Figure>> runs;  ///< in each the same figures in the same order

  double median(std::size_t figure) const;
  double lowest(std::size_t figure) const;
  double highest(std::size_t figure) const;
};

/// 3 to 1,000 parties with 1,000 agreements, and 10 to 10,000 agreements with 1,000 parties; `records` go through the
/// exchange at each. Runs are interleaved.
std::vector<GrowthPoint> growth(int runs, std::size_t records, bool quick);

std::string growth_table(const std::vector<GrowthPoint>& points);
nlohmann::json growth_json(const std::vector<GrowthPoint>& points);
/// As a picture: routing and the hub's time per record over parties and over agreements.
std::string growth_svg(const std::vector<GrowthPoint>& points);

}  // namespace thalweg::bench
