// entries.cc: the entries of the hub's ledger and their bytes.
#include "ledger/entries.h"

#include <cstring>

#include "ledger/segment_format.h"

namespace thalweg::ledger {
namespace {

constexpr std::uint8_t kVersion = 1;  // first byte of every entry that has a codec here
constexpr std::size_t kParcelFixed = 5;
constexpr std::size_t kMaxNote = 1024;
constexpr std::size_t kMaxExtra = 1u << 20;
constexpr std::size_t kMaxRegionFiles = 1024;
constexpr std::size_t kMaxRegionBytes = 8u << 20;
constexpr std::size_t kMaxShort = 256;

Error not_an(std::string_view what) {
  return {Code::kLedgerFormat, "the entry is not a whole " + std::string(what) + " of this version"};
}

/// A reader behind the version byte; failed when that is another.
ByteReader versioned(ByteView bytes) {
  ByteReader r(bytes);
  if (r.u8() != kVersion) r.fail();
  return r;
}

std::string bounded(ByteReader& r, std::size_t at_most) {
  const std::string_view text = r.short_text();
  if (text.size() > at_most) r.fail();
  return r.ok() ? std::string(text) : std::string();
}

std::string_view cut(std::string_view text, std::size_t at_most) { return text.substr(0, at_most); }

}  // namespace

std::string_view name(EntryType type) {
  switch (type) {
    case EntryType::kGenesis:
      return "genesis";
    case EntryType::kParcel:
      return "parcel";
    case EntryType::kSettlement:
      return "settlement";
    case EntryType::kRegionVersion:
      return "region version";
    case EntryType::kCertificate:
      return "certificate";
    case EntryType::kRevocation:
      return "revocation";
    case EntryType::kCheckpoint:
      return "checkpoint";
    case EntryType::kAct:
      return "act";
    case EntryType::kRedelivery:
      return "redelivery";
    case EntryType::kEpoch:
      return "epoch";
    case EntryType::kSummary:
      return "summary";
  }
  return "unknown";
}

Bytes encode(const Genesis& genesis) {
  Bytes out;
  ByteWriter w(out);
  w.u8(kVersion);
  w.short_text(cut(genesis.hub, kMaxShort));
  w.u8(genesis.lane);
  w.u8(genesis.key_alg);
  w.raw(genesis.signing_key);
  w.raw(genesis.nonce);
  w.i64(genesis.created_unix_ns);
  w.short_text(cut(genesis.note, kMaxNote));
  return out;
}

Result<Genesis> decode_genesis(ByteView bytes) {
  ByteReader r = versioned(bytes);
  Genesis out;
  out.hub = bounded(r, kMaxShort);
  out.lane = r.u8();
  out.key_alg = r.u8();
  out.signing_key = r.array<32>();
  out.nonce = r.array<16>();
  out.created_unix_ns = r.i64();
  out.note = bounded(r, kMaxNote);
  if (!r.done()) return not_an("genesis");
  return out;
}

Bytes encode_parcel_head(const ParcelVerdicts& verdicts, const Decision& decision) {
  Bytes out;
  ByteWriter w(out);
  w.u8(kVersion);
  w.u32(0);
  verdicts.encode(out);
  decision.encode(out);
  const auto head = static_cast<std::uint32_t>(out.size() - kParcelFixed);
  std::memcpy(out.data() + 1, &head, sizeof head);
  return out;
}

Result<ByteView> parcel_of(ByteView bytes) {
  ByteReader r = versioned(bytes);
  r.blob();
  const ByteView parcel = r.raw(r.left());
  if (!r.ok() || parcel.empty()) return not_an("parcel");
  return parcel;
}

Result<ParcelEntry> decode_parcel(ByteView bytes) {
  ByteReader r = versioned(bytes);
  ByteReader head(r.blob());
  ParcelEntry out;
  out.parcel = r.raw(r.left());
  if (!r.ok() || out.parcel.empty()) return not_an("parcel");
  auto verdicts = ParcelVerdicts::decode(head);
  if (!verdicts) return not_an("parcel");
  auto decision = Decision::decode(head);
  if (!decision || !head.done()) return not_an("parcel");
  out.verdicts = *std::move(verdicts);
  out.decision = *std::move(decision);
  return out;
}

Bytes encode(const Settlement& settlement) {
  Bytes out;
  ByteWriter w(out);
  w.u8(kVersion);
  w.short_text(cut(settlement.receiver, kMaxShort));
  w.short_text(cut(settlement.gate, kMaxShort));
  w.u64(settlement.epoch);
  w.u64(settlement.sequence);
  w.u64(settlement.taken_sequence);
  w.u32(settlement.dead);
  w.raw(settlement.root);
  w.raw(settlement.signature);
  w.blob(settlement.extra);
  return out;
}

Result<Settlement> decode_settlement(ByteView bytes) {
  ByteReader r = versioned(bytes);
  Settlement out;
  out.receiver = bounded(r, kMaxShort);
  out.gate = bounded(r, kMaxShort);
  out.epoch = r.u64();
  out.sequence = r.u64();
  out.taken_sequence = r.u64();
  out.dead = r.u32();
  out.root = r.array<32>();
  out.signature = r.array<64>();
  const ByteView extra = r.blob();
  if (!r.done() || extra.size() > kMaxExtra || out.taken_sequence > out.sequence) return not_an("settlement");
  out.extra.assign(extra.begin(), extra.end());
  return out;
}

Bytes encode(const RegionVersion& region) {
  Bytes out;
  ByteWriter w(out);
  w.u8(kVersion);
  w.u64(region.version);
  w.short_text(cut(region.loaded_by, kMaxShort));
  w.u16(static_cast<std::uint16_t>(region.files.size()));
  for (const auto& [file, text] : region.files) {
    w.short_text(cut(file, kMaxShort));
    w.blob(as_bytes(text));
  }
  return out;
}

Result<RegionVersion> decode_region_version(ByteView bytes) {
  ByteReader r = versioned(bytes);
  RegionVersion out;
  out.version = r.u64();
  out.loaded_by = bounded(r, kMaxShort);
  const std::size_t count = r.u16();
  if (count > kMaxRegionFiles || r.left() > kMaxRegionBytes + kMaxRegionFiles * (kMaxShort + 6)) r.fail();
  for (std::size_t i = 0; i < count && r.ok(); ++i) {
    std::string file = bounded(r, kMaxShort);
    out.files.emplace_back(std::move(file), as_text(r.blob()));
  }
  if (!r.done()) return not_an("region version");
  return out;
}

Bytes encode(const Act& act) {
  Bytes out;
  ByteWriter w(out);
  w.u8(kVersion);
  w.short_text(cut(act.who, kMaxShort));
  w.short_text(cut(act.what, kMaxShort));
  w.i64(act.time_unix_ns);
  w.blob(as_bytes(act.args_json));
  return out;
}

Result<Act> decode_act(ByteView bytes) {
  ByteReader r = versioned(bytes);
  Act out;
  out.who = bounded(r, kMaxShort);
  out.what = bounded(r, kMaxShort);
  out.time_unix_ns = r.i64();
  const ByteView args = r.blob();
  if (!r.done() || args.size() > Act::kMostArgsBytes) return not_an("act");
  out.args_json = as_text(args);
  return out;
}

Bytes encode(const Redelivery& redelivery) {
  Bytes out;
  ByteWriter w(out);
  w.u8(kVersion);
  w.u8(redelivery.flags);
  w.u64(redelivery.parcel.block);
  w.u32(redelivery.parcel.entry);
  w.short_text(cut(redelivery.why, kMaxShort));
  redelivery.decision.encode(out);
  return out;
}

Result<Redelivery> decode_redelivery(ByteView bytes) {
  ByteReader r = versioned(bytes);
  Redelivery out;
  out.flags = r.u8();
  out.parcel.block = r.u64();
  out.parcel.entry = r.u32();
  out.why = bounded(r, kMaxShort);
  if (!r.ok()) return not_an("redelivery");
  auto decision = Decision::decode(r);
  if (!decision || !r.done()) return not_an("redelivery");
  out.decision = *std::move(decision);
  return out;
}

Bytes encode(const EpochEntry& epoch) {
  Bytes out;
  ByteWriter w(out);
  w.u8(kVersion);
  w.u64(epoch.epoch);
  w.short_text(cut(epoch.why, kMaxShort));
  return out;
}

Result<EpochEntry> decode_epoch(ByteView bytes) {
  ByteReader r = versioned(bytes);
  EpochEntry out;
  out.epoch = r.u64();
  out.why = bounded(r, kMaxShort);
  if (!r.done()) return not_an("epoch");
  return out;
}

Bytes encode(const Summary& summary) {
  Bytes out;
  ByteWriter w(out);
  w.u8(kVersion);
  w.u64(summary.as_of);
  w.blob(summary.genesis);
  w.i64(summary.genesis_unix_ns);
  w.u32(static_cast<std::uint32_t>(summary.streams.size()));
  for (const Summary::Stream& s : summary.streams) {
    w.short_text(s.party);
    w.short_text(s.gate);
    w.raw(s.incarnation.bytes);
    w.u64(s.number);
    w.raw(s.root);
  }
  w.u32(static_cast<std::uint32_t>(summary.receivers.size()));
  for (const Summary::Receiver& r : summary.receivers) {
    w.short_text(r.party);
    w.u64(r.delivered);
    w.u64(r.settled);
    w.u64(r.taken);
    w.u64(r.given_up);
    w.u32(r.dead);
    w.u32(static_cast<std::uint32_t>(r.epochs.size()));
    for (const auto& [epoch, settled] : r.epochs) {
      w.u64(epoch);
      w.u64(settled);
    }
  }
  w.u32(static_cast<std::uint32_t>(summary.documents.size()));
  for (const Summary::Document& d : summary.documents) {
    w.u8(static_cast<std::uint8_t>(d.type));
    w.i64(d.block_unix_ns);
    w.blob(d.bytes);
  }
  w.u64(summary.region_since);
  w.blob(summary.region_since != 0 ? encode(summary.region) : Bytes{});
  return out;
}

Result<Summary> decode_summary(ByteView bytes) {
  ByteReader r = versioned(bytes);
  Summary out;
  const auto copy = [](ByteView view) { return Bytes(view.begin(), view.end()); };
  out.as_of = r.u64();
  out.genesis = copy(r.blob());
  out.genesis_unix_ns = r.i64();
  for (std::uint32_t left = r.u32(); left > 0 && r.ok(); --left) {
    Summary::Stream& s = out.streams.emplace_back();
    s.party = bounded(r, kMaxShort);
    s.gate = bounded(r, kMaxShort);
    s.incarnation.bytes = r.array<16>();
    s.number = r.u64();
    s.root = r.array<32>();
  }
  for (std::uint32_t left = r.u32(); left > 0 && r.ok(); --left) {
    Summary::Receiver& to = out.receivers.emplace_back();
    to.party = bounded(r, kMaxShort);
    to.delivered = r.u64();
    to.settled = r.u64();
    to.taken = r.u64();
    to.given_up = r.u64();
    to.dead = r.u32();
    for (std::uint32_t epochs = r.u32(); epochs > 0 && r.ok(); --epochs) {
      const std::uint64_t epoch = r.u64();
      to.epochs.emplace_back(epoch, r.u64());
    }
  }
  for (std::uint32_t left = r.u32(); left > 0 && r.ok(); --left) {
    Summary::Document& d = out.documents.emplace_back();
    d.type = static_cast<EntryType>(r.u8());
    if (d.type != EntryType::kCertificate && d.type != EntryType::kRevocation) r.fail();
    d.block_unix_ns = r.i64();
    d.bytes = copy(r.blob());
  }
  out.region_since = r.u64();
  const ByteView region = r.blob();
  if (!r.done()) return not_an("summary");
  if (out.region_since != 0) {
    TW_ASSIGN(out.region, decode_region_version(region));
  } else if (!region.empty()) {
    return not_an("summary");
  }
  return out;
}

Status readable(EntryType type, ByteView bytes) {
  const auto status = [](const auto& read) { return read ? Status() : Status(read.error()); };
  if (bytes.size() > kMaxEntryBytes) return Error{Code::kInvalid, "an entry over 16 MiB"};
  switch (type) {
    case EntryType::kRegionVersion:
      return status(decode_region_version(bytes));
    case EntryType::kAct:
      return status(decode_act(bytes));
    case EntryType::kEpoch:
      return status(decode_epoch(bytes));
    case EntryType::kSummary:
      return status(decode_summary(bytes));
    default:
      return {};
  }
}

}  // namespace thalweg::ledger
