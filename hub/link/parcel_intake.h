// parcel_intake.h: one session's parcels from chunk to whole, paid for by the pool, and the credit that follows from
// it.
#pragma once

#include <deque>
#include <optional>

#include "link/chunks.h"
#include "link/credit.h"

namespace thalweg::link {

/// A parcel put together, with the part of the pool that pays for its memory: keep `share` as long as `bytes`.
struct Assembled {
  std::uint64_t number = 0;
  Bytes bytes;
  PoolShare share;
};

/// What is kept of a session that ended in mid-parcel, so that the next one goes on.
struct KeptPartial {
  ChunkAssembler assembler;
  PoolShare share;
};

/// The receiving end of a gate's stream at the hub.
///
/// Every session has a small window outside the pool (`floor`), enough to say what it wants. Beyond it, memory and
/// credit are taken from the pool: whole for a transfer that has begun, as far as there is room for those behind it.
/// Always: bytes held + credit not used <= share + floor.
///
/// Threads: one loop.
class ParcelIntake {
 public:
  struct Options {
    std::size_t floor_bytes = 128u << 10;
    std::size_t ahead_bytes = 4u << 20;  ///< the most credit for what waits behind the transfer under way
  };
  ParcelIntake(std::shared_ptr<AssemblyPool> pool, std::string party, Lane lane, Options options);

  /// Goes on where an earlier session stopped. Before the first chunk only.
  void resume(KeptPartial kept);
  /// Takes a chunk. Errors: kLinkCredit (sent beyond its credit), kLinkFrame, kParcelTooLarge: close the session.
  Status add(const Chunk& chunk);
  /// The next whole parcel, once the pool has paid for it. Call until empty after add() and whenever the pool may have
  /// room again.
  std::optional<Assembled> next();
  /// A new limit that is worth telling the gate; call after next() was drained.
  std::optional<std::uint64_t> credit_due();
  /// Waits for the pool: try again soon.
  bool starving() const { return starving_; }
  std::uint64_t credit_limit() const { return line_.limit(); }
  /// Bytes the gate may still send: what the watch on the connection allows beyond what came.
  std::uint64_t credit_left() const { return line_.left(); }
  Partial partial() const { return assembler_.partial(); }
  std::size_t partial_bytes() const { return assembler_.held_bytes(); }
  /// For the next session; what is not under way any more is given up.
  KeptPartial keep() &&;

 private:
  void pay();

  const std::shared_ptr<AssemblyPool> pool_;
  const std::string party_;
  const Lane lane_;
  const Options options_;
  ChunkAssembler assembler_;
  struct Whole {
    std::uint64_t number;
    Bytes bytes;
  };
  std::deque<Whole> whole_;  // complete, not yet paid for
  std::size_t whole_bytes_ = 0;
  PoolShare share_;
  CreditLine line_;
  std::uint64_t told_ = 0;     // limit that the gate knows
  std::uint64_t backlog_ = 0;  // what the gate says waits behind
  bool starving_ = false;
};

}  // namespace thalweg::link
