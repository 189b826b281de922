// settlement.h: what a receiver's gate signs when it says what is in its inbox (rule 10).
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/hash.h"
#include "model/lane.h"

namespace thalweg::trust {

/// A receiver's statement; signed with the gate's key for domain::kSettlement over statement_bytes().
struct SettlementStatement {
  Hash256 ledger_id{};
  Lane lane = Lane::kRoutine;
  std::string receiver;  ///< party
  std::string gate;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;  ///< deliveries up to this one are durable in the inbox
  std::uint64_t taken = 0;     ///< ... up to this one were answered by the adapters
  std::uint32_t dead = 0;      ///< dead letters at the receiver, in all
  Hash256 root{};              ///< Merkle root of the parcel of delivery `sequence`
};

/// The bytes that are signed: fixed-width integers little-endian, names with u16 length, in the order above.
inline Bytes statement_bytes(const SettlementStatement& s) {
  Bytes out;
  ByteWriter w(out);
  w.raw(s.ledger_id);
  w.u8(static_cast<std::uint8_t>(s.lane));
  w.short_text(s.receiver);
  w.short_text(s.gate);
  w.u64(s.epoch);
  w.u64(s.sequence);
  w.u64(s.taken);
  w.u32(s.dead);
  w.raw(s.root);
  return out;
}

}  // namespace thalweg::trust
