// outbox_hub.cc: what the hub says about parcels, and what follows (rules 4, 8 and 12).
#include <algorithm>

#include "base/log.h"
#include "gate/outbox.h"
#include "model/decision.h"
#include "model/parcel.h"
#include "trust/checkpoint.h"

namespace thalweg::gate {

void Outbox::fill(link::Hello& hello) const {
  hello.incarnation = state_.began() ? state_.incarnation : incarnation_;
  hello.ledger_id = state_.ledger_id;
  hello.outbox_head = state_.head();
  hello.outbox_root = state_.head_root;
  hello.lowest_held = state_.parcels.size() == 0 ? 0 : state_.first_held();
  if (!state_.checkpoint.empty()) {
    if (auto checkpoint = trust::decode_checkpoint(state_.checkpoint)) {
      hello.checkpoint_block = checkpoint->block;
      hello.checkpoint_hash = checkpoint->block_hash;
    }
  }
  // An acknowledgement names a block too, a later one: a hub restored since then cannot have it.
  const ledger::Place answer = state_.newest_answer;
  if (answer.block == 0) return;
  const auto block = log_->log().read(answer.block);
  if (!block || answer.entry >= (*block)->entries.size()) return;
  const auto entry = AcknowledgedEntry::decode((*block)->entries[answer.entry].bytes);
  if (!entry || entry->block <= hello.checkpoint_block) return;
  hello.checkpoint_block = entry->block;
  hello.checkpoint_hash = {};
}

Result<Hash256> Outbox::root_of(std::uint64_t number) {
  if (number == 0) return Hash256{};
  if (number == state_.head()) return state_.head_root;
  TW_ASSIGN(const SharedBytes bytes, parcel(number));
  TW_ASSIGN(const ParcelView view, ParcelView::parse(*bytes));
  return view.header.merkle_root;
}

Resume Outbox::on_welcome(const link::Welcome& welcome) {
  const Hash256 none{};
  if (state_.ledger_id != none && state_.ledger_id != welcome.ledger_id) {
    log::error("gate", "{}: this hub keeps another ledger than the one this gate belongs to; it is refused",
               name(options_.lane));
    return {Resume::How::kForeign, 0};
  }
  const bool learned = state_.ledger_id == none;
  const bool epoch_to_note = state_.epoch != welcome.epoch && incarnation_ == state_.incarnation;
  // Before the new epoch is noted: it is compared again until the new stream stands.
  if (!learned && epoch_to_note && welcome.accepted_head == 0 && !state_.former.empty()) {
    log::warning("gate",
                 "{}: the hub was restored from a copy that is older than this stream: what is held of the streams "
                 "before it is submitted anew",
                 name(options_.lane));
    begin_incarnation(IncarnationEntry::Why::kRefillAll, 0);
    return {Resume::How::kNewIncarnation, 0};
  }
  if (learned || epoch_to_note) {
    state_.ledger_id = welcome.ledger_id;  // needed for the next parcel's header; durable with the entry
    state_.epoch = welcome.epoch;
    write(OutboxType::kLedger, LedgerEntry{welcome.ledger_id, welcome.epoch, {}}.encode());
  }
  for (const link::Progress& one : welcome.progress) on_progress(one);
  if (incarnation_ != state_.incarnation) return {Resume::How::kNewIncarnation, 0};  // one is on its way already
  if (learned && next_number_ > 1) {
    // Parcels are signed for one ledger: those made before the hub was ever heard of are sealed anew.
    begin_incarnation(IncarnationEntry::Why::kLearned, 0);
    return {Resume::How::kNewIncarnation, 0};
  }

  const std::uint64_t hub = welcome.accepted_head;
  const bool beyond = hub > state_.head();
  const bool held_there = hub == 0 || hub >= state_.first_held();
  const Result<Hash256> own = beyond || !held_there ? Result<Hash256>(Hash256{}) : root_of(hub);
  if (!own && own.error().code == Code::kIo) {
    // Not to be taken for another root: nobody was set back.
    log::error("gate", "{}: parcel {} cannot be compared with the hub's: {}", name(options_.lane), hub,
               own.error().message);
    return {Resume::How::kLater, 0};
  }
  if (beyond || (held_there && (!own || *own != welcome.accepted_root))) {
    log::warning("gate",
                 "{}: the hub has parcel {} of this stream, this outbox ends at {}: it was restored from an older "
                 "copy; a new stream begins",
                 name(options_.lane), hub, state_.head());
    begin_incarnation(IncarnationEntry::Why::kRestored, state_.acknowledged);
    return {Resume::How::kNewIncarnation, 0};
  }
  if (hub + 1 < state_.first_held()) {
    log::warning("gate", "{}: the hub ends at parcel {}, this outbox begins at {}: what is held is submitted anew",
                 name(options_.lane), hub, state_.first_held());
    begin_incarnation(IncarnationEntry::Why::kRefillAll, 0);
    return {Resume::How::kNewIncarnation, 0};
  }
  if (hub < state_.acknowledged) {
    log::warning("gate", "{}: the hub lost acknowledged parcels {} to {}: it was restored; they are sent again",
                 name(options_.lane), hub + 1, state_.acknowledged);
    return {Resume::How::kHubBehind, hub + 1};
  }
  // Parcels that the hub has but whose answer was lost are sent again: it answers them with the stored verdicts.
  return {Resume::How::kContinue, state_.acknowledged + 1};
}

void Outbox::begin_incarnation(IncarnationEntry::Why why, std::uint64_t resubmit_after) {
  if (!state_.to_resubmit.empty()) {  // one after the other, or their order would be lost: the hub is asked again then
    ask_again_ = true;
    return;
  }
  IncarnationEntry entry;
  entry.incarnation = random_uuid_v7(with_.clock);
  entry.why = why;
  entry.previous = state_.incarnation;
  entry.resubmit_after = resubmit_after;
  entry.created_unix_ns = with_.clock.wall_unix_ns();
  incarnation_ = entry.incarnation;
  next_number_ = 1;
  last_root_ = {};
  write(OutboxType::kIncarnation, entry.encode(), [this](const Error* error) {
    if (error != nullptr) {  // the next WELCOME finds the same and tries again
      incarnation_ = state_.incarnation;
      next_number_ = state_.head() + 1;
      last_root_ = state_.head_root;
    } else if (options_.on_stream) {
      options_.on_stream();
    }
  });
}

bool Outbox::seal_anew(Code code) {
  if (held() || (state_.acknowledged == 0 && state_.why == IncarnationEntry::Why::kSealedAnew)) return false;
  log::warning("gate", "{}: the hub does not take parcels as they were sealed (code {}): they are sealed anew",
               name(options_.lane), static_cast<int>(code));
  begin_incarnation(IncarnationEntry::Why::kSealedAnew, state_.acknowledged);
  return true;
}

void Outbox::resubmit() {
  while (copies_under_way_ < state_.to_resubmit.size() && incarnation_ == state_.incarnation && !broken_ &&
         log_->waiting_bytes() < (4u << 20)) {
    OpenParcel copy;
    std::uint64_t number = 0;
    const auto fill = [&]() -> Status {
      TW_ASSIGN(const auto former, state_.to_resubmit.at(log_->log(), copies_under_way_));
      number = former.number;
      TW_ASSIGN(const Read entry, read(former.place));
      TW_ASSIGN(const ParcelView view, ParcelView::parse(entry.parcel));
      TW_ASSIGN(const ParcelBody body, ParcelBody::expand(view));
      for (std::size_t i = 0; i < body.count(); ++i) {
        copy.records.emplace_back(body.record(i).begin(), body.record(i).end());
        copy.raw_bytes += copy.records.back().size() + kLeafOverhead;
      }
      copy.count = body.count();
      return {};
    };
    if (Status filled = fill(); !filled) {
      log::error("gate", "{}: a parcel of a former stream cannot be read: {}", name(options_.lane),
                 filled.error().message);
      if (filled.error().code != Code::kIo) broken_ = filled.error();  // else tick() tries again
      return;
    }
    if (!seal(copy, number)) return;
  }
}

void Outbox::on_progress(const link::Progress& progress) {
  auto& far = state_.progress[progress.receiver];
  if (far.first == progress.in_inbox && far.second == progress.taken) return;
  far = {progress.in_inbox, progress.taken};
  progress_dirty_ = true;  // written with the next tick: the hub says it again in every WELCOME
}

void Outbox::on_checkpoint(ByteView signed_checkpoint) {
  auto fresh = trust::decode_checkpoint(signed_checkpoint);
  if (!fresh) return;
  if (!state_.checkpoint.empty()) {
    auto known = trust::decode_checkpoint(state_.checkpoint);
    if (known && trust::contradict(*known, *fresh)) {
      log::error("gate", "{}: the hub signed two different histories of its ledger at block {}; the first is kept",
                 name(options_.lane), fresh->block);
      return;
    }
    if (known && known->epoch == fresh->epoch && known->block >= fresh->block) return;
  }
  state_.checkpoint.assign(signed_checkpoint.begin(), signed_checkpoint.end());
  write(OutboxType::kLedger, LedgerEntry{state_.ledger_id, state_.epoch, state_.checkpoint}.encode());
}

Status Outbox::on_ack(const link::Ack& ack) {
  if (ack.code != Code::kOk || !state_.parcels.holds(ack.number)) return {};
  if (ack.number > answered_ + 1) return Error{Code::kBusy, "an answer before it was not kept"};
  AcknowledgedEntry entry;
  entry.number = ack.number;
  entry.block = ack.block;
  entry.entry = ack.entry;
  entry.block_unix_ns = ack.block_unix_ns;
  entry.verdicts = ack.verdicts;
  entry.decision = ack.decision;
  auto verdicts = ParcelVerdicts::decode(ByteView(ack.verdicts));
  if (verdicts && !verdicts->exceptions.empty()) {
    if (Status added = add_refused(*verdicts, ack.number, entry); !added) {
      if (added.error().code == Code::kIo) return added;
      // Damaged for good: asked again, the hub would say the same, and the lane would stand still for it.
      log::error("gate", "{}: what the hub refused of parcel {} cannot be kept as dead letters: {}",
                 name(options_.lane), ack.number, added.error().message);
    }
  }
  while (!recent_.empty() && recent_.begin()->first <= ack.number) {  // sent, and will not be sent again
    recent_bytes_ -= recent_.begin()->second->size();
    recent_.erase(recent_.begin());
  }
  TW_TRY(log_->submit({.type = static_cast<std::uint8_t>(OutboxType::kAcknowledged),
                       .bytes = entry.encode(),
                       .claim = ledger::Claim::kReserve,
                       .tag = next_tag_++,
                       .patient = true}));
  const bool again = ack.number <= answered_;
  answered_ = std::max(answered_, ack.number);
  if (again || !options_.on_refused) return {};
  for (const AcknowledgedEntry::Refused& refused : entry.refused) options_.on_refused(refused);
  return {};
}

Status Outbox::add_refused(const ParcelVerdicts& verdicts, std::uint64_t number, AcknowledgedEntry& entry) {
  TW_ASSIGN(entry.parcel, state_.parcels.find(log_->log(), number));
  TW_ASSIGN(const Read stored, read(entry.parcel));
  TW_ASSIGN(const ParcelView view, ParcelView::parse(stored.parcel));
  TW_ASSIGN(const ParcelBody body, ParcelBody::expand(view));
  RecordReader reader;
  for (const RecordVerdict& verdict : verdicts.exceptions) {
    // What the hub has already is where it should be.
    if (!is_refusal(verdict.code) || verdict.code == Code::kRecordDuplicate || verdict.index >= body.count()) continue;
    AcknowledgedEntry::Refused refused;
    refused.index = verdict.index;
    refused.code = verdict.code;
    refused.text = verdict.text;
    if (auto envelope = reader.read(body.record(verdict.index))) refused.record = envelope->record_id;
    if (verdict.index < stored.head.keys.size()) {
      const ParcelEntryHead::Key& key = stored.head.keys[verdict.index];
      refused.instance = stored.head.instances[key.instance];
      refused.origin_key = key.origin_key;
    }
    entry.refused.push_back(std::move(refused));
  }
  return {};
}

void Outbox::act(std::uint64_t letter, ActEntry::What what, std::string_view who, std::function<void(Status)> done) {
  const auto found = state_.letters.find(letter);
  if (found == state_.letters.end()) return done(Error{Code::kNotFound, "no such dead letter"});
  if (what == ActEntry::What::kRetry) {
    OpenParcel again;
    const auto fill = [&]() -> Status {
      if (!may_seal()) return Error{Code::kBusy, "the outbox is writing; try again"};
      TW_ASSIGN(const Read entry, read(found->second.parcel));
      TW_ASSIGN(const ParcelView view, ParcelView::parse(entry.parcel));
      TW_ASSIGN(const ParcelBody body, ParcelBody::expand(view));
      if (found->second.index >= body.count()) return Error{Code::kDamaged, "no such record in its parcel"};
      const ByteView record = body.record(found->second.index);
      again.records.emplace_back(record.begin(), record.end());
      again.raw_bytes = record.size() + kLeafOverhead;
      again.count = 1;
      return {};
    };
    if (Status filled = fill(); !filled) return done(std::move(filled));
    // First the record, then the act: a crash between them leaves the letter open, and nothing is lost.
    if (!open_.empty() && !seal(open_, 0)) return done(Error{Code::kBusy, "the outbox is writing; try again"});
    if (!seal(again, 0)) return done(Error{Code::kBusy, "the outbox is writing; try again"});
  }
  ActEntry entry;
  entry.letter = letter;
  entry.what = what;
  entry.who = who;
  entry.time_unix_ns = with_.clock.wall_unix_ns();
  write(OutboxType::kAct, entry.encode(),
        [done = std::move(done)](const Error* error) { done(error == nullptr ? Status() : Status(*error)); });
}

}  // namespace thalweg::gate
