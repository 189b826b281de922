// outbox.cc: taking, sealing and storing. What the hub says is in outbox_hub.cc.
#include "gate/outbox.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "model/parcel.h"
#include "trust/checkpoint.h"
#include "trust/seal.h"

namespace thalweg::gate {
namespace {
// Above this, whole parcels wait unsealed and callers are asked to wait.
constexpr std::size_t kWaitingHigh = 6u << 20;
constexpr std::int64_t kDayNs = 86'400'000'000'000;
constexpr std::int64_t kHourNs = 3'600'000'000'000;
}  // namespace

Outbox::Outbox(Opened opened, const GateConfig& config, const trust::SigningKey& key, const SchemaSet& schemas,
               OutboxOptions options)
    : with_(std::move(opened)),
      config_(config),
      key_(key),
      options_(std::move(options)),
      maker_(config, options_.lane, with_.clock, schemas),
      state_(config.origin_keys, config.keep_days * kDayNs, {&with_.files, with_.folder / "keys"}) {}

Outbox::~Outbox() = default;

Result<std::unique_ptr<Outbox>> Outbox::open(FileSystem& files, const Path& folder, const Clock& clock, Loop& loop,
                                             const GateConfig& config, const trust::SigningKey& key,
                                             const SchemaSet& schemas, OutboxOptions options) {
  std::unique_ptr<Outbox> self(new Outbox({files, clock, loop, folder}, config, key, schemas, std::move(options)));
  AppliedLogOptions log;
  ByteWriter genesis(log.genesis);
  genesis.short_text("outbox");
  genesis.short_text(config.party);
  genesis.short_text(config.gate);
  genesis.u8(static_cast<std::uint8_t>(self->options_.lane));
  log.thread_name = "outbox-" + std::string(name(self->options_.lane));
  log.reserve_percent = config.reserve_percent;
  log.sync_delay_ns = self->options_.sync_delay_ns;
  log.segment_bytes = self->options_.segment_bytes;
  log.lock_folder = self->options_.lock_folder;
  TW_ASSIGN(self->log_, AppliedLog::open(files, folder, clock, loop, std::move(log), *self));
  self->state_.forget_before(self->log_->log().first_block());
  self->next_number_ = self->state_.head() + 1;
  self->last_root_ = self->state_.head_root;
  self->incarnation_ = self->state_.incarnation;
  self->answered_ = self->state_.acknowledged;
  Hash256& ledger_id = self->state_.ledger_id;
  if (ledger_id == Hash256{}) ledger_id = self->options_.ledger_id;
  if (self->options_.ledger_id != Hash256{} && ledger_id != self->options_.ledger_id) {
    return Error{Code::kLedgerForeign, "the outbox belongs to another ledger than the hub card names"};
  }
  if (!self->state_.began()) self->begin_incarnation(IncarnationEntry::Why::kFirst, 0);
  if (self->held()) self->resubmit();
  return self;
}

// ---- taking ----

void Outbox::submit(const Submitter& who, std::span<const link::LocalDraft> drafts,
                    std::function<void(Submission&)> answered) {
  auto submission = std::make_shared<Submission>();
  submission->outcomes.resize(drafts.size());
  submission->open = drafts.size() + 1;  // one more, so that the answer does not come before all were looked at
  std::vector<OriginKeys::Key> hashes(drafts.size());  // zero where no key was given
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (drafts[i].origin_key.empty()) continue;
    hashes[i] = OriginKeys::of(who.instance, drafts[i].origin_key);
    state_.keys.expect(hashes[i]);
  }
  bool full = false;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    submission->outcomes[i].ticket = drafts[i].ticket;
    if (full) {  // what stands behind one that has to come again waits too, or their order would be lost
      submission->settle(i, link::Answer::kRetry, Code::kBusy, "a record before this one has to come again");
      continue;
    }
    take(who, drafts[i], hashes[i], submission, i);
    full = submission->outcomes[i].code == Code::kBusy || submission->outcomes[i].code == Code::kOutboxFull ||
           submission->outcomes[i].code == Code::kDiskFull;
  }
  submission->answered = std::move(answered);
  if (--submission->open == 0 && submission->answered) submission->answered(*submission);
  schedule_flush();
}

