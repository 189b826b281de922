// ledger_checker.h: what the entries of the hub's ledger say, checked against each other and against keys.
#pragma once

#include <deque>
#include <map>
#include <unordered_map>

#include "ledger/entries.h"
#include "ledger/segment_format.h"
#include "ledger/verify.h"
#include "model/parcel.h"
#include "trust/directory.h"

namespace thalweg::ledger {

/// Sees the blocks of a chain in order, from its first one. Threads: one.
class LedgerChecker {
 public:
  LedgerChecker(const VerifyOptions& options, VerifyReport& report) : options_(options), report_(report) {}

  /// Before the first block. `header` is that of the first segment still held.
  void begin(const SegmentHeader& header);
  /// The first fault that the block's entries show. Errors: the code and message of that fault.
  Status check(const Block& block);
  /// After the last one.
  void end();

 private:
  struct Stream {
    std::uint64_t number = 0;
    Hash256 root{};
  };

  Status check_entry(const Block& block, const EntryRef& entry, std::uint32_t index);
  Status genesis(ByteView bytes, const Block& block);
  Status parcel(ByteView bytes, const Block& block);
  Status settlement(ByteView bytes, const Block& block);
  Status checkpoint(ByteView bytes, const Block& block);
  Status document(EntryType type, ByteView bytes, std::int64_t time);
  Status summary(ByteView bytes, const Block& block);
  /// `root` is that of the parcel that is delivered; nothing when it is not at hand.
  Status decision(const Decision& decision, std::uint32_t records, const std::optional<Hash256>& root);
  Status settled_root(const Settlement& settlement, const std::string& name);
  Status same_lane(Lane lane);
  Status trust_hub(const trust::PublicKey& key);
  /// The key in force for a gate, or null when its certificate may stand in a part that was dropped.
  Result<const trust::Verifier*> key_of(std::string_view party, std::string_view gate, const Block& block) const;

  const VerifyOptions& options_;
  VerifyReport& report_;
  SegmentHeader first_;
  std::optional<Lane> lane_;
  std::optional<trust::Verifier> hub_;
  std::string hub_code_;  ///< whose parcels are signed by that key
  trust::KeyDirectory::Ptr keys_ = trust::KeyDirectory::empty();
  std::unordered_map<StreamId, Stream> streams_;
  /// The deliveries to one receiver; of those that it has not settled yet, and of the last one that it has, the roots.
  struct Deliveries {
    std::uint64_t last = 0;
    std::deque<std::optional<Hash256>> roots;  ///< of the deliveries up to `last`
  };
  std::map<std::string, Deliveries, std::less<>> deliveries_;
  std::size_t roots_ = 0;  ///< in all; kMostRoots bounds the memory
};

}  // namespace thalweg::ledger
