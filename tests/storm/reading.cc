#include "storm/reading.h"

#include <algorithm>

#include "ledger/follower.h"
#include "ledger/segment_log.h"
#include "ledger/verify.h"
#include "model/delivery.h"
#include "model/parcel.h"
#include "model/parcel_part.h"
#include "model/record.h"

namespace thalweg::storm {
namespace {

constexpr std::uint8_t kDelivery = 2;                                     // of an inbox
constexpr std::uint8_t kIncarnation = 2, kParcel = 3, kAcknowledged = 4;  // of an outbox

struct Reader {
  InboxRecords found;
  RecordReader records;

  Status record(ByteView bytes, std::uint32_t index, const std::vector<std::uint32_t>& held) {
    if (std::find(held.begin(), held.end(), index) != held.end()) return {};
    TW_ASSIGN(const Envelope envelope, records.read(bytes));
    found[std::string(envelope.party)].push_back(envelope.record_id);
    return {};
  }

  Status delivery(ByteView entry) {
    ByteReader in(entry);
    in.u8();  // flags
    const std::int32_t code = in.i32();
    const std::string reason(in.short_text());
    in.u32();  // records
    std::vector<std::uint32_t> held(std::min<std::uint32_t>(in.u32(), 4096));
    for (std::uint32_t& index : held) index = in.u32();
    if (!in.ok()) return Error{Code::kDamaged, "a delivery entry is cut short"};
    if (code != 0) return Error{Code::kDamaged, "a delivery was not believed: " + reason};
    TW_ASSIGN(const Delivery delivery, Delivery::decode(in.raw(in.left())));
    if ((delivery.flags & Delivery::kWithdrawn) != 0) return {};
    if ((delivery.flags & Delivery::kPart) != 0) {
      TW_ASSIGN(const PartView part, PartView::parse(delivery.parcel));
      TW_ASSIGN(const PartBody body, PartBody::expand(part));
      for (std::size_t i = 0; i < body.count(); ++i) TW_TRY(record(body.record(i).bytes, body.record(i).index, held));
      return {};
    }
    TW_ASSIGN(const ParcelView parcel, ParcelView::parse(delivery.parcel));
    TW_ASSIGN(const ParcelBody body, ParcelBody::expand(parcel));
    for (std::uint32_t i = 0; i < body.count(); ++i) TW_TRY(record(body.record(i), i, held));
    return {};
  }
};

/// Follows an outbox: parcels by number, and which of them the hub answered.
struct AcknowledgedReader {
  std::vector<RecordId> found;
  std::map<std::uint64_t, std::vector<RecordId>> waiting;
  RecordReader records;

  Status entry(const ledger::EntryRef& entry) {
    ByteReader in(entry.bytes);
    if (entry.type == kIncarnation) waiting.clear();
    if (entry.type == kParcel) return parcel(in);
    if (entry.type != kAcknowledged) return {};
    const auto at = waiting.find(in.u64());
    if (at == waiting.end()) return {};  // dropped since
    in.raw(8 + 4 + 8);                   // place, block time
    for (int blob = 0; blob < 2; ++blob) in.raw(in.u32());
    std::vector<RecordId> refused(std::min<std::uint32_t>(in.u32(), 4096));
    for (RecordId& id : refused) {
      in.u32();
      id.bytes = in.array<16>();
      in.i32();
      for (int text = 0; text < 3; ++text) in.short_text();
    }
    if (!in.ok()) return Error{Code::kDamaged, "an answer is cut short"};
    for (const RecordId& id : at->second)
      if (std::find(refused.begin(), refused.end(), id) == refused.end()) found.push_back(id);
    waiting.erase(at);
    return {};
  }

  Status parcel(ByteReader& in) {
    in.u64();  // copy_of
    for (std::uint16_t left = in.u16(); left > 0; --left) in.short_text();
    for (std::uint32_t left = in.u32(); left > 0 && in.ok(); --left) {
      in.u16();
      in.short_text();
    }
    TW_ASSIGN(const ParcelView view, ParcelView::parse(in.raw(in.left())));
    TW_ASSIGN(const ParcelBody body, ParcelBody::expand(view));
    std::vector<RecordId>& ids = waiting[view.header.number];
    ids.clear();
    for (std::uint32_t i = 0; i < body.count(); ++i) {
      TW_ASSIGN(const Envelope envelope, records.read(body.record(i)));
      ids.push_back(envelope.record_id);
    }
    return {};
  }
};

template <class Each>
Status each_entry(const Path& folder, Each each) {
  ledger::SegmentOptions options;
  options.read_only = true;
  TW_ASSIGN(const auto log, ledger::SegmentLog::open(real_files(), folder, std::move(options)));
  ledger::Follower follower(*log, log->first_block());
  for (;;) {
    TW_ASSIGN(const ledger::BlockPtr block, follower.next());
    if (!block) return {};
    for (const ledger::EntryRef& entry : block->entries) TW_TRY(each(entry));
  }
}

}  // namespace

Result<InboxRecords> read_inbox(const Path& gate_folder, Lane lane) {
  Reader reader;
  TW_TRY(each_entry(gate_folder / "state" / "inbox" / std::string(name(lane)), [&](const ledger::EntryRef& entry) {
    return entry.type == kDelivery ? reader.delivery(entry.bytes) : Status();
  }));
  return std::move(reader.found);
}

Result<std::vector<RecordId>> read_acknowledged(const Path& gate_folder, Lane lane) {
  AcknowledgedReader reader;
  TW_TRY(each_entry(gate_folder / "state" / "outbox" / std::string(name(lane)),
                    [&](const ledger::EntryRef& entry) { return reader.entry(entry); }));
  return std::move(reader.found);
}

Status verify_log(const Path& folder, const trust::PublicKey* hub_key) {
  ledger::VerifyOptions options;
  if (hub_key != nullptr)
    options.hub_key = hub_key->bytes;
  else
    options.chain_only = true;
  TW_ASSIGN(const auto report, ledger::verify_ledger(real_files(), folder, options));
  if (report.content()) return {};
  return Error{Code::kDamaged, folder.string() + ": " + report.fault->message + " (" + report.fault->file + " at " +
                                   std::to_string(report.fault->offset) + ")"};
}

}  // namespace thalweg::storm