void Outbox::take(const Submitter& who, const link::LocalDraft& draft, const OriginKeys::Key& hash,
                  const SubmissionRef& submission, std::size_t index) {
  const auto refuse = [&](link::Answer answer, const Error& error) {
    ++(answer == link::Answer::kRejected ? counters_.rejected : counters_.busy);
    submission->settle(index, answer, error.code, error.message);
  };
  if (Status allowed = maker_.permit(who, draft); !allowed) return refuse(link::Answer::kRejected, allowed.error());
  auto id = maker_.id_of(who, draft);
  if (!id) return refuse(link::Answer::kRejected, id.error());

  if (!draft.origin_key.empty()) {
    const auto held = state_.keys.holds(hash);
    if (!held) return refuse(link::Answer::kRetry, {Code::kBusy, "origin keys: " + held.error().message});
    if (*held) {
      ++counters_.repeated;
      submission->outcomes[index].id = *id;
      return submission->settle(index, link::Answer::kAccepted, Code::kRecordDuplicate);
    }
    if (auto found = on_the_way_.find(hash); found != on_the_way_.end()) {
      submission->outcomes[index].id = *id;
      found->second.push_back({submission, index});
      return;
    }
  }
  if (auto full = no_room()) return refuse(link::Answer::kRetry, *full);

  if (open_.count == open_.records.size()) open_.records.emplace_back();
  Bytes& record = open_.records[open_.count];
  if (Status made = maker_.make(who, draft, *id, record); !made) {
    return refuse(link::Answer::kRejected, made.error());
  }
  submission->outcomes[index].id = *id;
  append(who, draft, hash, record, {submission, index});
}

std::optional<Error> Outbox::no_room() {
  if (broken_) return broken_;
  if (incarnation_.is_zero()) return Error{Code::kBusy, "the outbox could not be begun; it is tried again"};
  const std::uint64_t limit = config_.outbox_bytes;
  // The urgent lane has a folder of its own, so a full routine outbox never stops it; the disk's reserve is in the log.
  if (log_->log().total_bytes() > limit) {
    retire();
    if (log_->log().total_bytes() > limit) {
      return Error{Code::kOutboxFull,
                   "the outbox holds " + std::to_string(limit >> 20) + " MiB that the hub has not taken yet"};
    }
  }
  if (open_.raw_bytes >= config_.parcel_bytes && !may_seal()) return Error{Code::kBusy, "the outbox is writing"};
  return std::nullopt;
}

void Outbox::append(const Submitter& who, const link::LocalDraft& draft, const OriginKeys::Key& hash, Bytes& record,
                    Waiter waiter) {
  const std::size_t size = record.size() + kLeafOverhead;
  const bool other = open_.count > 0 && (open_.type != draft.type ||
                                         open_.raw_bytes + size > std::max<std::size_t>(config_.parcel_bytes, size) ||
                                         open_.count >= config_.parcel_records);
  if (other) {
    Bytes kept = std::move(record);
    if (!may_seal() || !seal(open_, 0)) {
      // What is open stays so; only this one has to come again.
      ++counters_.busy;
      waiter.submission->settle(waiter.index, link::Answer::kRetry, Code::kBusy, "the outbox is writing");
      return;
    }
    if (open_.records.empty()) open_.records.emplace_back();
    open_.records[0] = std::move(kept);
  }
  if (open_.count == 0) open_.type = draft.type;
  ++open_.count;
  open_.raw_bytes += size;
  auto instance = std::find(open_.instances.begin(), open_.instances.end(), who.instance);
  if (instance == open_.instances.end()) instance = open_.instances.insert(instance, who.instance);
  open_.keys.push_back({static_cast<std::uint16_t>(instance - open_.instances.begin()), std::string(draft.origin_key)});
  open_.hashes.push_back(hash);
  open_.waiters.push_back(std::move(waiter));
  if (hash != OriginKeys::Key{}) on_the_way_.try_emplace(hash);
}

