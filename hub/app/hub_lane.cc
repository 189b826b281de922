#include "app/hub_lane.h"

#include <algorithm>

#include "base/invariant.h"
#include "base/log.h"
#include "trust/checkpoint.h"

namespace thalweg::app {

using ledger::EntryType;

namespace {

/// A stream is never forgotten: where it ends is needed if its gate is set back to an older copy. A gate begins a new
/// one when that happens, or when its parcels have to be sealed anew.
constexpr std::size_t kStreamsPerDay = 100;

std::string user_of(const std::string& party, const std::string& gate) { return party + "/" + gate; }

}  // namespace

HubLane::HubLane(Lane lane, HubLaneContext context, std::unique_ptr<HubStore> store, intake::PolicyPtr policy)
    : lane_(lane),
      context_(std::move(context)),
      loop_(lane == Lane::kUrgent ? "hub-urgent" : "hub-routine"),
      store_(std::move(store)),
      policy_(std::move(policy)),
      check_(store_->incidents),
      voice_(*context_.clock, lane, context_.hub, *context_.key),
      dispatcher_(store_->log(), store_->places(), store_->receivers, store_->progress),
      again_(loop_.io()) {
  voice_.resume(store_->streams);
}

HubLane::~HubLane() { stop(); }

void HubLane::start() {
  store_->start(*context_.clock,
                [this](const ledger::BlockOutcome& outcome) { loop_.post([this, outcome] { on_block(outcome); }); });
  loop_.start();
  running_ = true;
}

Status HubLane::listen(link::HubLinkOptions options) {
  options.lane = lane_;
  // On the loop: a gate that waited for this port is answered by handlers that already need link_.
  return loop_.run([&]() -> Status {
    TW_ASSIGN(link_, link::HubLink::start(loop_, *context_.clock, std::move(options), events()));
    return {};
  });
}

void HubLane::stop() {
  if (!std::exchange(running_, false)) return;
  // The link may only go while the loop runs; from here on nothing on the loop touches it.
  loop_.run([this] {
    stopping_ = true;
    again_.cancel();
    for (const auto& [receiver, session] : receiver_sessions_) dispatcher_.disconnect(receiver);
    receiver_sessions_.clear();
    gates_.clear();
  });
  link_.reset();
  store_->stop();
  loop_.stop();
  loop_.join();
}

link::HubLinkEvents HubLane::events() {
  link::HubLinkEvents events;
  events.on_hello = [this](const link::Session& session) {
    if (!stopping_) on_hello(session);
  };
  events.on_parcel = [this](const link::Session& session, link::Assembled assembled) {
    on_parcel(session, std::move(assembled));
  };
  events.on_settle = [this](const link::Session& session, const link::Settle& settle) { on_settle(session, settle); };
  events.on_lookup = [this](const link::Session& session, const link::Lookup& lookup) { on_lookup(session, lookup); };
  events.on_room = [this](const link::Session& session) {
    if (const auto at = gates_.find(session.handle); at != gates_.end() && at->second.receives) pump(at->second.party);
  };
  events.on_closed = [this](const link::Session& session, Code code) { on_closed(session, code); };
  events.on_fatal = [this](Error error) { context_.on_fatal(std::move(error)); };
  return events;
}

void HubLane::set_policy(intake::PolicyPtr policy) { policy_ = std::move(policy); }

// ---- parcels ----

void HubLane::on_parcel(const link::Session& session, link::Assembled assembled) {
  const auto at = gates_.find(session.handle);
  if (at == gates_.end()) return;
  const Gate& gate = at->second;
  auto bytes = std::make_shared<const Bytes>(std::move(assembled.bytes));
  const Result<ParcelView> parsed = ParcelView::parse(*bytes);
  if (!parsed) return refuse(session, assembled.number, parsed.error());
  const ParcelView& parcel = *parsed;
  const ParcelHeader& header = parcel.header;
  if (header.number != assembled.number || header.party != gate.party || header.gate != gate.gate ||
      header.incarnation != gate.incarnation || header.lane != lane_)
    return refuse(session, assembled.number, {Code::kParcelStream, "the parcel is of another stream than the session"});
  if (header.ledger_id != store_->log().id())
    return refuse(session, header.number, {Code::kParcelLedger, "the parcel was signed for another ledger"});

  if (halted_) return refuse(session, header.number, *halted_);
  switch (store_->streams.turn(header)) {
    case intake::Turn::kNext:
      break;
    case intake::Turn::kUnderWay:
      return answer_here(session, header);
    case intake::Turn::kRepeat:
      return repeat(session, parcel);
    case intake::Turn::kGap:
      ++counters_.gaps;
      return refuse(session, header.number, {Code::kParcelGap, "a parcel before this one is missing"});
    case intake::Turn::kConflict:
      return refuse(session, header.number,
                    {Code::kParcelConflict, "the parcel before this one has another root here"});
  }

  // Asked before anything is derived from the parcel: a lane that has to take numbers back takes no settlements the
  // while.
  const auto claim = lane_ == Lane::kUrgent ? ledger::Claim::kReserve : ledger::Claim::kNormal;
  if (const Status room = store_->commit().room(bytes->size(), claim); !room)
    return refuse(session, header.number, room.error());

  intake::CheckContext context;
  context.policy = policy_;
  context.now_unix_ns = now_unix_ns();
  if (const auto offset = link_->clock_offset(session.handle)) context.clock_offset_ns = offset->offset_ns;
  context.refilling = context_.refilling();
  Status looked_up;
  context.origin_of = [this, &looked_up](const RecordId& id) {
    auto origin = context_.origin_of(id);
    // A record that is damaged for good is as good as not there: its receipts may not hold up all that comes behind.
    if (!origin && origin.error().code != Code::kDamaged) looked_up = origin.error();
    return origin ? *std::move(origin) : std::nullopt;
  };
  context.known = [this, &looked_up](const RecordId& id) {
    const auto found = store_->find_record(id);
    if (!found) looked_up = found.error();
    return found && *found;
  };
  Result<intake::CheckedParcel> checked = check_.check(parcel, context);
  if (!checked) return refuse(session, header.number, checked.error());
  // A record that could not be looked up is not one that is not there: taken, it might come twice.
  if (!looked_up) return refuse(session, header.number, looked_up.error());
  if (!take_of(refusals_[header.party], checked->refused_bytes, context_.refused_quota_bytes))
    return refuse(session, header.number,
                  {Code::kParcelQuota, "too many refused records of this party are kept today"});
  if (header.number == 1 && !take_of(streams_begun_[user_of(header.party, header.gate)], 1, kStreamsPerDay)) {
    give_back(refusals_[header.party], checked->refused_bytes);
    return refuse(session, header.number, {Code::kParcelQuota, "this gate began too many streams today"});
  }

  UnderWay entry;
  entry.refused_bytes = checked->refused_bytes;
  entry.type = EntryType::kParcel;
  entry.session = session.handle;
  entry.header = header;
  entry.ids = std::move(checked->ids);
  entry.share = std::move(assembled.share);
  store_->receivers.give(checked->decision);
  for (const ReceiverSequence& s : checked->decision.sequences) entry.receivers.push_back(s.receiver);
  checked->verdicts.encode(entry.verdicts);
  checked->decision.encode(entry.decision);
  counters_.records += header.count;
  counters_.refused_records += checked->refused;
  counters_.marked_records += checked->marked;

  ledger::Submission submission;
  submission.type = static_cast<std::uint8_t>(EntryType::kParcel);
  submission.bytes = ledger::encode_parcel_head(checked->verdicts, checked->decision);
  submission.more = std::move(bytes);
  submission.claim = claim;
  store_->streams.take(header);
  ++counters_.parcels;
  submit(std::move(entry), std::move(submission));
}

void HubLane::say(HubEvent event) {
  std::erase_if(event.receivers,
                [&](const std::string& party) { return policy_->keys->gates(party).empty() || party == context_.hub; });
  auto spoken =
      halted_ ? Result<HubVoice::Spoken>(Error(*halted_)) : voice_.say(event, store_->streams, store_->log().id());
  if (!spoken) return log::error("hub", "the event {} is not recorded: {}", event.kind, spoken.error().message);
  Decision decision;
  if (!event.receivers.empty()) {
    for (const std::string& receiver : event.receivers) decision.sequences.push_back({receiver, 0});
    decision.grants.push_back({"", 0, 0, {{0, 1}}, event.receivers});
    store_->receivers.give(decision);
  }
  UnderWay entry;
  entry.type = EntryType::kParcel;
  entry.header = spoken->header;
  entry.ids = {spoken->record};
  entry.receivers = std::move(event.receivers);
  ledger::Submission submission;
  submission.type = static_cast<std::uint8_t>(EntryType::kParcel);
  submission.bytes = ledger::encode_parcel_head({}, decision);
  submission.more = std::make_shared<const Bytes>(std::move(spoken->parcel));
  submission.claim = ledger::Claim::kReserve;
  store_->streams.take(entry.header);
  submit(std::move(entry), std::move(submission));
}

// The stored verdicts answer a repeat, so that a gate that did not hear the first answer learns the same.
void HubLane::repeat(const link::Session& session, const ParcelView& parcel) {
  ++counters_.repeats;
  const auto place = store_->places().find(intake::stream_key(parcel.header), parcel.header.number);
  if (!place) return refuse(session, parcel.header.number, {Code::kInternal, "the parcel is not in the index"});
  const auto held = store_->read_parcel(*place);
  if (!held) return refuse(session, parcel.header.number, held.error());
  if (held->parcel.header.merkle_root != parcel.header.merkle_root)
    return refuse(session, parcel.header.number, {Code::kParcelConflict, "this number was used with other content"});
  link::Ack ack;
  ack.number = parcel.header.number;
  ack.block = place->block;
  ack.entry = place->entry;
  ack.block_unix_ns = held->block->info.time_unix_ns;
  held->entry.verdicts.encode(ack.verdicts);
  held->entry.decision.encode(ack.decision);
  link_->ack(session.handle, ack);
}

// Sent again over a new line while it is being written: nobody listens any more where it came from first.
void HubLane::answer_here(const link::Session& session, const ParcelHeader& header) {
  const auto at = std::find_if(under_way_.begin(), under_way_.end(), [&](const UnderWay& entry) {
    return entry.type == EntryType::kParcel && entry.header.number == header.number &&
           entry.header.stream() == header.stream();
  });
  THALWEG_INVARIANT(at != under_way_.end());
  if (at->header.merkle_root != header.merkle_root)
    return refuse(session, header.number, {Code::kParcelConflict, "this number was used with other content"});
  at->session = session.handle;
}

void HubLane::refuse(const link::Session& session, std::uint64_t number, const Error& error) {
  ++counters_.refused_parcels;
  ++counters_.refused_by_code[error.code];
  if (log_limit_.admit(context_.clock->steady_ns()))
    log::warning("hub", "parcel {} of {} refused: {}; {} lines like this were left out before it", number, session.user,
                 error.message, log_limit_.suppressed());
  link::Ack ack;
  ack.number = number;
  ack.code = error.code;
  ack.text = error.message.substr(0, link::kMaxTextBytes);
  link_->ack(session.handle, ack);
}

bool HubLane::take_of(Quota& quota, std::size_t amount, std::size_t most) const {
  const std::int64_t day = context_.clock->wall_unix_ns() / 86'400'000'000'000;
  if (quota.day != day) quota = {day, 0};
  if (quota.used + amount > most) return false;
  quota.used += amount;
  return true;
}

void HubLane::give_back(Quota& quota, std::size_t amount) { quota.used -= std::min(quota.used, amount); }

// ---- the ledger ----

void HubLane::submit(UnderWay entry, ledger::Submission submission) {
  submission.tag = entry.tag = ++last_tag_;
  const Status taken = halted_ ? Status(Error(*halted_)) : store_->commit().submit(std::move(submission));
  if (taken) {
    under_way_.push_back(std::move(entry));
    return;
  }
  if (!halted_ && log_limit_.admit(context_.clock->steady_ns()))
    log::error("ledger", "lane {}: nothing is accepted: {}", name(lane_), taken.error().message);
  halted_ = taken.error();
  answer_lost(entry, *halted_);
  end_halt();
}

// A stream may have no hole: after a failure nothing is taken until all that was under way is answered; then what was
// derived from entries that are not in the ledger never happened, and the gates send it again.
void HubLane::end_halt() {
  if (!halted_ || !under_way_.empty()) return;
  store_->streams.take_back();
  store_->receivers.take_back();
  store_->commit().resume();
  halted_.reset();
}

void HubLane::answer_lost(UnderWay& entry, const Error& error) {
  if (entry.type == EntryType::kParcel && entry.header.party == context_.hub) {
    log::error("hub", "an event of the hub is not recorded: {}", error.message);
  } else if (entry.type == EntryType::kParcel) {
    const ParcelHeader& header = entry.header;
    give_back(refusals_[header.party], entry.refused_bytes);
    if (header.number == 1) give_back(streams_begun_[user_of(header.party, header.gate)], 1);
    link::Ack ack;
    ack.number = header.number;
    ack.code = error.code;
    ack.text = error.message.substr(0, link::kMaxTextBytes);
    link_->ack(entry.session, ack);
  } else if (entry.type == EntryType::kSettlement) {
    if (const auto at = gates_.find(entry.session); at != gates_.end()) {
      Gate& gate = at->second;
      gate.settling = false;
      if (!gate.waiting) gate.waiting = std::move(entry.settlement);
      try_again();
    }
  } else if (entry.done) {
    entry.done(error);
  }
}

void HubLane::on_block(const ledger::BlockOutcome& outcome) {
  if (stopping_) return;  // what is in the ledger is found there at the next start
  if (outcome.error) {
    if (!halted_ && log_limit_.admit(context_.clock->steady_ns()))
      log::error("ledger", "lane {}: nothing is accepted: {}", name(lane_), outcome.error->message);
    halted_ = outcome.error;
    for (const std::uint64_t tag : outcome.tags) {
      THALWEG_INVARIANT(!under_way_.empty() && under_way_.front().tag == tag);
      answer_lost(under_way_.front(), *outcome.error);
      under_way_.pop_front();
    }
    // What a failed sync left on the disk nobody knows: only a start that reads it again can go on.
    if (outcome.error->code == Code::kSyncFailed) return context_.on_fatal(*outcome.error);
    return end_halt();
  }
  store_->follow(*outcome.block);
  const std::uint64_t block = outcome.block->info.number;
  const std::int64_t time = outcome.block->info.time_unix_ns;
  // Entries of the block that are not ours: the checkpoint that opens a segment comes first.
  const std::uint32_t own = static_cast<std::uint32_t>(outcome.tags.size());
  const std::uint32_t skipped = static_cast<std::uint32_t>(outcome.block->entries.size()) - own;
  std::set<std::string> receivers;
  std::set<StreamId> moved;
  for (std::uint32_t i = 0; i < own; ++i) {
    THALWEG_INVARIANT(!under_way_.empty());
    UnderWay entry = std::move(under_way_.front());
    under_way_.pop_front();
    const ledger::Place place{block, skipped + i};
    if (entry.type == EntryType::kParcel) {
      on_parcel_written(entry, place, time);
      receivers.insert(entry.receivers.begin(), entry.receivers.end());
    } else if (entry.type == EntryType::kSettlement) {
      ++counters_.settlements;
      moved.merge(store_->progress.settled(entry.settlement.receiver, entry.settlement.sequence,
                                           entry.settlement.taken_sequence));
      if (const auto at = gates_.find(entry.session); at != gates_.end()) {
        at->second.settling = false;
        submit_settlement(at->second);
      }
    } else if (entry.done) {
      entry.done({});
    }
  }
  for (const std::string& receiver : receivers) pump(receiver);
  tell_progress(moved);
  end_halt();
  keep_house();
}

void HubLane::on_parcel_written(UnderWay& entry, const ledger::Place& place, std::int64_t time) {
  for (std::uint32_t i = 0; i < entry.ids.size(); ++i)
    if (!entry.ids[i].is_zero()) store_->records().add(entry.ids[i], {place, i});
  if (entry.header.party == context_.hub) return;  // nobody waits for the answer
  link::Ack ack;
  ack.number = entry.header.number;
  ack.block = place.block;
  ack.entry = place.entry;
  ack.block_unix_ns = time;
  ack.verdicts = std::move(entry.verdicts);
  ack.decision = std::move(entry.decision);
  link_->ack(entry.session, ack);
}

void HubLane::append(EntryType type, Bytes bytes, std::function<void(Status)> done) {
  if (Status good = ledger::readable(type, bytes); !good) {
    log::error("ledger", "lane {}: an entry is not written: {}", name(lane_), good.error().message);
    return done(std::move(good));
  }
  UnderWay entry;
  entry.type = type;
  entry.done = std::move(done);
  ledger::Submission submission;
  submission.type = static_cast<std::uint8_t>(type);
  submission.bytes = std::move(bytes);
  submission.claim = ledger::Claim::kReserve;
  submit(std::move(entry), std::move(submission));
}

void HubLane::change(intake::PolicyPtr policy, std::vector<SystemEntry> entries, std::function<void(Status)> done) {
  now_unix_ns();
  for (const SystemEntry& entry : entries)
    if (Status good = ledger::readable(entry.type, entry.bytes); !good) return done(std::move(good));
  const intake::PolicyPtr before = std::exchange(policy_, std::move(policy));
  auto outcome = std::make_shared<Status>();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const bool last = i + 1 == entries.size();
    append(entries[i].type, std::move(entries[i].bytes),
           [this, before, outcome, first = i == 0, done = last ? done : nullptr](Status status) {
             // What was submitted behind a failed entry failed with it, so nothing stands on the policy that goes.
             if (!status && first) policy_ = before;
             if (!status && *outcome) *outcome = std::move(status);
             if (done) done(*outcome);
           });
  }
}

// No earlier than the last block: the next one will not be, and what is judged now is judged by its time.
std::int64_t HubLane::now_unix_ns() {
  return last_now_ = std::max({last_now_, context_.clock->wall_unix_ns(), store_->log().head().time_unix_ns});
}

void HubLane::keep_house() {
  if (const bool doubtful = store_->commit().clock_doubtful(); doubtful != std::exchange(doubt_told_, doubtful))
    if (doubtful) say({.kind = "clock_doubtful"});
  if (saving_) return;
  auto snapshot = store_->snapshot_due();
  if (const bool indexes = store_->indexes_due(); !snapshot && !indexes) return;
  saving_ = true;
  context_.keep([this, snapshot = std::move(snapshot)] {
    if (Status saved = store_->save(snapshot); !saved)
      log::warning("ledger", "no snapshot or index was saved: {}", saved.error().message);
    loop_.post([this] { saving_ = false; });
  });
}

Bytes HubLane::checkpoint() const {
  const ledger::BlockInfo head = store_->log().head();
  return trust::sign_checkpoint({store_->log().id(), lane_, head.epoch, head.number, head.hash, head.time_unix_ns},
                                *context_.key);
}

}  // namespace thalweg::app
