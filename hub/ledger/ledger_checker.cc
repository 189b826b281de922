// ledger_checker.cc: what the entries of the hub's ledger say, checked against each other and against keys.
#include "ledger/ledger_checker.h"

#include "trust/checkpoint.h"
#include "trust/seal.h"
#include "trust/settlement.h"

namespace thalweg::ledger {
namespace {

// The hub judged a certificate when the parcel came; its block was written a little later.
constexpr std::int64_t kWriting_ns = 60'000'000'000;

// 48 MiB. A receiver that never settled would else cost memory for every delivery; then its oldest roots are given up.
constexpr std::size_t kMostRoots = 1u << 20;

std::string text(std::uint64_t number) { return std::to_string(number); }

}  // namespace

void LedgerChecker::begin(const SegmentHeader& header) {
  first_ = header;
  report_.from_genesis = header.first_block == 1;
}

void LedgerChecker::end() {
  report_.streams = streams_.size();
  report_.receivers = deliveries_.size();
}

Status LedgerChecker::check(const Block& block) {
  for (std::uint32_t i = 0; i < block.entries.size(); ++i) TW_TRY(check_entry(block, block.entries[i], i));
  return {};
}

Status LedgerChecker::check_entry(const Block& block, const EntryRef& entry, std::uint32_t index) {
  const auto type = static_cast<EntryType>(entry.type);
  const bool at_start = block.info.number == first_.first_block && index == 0;
  if ((type == EntryType::kGenesis) != (block.info.number == 1 && index == 0))
    return Error{Code::kLedgerFormat, "a genesis entry stands where none belongs, or is missing"};
  // A ledger whose front was dropped is believed from the checkpoint that opens it.
  if (at_start && !report_.from_genesis && type != EntryType::kCheckpoint)
    return Error{Code::kLedgerFormat, "the first segment does not open with a checkpoint"};
  switch (type) {
    case EntryType::kGenesis:
      return genesis(entry.bytes, block);
    case EntryType::kParcel:
      return parcel(entry.bytes, block);
    case EntryType::kSettlement:
      return settlement(entry.bytes, block);
    case EntryType::kCheckpoint:
      return checkpoint(entry.bytes, block);
    case EntryType::kCertificate:
    case EntryType::kRevocation:
      return document(type, entry.bytes, block.info.time_unix_ns);
    case EntryType::kRegionVersion:
    case EntryType::kAct:
      return readable(type, entry.bytes);
    case EntryType::kRedelivery: {
      TW_ASSIGN(const Redelivery read, decode_redelivery(entry.bytes));
      if (read.parcel.block >= block.info.number)
        return Error{Code::kLedgerFormat, "a redelivery names a parcel that comes after it"};
      return decision(read.decision, kMaxParcelRecords, std::nullopt);
    }
    case EntryType::kEpoch: {
      TW_ASSIGN(const EpochEntry read, decode_epoch(entry.bytes));
      if (read.epoch < block.info.epoch) return Error{Code::kLedgerFormat, "an epoch begins that is over"};
      return {};
    }
    case EntryType::kSummary:
      return summary(entry.bytes, block);
  }
  return Error{Code::kLedgerFormat, "an entry of the unknown type " + text(entry.type)};
}

Status LedgerChecker::trust_hub(const trust::PublicKey& key) {
  TW_ASSIGN(hub_, trust::Verifier::make(key));
  keys_ = keys_->with_hub(key);
  return {};
}

Status LedgerChecker::genesis(ByteView bytes, const Block& block) {
  TW_ASSIGN(const Genesis read, decode_genesis(bytes));
  report_.ledger_id = block.info.hash;
  trust::PublicKey key;
  key.algorithm = read.key_alg;
  key.bytes = read.signing_key;
  hub_code_ = read.hub;
  if (options_.hub_key && *options_.hub_key != key.bytes)
    return Error{Code::kLedgerForeign, "the ledger was begun with another key than the hub's"};
  return trust_hub(key);
}

Status LedgerChecker::same_lane(Lane lane) {
  if (lane_ && *lane_ != lane) return Error{Code::kLedgerFormat, "entries of both lanes stand in one chain"};
  lane_ = lane;
  return {};
}

Result<const trust::Verifier*> LedgerChecker::key_of(std::string_view party, std::string_view gate,
                                                     const Block& block) const {
  if (!hub_code_.empty() && party == hub_code_ && hub_) return &*hub_;
  auto key = keys_->judge(party, gate, block.info.time_unix_ns);
  if (!key && key.error().code == Code::kKeyExpired) {
    key = keys_->judge(party, gate, block.info.time_unix_ns - kWriting_ns);
    // The hub's clock was marked as doubtful, so what it judged by is not known.
    if (!key && (block.info.flags & BlockInfo::kClockDoubtful)) return nullptr;
  }
  if (!key && key.error().code == Code::kKeyUnknown && !report_.from_genesis) return nullptr;
  if (!key) return Error(std::move(key).error()).in("at its block");
  return &(*key)->verifier;
}

Status LedgerChecker::decision(const Decision& decision, std::uint32_t records, const std::optional<Hash256>& root) {
  for (const Grant& grant : decision.grants)
    for (const IndexRange& range : grant.records)
      if (range.first + range.count > records)
        return Error{Code::kLedgerFormat, "a decision names records that the parcel does not have"};
  for (const ReceiverSequence& s : decision.sequences) {
    auto [at, fresh] = deliveries_.try_emplace(s.receiver);
    Deliveries& to = at->second;
    const std::uint64_t expected = fresh ? (report_.from_genesis ? 1 : s.sequence) : to.last + 1;
    if (s.sequence != expected || s.sequence == 0)
      return Error{Code::kLedgerFormat, "delivery " + text(s.sequence) + " to " + s.receiver + " stands where " +
                                            text(expected) + " should"};
    to.last = s.sequence;
    to.roots.push_back(root);
    if (++roots_ > kMostRoots) {
      to.roots.pop_front();
      --roots_;
    }
  }
  return {};
}

// The root is the receiver's word for which delivery it holds under that number.
Status LedgerChecker::settled_root(const Settlement& settlement, const std::string& name) {
  const auto at = deliveries_.find(settlement.receiver);
  const std::uint64_t last = at == deliveries_.end() ? 0 : at->second.last;
  if (settlement.sequence > last) {
    if (last == 0 && !report_.from_genesis) return {};  // its deliveries were dropped
    return Error{Code::kSettlementInvalid, name + ": the last delivery is " + text(last)};
  }
  if (settlement.sequence == 0 || settlement.sequence + at->second.roots.size() <= last) return {};
  auto& roots = at->second.roots;
  const std::size_t index = roots.size() - 1 - static_cast<std::size_t>(last - settlement.sequence);
  // A delivery that was withdrawn has no root.
  if (roots[index] && settlement.root != Hash256{} && *roots[index] != settlement.root)
    return Error{Code::kSettlementInvalid, name + ": its root is not that of the delivery"};
  roots.erase(roots.begin(), roots.begin() + static_cast<std::ptrdiff_t>(index));
  roots_ -= index;
  return {};
}

Status LedgerChecker::parcel(ByteView bytes, const Block& block) {
  TW_ASSIGN(const ParcelEntry entry, decode_parcel(bytes));
  TW_ASSIGN(const ParcelView view, ParcelView::parse(entry.parcel));
  TW_ASSIGN(const ParcelBody body, ParcelBody::expand(view));
  const ParcelHeader& header = view.header;
  const std::string name = "parcel " + text(header.number) + " of " + header.stream().text();
  report_.parcels += 1;
  report_.records += body.count();

  if (header.ledger_id != report_.ledger_id) return Error{Code::kParcelLedger, name + ": made for another ledger"};
  TW_TRY(same_lane(header.lane));
  auto key = key_of(header.party, header.gate, block);
  if (!key) return Error(std::move(key).error()).in(name);
  if (*key == nullptr) {
    report_.unproven += 1;
  } else if (auto good = trust::check_signature(view, **key); !good) {
    return Error(std::move(good).error()).in(name);
  } else {
    report_.signatures += 1;
  }
  if (auto good = trust::check_root(view, body); !good) return Error(std::move(good).error()).in(name);

  Stream& stream = streams_[header.stream()];
  const bool first_seen = stream.number == 0;
  if (!(first_seen && !report_.from_genesis)) {
    if (header.number != stream.number + 1)
      return Error{Code::kParcelGap, name + ": follows parcel " + text(stream.number)};
    if (header.previous_root != stream.root)
      return Error{Code::kParcelConflict, name + ": its previous root is not that of the parcel before"};
  }
  stream = {header.number, header.merkle_root};
  return decision(entry.decision, static_cast<std::uint32_t>(body.count()), header.merkle_root);
}

Status LedgerChecker::settlement(ByteView bytes, const Block& block) {
  TW_ASSIGN(const Settlement read, decode_settlement(bytes));
  const std::string name = "settlement " + text(read.sequence) + " of " + read.receiver + "/" + read.gate;
  report_.settlements += 1;
  auto key = key_of(read.receiver, read.gate, block);
  if (!key) return Error(std::move(key).error()).in(name);
  // The lane of a chain without a parcel or checkpoint so far is not known: one of the two must fit.
  bool good = *key == nullptr;
  for (Lane lane : kLanes) {
    if (good || (lane_ && *lane_ != lane)) continue;
    const Bytes statement = trust::statement_bytes({report_.ledger_id, lane, read.receiver, read.gate, read.epoch,
                                                    read.sequence, read.taken_sequence, read.dead, read.root});
    good = (*key)->verify(trust::domain::kSettlement, {statement}, read.signature);
    if (good) lane_ = lane;
  }
  if (!good) return Error{Code::kSettlementInvalid, name + ": its signature does not fit"};
  (*key == nullptr ? report_.unproven : report_.signatures) += 1;
  return settled_root(read, name);
}

Status LedgerChecker::checkpoint(ByteView bytes, const Block& block) {
  if (!hub_ && options_.hub_key) {
    trust::PublicKey key;
    key.bytes = *options_.hub_key;
    TW_TRY(trust_hub(key));
  }
  TW_ASSIGN(const trust::Checkpoint read,
            hub_ ? trust::open_checkpoint(bytes, *hub_) : trust::decode_checkpoint(bytes));
  report_.checkpoints += 1;
  (hub_ ? report_.signatures : report_.unproven) += 1;
  if (read.ledger_id != report_.ledger_id)
    return Error{Code::kLedgerForeign, "a checkpoint of another ledger stands in this one"};
  TW_TRY(same_lane(read.lane));
  if (read.block >= block.info.number ||
      (read.block == block.info.number - 1 && read.block_hash != block.info.previous))
    return Error{Code::kProofInvalid, "the checkpoint over block " + text(read.block) + " does not fit the chain"};
  // What opens a chain whose front was dropped must vouch for the very block before it.
  if (block.info.number == first_.first_block && read.block + 1 != block.info.number)
    return Error{Code::kProofInvalid, "the first segment opens with a checkpoint over another block"};
  return {};
}

// Where the blocks that it sums up are still there, it must say what they say. Where they are not, it is the hub's
// word, like the checkpoint that the chain begins with; certificates and revocations prove themselves.
Status LedgerChecker::summary(ByteView bytes, const Block& block) {
  TW_ASSIGN(const Summary read, decode_summary(bytes));
  if (read.as_of >= block.info.number) return Error{Code::kLedgerFormat, "a summary of blocks that come after it"};
  const bool whole = report_.from_genesis;
  if (hub_code_.empty()) {
    // The ledger's id is the hash of block 1, and that of its one entry: so the key in it is the ledger's.
    BlockInfo first;
    first.number = 1;
    first.time_unix_ns = read.genesis_unix_ns;
    first.entries = 1;
    const Hash256 entry = entry_hash(static_cast<std::uint8_t>(EntryType::kGenesis), read.genesis);
    if (block_hash(first, {&entry, 1}) != report_.ledger_id)
      return Error{Code::kProofInvalid, "a summary with the genesis of another ledger"};
    TW_ASSIGN(const Genesis genesis, decode_genesis(read.genesis));
    trust::PublicKey key;
    key.algorithm = genesis.key_alg;
    key.bytes = genesis.signing_key;
    hub_code_ = genesis.hub;
    if (!hub_) TW_TRY(trust_hub(key));
  }
  const Lane lane = lane_.value_or(Lane::kRoutine);
  for (const Summary::Stream& s : read.streams) {
    const StreamId id{s.party, s.gate, s.incarnation, lane};
    const auto known = streams_.find(id);
    const std::uint64_t number = known == streams_.end() ? 0 : known->second.number;
    if (number == 0 && !whole) {
      streams_[id] = {s.number, s.root};
    } else if (number == 0 || s.number > number || (s.number == number && s.root != known->second.root)) {
      return Error{Code::kLedgerFormat, "a summary with another end of stream " + id.text()};
    }
  }
  for (const Summary::Receiver& r : read.receivers) {
    const auto [known, fresh] = deliveries_.try_emplace(r.party);
    if (fresh && !whole) known->second.last = r.delivered;
    if (r.delivered > known->second.last || r.settled > r.delivered)
      return Error{Code::kLedgerFormat, "a summary with deliveries to " + r.party + " that never were"};
  }
  if (whole) return {};
  for (const Summary::Document& d : read.documents) TW_TRY(document(d.type, d.bytes, d.block_unix_ns));
  return {};
}

Status LedgerChecker::document(EntryType type, ByteView bytes, std::int64_t time) {
  if (type == EntryType::kCertificate) {
    TW_ASSIGN(const auto certificate, trust::open_certificate(bytes));
    TW_ASSIGN(keys_, keys_->with(certificate, time, trust::Unpinned::kPinFirst));
  } else {
    TW_ASSIGN(const auto revocation, trust::open_revocation(bytes));
    auto revoked = keys_->with(revocation, time);
    const bool dropped = !revoked && (revoked.error().code == Code::kKeyUnknown || !hub_);
    if (dropped && !report_.from_genesis) {
      report_.unproven += 1;  // the certificate, or the hub's key, stood in the part that was dropped
      return {};
    }
    if (!revoked) return Error(std::move(revoked).error());
    keys_ = *std::move(revoked);
  }
  report_.signatures += 1;
  return {};
}

}  // namespace thalweg::ledger
