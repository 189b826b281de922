// held_leaves.h: which records of which streams the inbox holds, so that none comes in twice (rule 9).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "model/ids.h"

namespace thalweg::gate {

/// A set of (stream, parcel number, index).
///
/// Whole parcels that follow one another cost nothing; gaps cost 50 bytes. A stream with more than kMaxGaps of them
/// forgets its lowest gaps: numbers below its floor then count as held. Threads: one.
class HeldLeaves {
 public:
  static constexpr std::size_t kMaxGaps = 100'000;

  /// The indexes among `indexes` (ascending) of this parcel of `count` records that are not held.
  std::vector<std::uint32_t> missing(const StreamId& stream, std::uint64_t number, std::uint32_t count,
                                     std::span<const std::uint32_t> indexes) const;
  void add(const StreamId& stream, std::uint64_t number, std::uint32_t count, std::span<const std::uint32_t> indexes);
  /// Every record of it.
  void add_whole(const StreamId& stream, std::uint64_t number);
  std::size_t streams() const { return streams_.size(); }

  void encode(Bytes& out) const;
  /// False when the bytes are none of encode().
  bool decode(ByteReader& in);

 private:
  struct Held {
    std::uint64_t floor = 0;                                   // all numbers up to here are held
    std::map<std::uint64_t, std::uint64_t> whole;              // first -> last, above the floor, not touching
    std::map<std::uint64_t, std::vector<std::uint32_t>> part;  // number -> indexes held, ascending

    bool holds_whole(std::uint64_t number) const;
    void add_whole(std::uint64_t number);
    void bound();
  };
  std::map<StreamId, Held> streams_;
};

}  // namespace thalweg::gate