bool Outbox::congested() const {
  return broken_.has_value() || held() || log_->waiting_bytes() + open_.raw_bytes > kWaitingHigh;
}

// ---- sealing ----

bool Outbox::held() const { return incarnation_ != state_.incarnation || !state_.to_resubmit.empty(); }

bool Outbox::may_seal() const {
  return !broken_ && (state_.to_resubmit.empty() || copies_under_way_ == state_.to_resubmit.size()) &&
         (incarnation_ == state_.incarnation || !state_.began()) && log_->waiting_bytes() < kWaitingHigh;
}

void Outbox::schedule_flush() {
  if (flush_scheduled_ || open_.empty()) return;
  flush_scheduled_ = true;
  // Posted, so that frames that have arrived already go into the same parcel; nothing waits for company that is not
  // here.
  with_.loop.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired()) return;
    flush_scheduled_ = false;
    if (parcels_under_way_ == 0) flush();
  });
}

void Outbox::flush() {
  if (!open_.empty() && may_seal()) seal(open_, 0);
}

bool Outbox::seal(OpenParcel& parcel, std::uint64_t copy_of) {
  ParcelHeader header;
  header.lane = options_.lane;
  const std::int64_t now = with_.clock.wall_unix_ns();
  // After a restore, sources may bring what only the hub remembers: it looks every record up for as long as origin keys
  // would have been remembered here.
  const bool restored = state_.why == IncarnationEntry::Why::kRestored ||
                        state_.why == IncarnationEntry::Why::kRefill || state_.why == IncarnationEntry::Why::kRefillAll;
  const bool unsure = state_.began() && restored && now < state_.began_unix_ns + config_.keep_days * kDayNs;
  if (copy_of != 0 || unsure) header.flags |= ParcelHeader::kResubmission;
  header.ledger_id = state_.ledger_id;
  header.party = config_.party;
  header.gate = config_.gate;
  header.incarnation = incarnation_;
  header.number = next_number_;
  header.previous_root = last_root_;
  header.sent_unix_ns = now;
  if (!state_.checkpoint.empty()) {
    if (auto checkpoint = trust::decode_checkpoint(state_.checkpoint)) {
      header.checkpoint_block = checkpoint->block;
      header.checkpoint_hash = checkpoint->block_hash;
    }
  }
  std::vector<ByteView> records(parcel.records.begin(),
                                parcel.records.begin() + static_cast<std::ptrdiff_t>(parcel.count));
  auto sealed = trust::seal_parcel(header, records, key_, Compression::kLz4);
  if (!sealed) {
    fail(parcel, sealed.error());
    return false;
  }
  auto bytes = std::make_shared<const Bytes>(*std::move(sealed));
  ParcelEntryHead head;
  head.copy_of = copy_of;
  head.instances = parcel.instances;
  head.keys = std::move(parcel.keys);

  auto under_way = std::make_shared<OpenParcel>();
  under_way->type = parcel.type;
  under_way->count = parcel.count;
  under_way->raw_bytes = parcel.raw_bytes;
  under_way->hashes = std::move(parcel.hashes);
  under_way->waiters = std::move(parcel.waiters);
  parcel.clear();

  const std::uint64_t tag = next_tag_++;
  const auto claim = options_.lane == Lane::kUrgent ? ledger::Claim::kReserve : ledger::Claim::kNormal;
  Status taken = log_->submit({.type = static_cast<std::uint8_t>(OutboxType::kParcel),
                               .bytes = head.encode(),
                               .more = bytes,
                               .claim = claim,
                               .tag = tag});
  if (!taken) {
    fail(*under_way, taken.error());
    return false;
  }
  ++parcels_under_way_;
  if (copy_of != 0) ++copies_under_way_;
  const std::uint64_t number = next_number_++;
  last_root_ = header.merkle_root;
  completions_.emplace(tag, [this, under_way, number, bytes, copy_of, stream = incarnation_](const Error* error) {
    --parcels_under_way_;
    if (copy_of != 0) --copies_under_way_;
    if (error != nullptr) {
      fail(*under_way, *error);
    } else {
      // One block may hold a parcel and, behind it, the beginning of a new stream, where its number is another's.
      if (stream == state_.incarnation) keep_in_memory(number, bytes);
      stored(*under_way, *bytes);
    }
  });
  return true;
}

