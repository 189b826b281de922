#include "app/hub_store.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/log.h"
#include "intake/question.h"
#include "ledger/follower.h"
#include "model/record.h"
#include "region/topic.h"
#include "trust/checkpoint.h"

namespace thalweg::app {
namespace {

using ledger::EntryType;

/// Of the disk; kept by both lanes for urgent records and settlements, which claim it (rule 18).
constexpr double kDiskReserveShare = 0.05;
constexpr std::uint32_t kStateMagic = 0x33535754;  // "TWS3"

/// Readings are many and notices few: a start looks for the name before it reads a record, which costs ten times as
/// much. No type holds an escape, so none is missed.
bool may_be_notice(ByteView record) {
  constexpr std::string_view kName = "emergency.notice.";
  return ::memmem(record.data(), record.size(), kName.data(), kName.size()) != nullptr;
}

EntryType type_of(const ledger::EntryRef& entry) { return static_cast<EntryType>(entry.type); }

}  // namespace

Status places_of_block(const ledger::Block& block, const std::function<void(const ledger::Delivered&)>& give) {
  TW_TRY(ledger::hub_deliveries(block, give));
  for (std::uint32_t i = 0; i < block.entries.size(); ++i) {
    if (type_of(block.entries[i]) != EntryType::kParcel) continue;
    TW_ASSIGN(const ByteView bytes, ledger::parcel_of(block.entries[i].bytes));
    TW_ASSIGN(const ParcelView parcel, ParcelView::parse(bytes));
    give({intake::stream_key(parcel.header), parcel.header.number, {block.info.number, i}});
  }
  return {};
}

Status records_of_block(const ledger::Block& block, const ledger::RecordIndex::Give& give) {
  RecordReader reader;
  for (std::uint32_t i = 0; i < block.entries.size(); ++i) {
    if (type_of(block.entries[i]) != EntryType::kParcel) continue;
    TW_ASSIGN(const ByteView bytes, ledger::parcel_of(block.entries[i].bytes));
    TW_ASSIGN(const ParcelView parcel, ParcelView::parse(bytes));
    TW_ASSIGN(const ParcelBody body, ParcelBody::expand(parcel));
    for (std::uint32_t r = 0; r < body.count(); ++r)
      if (const auto envelope = reader.read(body.record(r))) give(envelope->record_id, i, r);
  }
  return {};
}

Result<std::unique_ptr<HubStore>> HubStore::open(FileSystem& files, Options options, const trust::SigningKey& key) {
  std::unique_ptr<HubStore> store(new HubStore(std::move(options), files));
  const Options& o = store->options_;
  ledger::SegmentOptions segments;
  segments.genesis_type = static_cast<std::uint8_t>(EntryType::kGenesis);
  segments.genesis = o.genesis;
  segments.genesis_time_unix_ns = o.genesis_unix_ns;
  segments.segment_bytes = o.segment_bytes;
  segments.opener_type = static_cast<std::uint8_t>(EntryType::kCheckpoint);
  HubStore* raw = store.get();
  segments.opener = [raw, key](const ledger::BlockInfo& last) -> Result<Bytes> {
    return trust::sign_checkpoint(
        {raw->log_->id(), raw->options_.lane, last.epoch, last.number, last.hash, last.time_unix_ns}, key);
  };
  TW_ASSIGN(store->log_, ledger::SegmentLog::open(files, o.ledger_folder, std::move(segments), &store->report_));
  TW_TRY(files.create_folders(o.derived_folder));
  TW_ASSIGN(store->places_, ledger::PlaceIndex::open(*store->log_, o.derived_folder, places_of_block));
  TW_ASSIGN(store->records_, ledger::RecordIndex::open(*store->log_, o.derived_folder, records_of_block));
  TW_TRY(store->restore());
  return store;
}

Bytes HubStore::make_genesis(const Clock& clock, const std::string& hub, const trust::SigningKey& key) {
  ledger::Genesis genesis;
  genesis.hub = hub;
  genesis.signing_key = key.public_key().bytes;
  genesis.nonce = random_uuid_v7(clock).bytes;
  genesis.created_unix_ns = clock.wall_unix_ns();
  return ledger::encode(genesis);
}

Bytes HubStore::make_summary() const {
  ledger::Summary summary;
  summary.as_of = followed_.number;
  std::tie(summary.genesis, summary.genesis_unix_ns) = genesis_;
  streams.each([&](const StreamId& id, const intake::StreamHead& head) {
    if (head.number != 0) summary.streams.push_back({id.party, id.gate, id.incarnation, head.number, head.root});
  });
  for (const auto& [party, s] : receivers.all())
    summary.receivers.push_back({party, s.durable, s.settled, s.taken, s.given_up, s.dead, s.epochs});
  for (const HeldDocument& d : documents) summary.documents.push_back({d.type, d.block_unix_ns, d.bytes});
  if (region && !region_places.empty()) {
    summary.region_since = region_places.back().since_block;
    summary.region = *region;
  }
  return ledger::encode(summary);
}

void HubStore::start(const Clock& clock, std::function<void(const ledger::BlockOutcome&)> on_block) {
  ledger::GroupCommitOptions commit;
  commit.max_waiting_bytes = options_.max_waiting_bytes;
  commit.disk_reserve_share = kDiskReserveShare;
  commit.extra_sync_delay_ns = options_.extra_sync_delay_ns;
  commit.on_block = std::move(on_block);
  commit.thread_name = options_.lane == Lane::kUrgent ? "ledger-urgent" : "ledger-routine";
  commit_ = std::make_unique<ledger::GroupCommit>(*log_, clock, std::move(commit));
}

void HubStore::stop() {
  if (commit_) commit_->stop();
}

Status HubStore::restore() {
  std::uint64_t next = log_->first_block();
  TW_ASSIGN(const std::optional<ledger::Snapshot> snapshot, snapshots_.load(*log_));
  if (snapshot) {
    if (Status read = decode_state(snapshot->state); read) {
      next = snapshot->block + 1;
    } else {
      // Derived state of another version or form: thrown away, all is read again.
      log::warning("ledger", "{}; reading the whole ledger instead", read.error().message);
      streams = {};
      receivers = {};
      progress = {};
      incidents = intake::IncidentBook();
      documents.clear();
      region.reset();
      region_places.clear();
      genesis_ = {};
    }
  }
  followed_ = log_->head();  // if nothing follows the snapshot
  ledger::Follower follower(*log_, next);
  for (;;) {
    TW_ASSIGN(const ledger::BlockPtr block, follower.next());
    if (!block) return {};
    bytes_since_snapshot_ += block->info.bytes;
    followed_ = block->info;
    for (std::uint32_t i = 0; i < block->entries.size(); ++i) {
      take_in(*block, i);
      if (type_of(block->entries[i]) == EntryType::kParcel)
        if (const auto held = ledger::decode_parcel(block->entries[i].bytes)) book_incidents(*held);
    }
  }
}

void HubStore::follow(const ledger::Block& block) {
  bytes_since_snapshot_ += block.info.bytes;
  followed_ = block.info;
  if (Status done = places_->follow(block); !done) log::error("ledger", "index of places: {}", done.error().message);
  for (std::uint32_t i = 0; i < block.entries.size(); ++i) take_in(block, i);
}

// Entries were written by this program after it had checked them: one that cannot be read back is damage, and verify
// finds and names it; here it is reported and passed over.
void HubStore::take_in(const ledger::Block& block, std::uint32_t index) {
  const ledger::EntryRef& entry = block.entries[index];
  const auto report = [&](const Error& error) {
    log::error("ledger", "block {}: {}", block.info.number, error.message);
  };
  const ByteView bytes = entry.bytes;
  switch (type_of(entry)) {
    case EntryType::kParcel: {
      const auto held = ledger::decode_parcel(bytes);
      if (!held) return report(held.error());
      const auto parcel = ParcelView::parse(held->parcel);
      if (!parcel) return report(parcel.error());
      streams.settle(parcel->header);
      receivers.settle_given(held->decision);
      return;
    }
    case EntryType::kSettlement: {
      const auto settlement = ledger::decode_settlement(bytes);
      if (!settlement) return report(settlement.error());
      receivers.settled(*settlement);
      return;
    }
    case EntryType::kRegionVersion: {
      auto version = ledger::decode_region_version(bytes);
      if (!version) return report(version.error());
      region = *std::move(version);
      region_places.push_back({block.info.number, {block.info.number, index}});
      return;
    }
    case EntryType::kCertificate:
    case EntryType::kRevocation:
      documents.push_back({type_of(entry), Bytes(bytes.begin(), bytes.end()), block.info.time_unix_ns});
      return;
    case EntryType::kGenesis:
      genesis_ = {Bytes(bytes.begin(), bytes.end()), block.info.time_unix_ns};
      return;
    case EntryType::kAct: {
      const auto act = ledger::decode_act(bytes);
      if (!act) return report(act.error());
      return take_in_act(*act);
    }
    case EntryType::kSummary: {
      const auto summary = ledger::decode_summary(bytes);
      if (!summary) return report(summary.error());
      return take_in_summary(*summary, {block.info.number, index});
    }
    case EntryType::kCheckpoint:
    case EntryType::kRedelivery:
      return;
    case EntryType::kEpoch: {
      const auto epoch = ledger::decode_epoch(bytes);
      if (!epoch) return report(epoch.error());
      receivers.begin_epoch(epoch->epoch);
      return;
    }
  }
}

void HubStore::take_in_act(const ledger::Act& act) {
  if (act.what != kGiveUp) return;
  const auto args = nlohmann::json::parse(act.args_json, nullptr, false);
  if (args.is_object() && args.contains("receiver") && args["receiver"].is_string())
    receivers.give_up(args["receiver"].get<std::string>());
}

// While the hub runs all of it is known already; after a start that reads from a dropped front on, little is.
void HubStore::take_in_summary(const ledger::Summary& summary, const ledger::Place& place) {
  if (genesis_.first.empty()) genesis_ = {summary.genesis, summary.genesis_unix_ns};
  for (const ledger::Summary::Stream& s : summary.streams)
    streams.merge({s.party, s.gate, s.incarnation, options_.lane}, {s.number, s.root});
  for (const ledger::Summary::Receiver& r : summary.receivers) {
    delivery::ReceiverState state;
    state.durable = r.delivered;
    state.settled = r.settled;
    state.taken = r.taken;
    state.given_up = r.given_up;
    state.dead = r.dead;
    state.epochs = r.epochs;
    receivers.merge(r.party, state);
  }
  std::vector<HeldDocument> all;
  for (const ledger::Summary::Document& d : summary.documents) all.push_back({d.type, d.bytes, d.block_unix_ns});
  for (HeldDocument& held : documents)
    if (std::none_of(all.begin(), all.end(), [&](const HeldDocument& d) { return d.bytes == held.bytes; }))
      all.push_back(std::move(held));
  documents = std::move(all);
  if (summary.region_since == 0) return;
  if (!region || region->version < summary.region.version) region = summary.region;
  // The summary outlives the entry: from now on the version is read from here.
  const auto at = std::find_if(region_places.begin(), region_places.end(),
                               [&](const RegionPlace& p) { return p.since_block >= summary.region_since; });
  if (at != region_places.end() && at->since_block == summary.region_since)
    at->place = place;
  else
    region_places.insert(at, {summary.region_since, place});
}

// Only after a start: while running, the check of the parcel has booked them.
void HubStore::book_incidents(const ledger::ParcelEntry& entry) {
  const auto parcel = ParcelView::parse(entry.parcel);
  if (!parcel) return;
  const auto body = ParcelBody::expand(*parcel);
  if (!body) return;
  RecordReader reader;
  intake::QuestionReader questions;
  for (const Grant& grant : entry.decision.grants)
    for (const IndexRange range : grant.records)
      for (std::uint32_t i = range.first; i < range.first + range.count && i < body->count(); ++i) {
        if (!may_be_notice(body->record(i))) continue;
        const auto envelope = reader.read(body->record(i));
        if (!envelope || region::family_of(envelope->type) != region::Family::kEmergencyNotice) continue;
        const std::string incident(questions.read(*envelope).incident);
        for (const std::string& receiver : grant.receivers) incidents.told(incident, receiver);
      }
}

std::optional<ledger::Snapshot> HubStore::snapshot_due() {
  if (!ledger::SnapshotStore::due(bytes_since_snapshot_)) return std::nullopt;
  return make_snapshot();
}

ledger::Snapshot HubStore::make_snapshot() {
  bytes_since_snapshot_ = 0;
  ledger::Snapshot snapshot;
  snapshot.block = followed_.number;
  snapshot.block_hash = followed_.hash;
  ByteWriter w(snapshot.state);
  w.u32(kStateMagic);
  streams.encode(snapshot.state);
  receivers.encode(snapshot.state);
  progress.encode(snapshot.state);
  incidents.encode(snapshot.state);
  w.u32(static_cast<std::uint32_t>(documents.size()));
  for (const HeldDocument& document : documents) {
    w.u8(static_cast<std::uint8_t>(document.type));
    w.i64(document.block_unix_ns);
    w.blob(document.bytes);
  }
  w.blob(region ? ledger::encode(*region) : Bytes{});
  w.u32(static_cast<std::uint32_t>(region_places.size()));
  for (const RegionPlace& held : region_places) {
    w.u64(held.since_block);
    w.u64(held.place.block);
    w.u32(held.place.entry);
  }
  w.blob(genesis_.first);
  w.i64(genesis_.second);
  return snapshot;
}

Status HubStore::decode_state(ByteView state) {
  ByteReader in(state);
  if (in.u32() != kStateMagic) return Error{Code::kLedgerFormat, "the snapshot has another form"};
  TW_TRY(streams.decode(in, options_.lane));
  TW_TRY(receivers.decode(in));
  TW_TRY(progress.decode(in, options_.lane));
  TW_TRY(incidents.decode(in));
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const auto type = static_cast<EntryType>(in.u8());
    const std::int64_t time = in.i64();
    const ByteView bytes = in.blob();
    documents.push_back({type, Bytes(bytes.begin(), bytes.end()), time});
  }
  const ByteView version = in.blob();
  const std::uint32_t places = in.u32();
  for (std::uint32_t i = 0; i < places && in.ok(); ++i) {
    const std::uint64_t since = in.u64(), block = in.u64();
    region_places.push_back({since, {block, in.u32()}});
  }
  const ByteView genesis = in.blob();
  genesis_ = {Bytes(genesis.begin(), genesis.end()), in.i64()};
  if (!in.done()) return Error{Code::kLedgerFormat, "the snapshot is cut short"};
  if (!version.empty()) {
    TW_ASSIGN(region, ledger::decode_region_version(version));
  }
  return {};
}

Status HubStore::save(const std::optional<ledger::Snapshot>& snapshot) {
  TW_TRY(places_->write_sealed());
  TW_TRY(records_->write_files());
  return snapshot ? snapshots_.save(*snapshot) : Status();
}

Result<HubStore::HeldParcel> HubStore::read_parcel(const ledger::Place& place) const {
  HeldParcel held;
  TW_ASSIGN(held.block, log_->read(place.block));
  if (place.entry >= held.block->entries.size() || type_of(held.block->entries[place.entry]) != EntryType::kParcel)
    return Error{Code::kLedgerFormat, "there is no parcel at this place"};
  TW_ASSIGN(held.entry, ledger::decode_parcel(held.block->entries[place.entry].bytes));
  TW_ASSIGN(held.parcel, ParcelView::parse(held.entry.parcel));
  return held;
}

}  // namespace thalweg::app
