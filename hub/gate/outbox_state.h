// outbox_state.h: what follows from the entries of an outbox.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "base/hash.h"
#include "gate/origin_keys.h"
#include "gate/outbox_entries.h"
#include "ledger/ledger.h"

namespace thalweg::gate {

/// A record that the hub refused, until a person retries or drops it.
struct OutboundLetter {
  std::uint64_t id = 0;
  std::uint64_t number = 0;  ///< parcel
  ledger::Place parcel;
  ledger::Place acknowledged;  ///< the entry that holds the reason
  std::uint32_t index = 0;
  RecordId record;
  Code code = Code::kOk;
  std::string text;
  std::int64_t time_unix_ns = 0;
};

/// The outbox as a value. apply() gives the same from the same entries, whenever they are read.
///
/// Memory: 56 bytes per held parcel, origin keys (see there), open dead letters. Threads: one.
class OutboxState {
 public:
  OutboxState(std::uint64_t origin_keys, std::int64_t keep_ns, KeyFolder disk = {})
      : keys(origin_keys, keep_ns, std::move(disk)) {}

  /// A parcel of the current stream.
  struct Slot {
    ledger::Place place;
    ledger::Place acknowledged;  ///< block 0 until the hub has answered
    std::uint32_t bytes = 0;
    std::uint32_t records = 0;
    std::int64_t time_unix_ns = 0;
  };

  Status apply(std::uint8_t type, ByteView bytes, ledger::Place place, std::int64_t time_unix_ns);
  void encode(Bytes& out) const;
  bool decode(ByteReader& in);
  void clear();

  std::uint64_t head() const { return first_held + slots.size() - 1; }
  const Slot* slot(std::uint64_t number) const {
    return number < first_held || number > head() ? nullptr : &slots[number - first_held];
  }
  bool began() const { return !incarnation.is_zero(); }
  /// Bytes of parcels that the hub has not acknowledged.
  std::uint64_t unacknowledged_bytes() const;

  /// Forgets acknowledged parcels that stand before `block` in the log (it was dropped there).
  void forget_before(std::uint64_t block);
  /// First block that must stay for parcels acknowledged later than `keep_since`, for those not acknowledged, and for
  /// open dead letters; `head_block` + 1 when there are none.
  std::uint64_t first_needed_block(std::int64_t keep_since_unix_ns, std::uint64_t head_block) const;

  // The stream.
  Uuid incarnation;
  IncarnationEntry::Why why = IncarnationEntry::Why::kFirst;
  std::int64_t began_unix_ns = 0;
  std::uint64_t first_held = 1;
  std::deque<Slot> slots;
  Hash256 head_root{};
  std::uint64_t acknowledged = 0;  ///< highest number that the hub has answered
  /// Parcels of earlier streams that the hub may lack, in order; copied into this stream one by one.
  std::deque<std::pair<std::uint64_t, ledger::Place>> to_resubmit;

  // The hub.
  Hash256 ledger_id{};
  std::uint64_t epoch = 0;
  Bytes checkpoint;

  OriginKeys keys;
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>, std::less<>> progress;  ///< in inbox, taken
  std::map<std::uint64_t, OutboundLetter> letters;                                       ///< open ones, by id
  std::uint64_t next_letter = 1;
  std::uint64_t records = 0;  ///< ever
  std::uint64_t retried = 0, dropped = 0;

 private:
  Status apply_parcel(ByteView bytes, ledger::Place place, std::int64_t time_unix_ns);
  Status apply_incarnation(const IncarnationEntry& entry);
  void apply_acknowledged(const AcknowledgedEntry& entry, ledger::Place place, std::int64_t time_unix_ns);
};

}  // namespace thalweg::gate
