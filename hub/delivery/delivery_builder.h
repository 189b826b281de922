// delivery_builder.h: the bytes of one delivery, made from the ledger entry that holds the parcel.
#pragma once

#include <memory>
#include <string>

#include "ledger/ledger.h"
#include "model/delivery.h"
#include "model/parcel.h"
#include "routing/route_table.h"

namespace thalweg::delivery {

/// A delivery ready to send, and what is needed to follow it.
struct BuiltDelivery {
  std::shared_ptr<const Bytes> bytes;
  std::uint64_t sequence = 0;
  StreamId stream;           ///< of the origin
  std::uint64_t number = 0;  ///< of the parcel
  Hash256 root{};            ///< of the parcel: what the receiver settles
};

/// Builds the delivery of the parcel entry `entry` of `block` for one receiver: the parcel as it came when the receiver
/// may see all of it, else the part that it may see with Merkle paths, or an empty one where `routes` no longer
/// allows it (rule 3). `epoch` is that of the session: what was written before a new epoch began counts on in it.
///
/// Costs one copy of the parcel; a part costs expanding and hashing it. Threads: any.
/// Errors: kLedgerFormat, kParcelFormat: the entry is not what the ledger should hold (damage).
Result<BuiltDelivery> build_delivery(const ledger::Block& block, std::uint32_t entry, const std::string& receiver,
                                     std::uint64_t epoch, const routing::RouteTable& routes);

}  // namespace thalweg::delivery
