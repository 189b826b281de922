#include "trust/checkpoint.h"

#include <catch2/catch.hpp>

#include "trust/tests/made_keys.h"

using namespace thalweg;
using namespace thalweg::trust;

namespace {

Checkpoint made_checkpoint() {
  Checkpoint checkpoint;
  checkpoint.ledger_id.fill(0x5a);
  checkpoint.lane = Lane::kUrgent;
  checkpoint.epoch = 2;
  checkpoint.block = 1234;
  checkpoint.block_hash.fill(0x77);
  checkpoint.time_unix_ns = kJan2026_unix_ns;
  return checkpoint;
}

}  // namespace

TEST_CASE("a checkpoint that the hub signed comes back as it was", "[trust]") {
  const SigningKey hub = made_key(8);
  const Bytes bytes = sign_checkpoint(made_checkpoint(), hub);
  CHECK(bytes.size() == kCheckpointBytes);
  CHECK(*decode_checkpoint(bytes) == made_checkpoint());
  CHECK(*open_checkpoint(bytes, *Verifier::make(hub.public_key())) == made_checkpoint());
  CHECK(open_checkpoint(bytes, *Verifier::make(made_key(9).public_key())).error().code == Code::kProofInvalid);
}

TEST_CASE("a checkpoint with any byte changed, cut off or extended is refused", "[trust]") {
  const SigningKey hub = made_key(8);
  const Verifier verifier = *Verifier::make(hub.public_key());
  const Bytes good = sign_checkpoint(made_checkpoint(), hub);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 0x04;
    CHECK_FALSE(open_checkpoint(bad, verifier));
    CHECK(open_checkpoint(ByteView(good).first(i), verifier).error().code == Code::kInvalid);
  }
  Bytes longer = good;
  longer.push_back(0);
  CHECK(open_checkpoint(longer, verifier).error().code == Code::kInvalid);
  Bytes foreign = good;
  foreign[5] = 2;
  CHECK(open_checkpoint(foreign, verifier).error().code == Code::kAlgorithmUnknown);
}

TEST_CASE("two hashes for one block of one chain and epoch contradict each other", "[trust]") {
  const Checkpoint one = made_checkpoint();
  Checkpoint other = one;
  CHECK_FALSE(contradict(one, other));
  other.block_hash[0] ^= 1;
  CHECK(contradict(one, other));
  other.block = 1235;
  CHECK_FALSE(contradict(one, other));
  other = one;
  other.block_hash[0] ^= 1;
  other.epoch = 3;
  CHECK_FALSE(contradict(one, other));
  other.epoch = one.epoch;
  other.lane = Lane::kRoutine;
  CHECK_FALSE(contradict(one, other));
}
