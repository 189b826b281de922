#include "storm/reading.h"

#include <algorithm>

#include "ledger/follower.h"
#include "ledger/segment_log.h"
#include "model/delivery.h"
#include "model/parcel.h"
#include "model/parcel_part.h"
#include "model/record.h"

namespace thalweg::storm {
namespace {

constexpr std::uint8_t kDelivery = 2;

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

}  // namespace

Result<InboxRecords> read_inbox(const Path& gate_folder, Lane lane) {
  ledger::SegmentOptions options;
  options.read_only = true;
  TW_ASSIGN(const auto log,
            ledger::SegmentLog::open(real_files(), gate_folder / "state" / "inbox" / std::string(name(lane)),
                                     std::move(options)));
  Reader reader;
  ledger::Follower follower(*log, log->first_block());
  for (;;) {
    TW_ASSIGN(const ledger::BlockPtr block, follower.next());
    if (!block) return std::move(reader.found);
    for (const ledger::EntryRef& entry : block->entries)
      if (entry.type == kDelivery) TW_TRY(reader.delivery(entry.bytes));
  }
}

}  // namespace thalweg::storm
