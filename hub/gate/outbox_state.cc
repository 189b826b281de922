// outbox_state.cc: see outbox_state.h.
#include "gate/outbox_state.h"

#include <algorithm>

#include "model/parcel.h"

namespace thalweg::gate {
namespace {

// 1: origin keys without files; 2: every parcel's place; 3: one stream before this, and only what was to be copied of
// it
constexpr std::uint8_t kStateVersion = 4;

}  // namespace

Status OutboxState::apply(std::uint8_t type, ByteView bytes, ledger::Place place, std::int64_t time_unix_ns) {
  switch (static_cast<OutboxType>(type)) {
    case OutboxType::kIncarnation: {
      TW_ASSIGN(const auto entry, IncarnationEntry::decode(bytes));
      return apply_incarnation(entry);
    }
    case OutboxType::kParcel:
      return apply_parcel(bytes, place, time_unix_ns);
    case OutboxType::kAcknowledged: {
      TW_ASSIGN(const auto entry, AcknowledgedEntry::decode(bytes));
      apply_acknowledged(entry, place, time_unix_ns);
      return {};
    }
    case OutboxType::kProgress: {
      TW_ASSIGN(const auto entry, ProgressEntry::decode(bytes));
      for (const auto& one : entry.receivers) progress[one.receiver] = {one.in_inbox, one.taken};
      return {};
    }
    case OutboxType::kLedger: {
      TW_ASSIGN(auto entry, LedgerEntry::decode(bytes));
      ledger_id = entry.ledger_id;
      epoch = entry.epoch;
      if (!entry.checkpoint.empty()) checkpoint = std::move(entry.checkpoint);
      return {};
    }
    case OutboxType::kAct: {
      TW_ASSIGN(const auto entry, ActEntry::decode(bytes));
      if (letters.erase(entry.letter) > 0) ++(entry.what == ActEntry::What::kRetry ? retried : dropped);
      return {};
    }
  }
  return Error{Code::kDamaged, "an outbox entry of unknown type " + std::to_string(type)};
}

Status OutboxState::apply_incarnation(const IncarnationEntry& entry) {
  if (!entry.previous.is_zero() && entry.previous == incarnation) {
    const std::uint64_t first = parcels.first(), last = parcels.last();
    const std::uint64_t kept = std::min(std::max(entry.resubmit_after, first - 1), last);
    const bool all = entry.why == IncarnationEntry::Why::kRefillAll;
    if (!to_resubmit.empty() && (kept < last || (all && !former.empty())))
      return Error{Code::kDamaged, "a stream ends before it took over the one before it"};
    if (all) to_resubmit.take(former);
    former.add(parcels, first, kept);
    to_resubmit.add(std::move(parcels), kept + 1, last);
  }
  incarnation = entry.incarnation;
  why = entry.why;
  began_unix_ns = entry.created_unix_ns;
  parcels = places_of_parcels();
  head_root = {};
  acknowledged = 0;
  progress.clear();
  return {};
}

Status OutboxState::apply_parcel(ByteView bytes, ledger::Place place, std::int64_t time_unix_ns) {
  ByteReader in(bytes);
  TW_ASSIGN(const auto head_of_entry, ParcelEntryHead::decode(in));
  TW_ASSIGN(const auto parcel, ParcelView::parse(in.raw(in.left())));
  const ParcelHeader& header = parcel.header;
  if (!began()) {  // the entry that began the stream was dropped and no snapshot is left
    incarnation = header.incarnation;
    parcels = places_of_parcels(header.number);
    acknowledged = header.number - 1;
  }
  if (header.incarnation != incarnation || header.number != head() + 1) {
    return Error{Code::kDamaged,
                 "parcel " + std::to_string(header.number) + " stands where " + std::to_string(head() + 1) + " is due"};
  }
  parcels.add(place, bytes.size(), time_unix_ns);
  head_root = header.merkle_root;
  records += header.count;
  std::vector<OriginKeys::Key> hashes;
  hashes.reserve(head_of_entry.keys.size());
  for (const ParcelEntryHead::Key& key : head_of_entry.keys) {
    if (key.origin_key.empty()) continue;
    hashes.push_back(OriginKeys::of(head_of_entry.instances[key.instance], key.origin_key));
    keys.expect(hashes.back());
  }
  for (const OriginKeys::Key& hash : hashes) keys.add(hash, time_unix_ns);
  if (head_of_entry.copy_of != 0) to_resubmit.copied(head_of_entry.copy_of);
  return {};
}

void OutboxState::apply_acknowledged(const AcknowledgedEntry& entry, ledger::Place place, std::int64_t time_unix_ns) {
  const bool again = entry.number <= acknowledged;
  acknowledged = std::max(acknowledged, entry.number);
  if (!parcels.holds(entry.number)) return;  // dropped since
  if (entry.number == acknowledged) newest_answer = place;
  if (again) return;  // a restored hub was refilled: its refusals are known
  for (const AcknowledgedEntry::Refused& one : entry.refused) {
    OutboundLetter letter;
    letter.id = next_letter++;
    letter.number = entry.number;
    letter.parcel = entry.parcel;
    letter.acknowledged = place;
    letter.index = one.index;
    letter.record = one.record;
    letter.code = one.code;
    letter.text = one.text;
    letter.time_unix_ns = time_unix_ns;
    letters.emplace(letter.id, std::move(letter));
  }
}

void OutboxState::forget_before(std::uint64_t block) {
  parcels.forget_before(block);
  former.forget_before(block);
}

std::uint64_t OutboxState::first_needed_block(std::int64_t keep_since_unix_ns, std::uint64_t head_block) const {
  std::uint64_t first = parcels.first_block_of(acknowledged + 1, keep_since_unix_ns, head_block + 1);
  for (const auto& [id, letter] : letters)
    if (letter.parcel.block != 0) first = std::min(first, letter.parcel.block);
  first = std::min(first, to_resubmit.first_block(first));
  first = std::min(first, former.first_block_since(keep_since_unix_ns, first));
  return first;
}

void OutboxState::encode(Bytes& out) const {
  ByteWriter writer(out);
  writer.u8(kStateVersion);
  writer.raw(incarnation.bytes);
  writer.u8(static_cast<std::uint8_t>(why));
  writer.i64(began_unix_ns);
  parcels.encode(writer);
  writer.raw(head_root);
  writer.u64(acknowledged);
  newest_answer.encode(writer);
  to_resubmit.encode(writer);
  former.encode(writer);
  writer.raw(ledger_id);
  writer.u64(epoch);
  writer.blob(checkpoint);
  keys.encode(out);
  writer.u64(progress.size());
  for (const auto& [receiver, far] : progress) {
    writer.short_text(receiver);
    writer.u64(far.first);
    writer.u64(far.second);
  }
  writer.u64(letters.size());
  for (const auto& [id, letter] : letters) {
    writer.u64(letter.id);
    writer.u64(letter.number);
    letter.parcel.encode(writer);
    letter.acknowledged.encode(writer);
    writer.u32(letter.index);
    writer.raw(letter.record.bytes);
    writer.i32(static_cast<std::int32_t>(letter.code));
    writer.short_text(letter.text);
    writer.i64(letter.time_unix_ns);
  }
  for (std::uint64_t value : {next_letter, records, retried, dropped}) writer.u64(value);
}

/// As versions 1 and 2 wrote it: each parcel's place and that of its answer, bytes, records, time.
void OutboxState::read_every_place(ByteReader& in, std::map<std::uint64_t, ledger::Place>& answers) {
  const std::uint64_t first = in.u64(), held = in.u64();
  parcels = places_of_parcels(first);
  for (std::uint64_t i = 0; i < held && in.ok(); ++i) {
    const ledger::Place place = ledger::Place::decode(in), answer = ledger::Place::decode(in);
    if (answer.block != 0) answers.insert_or_assign(answers.end(), first + i, answer);
    const std::uint32_t bytes = in.u32();
    (void)in.u32();
    parcels.add(place, bytes, in.i64());
  }
}

void OutboxState::read_every_former_place(ByteReader& in) {
  const std::uint64_t copies = in.u64();
  EntryPlaces places = places_of_parcels();
  for (std::uint64_t i = 0; i < copies && in.ok(); ++i) {
    const std::uint64_t number = in.u64();
    if (i == 0) places = places_of_parcels(number);
    places.add(ledger::Place::decode(in), EntryPlaces::kMarkBytes, 0);
  }
  const std::uint64_t first = places.first(), last = places.last();
  to_resubmit.add(std::move(places), first, last);
}

/// As version 3 wrote it: of one stream, its places only where some were to be copied.
bool OutboxState::read_one_former_stream(ByteReader& in) {
  const std::uint64_t first = in.u64(), last = in.u64();
  if (first > last) return true;
  EntryPlaces places = places_of_parcels();
  if (!places.decode(in) || !places.holds(first) || !places.holds(last)) return false;
  to_resubmit.add(std::move(places), first, last);
  return true;
}

bool OutboxState::decode(ByteReader& in) {
  clear();
  const std::uint8_t version = in.u8();
  if (version == 0 || version > kStateVersion) return false;
  const bool every_place = version < 3;
  incarnation.bytes = in.array<16>();
  why = static_cast<IncarnationEntry::Why>(in.u8());
  began_unix_ns = in.i64();
  std::map<std::uint64_t, ledger::Place> answers;
  if (every_place)
    read_every_place(in, answers);
  else if (!parcels.decode(in))
    return false;
  head_root = in.array<32>();
  acknowledged = in.u64();
  if (every_place) {
    if (const auto answer = answers.find(acknowledged); answer != answers.end()) newest_answer = answer->second;
    read_every_former_place(in);
  } else {
    newest_answer = ledger::Place::decode(in);
    if (version == 3 ? !read_one_former_stream(in) : !(to_resubmit.decode(in) && former.decode(in))) return false;
  }
  ledger_id = in.array<32>();
  epoch = in.u64();
  const ByteView signed_checkpoint = in.blob();
  checkpoint.assign(signed_checkpoint.begin(), signed_checkpoint.end());
  if (!keys.decode(in, version != 1)) return false;
  const std::uint64_t receivers = in.u64();
  for (std::uint64_t i = 0; i < receivers && in.ok(); ++i) {
    std::string receiver(in.short_text());
    const std::uint64_t in_inbox = in.u64();
    progress[std::move(receiver)] = {in_inbox, in.u64()};
  }
  const std::uint64_t open = in.u64();
  for (std::uint64_t i = 0; i < open && in.ok(); ++i) {
    OutboundLetter letter;
    letter.id = in.u64();
    letter.number = in.u64();
    letter.parcel = ledger::Place::decode(in);
    letter.acknowledged = ledger::Place::decode(in);
    letter.index = in.u32();
    letter.record.bytes = in.array<16>();
    letter.code = static_cast<Code>(in.i32());
    letter.text = in.short_text();
    letter.time_unix_ns = in.i64();
    letters.emplace(letter.id, std::move(letter));
  }
  for (std::uint64_t* value : {&next_letter, &records, &retried, &dropped}) *value = in.u64();
  return in.ok();
}

void OutboxState::clear() {
  OriginKeys empty = keys.emptied();
  *this = OutboxState(0, 0);
  keys = std::move(empty);
}

}  // namespace thalweg::gate
