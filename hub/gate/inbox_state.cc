// inbox_state.cc: see inbox_state.h.
#include "gate/inbox_state.h"

#include <algorithm>

#include "model/delivery.h"
#include "model/parcel.h"
#include "model/parcel_part.h"

namespace thalweg::gate {
namespace {
constexpr std::uint8_t kStateVersion = 2;  // 1: every delivery's place
}

Status InboxState::apply(std::uint8_t type, ByteView bytes, ledger::Place place, std::int64_t time_unix_ns) {
  switch (static_cast<InboxType>(type)) {
    case InboxType::kDelivery:
      return apply_delivery(bytes, place, time_unix_ns);
    case InboxType::kSkipped: {
      TW_ASSIGN(const auto entry, SkippedEntry::decode(bytes));
      fresh = false;
      epoch = entry.epoch;
      last_sequence = entry.sequence;
      last_root = entry.root;
      return {};
    }
    case InboxType::kCursor: {
      TW_ASSIGN(const auto entry, CursorEntry::decode(bytes));
      cursors[entry.instance] = {entry.ordinal, entry.index, entry.attempts, entry.first_attempt_unix_ns};
      return {};
    }
    case InboxType::kLetter: {
      TW_ASSIGN(auto entry, LetterEntry::decode(bytes));
      apply_letter(std::move(entry), time_unix_ns);
      return {};
    }
    case InboxType::kAct: {
      TW_ASSIGN(const auto entry, ActEntry::decode(bytes));
      if (entry.what == ActEntry::What::kDrop) {
        dropped_letters += close_letter(entry.letter) ? 1 : 0;
      } else if (auto found = letters.find(entry.letter); found != letters.end()) {
        retrying += found->second.retrying ? 0 : 1;
        found->second.retrying = true;
      }
      return {};
    }
    case InboxType::kTaken: {
      TW_ASSIGN(const auto entry, TakenEntry::decode(bytes));
      taken_letters += close_letter(entry.letter) ? 1 : 0;
      return {};
    }
  }
  return Error{Code::kDamaged, "an inbox entry of unknown type " + std::to_string(type)};
}

Status InboxState::apply_delivery(ByteView bytes, ledger::Place place, std::int64_t time_unix_ns) {
  ByteReader in(bytes);
  TW_ASSIGN(const auto head, DeliveryEntryHead::decode(in));
  TW_ASSIGN(const auto delivery, Delivery::decode(in.raw(in.left())));
  deliveries.add(place, bytes.size(), time_unix_ns);
  add_sequence(last_ordinal(), delivery.epoch, delivery.sequence);

  Hash256 root{};
  const bool withdrawn = (delivery.flags & Delivery::kWithdrawn) != 0;
  if (!withdrawn && (delivery.flags & Delivery::kPart) != 0) {
    // What cannot be parsed was stored all the same, as doubtful; then there is no stream to mark.
    if (auto part = PartView::parse(delivery.parcel)) {
      root = part->header.merkle_root;
      if (auto body = PartBody::expand(*part); body && head.code == Code::kOk) {
        std::vector<std::uint32_t> indexes;
        for (std::size_t i = 0; i < body->count(); ++i) indexes.push_back(body->record(i).index);
        held.add(part->header.stream(), part->header.number, part->header.count, indexes);
      }
    }
  } else if (!withdrawn) {
    if (auto parcel = ParcelView::parse(delivery.parcel)) {
      root = parcel->header.merkle_root;
      if (head.code == Code::kOk) held.add_whole(parcel->header.stream(), parcel->header.number);
    }
  }
  if (head.code == Code::kOk) records += head.records - head.held.size();
  if ((head.flags & DeliveryEntryHead::kAgain) == 0) {
    fresh = false;
    epoch = delivery.epoch;
    last_sequence = delivery.sequence;
    last_root = root;
  }
  if (head.code != Code::kOk) {
    LetterEntry letter;
    letter.ordinal = last_ordinal();
    letter.code = head.code;
    letter.text = head.text;
    apply_letter(std::move(letter), time_unix_ns);
  }
  return {};
}

void InboxState::apply_letter(LetterEntry entry, std::int64_t time_unix_ns) {
  InboundLetter letter;
  // A retry that failed again, or a crash between letter and cursor, is the same letter.
  const auto place = std::tuple(entry.instance, entry.ordinal, entry.index);
  if (const auto open = letter_of_.find(place); open != letter_of_.end()) {
    letter.id = open->second;
    close_letter(letter.id);
  }
  if (letter.id == 0) letter.id = next_letter++;
  letter.instance = std::move(entry.instance);
  letter.ordinal = entry.ordinal;
  letter.index = entry.index;
  letter.record = entry.record;
  letter.code = entry.code;
  letter.text = std::move(entry.text);
  letter.attempts = entry.attempts;
  letter.time_unix_ns = time_unix_ns;
  const std::uint64_t id = letter.id;
  letters[id] = std::move(letter);
  letter_of_[place] = id;
}

bool InboxState::close_letter(std::uint64_t id) {
  const auto found = letters.find(id);
  if (found == letters.end()) return false;
  if (found->second.retrying) --retrying;
  letter_of_.erase(std::tuple(found->second.instance, found->second.ordinal, found->second.index));
  letters.erase(found);
  return true;
}

void InboxState::forget_before(std::uint64_t block) {
  deliveries.forget_before(block);
  while (sequences_.size() > 1 && sequences_[1].ordinal <= first_ordinal()) sequences_.pop_front();
}

void InboxState::add_sequence(std::uint64_t ordinal, std::uint64_t in_epoch, std::uint64_t sequence) {
  if (!sequences_.empty()) {
    const Sequence& last = sequences_.back();
    if (last.epoch == in_epoch && last.sequence + (ordinal - last.ordinal) == sequence) return;
  }
  sequences_.push_back({ordinal, in_epoch, sequence});
}

std::uint64_t InboxState::taken_sequence(const std::vector<std::string>& sinks) const {
  if (sinks.empty()) return 0;
  std::uint64_t lowest = last_ordinal() + 1;
  for (const std::string& sink : sinks) {
    const auto found = cursors.find(sink);
    lowest = std::min(lowest, found == cursors.end() ? first_ordinal() : found->second.ordinal);
  }
  if (lowest > last_ordinal()) return last_sequence;
  if (!deliveries.holds(lowest - 1)) return 0;
  const auto behind = std::upper_bound(sequences_.begin(), sequences_.end(), lowest - 1,
                                       [](std::uint64_t ordinal, const Sequence& s) { return ordinal < s.ordinal; });
  if (behind == sequences_.begin()) return 0;
  const Sequence& from = *(behind - 1);
  return from.epoch == epoch ? from.sequence + (lowest - 1 - from.ordinal) : 0;
}

void InboxState::encode(Bytes& out) const {
  ByteWriter writer(out);
  writer.u8(kStateVersion);
  writer.u8(fresh ? 1 : 0);
  writer.u64(epoch);
  writer.u64(last_sequence);
  writer.raw(last_root);
  held.encode(out);
  deliveries.encode(writer);
  writer.u64(sequences_.size());
  for (const Sequence& one : sequences_)
    for (const std::uint64_t value : {one.ordinal, one.epoch, one.sequence}) writer.u64(value);
  writer.u32(static_cast<std::uint32_t>(cursors.size()));
  for (const auto& [instance, cursor] : cursors) {
    writer.short_text(instance);
    writer.u64(cursor.ordinal);
    writer.u32(cursor.index);
    writer.u32(cursor.attempts);
    writer.i64(cursor.first_attempt_unix_ns);
  }
  writer.u64(letters.size());
  for (const auto& [id, letter] : letters) {
    writer.u64(letter.id);
    writer.short_text(letter.instance);
    writer.u64(letter.ordinal);
    writer.u32(letter.index);
    writer.raw(letter.record.bytes);
    writer.i32(static_cast<std::int32_t>(letter.code));
    writer.short_text(letter.text);
    writer.u32(letter.attempts);
    writer.i64(letter.time_unix_ns);
    writer.u8(letter.retrying ? 1 : 0);
  }
  for (std::uint64_t value : {next_letter, records, taken_letters, dropped_letters}) writer.u64(value);
}

/// As version 1 wrote it: of each delivery place, epoch, sequence, records, flags and time.
void InboxState::read_every_place(ByteReader& in) {
  deliveries = EntryPlaces(static_cast<std::uint8_t>(InboxType::kDelivery), in.u64());
  const std::uint64_t count = in.u64();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const auto place = ledger::Place::decode(in);
    const std::uint64_t in_epoch = in.u64(), sequence = in.u64();
    (void)in.u64();
    deliveries.add(place, EntryPlaces::kMarkBytes / 16, in.i64());  // how many bytes it has was not kept
    add_sequence(last_ordinal(), in_epoch, sequence);
  }
}

