// former_parcels.h: parcels of the streams before the present one.
#pragma once

#include <deque>

#include "gate/entry_places.h"

namespace thalweg::gate {

/// Parcels of earlier streams of one log, in the order in which they were made. Memory: as EntryPlaces. Threads: one.
class FormerParcels {
 public:
  struct Parcel {
    std::uint64_t number = 0;  ///< in its stream
    ledger::Place place;
  };

  /// Behind the others: those from `first` to `last` of a stream, of which `places` holds all; none when `last` is
  /// less.
  void add(EntryPlaces places, std::uint64_t first, std::uint64_t last);
  /// Behind the others: all of `other`, which holds none from then on.
  void take(FormerParcels& other);

  bool empty() const { return streams_.empty(); }
  std::uint64_t size() const;
  /// The one behind `skipped` others. `log` is the one that all of them stand in. Errors: as EntryPlaces::find().
  Result<Parcel> at(const ledger::SegmentLog& log, std::uint64_t skipped) const;
  /// The first one was copied, if it has this number: it is held no longer.
  void copied(std::uint64_t number);

  /// A block before which none of these stands, `none` when there are none; up to EntryPlaces::kMarkEntries more stay.
  std::uint64_t first_block(std::uint64_t none) const;
  /// The same of those that were written at `since_unix_ns` or later.
  std::uint64_t first_block_since(std::int64_t since_unix_ns, std::uint64_t none) const;
  /// What stands before `block` is gone.
  void forget_before(std::uint64_t block);

  void encode(ByteWriter& out) const;
  /// False when the bytes are none of encode().
  bool decode(ByteReader& in);

 private:
  struct Stream {
    EntryPlaces places;
    std::uint64_t first = 1, last = 0;
  };
  std::deque<Stream> streams_;  // none of them empty
};

}  // namespace thalweg::gate
