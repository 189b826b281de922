// retention.h: which segments may go.
#pragma once

#include <map>
#include <string>

#include "ledger/segment_log.h"

namespace thalweg::ledger {

/// How long things are kept.
struct RetentionRules {
  static constexpr std::int64_t kDay_ns = 86'400'000'000'000;
  std::int64_t default_age_ns = 3 * 365 * kDay_ns;
  std::map<std::string, std::int64_t, std::less<>> age_ns;  ///< by class, e.g. a record type
  /// Names the classes of an entry (a parcel: the types of its records). Absent: all entries are of the default.
  std::function<Status(const EntryRef&, const std::function<void(std::string_view)>&)> classes_of;
};

/// What else must stay.
struct RetentionBounds {
  std::uint64_t first_needed_block = 0;  ///< lowest block not settled by a receiver or needed for a start; 0: keep all
  std::int64_t now_unix_ns = 0;
  bool clock_doubtful = true;  ///< nothing is dropped while the clock is in doubt (rule 26)
};

/// Drops whole segments from the front: only sealed ones, only when every entry is older than its class asks, only
/// before first_needed_block.
///
/// Borrows: `log`. Threads: one at a time, beside the writer.
class Retention {
 public:
  Retention(SegmentLog& log, RetentionRules rules) : log_(log), rules_(std::move(rules)) {}

  /// The block that would be the first one if all went that may. Errors: as Ledger::read_run().
  Result<std::uint64_t> may_drop_before(const RetentionBounds& bounds);
  /// Drops what may go and gives the first block that is held now. With classes, reads a segment once before it goes.
  /// Errors: as Ledger::read_run() and drop_before().
  Result<std::uint64_t> apply(const RetentionBounds& bounds);

 private:
  Result<std::int64_t> keep_until(const SegmentInfo& segment);
  SegmentLog& log_;
  RetentionRules rules_;
  std::uint64_t known_segment_ = 0;  ///< whose answer is kept: only the front one is ever asked for
  std::int64_t known_until_ = 0;
};

}  // namespace thalweg::ledger
