// verify.h: is a ledger whole and true? Asked without trust in who wrote it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ledger/segment_log.h"

namespace thalweg::ledger {

/// What to look at, and against what.
struct VerifyOptions {
  /// The hub's key as the asker knows it (from the hub card); absent: the key in the genesis block is believed, and a
  /// ledger whose front was dropped has its checkpoints read but not proven.
  std::optional<std::array<std::uint8_t, 32>> hub_key;
  /// A block and its hash that the asker has from elsewhere: a checkpoint that a gate kept.
  std::optional<std::pair<std::uint64_t, Hash256>> witness;
  /// Chain and hashes only: for outboxes and inboxes, whose entries are not the hub's.
  bool chain_only = false;
  /// Called now and then with the bytes looked at and the bytes there are.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

/// Where the first fault is, and what.
struct VerifyFault {
  Code code = Code::kDamaged;
  std::string file;
  std::uint64_t offset = 0;  ///< in `file`; of a compressed segment: of the frame
  std::uint64_t block = 0;
  std::string message;
};

/// What was looked at.
struct VerifyReport {
  Hash256 ledger_id{};
  std::uint64_t first_block = 0, last_block = 0;
  Hash256 last_hash{};
  std::uint64_t blocks = 0, entries = 0, parcels = 0, records = 0, bytes = 0;
  std::uint64_t signatures = 0, checkpoints = 0, settlements = 0, streams = 0, receivers = 0;
  /// Signatures by gates whose certificates stood in a part that was dropped: read, but not proven.
  std::uint64_t unproven = 0;
  bool from_genesis = false;             ///< else from the checkpoint that opens the first segment still held
  std::optional<OpenReport::Torn> torn;  ///< an unfinished block at the very end; no fault
  std::optional<VerifyFault> fault;      ///< the first; nothing behind it was looked at
  bool content() const { return !fault.has_value(); }
};

/// Reads every byte of a ledger's folder: framing, CRC-32C, hashes, chain, times that never fall; of the hub's ledger
/// also entries, parcels (signature by the certificate in force at their block, Merkle root, numbers dense per stream,
/// root of the one before), checkpoints, delivery sequences dense per receiver, settlements (signature, and the root of
/// the delivery that is settled, as long as a million of unsettled ones are remembered). Needs no lock: a ledger
/// that is being written may be looked at. Costs SHA-256 over the ledger twice, one signature per parcel.
/// Errors: kNotFound, kIo (the report could not be made); what is wrong with the ledger is in the report.
Result<VerifyReport> verify_ledger(FileSystem& files, const Path& folder, const VerifyOptions& options);

}  // namespace thalweg::ledger
