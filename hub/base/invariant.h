// invariant.h: stop the process when the program itself is wrong. Data from outside never reaches one of these.
#pragma once

namespace thalweg {
[[noreturn]] void invariant_broken(const char* condition, const char* file, int line);
}

/// Recovery is tested, so stopping is the safe answer to a broken invariant.
#define THALWEG_INVARIANT(condition) \
  (static_cast<bool>(condition) ? void() : ::thalweg::invariant_broken(#condition, __FILE__, __LINE__))