bool InboxState::decode(ByteReader& in) {
  *this = InboxState();
  const std::uint8_t version = in.u8();
  if (version == 0 || version > kStateVersion) return false;
  fresh = in.u8() != 0;
  epoch = in.u64();
  last_sequence = in.u64();
  last_root = in.array<32>();
  if (!held.decode(in)) return false;
  if (version == 1) {
    read_every_place(in);
  } else {
    if (!deliveries.decode(in)) return false;
    const std::uint64_t runs = in.u64();
    for (std::uint64_t i = 0; i < runs && in.ok(); ++i) {
      Sequence one;
      for (std::uint64_t* value : {&one.ordinal, &one.epoch, &one.sequence}) *value = in.u64();
      sequences_.push_back(one);
    }
  }
  const std::uint32_t sinks = in.u32();
  for (std::uint32_t i = 0; i < sinks && in.ok(); ++i) {
    Cursor& cursor = cursors[std::string(in.short_text())];
    cursor.ordinal = in.u64();
    cursor.index = in.u32();
    cursor.attempts = in.u32();
    cursor.first_attempt_unix_ns = in.i64();
  }
  const std::uint64_t open = in.u64();
  for (std::uint64_t i = 0; i < open && in.ok(); ++i) {
    InboundLetter letter;
    letter.id = in.u64();
    letter.instance = in.short_text();
    letter.ordinal = in.u64();
    letter.index = in.u32();
    letter.record.bytes = in.array<16>();
    letter.code = static_cast<Code>(in.i32());
    letter.text = in.short_text();
    letter.attempts = in.u32();
    letter.time_unix_ns = in.i64();
    letter.retrying = in.u8() != 0;
    if (letter.retrying) ++retrying;
    letter_of_[std::tuple(letter.instance, letter.ordinal, letter.index)] = letter.id;
    letters.emplace(letter.id, std::move(letter));
  }
  for (std::uint64_t* value : {&next_letter, &records, &taken_letters, &dropped_letters}) *value = in.u64();
  return in.ok();
}

}  // namespace thalweg::gate
