// outbox_entries.cc: see outbox_entries.h.
#include "gate/outbox_entries.h"

namespace thalweg::gate {
namespace {
Error damaged(std::string_view what) { return {Code::kDamaged, "not an entry: " + std::string(what)}; }

// A short text holds 65,535 bytes; reasons and keys are bounded far below where they arise.
std::string_view cut(std::string_view text) { return text.substr(0, 4096); }
}  // namespace

Bytes IncarnationEntry::encode() const {
  Bytes out;
  ByteWriter writer(out);
  writer.raw(incarnation.bytes);
  writer.u8(static_cast<std::uint8_t>(why));
  writer.raw(previous.bytes);
  writer.u64(resubmit_after);
  writer.i64(created_unix_ns);
  return out;
}

Result<IncarnationEntry> IncarnationEntry::decode(ByteView bytes) {
  ByteReader in(bytes);
  IncarnationEntry entry;
  entry.incarnation.bytes = in.array<16>();
  entry.why = static_cast<Why>(in.u8());
  entry.previous.bytes = in.array<16>();
  entry.resubmit_after = in.u64();
  entry.created_unix_ns = in.i64();
  if (!in.done() || entry.why > Why::kRefillAll) return damaged("incarnation");
  return entry;
}

Bytes ParcelEntryHead::encode() const {
  Bytes out;
  out.reserve(32 + keys.size() * 48);
  ByteWriter writer(out);
  writer.u64(copy_of);
  writer.u16(static_cast<std::uint16_t>(instances.size()));
  for (const std::string& instance : instances) writer.short_text(instance);
  writer.u32(static_cast<std::uint32_t>(keys.size()));
  for (const Key& key : keys) {
    writer.u16(key.instance);
    writer.short_text(key.origin_key);
  }
  return out;
}

Result<ParcelEntryHead> ParcelEntryHead::decode(ByteReader& in) {
  ParcelEntryHead head;
  head.copy_of = in.u64();
  const std::uint16_t instances = in.u16();
  for (std::uint16_t i = 0; i < instances && in.ok(); ++i) head.instances.emplace_back(in.short_text());
  const std::uint32_t keys = in.u32();
  if (!in.ok() || keys > in.left() / 4) return damaged("parcel");
  head.keys.resize(keys);
  for (Key& key : head.keys) {
    key.instance = in.u16();
    key.origin_key = in.short_text();
    if (!in.ok() || key.instance >= head.instances.size()) return damaged("parcel");
  }
  return head;
}

Bytes AcknowledgedEntry::encode() const {
  Bytes out;
  ByteWriter writer(out);
  writer.u64(number);
  writer.u64(block);
  writer.u32(entry);
  writer.i64(block_unix_ns);
  writer.blob(verdicts);
  writer.blob(decision);
  writer.u32(static_cast<std::uint32_t>(refused.size()));
  for (const Refused& one : refused) {
    writer.u32(one.index);
    writer.raw(one.record.bytes);
    writer.i32(static_cast<std::int32_t>(one.code));
    writer.short_text(cut(one.text));
    writer.short_text(one.instance);
    writer.short_text(one.origin_key);
  }
  if (!refused.empty()) parcel.encode(writer);
  return out;
}

Result<AcknowledgedEntry> AcknowledgedEntry::decode(ByteView bytes) {
  ByteReader in(bytes);
  AcknowledgedEntry entry;
  entry.number = in.u64();
  entry.block = in.u64();
  entry.entry = in.u32();
  entry.block_unix_ns = in.i64();
  const ByteView verdicts = in.blob();
  entry.verdicts.assign(verdicts.begin(), verdicts.end());
  const ByteView decision = in.blob();
  entry.decision.assign(decision.begin(), decision.end());
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    Refused one;
    one.index = in.u32();
    one.record.bytes = in.array<16>();
    one.code = static_cast<Code>(in.i32());
    one.text = in.short_text();
    one.instance = in.short_text();
    one.origin_key = in.short_text();
    if (in.ok()) entry.refused.push_back(std::move(one));
  }
  if (!entry.refused.empty() && in.left() > 0) entry.parcel = ledger::Place::decode(in);
  if (!in.done()) return damaged("acknowledged");
  return entry;
}

Bytes ProgressEntry::encode() const {
  Bytes out;
  ByteWriter writer(out);
  writer.u32(static_cast<std::uint32_t>(receivers.size()));
  for (const One& one : receivers) {
    writer.short_text(one.receiver);
    writer.u64(one.in_inbox);
    writer.u64(one.taken);
  }
  return out;
}

Result<ProgressEntry> ProgressEntry::decode(ByteView bytes) {
  ByteReader in(bytes);
  ProgressEntry entry;
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    One one;
    one.receiver = in.short_text();
    one.in_inbox = in.u64();
    one.taken = in.u64();
    if (in.ok()) entry.receivers.push_back(std::move(one));
  }
  if (!in.done()) return damaged("progress");
  return entry;
}

Bytes LedgerEntry::encode() const {
  Bytes out;
  ByteWriter writer(out);
  writer.raw(ledger_id);
  writer.u64(epoch);
  writer.blob(checkpoint);
  return out;
}

Result<LedgerEntry> LedgerEntry::decode(ByteView bytes) {
  ByteReader in(bytes);
  LedgerEntry entry;
  entry.ledger_id = in.array<32>();
  entry.epoch = in.u64();
  const ByteView checkpoint = in.blob();
  entry.checkpoint.assign(checkpoint.begin(), checkpoint.end());
  if (!in.done()) return damaged("ledger");
  return entry;
}

Bytes ActEntry::encode() const {
  Bytes out;
  ByteWriter writer(out);
  writer.u64(letter);
  writer.u8(static_cast<std::uint8_t>(what));
  writer.short_text(cut(who));
  writer.i64(time_unix_ns);
  return out;
}

Result<ActEntry> ActEntry::decode(ByteView bytes) {
  ByteReader in(bytes);
  ActEntry entry;
  entry.letter = in.u64();
  const std::uint8_t what = in.u8();
  entry.what = static_cast<What>(what);
  entry.who = in.short_text();
  entry.time_unix_ns = in.i64();
  if (!in.done() || what < 1 || what > 2) return damaged("act");
  return entry;
}

}  // namespace thalweg::gate
