// story.h: what happens in the demo, and what is said of it.
#pragma once

#include "app/cli/terminal.h"
#include "neighbours.h"

namespace thalweg::demo {

struct StoryOptions {
  bool keep = false;
  int interval_ms = 250;  ///< between two packets of the station
};

/// Tells the whole story on the terminal. True when all came out as it should.
bool tell(const app::Terminal& terminal, Neighbours& neighbours, const StoryOptions& options);

}  // namespace thalweg::demo
