// inbox.cc: see inbox.h.
#include "gate/inbox.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/log.h"

namespace thalweg::gate {
namespace {
constexpr std::int64_t kDayNs = 86'400'000'000'000;
constexpr std::int64_t kHourNs = 3'600'000'000'000;
constexpr std::size_t kRecentBytes = 8u << 20;
}  // namespace

bool InboxItem::was_held(std::uint32_t index) const { return std::binary_search(held.begin(), held.end(), index); }

Result<InboxItemRef> open_item(const ledger::BlockPtr& block, std::uint32_t entry) {
  if (entry >= block->entries.size()) return Error{Code::kDamaged, "no such entry in the inbox"};
  ByteReader in(block->entries[entry].bytes);
  TW_ASSIGN(auto head, DeliveryEntryHead::decode(in));
  auto item = std::make_shared<InboxItem>();
  item->held = std::move(head.held);
  item->doubt = head.code;
  item->doubt_text = std::move(head.text);
  item->received_unix_ns = block->info.time_unix_ns;
  if (auto delivered = Delivered::open(block, in.raw(in.left())))
    item->delivered = *std::move(delivered);
  else if (item->doubt == Code::kOk)
    return std::move(delivered).error();
  return InboxItemRef(std::move(item));
}

Result<std::unique_ptr<Inbox>> Inbox::open(FileSystem& files, const Path& folder, const Clock& clock, Loop& loop,
                                           const GateConfig& config, const GateTrust& trust, ReceiptBook& receipts,
                                           InboxOptions options) {
  std::unique_ptr<Inbox> self(new Inbox({files, clock, loop, trust, receipts}, config, std::move(options)));
  AppliedLogOptions log;
  ByteWriter genesis(log.genesis);
  genesis.short_text("inbox");
  genesis.short_text(config.party);
  genesis.short_text(config.gate);
  genesis.u8(static_cast<std::uint8_t>(self->options_.lane));
  log.thread_name = "inbox-" + std::string(name(self->options_.lane));
  log.reserve_percent = config.reserve_percent;
  log.sync_delay_ns = self->options_.sync_delay_ns;
  log.segment_bytes = self->options_.segment_bytes;
  log.lock_folder = self->options_.lock_folder;
  TW_ASSIGN(self->log_, AppliedLog::open(files, folder, clock, loop, std::move(log), *self));
  self->with_.receipts.read_from(self->options_.lane, self->log_->shared_log());
  if (std::exchange(self->begins_anew_, false)) {
    log::error(
        "gate",
        "{} inbox: the snapshot is lost that told what was dropped; its {} deliveries are given to adapters again, "
        "dead letters that were closed are open again",
        name(self->options_.lane), self->state_.deliveries.size());
    if (Status saved = self->log_->snapshot(); !saved)
      log::warning("gate", "{} inbox: they come again at the next start too: {}", name(self->options_.lane),
                   saved.error().message);
  }
  self->state_.forget_before(self->log_->log().first_block());
  self->held_ = self->state_.held;
  self->stored_epoch_ = self->state_.epoch;
  self->stored_sequence_ = self->state_.last_sequence;
  self->recent_.clear();
  self->recent_bytes_ = 0;
  return self;
}

// ---- the hub ----

void Inbox::fill(link::Hello& hello) const {
  hello.inbox_epoch = state_.epoch;
  hello.inbox_sequence = state_.last_sequence;
  hello.inbox_fresh = state_.fresh;
}

void Inbox::on_welcome(const link::Welcome& welcome) {
  session_epoch_ = welcome.epoch;
  expected_ = welcome.next_sequence;
  if (!state_.fresh && welcome.epoch == stored_epoch_ && expected_ > stored_sequence_ + 1) {
    log::error("gate", "{} inbox: ends at delivery {}, but the hub goes on at {}: what lies between is missing here",
               name(options_.lane), stored_sequence_, expected_);
  }
  told_ = {};  // a session that ended may not have heard the last settlement
  if (options_.on_stand && !state_.fresh) options_.on_stand(told_ = stand());
}

Status Inbox::on_delivery(std::uint64_t sequence, Bytes bytes) {
  auto shared = std::make_shared<const Bytes>(std::move(bytes));
  const auto refused = [&](Error error) {
    give_back(shared->size());
    return error;
  };
  const auto delivery = Delivery::decode(*shared);
  if (!delivery) return refused(delivery.error());
  if (sequence != expected_ || delivery->sequence != sequence || delivery->epoch != session_epoch_) {
    return refused({Code::kLinkFrame,
                    "delivery " + std::to_string(sequence) + " comes where " + std::to_string(expected_) + " is due"});
  }
  ++expected_;
  pending_.push_back({delivery->epoch, sequence, std::move(shared)});
  store_pending();
  return {};
}

// Also for what was lost: the hub sends it again, and what is not given back is missing in every session to come.
void Inbox::give_back(std::uint64_t bytes) {
  if (options_.on_taken) options_.on_taken(bytes);
}

bool Inbox::full() {
  if (log_->log().total_bytes() <= config_.inbox_bytes) return false;
  return options_.lane != Lane::kUrgent;  // urgent ones may go over; the disk's reserve is their bound
}

void Inbox::store_pending() {
  while (!pending_.empty() && !broken_ && !full()) {
    if (Status stored = store(pending_.front()); !stored) {
      // No room now, or what is held cannot be read: it stays here, the hub gets no credit for it, and tick() tries
      // again.
      if (!told_no_room_) log::warning("gate", "{} inbox: {}", name(options_.lane), stored.error().message);
      told_no_room_ = true;
      return;
    }
    told_no_room_ = false;
    pending_.pop_front();
  }
}

bool Inbox::is_receipt(ByteView record) {
  // Few records are: the search for the name costs a tenth of reading the envelope.
  static const std::boyer_moore_horspool_searcher name(kReceiptType.begin(), kReceiptType.end());
  const std::string_view text = as_text(record);
  if (std::search(text.begin(), text.end(), name) == text.end()) return false;
  const auto envelope = reader_.read(record);
  return envelope && envelope->type == kReceiptType;
}

namespace {

OriginKeys::Key key_of(const Envelope& envelope) {
  return OriginKeys::of(envelope.party, as_text(envelope.record_id.bytes));
}
/// Of a parcel by its number, and of the very parcel.
OriginKeys::Key key_of(const ParcelHeader& header, bool with_root) {
  const StreamId stream = header.stream();
  std::string key = stream.gate + " " + std::to_string(header.number) + " ";
  key += as_text(stream.incarnation.bytes);
  if (with_root) key += as_text(header.merkle_root);
  return OriginKeys::of(stream.party, key);
}

}  // namespace

void Inbox::know(const Delivered& delivered, std::int64_t received_unix_ns) {
  for (const bool with_root : {false, true}) known_->add(key_of(delivered.header(), with_root), received_unix_ns);
  for (const Delivered::Record& record : delivered.records())
    if (auto envelope = reader_.read(record.bytes)) known_->add(key_of(*envelope), received_unix_ns);
}

// What cannot be read now is read again with the next call, which goes on there: an inbox may hold gigabytes.
Status Inbox::know_all() {
  if (!known_) {
    known_.emplace(config_.origin_keys, config_.keep_days * kDayNs);
    unknown_from_ = state_.first_ordinal();
  }
  if (unknown_from_ == 0) return {};
  const auto take = [this](const InboxItem& item) {
    if (item.delivered && item.doubt == Code::kOk) know(*item.delivered, item.received_unix_ns);
  };
  for (; unknown_from_ <= state_.last_ordinal(); ++unknown_from_) {
    const auto held = item(unknown_from_);
    if (held) {
      take(**held);
    } else if (held.error().code != Code::kNotFound && held.error().code != Code::kDamaged) {
      return held.error();
    }
  }
  for (const InboxItemRef& item : under_way_) take(*item);
  unknown_from_ = 0;
  return {};
}

/// The records that are not held. Those of a stream that goes on are told by their place in it, which is enough until
/// machines are set back to older copies:
/// - A gate that was set back sends again, in a new stream, what came in its former one. A hub that was set back too
///   does not know these any more; they are told by their ids.
/// - When the hub is set back further than the gate, nobody tells the gate that its stream went on: it gives numbers to
///   other parcels a second time. The root tells these apart, and their records are told by their ids.
/// Errors: what is held cannot be read now.
Result<std::vector<std::uint32_t>> Inbox::fresh_of(const Delivered& delivered) {
  const ParcelHeader& header = delivered.header();
  std::vector<std::uint32_t> indexes;
  for (const Delivered::Record& record : delivered.records()) indexes.push_back(record.index);
  auto fresh = held_.missing(header.stream(), header.number, header.count, indexes);
  const bool again = fresh.size() < indexes.size(), resubmitted = (header.flags & ParcelHeader::kResubmission) != 0;
  if (!again && !resubmitted) return fresh;
  TW_TRY(know_all());
  const bool reused = again && *known_->holds(key_of(header, false)) && !*known_->holds(key_of(header, true));
  if (reused) fresh = std::move(indexes);
  if (!reused && !resubmitted) return fresh;
  std::erase_if(fresh, [&](std::uint32_t index) {
    const auto record = std::ranges::lower_bound(delivered.records(), index, {}, &Delivered::Record::index);
    const auto envelope = reader_.read(record->bytes);
    return envelope && *known_->holds(key_of(*envelope));
  });
  return fresh;
}

Status Inbox::store(const Pending& pending) {
  const std::uint64_t size = pending.bytes->size();
  if (pending.epoch == stored_epoch_ && pending.sequence <= stored_sequence_) {
    ++counters_.skipped;
    give_back(size);
    return {};
  }
  DeliveryEntryHead head;
  const ByteView bytes(*pending.bytes);
  auto opened = Delivered::open(pending.bytes, bytes);
  std::vector<std::uint32_t> indexes;
  if (!opened) {
    head.code = opened.error().code;
    head.text = opened.error().message;
  } else if (!(*opened)->withdrawn()) {
    if (Status judged = with_.trust.judge(**opened); !judged) {
      head.code = judged.error().code;
      head.text = judged.error().message;
    }
    head.records = static_cast<std::uint32_t>((*opened)->records().size());
    for (const Delivered::Record& record : (*opened)->records()) {
      indexes.push_back(record.index);
      if (is_receipt(record.bytes)) head.flags |= DeliveryEntryHead::kReceipts;
    }
  }
  const bool believed = opened && head.code == Code::kOk && !(*opened)->withdrawn();
  InboxType type = InboxType::kDelivery;
  Bytes entry;
  if (believed) {
    const ParcelHeader& header = (*opened)->header();
    const bool replay = ((*opened)->delivery().flags & Delivery::kReplay) != 0;
    std::vector<std::uint32_t> fresh = indexes;
    if (!replay) {
      TW_ASSIGN(fresh, fresh_of(**opened));
    }
    if (fresh.empty()) {
      type = InboxType::kSkipped;
      entry = SkippedEntry{pending.epoch, pending.sequence, header.merkle_root}.encode();
      ++counters_.skipped;
    } else {
      std::set_difference(indexes.begin(), indexes.end(), fresh.begin(), fresh.end(), std::back_inserter(head.held));
      counters_.repeated_records += head.held.size();
    }
  }
  if (type == InboxType::kDelivery) entry = head.encode();

  const std::uint64_t tag = next_tag_++;
  const auto claim = options_.lane == Lane::kUrgent ? ledger::Claim::kReserve : ledger::Claim::kNormal;
  TW_TRY(log_->submit({.type = static_cast<std::uint8_t>(type),
                       .bytes = std::move(entry),
                       .more = type == InboxType::kDelivery ? pending.bytes : nullptr,
                       .claim = claim,
                       .tag = tag}));
  completions_.emplace(tag, [this, size](const Error*) { give_back(size); });
  stored_epoch_ = pending.epoch;
  stored_sequence_ = pending.sequence;
  if (believed) {
    if (known_) know(**opened, with_.clock.wall_unix_ns());
    const ParcelHeader& header = (*opened)->header();
    if ((*opened)->part() != nullptr) {
      held_.add(header.stream(), header.number, header.count, indexes);
    } else {
      held_.add_whole(header.stream(), header.number);
    }
  }
  if (type == InboxType::kDelivery) {
    auto item = std::make_shared<InboxItem>();
    if (opened) item->delivered = *opened;
    item->held = std::move(head.held);
    item->doubt = head.code;
    item->doubt_text = std::move(head.text);
    item->received_unix_ns = with_.clock.wall_unix_ns();
    under_way_.push_back(std::move(item));
    ++counters_.deliveries;
    if (head.code != Code::kOk) {
      ++counters_.doubtful;
      log::error("gate", "{} inbox: delivery {} cannot be believed and is kept apart: {}", name(options_.lane),
                 pending.sequence, under_way_.back()->doubt_text);
    }
  }
  return {};
}

InboxStand Inbox::stand() const {
  InboxStand stand;
  stand.epoch = state_.epoch;
  stand.sequence = state_.last_sequence;
  stand.taken = state_.taken_sequence(options_.sinks);
  stand.dead = static_cast<std::uint32_t>(state_.next_letter - 1);
  stand.root = state_.last_root;
  return stand;
}

// ---- the log ----

Status Inbox::apply(const ledger::EntryRef& entry, ledger::Place place, std::int64_t time_unix_ns) {
  // Ordinals and numbers of letters count from the front. Without it those in the log name other deliveries and other
  // letters, and believing them would pass over records that nobody took.
  const bool counts = entry.type != static_cast<std::uint8_t>(InboxType::kDelivery) &&
                      entry.type != static_cast<std::uint8_t>(InboxType::kSkipped);
  if (begins_anew_ && counts) return {};
  TW_TRY(state_.apply(entry.type, entry.bytes, place, time_unix_ns));
  if (entry.type != static_cast<std::uint8_t>(InboxType::kDelivery)) return {};
  ByteReader in(entry.bytes);
  TW_ASSIGN(const auto head, DeliveryEntryHead::decode(in));
  InboxItemRef item;
  if (!under_way_.empty()) {
    item = std::move(under_way_.front());
    under_way_.pop_front();
  }
  if ((head.flags & DeliveryEntryHead::kReceipts) != 0 && head.code == Code::kOk) {
    auto delivered = item ? item->delivered : nullptr;
    if (!delivered) {
      TW_ASSIGN(delivered, Delivered::open(nullptr, in.raw(in.left())));
    }
    for (const Delivered::Record& record : delivered->records()) {
      if (!is_receipt(record.bytes)) continue;
      if (auto envelope = reader_.read(record.bytes)) with_.receipts.add(options_.lane, place, record.index, *envelope);
    }
  }
  if (item && item->delivered) remember(state_.last_ordinal(), std::move(item));
  return {};
}

void Inbox::remember(std::uint64_t ordinal, InboxItemRef item) {
  recent_bytes_ += item->delivered->size_bytes();
  recent_[ordinal] = item;
  while (recent_bytes_ > kRecentBytes && recent_.size() > 1) {
    recent_bytes_ -= recent_.begin()->second->delivered->size_bytes();
    recent_.erase(recent_.begin());
  }
  if (options_.on_item) options_.on_item(ordinal, item);
}

void Inbox::settled(std::uint64_t tag, const Error* error) {
  auto found = completions_.find(tag);
  if (found == completions_.end()) return;
  auto done = std::move(found->second);
  completions_.erase(found);
  done(error);
}

void Inbox::block_done() {
  const InboxStand now = stand();
  if (!state_.fresh && now != told_) {
    told_ = now;
    ++counters_.settled;
    if (options_.on_stand) options_.on_stand(now);
  }
  if (options_.on_block) options_.on_block();
  log_->snapshot_if_due();
  if (!pending_.empty()) store_pending();
}

void Inbox::write_failed(const Error& error) {
  if (log_limit_.admit(with_.clock.steady_ns()))
    log::error("gate", "{} inbox: {}; {} lines like this were left out before it", name(options_.lane), error.message,
               log_limit_.suppressed());
  under_way_.clear();
  held_ = state_.held;
  known_.reset();
  stored_epoch_ = state_.epoch;
  stored_sequence_ = state_.last_sequence;
  for (const Pending& lost : std::exchange(pending_, {})) give_back(lost.bytes->size());
  expected_ = 0;  // what was lost comes again with the next session: nothing was settled
  if (error.code == Code::kSyncFailed) broken_ = error;
  if (options_.on_fatal) options_.on_fatal(error);
}

void Inbox::encode_state(Bytes& out) const {
  state_.encode(out);
  with_.receipts.encode(options_.lane, out);
}
bool Inbox::decode_state(ByteReader& in) { return state_.decode(in) && with_.receipts.decode(options_.lane, in); }
void Inbox::clear_state() { state_ = InboxState(); }

void Inbox::write(InboxType type, Bytes bytes, std::function<void(const Error*)> done, bool patient) {
  const std::uint64_t tag = next_tag_++;
  Status taken = log_->submit({.type = static_cast<std::uint8_t>(type),
                               .bytes = std::move(bytes),
                               .claim = ledger::Claim::kReserve,
                               .tag = tag,
                               .patient = patient});
  if (!taken) {
    if (done) done(&taken.error());
  } else if (done) {
    completions_.emplace(tag, std::move(done));
  }
}

Result<InboxItemRef> Inbox::item(std::uint64_t ordinal) {
  if (auto found = recent_.find(ordinal); found != recent_.end()) return found->second;
  TW_ASSIGN(const auto place, state_.deliveries.find(log_->log(), ordinal));
  TW_ASSIGN(const auto block, log_->log().read(place.block));
  return open_item(block, place.entry);
}

void Inbox::act_doubtful(const InboundLetter& letter, ActEntry::What what, std::string_view who,
                         std::function<void(Status)> done) {
  ActEntry act;
  act.letter = letter.id;
  act.what = what;
  act.who = who;
  act.time_unix_ns = with_.clock.wall_unix_ns();
  if (what == ActEntry::What::kRetry) {
    auto stored = item(letter.ordinal);
    if (!stored) return done(std::move(stored).error());
    if (!(*stored)->delivered) return done(Error{letter.code, letter.text});
    const Delivered& delivered = *(*stored)->delivered;
    if (Status judged = with_.trust.judge(delivered); !judged) return done(std::move(judged));
    // Believed now: it enters the inbox as a delivery of its own, behind what has come since.
    const ParcelHeader& header = delivered.header();
    std::vector<std::uint32_t> indexes;
    for (const Delivered::Record& record : delivered.records()) indexes.push_back(record.index);
    const auto fresh = fresh_of(delivered);
    if (!fresh) return done(fresh.error());
    DeliveryEntryHead head;
    head.flags = DeliveryEntryHead::kAgain;
    head.records = static_cast<std::uint32_t>(indexes.size());
    std::set_difference(indexes.begin(), indexes.end(), fresh->begin(), fresh->end(), std::back_inserter(head.held));
    Bytes delivery;
    delivered.delivery().encode(delivery);
    auto bytes = std::make_shared<const Bytes>(std::move(delivery));
    auto again = std::make_shared<InboxItem>(**stored);
    again->held = head.held;
    again->doubt = Code::kOk;
    const std::uint64_t tag = next_tag_++;
    Status taken = log_->submit({.type = static_cast<std::uint8_t>(InboxType::kDelivery),
                                 .bytes = head.encode(),
                                 .more = bytes,
                                 .claim = ledger::Claim::kReserve,
                                 .tag = tag});
    if (!taken) return done(std::move(taken));
    under_way_.push_back(std::move(again));
    if (known_) know(delivered, with_.clock.wall_unix_ns());
    held_.add(header.stream(), header.number, header.count, indexes);
    write(InboxType::kTaken, TakenEntry{letter.id}.encode());
  }
  write(InboxType::kAct, act.encode(),
        [done = std::move(done)](const Error* error) { done(error == nullptr ? Status() : Status(*error)); });
}

void Inbox::tick() {
  store_pending();
  const std::int64_t now = with_.clock.steady_ns();
  const bool over = log_->log().total_bytes() > config_.inbox_bytes;
  if (now < next_expiry_ns_ && !over) return;
  next_expiry_ns_ = now + kHourNs;
  if (log_->clock_doubtful()) return;  // rule 26
  // Kept: what a sink has not answered, open dead letters, and everything younger than keep_days (unless it is full).
  const std::int64_t since = over ? INT64_MAX : with_.clock.wall_unix_ns() - config_.keep_days * kDayNs;
  std::uint64_t ordinal = state_.last_ordinal() + 1;
  for (const std::string& sink : options_.sinks) {
    const auto cursor = state_.cursors.find(sink);
    ordinal = std::min(ordinal, cursor == state_.cursors.end() ? state_.first_ordinal() : cursor->second.ordinal);
  }
  for (const auto& [id, letter] : state_.letters)
    ordinal = std::min(ordinal, std::max(letter.ordinal, state_.first_ordinal()));
  const std::uint64_t keep = state_.deliveries.first_block_of(ordinal, since, log_->log().head().number + 1);
  if (auto first = log_->drop_before(keep)) state_.forget_before(*first);
}

}  // namespace thalweg::gate
