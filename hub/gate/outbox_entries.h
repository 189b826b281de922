// outbox_entries.h: what stands in the blocks of an outbox. Bytes: docs/formats/gate.md, "Outbox".
#pragma once

#include <string>
#include <vector>

#include "base/hash.h"
#include "ledger/ledger.h"
#include "model/ids.h"

namespace thalweg::gate {

/// Persistent: never change or reuse a number. 1 is the genesis entry of the log.
enum class OutboxType : std::uint8_t {
  kIncarnation = 2,
  kParcel = 3,
  kAcknowledged = 4,
  kProgress = 5,
  kLedger = 6,
  kAct = 7,
};

/// A stream begins (rule 8).
struct IncarnationEntry {
  enum class Why : std::uint8_t {
    kFirst = 0,       ///< a new outbox
    kRestored = 1,    ///< the hub knew more of the old stream than this outbox: it was restored from a copy
    kRefill = 2,      ///< the hub lost more than this outbox still holds (before streams further back were kept)
    kLearned = 3,     ///< parcels were made before the ledger's id was known
    kSealedAnew = 4,  ///< the gate's keys changed before the hub had taken all
    kRefillAll = 5,   ///< the hub may lack all of this stream and of those before: whatever is held of them comes again
  };
  Uuid incarnation;
  Why why = Why::kFirst;
  Uuid previous;                     ///< zero for the first
  std::uint64_t resubmit_after = 0;  ///< parcels of `previous` with a higher number are submitted anew, by record id
  std::int64_t created_unix_ns = 0;

  Bytes encode() const;
  static Result<IncarnationEntry> decode(ByteView bytes);
};

/// What the gate knows of the records of a parcel beside their bytes. The parcel's bytes follow it in the entry.
struct ParcelEntryHead {
  struct Key {
    std::uint16_t instance = 0;  ///< index into `instances`
    std::string origin_key;      ///< empty: none was given
  };
  std::uint64_t copy_of = 0;  ///< number in the previous incarnation whose records these are; 0: new records
  std::vector<std::string> instances;
  std::vector<Key> keys;  ///< one per record, or none at all for copies

  Bytes encode() const;
  /// Leaves `in` at the parcel.
  static Result<ParcelEntryHead> decode(ByteReader& in);
};

/// The hub's answer to a parcel, kept as it came, and the records that it refused by name.
struct AcknowledgedEntry {
  struct Refused {
    std::uint32_t index = 0;
    RecordId record;
    Code code = Code::kOk;
    std::string text;
    std::string instance;
    std::string origin_key;
  };
  std::uint64_t number = 0;
  std::uint64_t block = 0;
  std::uint32_t entry = 0;
  std::int64_t block_unix_ns = 0;
  Bytes verdicts;
  Bytes decision;
  std::vector<Refused> refused;
  ledger::Place parcel;  ///< where the parcel stands; only with refused records

  Bytes encode() const;
  static Result<AcknowledgedEntry> decode(ByteView bytes);
};

/// How far receivers have got with the current stream.
struct ProgressEntry {
  struct One {
    std::string receiver;
    std::uint64_t in_inbox = 0;
    std::uint64_t taken = 0;
  };
  std::vector<One> receivers;

  Bytes encode() const;
  static Result<ProgressEntry> decode(ByteView bytes);
};

/// Which hub this is, and where it said that its ledger stood.
struct LedgerEntry {
  Hash256 ledger_id{};
  std::uint64_t epoch = 0;
  Bytes checkpoint;  ///< signed (trust/checkpoint.h); empty: none yet

  Bytes encode() const;
  static Result<LedgerEntry> decode(ByteView bytes);
};

/// What a person did about a dead letter; outbox and inbox alike.
struct ActEntry {
  enum class What : std::uint8_t { kRetry = 1, kDrop = 2 };
  std::uint64_t letter = 0;
  What what = What::kRetry;
  std::string who;
  std::int64_t time_unix_ns = 0;

  Bytes encode() const;
  static Result<ActEntry> decode(ByteView bytes);
};
// Every decode gives kDamaged for bytes that are not exactly one such entry.

}  // namespace thalweg::gate
