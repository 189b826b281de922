// entries.h: the entries of the hub's ledger and their bytes.
// See docs/formats/segment.md, "Entries of the hub's ledger".
#pragma once

#include <string>

#include "ledger/ledger.h"
#include "model/decision.h"
#include "model/ids.h"
#include "model/verdict.h"

namespace thalweg::ledger {

/// Persistent: never change or reuse a number.
enum class EntryType : std::uint8_t {
  kGenesis = 1,
  kParcel = 2,
  kSettlement = 3,
  kRegionVersion = 4,
  kCertificate = 5,
  kRevocation = 6,
  kCheckpoint = 7,
  kAct = 8,
  kRedelivery = 9,
  kEpoch = 10,
  kSummary = 11,
};
std::string_view name(EntryType type);

/// Entry 0 of block 1. Its block's hash is the ledger id.
struct Genesis {
  std::string hub;                             ///< party code of the hub
  std::uint8_t lane = 0;                       ///< Lane
  std::uint8_t key_alg = 1;                    ///< 1 = Ed25519
  std::array<std::uint8_t, 32> signing_key{};  ///< verifies checkpoints
  std::array<std::uint8_t, 16> nonce{};        ///< two hubs of one name and key are two ledgers
  std::int64_t created_unix_ns = 0;
  std::string note;  ///< at most 1,024 bytes
};
Bytes encode(const Genesis& genesis);
Result<Genesis> decode_genesis(ByteView bytes);

/// A parcel with what the hub made of it. Head and parcel are apart, so that the parcel's bytes are stored as they
/// came.
struct ParcelEntry {
  ParcelVerdicts verdicts;  ///< records that are not plainly accepted
  Decision decision;        ///< who gets what, by which agreement, with which delivery sequences
  ByteView parcel;          ///< as the origin sent it; points into the entry
};
/// The head only: write `encode_parcel_head(...)` followed by the parcel's bytes. 40 to 60 bytes for one agreement and
/// one receiver.
Bytes encode_parcel_head(const ParcelVerdicts& verdicts, const Decision& decision);
Result<ParcelEntry> decode_parcel(ByteView bytes);
/// Only where the parcel stands in the entry; does not look at verdicts and decision.
Result<ByteView> parcel_of(ByteView bytes);

/// A receiver's signed statement of what is in its inbox and what its adapters have taken (rule 10).
struct Settlement {
  std::string receiver, gate;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;        ///< in the inbox up to here
  std::uint64_t taken_sequence = 0;  ///< taken by an adapter (or dead) up to here
  std::uint32_t dead = 0;            ///< records that became dead letters since the last settlement
  std::array<std::uint8_t, 32> root{};
  std::array<std::uint8_t, 64> signature{};
  Bytes extra;  ///< detail that the delivery module defines (dead letters, takings); at most 1 MiB
};
Bytes encode(const Settlement& settlement);
Result<Settlement> decode_settlement(ByteView bytes);

/// A version of the region: its files as texts, by name.
struct RegionVersion {
  std::uint64_t version = 0;
  std::string loaded_by;
  std::vector<std::pair<std::string, std::string>> files;  ///< name, text; at most 1,024 files, 8 MiB together
};
Bytes encode(const RegionVersion& region);
Result<RegionVersion> decode_region_version(ByteView bytes);

/// What a person did, as JSON. Certificate, revocation and checkpoint entries are the documents' own bytes.
struct Act {
  static constexpr std::size_t kMostArgsBytes = 64u << 10;
  std::string who;   ///< officer or operator, at most 256 bytes
  std::string what;  ///< "deadletters.retry", "party.revoke", "clock.confirm" ...
  std::int64_t time_unix_ns = 0;
  std::string args_json;  ///< at most kMostArgsBytes
};
Bytes encode(const Act& act);
Result<Act> decode_act(ByteView bytes);

/// Sends again what is in the ledger already: a retry, a replay, or what a restored receiver lacks (rule 9).
struct Redelivery {
  static constexpr std::uint8_t kReplay = 1;  ///< the inbox takes it although it held it
  std::uint8_t flags = 0;
  Place parcel;       ///< the entry that is delivered again
  Decision decision;  ///< grants narrowed to what is sent; new delivery sequences
  std::string why;    ///< at most 256 bytes
};
Bytes encode(const Redelivery& redelivery);
Result<Redelivery> decode_redelivery(ByteView bytes);

/// A new leader epoch and what began it.
struct EpochEntry {
  std::uint64_t epoch = 0;
  std::string why;  ///< "restored", "leader"
};
Bytes encode(const EpochEntry& epoch);
Result<EpochEntry> decode_epoch(ByteView bytes);
/// What a reader needs who begins behind blocks that were dropped: written before they go, so that the ledger stays the
/// only truth. Everything is as it stood after block `as_of`.
struct Summary {
  std::uint64_t as_of = 0;
  Bytes genesis;  ///< entry 0 of block 1
  std::int64_t genesis_unix_ns = 0;
  struct Stream {
    std::string party, gate;
    Uuid incarnation;
    std::uint64_t number = 0;  ///< of its last parcel
    Hash256 root{};
  };
  std::vector<Stream> streams;
  struct Receiver {
    std::string party;
    std::uint64_t delivered = 0, settled = 0, taken = 0, given_up = 0;  ///< last numbers
    std::uint32_t dead = 0;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> epochs;  ///< began, and what was settled then
  };
  std::vector<Receiver> receivers;
  struct Document {
    EntryType type{};  ///< kCertificate or kRevocation
    std::int64_t block_unix_ns = 0;
    Bytes bytes;
  };
  std::vector<Document> documents;  ///< all, in the order of their blocks
  std::uint64_t region_since = 0;   ///< block of the newest version; 0: there is none
  RegionVersion region;
};
Bytes encode(const Summary& summary);
Result<Summary> decode_summary(ByteView bytes);
// Every decode_... gives kLedgerFormat for bytes that are not exactly one such entry.

/// To be asked before an entry is written: one that nobody can read again would be a fault of the ledger for ever.
/// Looks at what has a codec here, but not at parcels and settlements, which are checked where they come in.
/// Errors: kLedgerFormat, kInvalid (over 16 MiB).
Status readable(EntryType type, ByteView bytes);

}  // namespace thalweg::ledger
