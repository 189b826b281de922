// checkpoint.h: the hub's signed word on where its ledger stood: gates keep it and so witness its history.
// See docs/formats/trust.md.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/hash.h"
#include "model/lane.h"
#include "trust/keys.h"

namespace thalweg::trust {

inline constexpr std::size_t kCheckpointBytes = 160;

/// Block `block` of this chain has this hash, and so has all that came before it.
struct Checkpoint {
  Hash256 ledger_id{};
  Lane lane = Lane::kRoutine;
  std::uint64_t epoch = 0;
  std::uint64_t block = 0;
  Hash256 block_hash{};
  std::int64_t time_unix_ns = 0;

  bool operator==(const Checkpoint&) const = default;
};

/// The 160 bytes, signed by the hub. Costs one signature.
Bytes sign_checkpoint(const Checkpoint& checkpoint, const SigningKey& hub);
/// Reads the form only; the signature is not checked. Errors: kInvalid, kAlgorithmUnknown.
Result<Checkpoint> decode_checkpoint(ByteView bytes);
/// Reads and checks. Errors: kInvalid, kAlgorithmUnknown, kProofInvalid when the hub has not signed it.
Result<Checkpoint> open_checkpoint(ByteView bytes, const Verifier& hub);

/// True when no single history can hold both: the same block of the same chain and epoch with two hashes. Two signed
/// checkpoints of which this is true prove that the hub told two stories.
bool contradict(const Checkpoint& a, const Checkpoint& b);

}  // namespace thalweg::trust
