// place_index.h: where the deliveries of each receiver stand, so that reading on costs what is read.
#pragma once

#include <optional>
#include <string>

#include "ledger/segment_log.h"

namespace thalweg::ledger {

/// One delivery: number `sequence` of `receiver` is the parcel or redelivery at `place`.
struct Delivered {
  std::string receiver;
  std::uint64_t sequence = 0;
  Place place;
};

/// Per receiver the places of its delivery sequence, for one ledger (so for one lane). Derived: a sorted file per
/// sealed segment (*.places), the active segment in memory; all of it can be thrown away.
///
/// Memory: 16 bytes per delivery of the active segment and of at most 4 sealed ones that readers are in; of 64 sealed
/// ones 16 bytes and the name of each receiver.
/// Threads: any.
class PlaceIndex {
 public:
  /// What deliveries a block makes. For the hub's ledger: `hub_deliveries` in place_index.cc.
  using Extract = std::function<Status(const Block&, const std::function<void(const Delivered&)>&)>;

  /// Reads the files, rebuilds those that are missing or do not fit, and the active segment.
  /// Borrows: `log`, which outlives it. Costs one pass over the active segment. Errors: as Ledger::read_run(), kIo.
  static Result<std::unique_ptr<PlaceIndex>> open(const SegmentLog& log, const Path& folder, Extract extract);

  /// Takes in a block, and from the log those before it that were not shown. Ones it has are passed over.
  Status follow(const Block& block);
  /// Writes files for segments that were sealed since; call from a thread that may wait. Errors: kDiskFull, kIo.
  Status write_sealed();
  /// Forgets what lies before the log's first block.
  Status trim();

  /// Where `sequence` of `receiver` stands, or nothing when it is not there (yet, or any more).
  std::optional<Place> find(std::string_view receiver, std::uint64_t sequence) const;
  /// Up to `at_most` places from `sequence` on, dense. Errors: kIo, kDamaged.
  Result<std::vector<Place>> read(std::string_view receiver, std::uint64_t sequence, std::size_t at_most) const;
  /// Highest sequence of the receiver; 0 for none.
  std::uint64_t last(std::string_view receiver) const;
  /// Lowest sequence that is still there; 0 for none. Errors: kIo, kDamaged.
  Result<std::uint64_t> first(std::string_view receiver) const;

  ~PlaceIndex();

 private:
  struct State;
  explicit PlaceIndex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The deliveries that parcels and redeliveries of the hub's ledger make.
Status hub_deliveries(const Block& block, const std::function<void(const Delivered&)>& give);

}  // namespace thalweg::ledger
