// outbox_state.h: what follows from the entries of an outbox.
#pragma once

#include <map>
#include <string>

#include "base/hash.h"
#include "gate/entry_places.h"
#include "gate/former_parcels.h"
#include "gate/origin_keys.h"
#include "gate/outbox_entries.h"

namespace thalweg::gate {

/// A record that the hub refused, until a person retries or drops it.
struct OutboundLetter {
  std::uint64_t id = 0;
  std::uint64_t number = 0;    ///< parcel
  ledger::Place parcel;        ///< block 0: written before answers named it
  ledger::Place acknowledged;  ///< the entry that holds the reason
  std::uint32_t index = 0;
  RecordId record;
  Code code = Code::kOk;
  std::string text;
  std::int64_t time_unix_ns = 0;
};

/// The outbox as a value. apply() gives the same from the same entries, whenever they are read.
///
/// Memory: where parcels stand (EntryPlaces), origin keys (see there), open dead letters. Threads: one.
class OutboxState {
 public:
  OutboxState(std::uint64_t origin_keys, std::int64_t keep_ns, KeyFolder disk = {})
      : keys(origin_keys, keep_ns, std::move(disk)) {}

  static EntryPlaces places_of_parcels(std::uint64_t first = 1) {
    return EntryPlaces(static_cast<std::uint8_t>(OutboxType::kParcel), first);
  }

  Status apply(std::uint8_t type, ByteView bytes, ledger::Place place, std::int64_t time_unix_ns);
  void encode(Bytes& out) const;
  bool decode(ByteReader& in);
  void clear();

  std::uint64_t head() const { return parcels.last(); }
  std::uint64_t first_held() const { return parcels.first(); }
  bool began() const { return !incarnation.is_zero(); }

  /// Forgets parcels that stand before `block` in the log (it was dropped there).
  void forget_before(std::uint64_t block);
  /// A block from which on all must stay for parcels written at `keep_since` or later, for those not acknowledged, and
  /// for open dead letters; `head_block` + 1 when there are none.
  std::uint64_t first_needed_block(std::int64_t keep_since_unix_ns, std::uint64_t head_block) const;

  // The stream.
  Uuid incarnation;
  IncarnationEntry::Why why = IncarnationEntry::Why::kFirst;
  std::int64_t began_unix_ns = 0;
  EntryPlaces parcels = places_of_parcels();
  Hash256 head_root{};
  std::uint64_t acknowledged = 0;  ///< the hub has answered up to here, in order
  ledger::Place newest_answer;     ///< of this stream or one before; block 0: none
  /// What the hub may lack of the streams before; copied into this one in order.
  FormerParcels to_resubmit;
  /// What the hub acknowledged of the streams before and this one has no copy of: kept as long as this one's, for a hub
  /// that is set back to before this stream began.
  FormerParcels former;

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
  void read_every_place(ByteReader& in, std::map<std::uint64_t, ledger::Place>& answers);
  void read_every_former_place(ByteReader& in);
  bool read_one_former_stream(ByteReader& in);
  void apply_acknowledged(const AcknowledgedEntry& entry, ledger::Place place, std::int64_t time_unix_ns);
};

}  // namespace thalweg::gate
