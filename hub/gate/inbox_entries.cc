// inbox_entries.cc: see inbox_entries.h.
#include "gate/inbox_entries.h"

namespace thalweg::gate {
namespace {
Error damaged(std::string_view what) { return {Code::kDamaged, "not an entry: " + std::string(what)}; }
}  // namespace

Bytes DeliveryEntryHead::encode() const {
  Bytes out;
  ByteWriter writer(out);
  writer.u8(flags);
  writer.i32(static_cast<std::int32_t>(code));
  writer.short_text(std::string_view(text).substr(0, 1024));
  writer.u32(records);
  writer.u32(static_cast<std::uint32_t>(held.size()));
  for (std::uint32_t index : held) writer.u32(index);
  return out;
}

Result<DeliveryEntryHead> DeliveryEntryHead::decode(ByteReader& in) {
  DeliveryEntryHead head;
  head.flags = in.u8();
  head.code = static_cast<Code>(in.i32());
  head.text = in.short_text();
  head.records = in.u32();
  const std::uint32_t held = in.u32();
  if (!in.ok() || held > in.left() / 4) return damaged("delivery");
  head.held.resize(held);
  for (std::uint32_t& index : head.held) index = in.u32();
  return head;
}

Bytes SkippedEntry::encode() const {
  Bytes out;
  ByteWriter writer(out);
  writer.u64(epoch);
  writer.u64(sequence);
  writer.raw(root);
  return out;
}

Result<SkippedEntry> SkippedEntry::decode(ByteView bytes) {
  ByteReader in(bytes);
  SkippedEntry entry;
  entry.epoch = in.u64();
  entry.sequence = in.u64();
  entry.root = in.array<32>();
  if (!in.done()) return damaged("skipped");
  return entry;
}

Bytes CursorEntry::encode() const {
  Bytes out;
  ByteWriter writer(out);
  writer.short_text(instance);
  writer.u64(ordinal);
  writer.u32(index);
  writer.u32(attempts);
  writer.i64(first_attempt_unix_ns);
  return out;
}

Result<CursorEntry> CursorEntry::decode(ByteView bytes) {
  ByteReader in(bytes);
  CursorEntry entry;
  entry.instance = in.short_text();
  entry.ordinal = in.u64();
  entry.index = in.u32();
  entry.attempts = in.u32();
  entry.first_attempt_unix_ns = in.i64();
  if (!in.done()) return damaged("cursor");
  return entry;
}

Bytes LetterEntry::encode() const {
  Bytes out;
  ByteWriter writer(out);
  writer.short_text(instance);
  writer.u64(ordinal);
  writer.u32(index);
  writer.raw(record.bytes);
  writer.i32(static_cast<std::int32_t>(code));
  writer.short_text(std::string_view(text).substr(0, 1024));
  writer.u32(attempts);
  return out;
}

Result<LetterEntry> LetterEntry::decode(ByteView bytes) {
  ByteReader in(bytes);
  LetterEntry entry;
  entry.instance = in.short_text();
  entry.ordinal = in.u64();
  entry.index = in.u32();
  entry.record.bytes = in.array<16>();
  entry.code = static_cast<Code>(in.i32());
  entry.text = in.short_text();
  entry.attempts = in.u32();
  if (!in.done()) return damaged("letter");
  return entry;
}

Bytes TakenEntry::encode() const {
  Bytes out;
  ByteWriter(out).u64(letter);
  return out;
}

Result<TakenEntry> TakenEntry::decode(ByteView bytes) {
  ByteReader in(bytes);
  TakenEntry entry;
  entry.letter = in.u64();
  if (!in.done()) return damaged("taken");
  return entry;
}

}  // namespace thalweg::gate
