// load.h: distinct records of 1 KB made from published readings, and the frames that bring them to a gate.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "model/lane.h"

namespace thalweg::bench {

/// Makes drafts: the nine readings of 高洞电站 over and over, each with a time and an origin key of its own and figures
/// that differ, padded with named remarks in `ext` so that a whole record has about 1 KB.
class Load {
 public:
  explicit Load(std::uint64_t first = 0) : next_(first) {}

  /// A SUBMIT frame of `count` section-data records.
  Bytes routine(std::size_t count);
  /// A SUBMIT frame of one urgent notice, marked as an exercise.
  Bytes urgent();
  std::uint64_t made() const { return next_; }

 private:
  std::uint64_t next_;
};

}  // namespace thalweg::bench
