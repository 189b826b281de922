// load.h: distinct records of 1 KB made from published readings, and the frames that bring them to a gate.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "model/lane.h"

namespace thalweg::bench {

/// SplitMix64.
std::uint64_t next_random(std::uint64_t& state);
/// Fills `text` with random base64.
void put_random(std::span<char> text, std::uint64_t& state);

/// Makes drafts: the readings of 高洞电站 over and over, each with a time, an origin key and a turbidity of its own;
/// a whole record has about 1 KB (1,010 bytes).
class Load {
 public:
  /// kRandom: one factor, and a remark of random base64 in place of the others: nothing there to compress.
  enum class Kind { kReadings, kRandom };
  explicit Load(std::uint64_t first = 0, Kind kind = Kind::kReadings);

  /// A SUBMIT frame of `count` section-data records.
  Bytes routine(std::size_t count);
  /// A SUBMIT frame of one urgent notice, marked as an exercise.
  Bytes urgent();

 private:
  struct Made {
    std::string time, key, data;
  };
  std::uint64_t next_, random_;
  std::vector<std::string> patterns_;
  std::size_t time_at_, turbidity_text_at_, turbidity_value_at_;
  std::size_t remark_at_ = std::string::npos, remark_size_ = 0;
  std::uint64_t second_ = 0;
  std::string second_text_;
  std::vector<Made> made_;  // what the drafts of a frame point into
};

}  // namespace thalweg::bench
