// hub_retention.h: what becomes of old segments of one lane: compressed once sealed, dropped once nobody needs them.
#pragma once

#include <mutex>
#include <string>

#include "app/hub_lane.h"
#include "ledger/retention.h"

namespace thalweg::app {

/// Drops whole segments from the front: only when every block is older than the age kept, when every receiver has
/// settled what stands in them or was given up, and when the clock is not in doubt (rule 26). Before they go a summary
/// of what they brought about is written into the ledger, which stays the only truth.
///
/// Borrows: the lane, which outlives it. Threads: pass() on one that may wait for the disk, not the lane's; the rest
/// any.
class HubRetention {
 public:
  HubRetention(HubLane& lane, const Clock& clock, std::int64_t age_ns);

  /// Compresses at most one segment, then drops what may go. True when there may be another one to compress.
  /// Costs up to 3 s of one core for a segment of 64 MiB. Errors: those of the ledger; what is there stays.
  Result<bool> pass();

  /// The receiver for whose sake blocks are kept that are old enough to go; empty when there is none.
  std::string held_back_by() const;

 private:
  Status drop();
  void hold(const std::string& receiver, std::uint64_t block);

  HubLane& lane_;
  const Clock& clock_;
  ledger::Retention retention_;
  mutable std::mutex mutex_;
  std::string held_back_by_;
};

}  // namespace thalweg::app
