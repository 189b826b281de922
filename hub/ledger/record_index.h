// record_index.h: record id -> where it stands.
#pragma once

#include <optional>

#include "ledger/segment_log.h"
#include "model/ids.h"

namespace thalweg::ledger {

/// Where a record stands: entry, and index within its parcel.
struct RecordPlace {
  Place place;
  std::uint32_t index = 0;
  auto operator<=>(const RecordPlace&) const = default;
};

/// Record ids of one ledger. Derived: sorted files (*.records), each over a run of blocks of one segment; only the rows
/// behind the last file are in memory, and only they are made anew at a start.
/// Adding costs 50 ns; asking 0.1 µs, and a binary search in each file whose ids span the one asked for.
///
/// Memory: 36 to 72 bytes for each of about kRowsInMemory rows, the same for rows that wait for write_files(), and 130
/// bytes per file. Threads: any.
class RecordIndex {
 public:
  static constexpr std::size_t kRowsInMemory = 1u << 17;

  /// Which records a block holds. Given by who knows their form (the hub: parcels; a gate: inbox entries).
  using Give = std::function<void(const RecordId& id, std::uint32_t entry, std::uint32_t index)>;
  using Extract = std::function<Status(const Block&, const Give&)>;

  /// Looks at the files, and reads what they do not cover: the blocks behind the last one, and those of segments whose
  /// files are missing or do not fit. Files of more than `rows_in_memory` rows are begun anew (tests use few).
  /// Borrows: `log`, which outlives it. Errors: as Ledger::read_run(), kDiskFull, kIo.
  static Result<std::unique_ptr<RecordIndex>> open(const SegmentLog& log, const Path& folder, Extract extract,
                                                   std::size_t rows_in_memory = kRowsInMemory);

  /// Takes in a block, and from the log those before it that were not shown. Ones it has are passed over.
  Status follow(const Block& block);
  /// follow() for callers that have the records at hand and would otherwise open the parcels twice.
  void add(const RecordId& id, const RecordPlace& at);
  /// True once after rows came to wait for write_files().
  bool write_due();
  /// Writes the rows that wait; call from a thread that may wait, one at a time. Errors: kDiskFull, kIo; they wait on.
  Status write_files();
  /// Forgets what lies before the log's first block.
  Status trim();

  /// The first place of a record. Errors: kIo, kDamaged.
  Result<std::optional<RecordPlace>> find(const RecordId& id) const;
  /// The same for many at once, with one pass. In the order asked.
  Result<std::vector<std::optional<RecordPlace>>> find_all(std::span<const RecordId> ids) const;

  ~RecordIndex();

 private:
  struct State;
  explicit RecordIndex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace thalweg::ledger
