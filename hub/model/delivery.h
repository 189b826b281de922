// delivery.h: what the hub hands to one receiver: a parcel, or the part that it may see, and by which agreements.
// The same bytes travel on the link and stand in the receiver's inbox.
#pragma once

#include "model/decision.h"

namespace thalweg {

/// Wire form: magic "TWD1", epoch u64, sequence u64, flags u8, block u64, block time i64, grants, then the parcel
/// (or part) to the end. Views point into the bytes that were read.
struct Delivery {
  static constexpr std::uint8_t kReplay = 1;  ///< sent again on purpose: the inbox takes it although it held it
  static constexpr std::uint8_t kPart = 2;    ///< `parcel` holds a part (parcel_part.h), not the whole
  /// The permission was withdrawn before delivery (rule 3): `parcel` is empty, the number is used all the same.
  static constexpr std::uint8_t kWithdrawn = 4;

  std::uint64_t epoch = 0;     ///< ledger epoch of the hub
  std::uint64_t sequence = 0;  ///< dense per receiver, lane and epoch
  std::uint8_t flags = 0;
  std::uint64_t block = 0;  ///< ledger block that holds the parcel
  std::int64_t block_unix_ns = 0;
  std::vector<Grant> grants;  ///< those that concern this receiver; `receivers` is empty in them
  ByteView parcel;

  void encode(Bytes& out) const;
  /// Errors: kParcelFormat.
  static Result<Delivery> decode(ByteView bytes);
};

}  // namespace thalweg
