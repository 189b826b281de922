// outbox_state.cc: see outbox_state.h.
#include "gate/outbox_state.h"

#include <algorithm>

#include "model/parcel.h"

namespace thalweg::gate {
namespace {

constexpr std::uint8_t kStateVersion = 2;  // 1: origin keys without files

void put(ByteWriter& out, ledger::Place place) {
  out.u64(place.block);
  out.u32(place.entry);
}
ledger::Place get_place(ByteReader& in) {
  ledger::Place place;
  place.block = in.u64();
  place.entry = in.u32();
  return place;
}

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
    for (std::uint64_t number = std::max(entry.resubmit_after + 1, first_held); number <= head(); ++number) {
      to_resubmit.emplace_back(number, slots[number - first_held].place);
    }
  }
  incarnation = entry.incarnation;
  why = entry.why;
  began_unix_ns = entry.created_unix_ns;
  slots.clear();
  first_held = 1;
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
    first_held = header.number;
    acknowledged = header.number - 1;
  }
  if (header.incarnation != incarnation || header.number != head() + 1) {
    return Error{Code::kDamaged,
                 "parcel " + std::to_string(header.number) + " stands where " + std::to_string(head() + 1) + " is due"};
  }
  Slot slot;
  slot.place = place;
  slot.bytes = static_cast<std::uint32_t>(parcel.whole.size());
  slot.records = header.count;
  slot.time_unix_ns = time_unix_ns;
  slots.push_back(slot);
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
  if (head_of_entry.copy_of != 0 && !to_resubmit.empty() && to_resubmit.front().first == head_of_entry.copy_of) {
    to_resubmit.pop_front();
  }
  return {};
}

void OutboxState::apply_acknowledged(const AcknowledgedEntry& entry, ledger::Place place, std::int64_t time_unix_ns) {
  acknowledged = std::max(acknowledged, entry.number);
  if (entry.number < first_held || entry.number > head()) return;  // of parcels dropped since
  Slot& slot = slots[entry.number - first_held];
  const bool again = slot.acknowledged.block != 0;
  slot.acknowledged = place;
  if (again) return;  // a restored hub was refilled: its refusals are known
  for (const AcknowledgedEntry::Refused& one : entry.refused) {
    OutboundLetter letter;
    letter.id = next_letter++;
    letter.number = entry.number;
    letter.parcel = slot.place;
    letter.acknowledged = place;
    letter.index = one.index;
    letter.record = one.record;
    letter.code = one.code;
    letter.text = one.text;
    letter.time_unix_ns = time_unix_ns;
    letters.emplace(letter.id, std::move(letter));
  }
}

std::uint64_t OutboxState::unacknowledged_bytes() const {
  std::uint64_t bytes = 0;
  for (std::uint64_t number = std::max(acknowledged + 1, first_held); number <= head(); ++number) {
    bytes += slots[number - first_held].bytes;
  }
  return bytes;
}

void OutboxState::forget_before(std::uint64_t block) {
  while (!slots.empty() && slots.front().place.block < block) {
    slots.pop_front();
    ++first_held;
  }
}

std::uint64_t OutboxState::first_needed_block(std::int64_t keep_since_unix_ns, std::uint64_t head_block) const {
  std::uint64_t first = head_block + 1;
  for (const auto& [id, letter] : letters) first = std::min(first, letter.parcel.block);
  for (const auto& [number, place] : to_resubmit) first = std::min(first, place.block);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (first_held + i <= acknowledged && slots[i].time_unix_ns < keep_since_unix_ns) continue;
    return std::min(first, slots[i].place.block);
  }
  return first;
}

void OutboxState::encode(Bytes& out) const {
  out.reserve(out.size() + 1024 + slots.size() * 40 + keys.size() * 20);
  ByteWriter writer(out);
  writer.u8(kStateVersion);
  writer.raw(incarnation.bytes);
  writer.u8(static_cast<std::uint8_t>(why));
  writer.i64(began_unix_ns);
  writer.u64(first_held);
  writer.u64(slots.size());
  for (const Slot& slot : slots) {
    put(writer, slot.place);
    put(writer, slot.acknowledged);
    writer.u32(slot.bytes);
    writer.u32(slot.records);
    writer.i64(slot.time_unix_ns);
  }
  writer.raw(head_root);
  writer.u64(acknowledged);
  writer.u64(to_resubmit.size());
  for (const auto& [number, place] : to_resubmit) {
    writer.u64(number);
    put(writer, place);
  }
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
    put(writer, letter.parcel);
    put(writer, letter.acknowledged);
    writer.u32(letter.index);
    writer.raw(letter.record.bytes);
    writer.i32(static_cast<std::int32_t>(letter.code));
    writer.short_text(letter.text);
    writer.i64(letter.time_unix_ns);
  }
  for (std::uint64_t value : {next_letter, records, retried, dropped}) writer.u64(value);
}

bool OutboxState::decode(ByteReader& in) {
  clear();
  const std::uint8_t version = in.u8();
  if (version != kStateVersion && version != 1) return false;
  incarnation.bytes = in.array<16>();
  why = static_cast<IncarnationEntry::Why>(in.u8());
  began_unix_ns = in.i64();
  first_held = in.u64();
  const std::uint64_t held = in.u64();
  for (std::uint64_t i = 0; i < held && in.ok(); ++i) {
    Slot slot;
    slot.place = get_place(in);
    slot.acknowledged = get_place(in);
    slot.bytes = in.u32();
    slot.records = in.u32();
    slot.time_unix_ns = in.i64();
    slots.push_back(slot);
  }
  head_root = in.array<32>();
  acknowledged = in.u64();
  const std::uint64_t copies = in.u64();
  for (std::uint64_t i = 0; i < copies && in.ok(); ++i) {
    const std::uint64_t number = in.u64();
    to_resubmit.emplace_back(number, get_place(in));
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
    letter.parcel = get_place(in);
    letter.acknowledged = get_place(in);
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
