#include "base/invariant.h"

#include <cstdio>
#include <cstdlib>

namespace thalweg {

void invariant_broken(const char* condition, const char* file, int line) {
  // Not through the log: it may be what is broken.
  std::fprintf(stderr, "broken invariant at %s:%d: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace thalweg