void Outbox::fail(OpenParcel& parcel, const Error& error) {
  for (std::size_t i = 0; i < parcel.waiters.size(); ++i) {
    ++counters_.busy;
    Waiter& waiter = parcel.waiters[i];
    std::vector<Waiter> others;
    if (auto found = on_the_way_.find(parcel.hashes[i]); found != on_the_way_.end()) {
      others = std::move(found->second);
      on_the_way_.erase(found);
    }
    if (waiter.submission) waiter.submission->settle(waiter.index, link::Answer::kRetry, error.code, error.message);
    for (Waiter& other : others) {
      other.submission->settle(other.index, link::Answer::kRetry, error.code, error.message);
    }
  }
  parcel.clear();
}

void Outbox::stored(OpenParcel& parcel, ByteView bytes) {
  ++counters_.parcels;
  counters_.accepted += parcel.waiters.size();
  counters_.raw_bytes += parcel.raw_bytes;
  counters_.stored_bytes += bytes.size();
  for (std::size_t i = 0; i < parcel.waiters.size(); ++i) {
    Waiter& waiter = parcel.waiters[i];
    std::vector<Waiter> others;
    if (auto found = on_the_way_.find(parcel.hashes[i]); found != on_the_way_.end()) {
      others = std::move(found->second);
      on_the_way_.erase(found);
    }
    if (waiter.submission) waiter.submission->settle(waiter.index, link::Answer::kAccepted, Code::kOk);
    for (Waiter& other : others) {
      ++counters_.repeated;
      other.submission->settle(other.index, link::Answer::kAccepted, Code::kRecordDuplicate);
    }
  }
}

// ---- the log ----

Status Outbox::apply(const ledger::EntryRef& entry, ledger::Place place, std::int64_t time_unix_ns) {
  const bool stream = entry.type == static_cast<std::uint8_t>(OutboxType::kIncarnation);
  TW_TRY(state_.apply(entry.type, entry.bytes, place, time_unix_ns));
  if (stream) {
    recent_.clear();
    recent_bytes_ = 0;
    answered_ = 0;
  }
  return {};
}

void Outbox::settled(std::uint64_t tag, const Error* error) {
  auto found = completions_.find(tag);
  if (found == completions_.end()) return;
  auto done = std::move(found->second);
  completions_.erase(found);
  done(error);
}

void Outbox::block_done() {
  if (!state_.to_resubmit.empty() && !copies_wait_) resubmit();
  if (state_.to_resubmit.empty() && std::exchange(ask_again_, false) && options_.on_stream) options_.on_stream();
  if (parcels_under_way_ == 0) flush();
  if (options_.on_stored) options_.on_stored();
  if (options_.on_room && !congested()) options_.on_room();
  log_->snapshot_if_due();
}

