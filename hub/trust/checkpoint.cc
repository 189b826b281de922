#include "trust/checkpoint.h"

#include "model/parcel.h"

namespace thalweg::trust {
namespace {

constexpr std::string_view kMagic = "TWC1";
constexpr std::size_t kSignedBytes = kCheckpointBytes - sizeof(Signature);

Bytes encode(const Checkpoint& checkpoint) {
  Bytes bytes;
  bytes.reserve(kCheckpointBytes);
  ByteWriter out(bytes);
  out.raw(as_bytes(kMagic));
  out.u8(1);
  out.u8(kAlgorithmEd25519);
  out.u8(kSha256);
  out.u8(static_cast<std::uint8_t>(checkpoint.lane));
  out.raw(checkpoint.ledger_id);
  out.u64(checkpoint.epoch);
  out.u64(checkpoint.block);
  out.raw(checkpoint.block_hash);
  out.i64(checkpoint.time_unix_ns);
  return bytes;
}

}  // namespace

Bytes sign_checkpoint(const Checkpoint& checkpoint, const SigningKey& hub) {
  Bytes bytes = encode(checkpoint);
  const Signature signature = hub.sign(domain::kCheckpoint, {bytes});
  bytes.insert(bytes.end(), signature.begin(), signature.end());
  return bytes;
}

Result<Checkpoint> decode_checkpoint(ByteView bytes) {
  const Error bad{Code::kInvalid, "not a checkpoint"};
  ByteReader in(bytes);
  if (bytes.size() != kCheckpointBytes || as_text(in.raw(kMagic.size())) != kMagic || in.u8() != 1) return bad;
  const std::uint8_t signature_algorithm = in.u8();
  const std::uint8_t hash_algorithm = in.u8();
  if (signature_algorithm != kAlgorithmEd25519 || hash_algorithm != kSha256) {
    return Error{Code::kAlgorithmUnknown, "the checkpoint uses algorithms that this version does not know"};
  }
  Checkpoint checkpoint;
  const Result<Lane> lane = lane_from(in.u8());
  if (!lane) return bad;
  checkpoint.lane = *lane;
  checkpoint.ledger_id = in.array<32>();
  checkpoint.epoch = in.u64();
  checkpoint.block = in.u64();
  checkpoint.block_hash = in.array<32>();
  checkpoint.time_unix_ns = in.i64();
  return checkpoint;
}

Result<Checkpoint> open_checkpoint(ByteView bytes, const Verifier& hub) {
  TW_ASSIGN(const Checkpoint checkpoint, decode_checkpoint(bytes));
  Signature signature;
  const ByteView tail = bytes.subspan(kSignedBytes);
  std::copy(tail.begin(), tail.end(), signature.begin());
  if (!hub.verify(domain::kCheckpoint, {bytes.first(kSignedBytes)}, signature)) {
    return Error{Code::kProofInvalid, "the checkpoint is not signed by this hub"};
  }
  return checkpoint;
}

bool contradict(const Checkpoint& a, const Checkpoint& b) {
  return a.ledger_id == b.ledger_id && a.lane == b.lane && a.epoch == b.epoch && a.block == b.block &&
         a.block_hash != b.block_hash;
}

}  // namespace thalweg::trust
