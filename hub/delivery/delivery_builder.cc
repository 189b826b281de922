#include "delivery/delivery_builder.h"

#include <algorithm>

#include "ledger/entries.h"
#include "trust/seal.h"

namespace thalweg::delivery {
namespace {

/// The records that any of the grants covers, ascending.
std::vector<std::uint32_t> indexes_of(const std::vector<Grant>& grants) {
  std::vector<std::uint32_t> all;
  for (const Grant& grant : grants)
    for (const IndexRange range : grant.records)
      for (std::uint32_t i = 0; i < range.count; ++i) all.push_back(range.first + i);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace

Result<BuiltDelivery> build_delivery(const ledger::Block& block, std::uint32_t entry, const std::string& receiver,
                                     std::uint64_t epoch, const routing::RouteTable& routes) {
  if (entry >= block.entries.size()) return Error{Code::kLedgerFormat, "a place beyond the end of its block"};
  TW_ASSIGN(ledger::ParcelEntry held, ledger::decode_parcel(block.entries[entry].bytes));
  TW_ASSIGN(const ParcelView parcel, ParcelView::parse(held.parcel));

  Delivery delivery;
  delivery.epoch = epoch;
  delivery.block = block.info.number;
  delivery.block_unix_ns = block.info.time_unix_ns;
  for (const ReceiverSequence& s : held.decision.sequences)
    if (s.receiver == receiver) delivery.sequence = s.sequence;
  for (Grant& grant : held.decision.grants) {
    if (std::find(grant.receivers.begin(), grant.receivers.end(), receiver) == grant.receivers.end()) continue;
    if (!routes.still_allows(grant.agreement, parcel.header.party, receiver)) continue;
    grant.receivers.clear();
    delivery.grants.push_back(std::move(grant));
  }

  Bytes part;
  const std::vector<std::uint32_t> indexes = indexes_of(delivery.grants);
  if (indexes.empty()) {
    delivery.flags |= Delivery::kWithdrawn;
  } else if (indexes.size() == parcel.header.count) {
    delivery.parcel = parcel.whole;
  } else {
    TW_ASSIGN(const ParcelBody body, ParcelBody::expand(parcel));
    TW_ASSIGN(part, trust::make_part(parcel, body, indexes, Compression::kLz4));
    delivery.flags |= Delivery::kPart;
    delivery.parcel = part;
  }
  auto bytes = std::make_shared<Bytes>();
  bytes->reserve(delivery.parcel.size() + 256);
  delivery.encode(*bytes);
  return BuiltDelivery{std::move(bytes), delivery.sequence, parcel.header.stream(), parcel.header.number,
                       parcel.header.merkle_root};
}

}  // namespace thalweg::delivery
