// figure.h: what a measurement says, ours and the peers' alike.
#pragma once

#include <string>

namespace thalweg::bench {

/// One figure of one run.
struct Figure {
  std::string what;
  std::string unit;
  double value = 0;
};

}  // namespace thalweg::bench