void Outbox::write_failed(const Error& error) {
  if (log_limit_.admit(with_.clock.steady_ns()))
    log::error("gate", "{} outbox: {}; {} lines like this were left out before it", name(options_.lane), error.message,
               log_limit_.suppressed());
  next_number_ = state_.head() + 1;
  last_root_ = state_.head_root;
  incarnation_ = state_.incarnation;
  const bool answers_lost = answered_ != state_.acknowledged;
  answered_ = state_.acknowledged;
  if (answers_lost && options_.on_answers_lost) options_.on_answers_lost();
  copies_wait_ = true;
  fail(open_, error);  // what came behind the lost records comes again behind them, or their order would be lost
  if (error.code == Code::kSyncFailed) {
    broken_ = error;
    if (options_.on_fatal) options_.on_fatal(error);
  }
}

void Outbox::write(OutboxType type, Bytes bytes, std::function<void(const Error*)> done) {
  const std::uint64_t tag = next_tag_++;
  Status taken = log_->submit({.type = static_cast<std::uint8_t>(type),
                               .bytes = std::move(bytes),
                               .claim = ledger::Claim::kReserve,
                               .tag = tag,
                               .patient = done == nullptr});
  if (!taken) {
    if (done) done(&taken.error());
    return;
  }
  if (done) completions_.emplace(tag, std::move(done));
}

void Outbox::keep_in_memory(std::uint64_t number, SharedBytes parcel) {
  constexpr std::size_t kRecentBytes = 8u << 20;
  recent_bytes_ += parcel->size();
  recent_.emplace(number, std::move(parcel));
  while (recent_bytes_ > kRecentBytes && recent_.size() > 1) {
    recent_bytes_ -= recent_.begin()->second->size();
    recent_.erase(recent_.begin());
  }
}

Result<Outbox::Read> Outbox::read(ledger::Place place) const {
  Read out;
  TW_ASSIGN(out.block, log_->log().read(place.block));
  if (place.entry >= out.block->entries.size()) return Error{Code::kDamaged, "no such entry in the outbox"};
  ByteReader in(out.block->entries[place.entry].bytes);
  TW_ASSIGN(out.head, ParcelEntryHead::decode(in));
  out.parcel = in.raw(in.left());
  return out;
}

Result<SharedBytes> Outbox::parcel(std::uint64_t number) {
  if (auto found = recent_.find(number); found != recent_.end()) return found->second;
  TW_ASSIGN(const auto place, state_.parcels.find(log_->log(), number));
  TW_ASSIGN(const Read entry, read(place));
  return SharedBytes(std::make_shared<const Bytes>(entry.parcel.begin(), entry.parcel.end()));
}

void Outbox::tick() {
  if (incarnation_.is_zero() && !broken_) begin_incarnation(IncarnationEntry::Why::kFirst, 0);
  if (progress_dirty_) {
    progress_dirty_ = false;
    ProgressEntry entry;
    for (const auto& [receiver, far] : state_.progress) entry.receivers.push_back({receiver, far.first, far.second});
    write(OutboxType::kProgress, entry.encode());
  }
  copies_wait_ = false;
  if (!state_.to_resubmit.empty()) resubmit();
  flush();
  const std::int64_t now = with_.clock.steady_ns();
  if (now < next_expiry_ns_) return;
  next_expiry_ns_ = now + kHourNs;
  if (log_->clock_doubtful()) return;  // rule 26: nothing expires by a clock that jumped
  const std::int64_t wall = with_.clock.wall_unix_ns();
  state_.keys.expire(wall);
  const std::uint64_t keep = state_.first_needed_block(wall - config_.keep_days * kDayNs, log_->log().head().number);
  if (auto first = log_->drop_before(keep)) state_.forget_before(*first);
}

void Outbox::retire() {
  // Full: what the hub has acknowledged goes early. It was kept only in case the hub loses its own copy.
  const std::uint64_t keep = state_.first_needed_block(INT64_MAX, log_->log().head().number);
  const std::uint64_t before = log_->log().first_block();
  auto first = log_->drop_before(keep);
  if (!first) return;
  state_.forget_before(*first);
  if (*first > before)
    log::warning("gate", "{} outbox: full, acknowledged parcels were dropped early", name(options_.lane));
}

}  // namespace thalweg::gate
