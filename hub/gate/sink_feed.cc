// sink_feed.cc: see sink_feed.h.
#include "gate/sink_feed.h"

#include <algorithm>

#include "base/log.h"

namespace thalweg::gate {
namespace {
constexpr std::size_t kBatchBytes = 4u << 20;
// Beyond the deadline that the plugin was told: time for the runner to notice, answer and be scheduled.
constexpr std::int64_t kGraceNs = 15'000'000'000;
constexpr std::int64_t kMsNs = 1'000'000;
constexpr std::int64_t kSaveAgainNs = 1'000'000'000;
}  // namespace

void SinkFeed::attach(SendBatch send, bool exercise_aware) {
  send_ = std::move(send);
  exercise_aware_ = exercise_aware;
  if (!placed_) {
    placed_ = true;
    if (auto found = inbox_.state().cursors.find(adapter_.instance); found != inbox_.state().cursors.end()) {
      saved_ = found->second;
    } else {
      saved_.ordinal = inbox_.state().first_ordinal();
    }
    ordinal_ = std::max(saved_.ordinal, inbox_.state().first_ordinal());
    position_ = 0;  // fill() passes by what stands before the cursor's index
  }
  pump();
}

void SinkFeed::detach(bool crashed, std::string_view why) {
  send_ = nullptr;
  const std::int64_t now = clock_.wall_unix_ns();
  const auto blame = [&](Item& item) {
    ++item.attempts;
    if (item.first_attempt_unix_ns == 0) item.first_attempt_unix_ns = now;
    wait_after(item);
  };
  if (crashed && out_ > 0) {
    alone_ = true;
    last_problem_ = why;
    Item& first = waiting_.front();
    blame(first);
    if (used_up(first, now)) {
      refused(first, Code::kPluginCrashed, why);
      waiting_.erase(waiting_.begin());
    }
    out_ = 0;
    save_cursor();
  }
  for (Item& item : letter_out_) {
    if (crashed) refused(item, Code::kPluginCrashed, why);
  }
  letter_out_.clear();
  out_ = 0;
}

bool SinkFeed::overdue() const {
  if (out_ == 0 && letter_out_.empty()) return false;
  return clock_.steady_ns() - sent_steady_ns_ > adapter_.limits.deliver_timeout_ms * kMsNs + kGraceNs;
}

std::uint64_t SinkFeed::lag() const {
  const std::uint64_t last = inbox_.state().last_ordinal();
  const std::uint64_t at = waiting_.empty() ? ordinal_ : waiting_.front().ordinal;
  return at > last ? 0 : last - at + 1;
}

void SinkFeed::pump() {
  save_again();
  if (!send_ || out_ > 0 || !letter_out_.empty() || !letters_are_safe()) return;
  if (clock_.steady_ns() < not_before_ns_) return;
  fill();
  if (waiting_.empty()) {
    next_letter();
    save_cursor();
    return;
  }
  const std::size_t most = alone_ ? 1 : adapter_.limits.deliver_batch;
  std::vector<Item> batch(waiting_.begin(),
                          waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(most, waiting_.size())));
  if (send(batch)) out_ = batch.size();
}

void SinkFeed::fill() {
  std::size_t bytes = 0;
  for (const Item& item : waiting_) bytes += item.from->delivered->records()[item.position].bytes.size();
  const std::uint64_t last = inbox_.state().last_ordinal();
  while (waiting_.size() < adapter_.limits.deliver_batch && bytes < kBatchBytes && ordinal_ <= last) {
    auto item = inbox_.item(ordinal_);
    const bool gone = !item && item.error().code == Code::kNotFound;
    if (gone || (item && ((*item)->doubt != Code::kOk || (*item)->delivered->records().empty()))) {
      ++ordinal_;
      position_ = 0;
      continue;
    }
    if (!item) {
      if (last_problem_ != item.error().message) {
        last_problem_ = item.error().message;
        log::error("gate", "adapter {}: delivery {} cannot be read: {}", adapter_.instance, ordinal_, last_problem_);
      }
      return;
    }
    const auto& records = (*item)->delivered->records();
    const bool replay = ((*item)->delivered->delivery().flags & Delivery::kReplay) != 0;
    for (; position_ < records.size(); ++position_) {
      if (waiting_.size() >= adapter_.limits.deliver_batch || bytes >= kBatchBytes) return;
      const Delivered::Record& record = records[position_];
      if (ordinal_ == saved_.ordinal && record.index < saved_.index) continue;
      if ((*item)->was_held(record.index)) continue;
      auto envelope = reader_.read(record.bytes);
      if (!envelope || !adapter_.receive.admits(envelope->type, envelope->subject)) continue;
      if (!envelope->exercise.empty() && !exercise_aware_) {
        if (counters_.exercises_passed_by++ == 0) {
          log::warning("gate", "adapter {} has not declared that it can tell exercises from reality: it is given none",
                       adapter_.instance);
        }
        continue;
      }
      Item next;
      next.ordinal = ordinal_;
      next.index = record.index;
      next.position = position_;
      next.record = envelope->record_id;
      next.from = *item;
      next.replay = replay;
      if (ordinal_ == saved_.ordinal && record.index == saved_.index) {
        next.attempts = saved_.attempts;
        next.first_attempt_unix_ns = saved_.first_attempt_unix_ns;
      }
      bytes += record.bytes.size();
      waiting_.push_back(std::move(next));
    }
    ++ordinal_;
    position_ = 0;
  }
}

bool SinkFeed::next_letter() {
  if (inbox_.state().retrying == 0) return false;
  for (const auto& [id, letter] : inbox_.state().letters) {
    if (!letter.retrying || letter.instance != adapter_.instance) continue;
    auto item = inbox_.item(letter.ordinal);
    if (!item) continue;
    Item again;
    again.ordinal = letter.ordinal;
    again.index = letter.index;
    again.attempts = letter.attempts;
    again.letter = id;
    again.record = letter.record;
    again.from = *item;
    again.replay = true;
    const auto& records = (*item)->delivered->records();
    const auto at =
        std::find_if(records.begin(), records.end(), [&again](const auto& r) { return r.index == again.index; });
    if (at == records.end()) continue;
    again.position = static_cast<std::uint32_t>(at - records.begin());
    letter_out_ = {std::move(again)};
    if (!send(letter_out_)) letter_out_.clear();
    return true;
  }
  return false;
}

bool SinkFeed::send(std::vector<Item>& items) {
  link::LocalDeliver deliver;
  deliver.batch = ++batch_;
  deliver.deadline_ms = static_cast<std::uint32_t>(adapter_.limits.deliver_timeout_ms);
  for (const Item& item : items) {
    link::LocalDeliver::One one;
    one.attempt = item.attempts + 1;
    one.flags = item.replay ? link::LocalDeliver::kReplay : 0;
    one.record = item.from->delivered->records()[item.position].bytes;
    deliver.records.push_back(one);
  }
  if (!send_(deliver)) return false;
  sent_steady_ns_ = clock_.steady_ns();
  counters_.delivered += items.size();
  return true;
}

bool SinkFeed::used_up(const Item& item, std::int64_t now) const {
  return item.attempts >= rule_.max_attempts ||
         (item.first_attempt_unix_ns != 0 && now - item.first_attempt_unix_ns > rule_.max_age_ms * kMsNs);
}

void SinkFeed::wait_after(const Item& item) {
  std::int64_t delay = rule_.first_delay_ms;
  for (std::uint32_t i = 1; i < item.attempts && delay < rule_.longest_delay_ms; ++i) delay *= 2;
  not_before_ns_ = clock_.steady_ns() + std::min(delay, rule_.longest_delay_ms) * kMsNs;
}

void SinkFeed::refused(Item& item, Code code, std::string_view text) {
  ++counters_.dead;
  LetterEntry letter;
  letter.instance = adapter_.instance;
  letter.ordinal = item.ordinal;
  letter.index = item.index;
  letter.record = item.record;
  letter.code = code;
  letter.text = text;
  letter.attempts = item.attempts;
  log::warning("gate", "adapter {}: record {} is a dead letter: {}", adapter_.instance, item.record.text(), text);
  save(InboxType::kLetter, letter.encode());
}

Status SinkFeed::on_verdicts(const link::LocalVerdicts& verdicts) {
  const std::size_t due = letter_out_.empty() ? out_ : letter_out_.size();
  if (verdicts.batch != batch_ || verdicts.verdicts.size() != due || due == 0) {
    return Error{Code::kPluginContract, "verdicts for another batch than the one that is out"};
  }
  const std::int64_t now = clock_.wall_unix_ns();
  if (!letter_out_.empty()) {
    Item item = std::move(letter_out_.front());
    letter_out_.clear();
    const auto& one = verdicts.verdicts.front();
    ++item.attempts;
    if (one.answer == link::Answer::kAccepted) {
      ++counters_.accepted;
      save(InboxType::kTaken, TakenEntry{item.letter}.encode());
    } else {
      refused(item, one.code == Code::kOk ? Code::kAdapterRejected : one.code, one.reason);
    }
    wait_after(Item{});
    return {};
  }
  std::vector<Item> left;
  for (std::size_t i = 0; i < out_; ++i) {
    const auto& one = verdicts.verdicts[i];
    Item& item = waiting_[i];
    switch (one.answer) {
      case link::Answer::kAccepted:
        ++counters_.accepted;
        break;
      case link::Answer::kRejected:
        ++counters_.rejected;
        ++item.attempts;
        refused(item, one.code == Code::kOk ? Code::kAdapterRejected : one.code, one.reason);
        break;
      case link::Answer::kRetry:
        if (left.empty()) {  // those behind it only wait for it
          ++counters_.retried;
          ++item.attempts;
          if (item.first_attempt_unix_ns == 0) item.first_attempt_unix_ns = now;
          last_problem_ = one.reason;
          wait_after(item);
          if (used_up(item, now)) {
            const bool by_count = item.attempts >= rule_.max_attempts;
            refused(item, by_count ? Code::kAttemptsExhausted : Code::kAgeExhausted, one.reason);
            break;
          }
        }
        left.push_back(std::move(item));
        break;
    }
  }
  if (left.empty()) {
    alone_ = false;
    not_before_ns_ = 0;
    last_problem_.clear();
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(out_));
  waiting_.insert(waiting_.begin(), std::make_move_iterator(left.begin()), std::make_move_iterator(left.end()));
  out_ = 0;
  save_cursor();
  pump();
  return {};
}

void SinkFeed::save_cursor() {
  InboxState::Cursor now;
  if (!waiting_.empty()) {
    const Item& first = waiting_.front();
    now = {first.ordinal, first.index, first.attempts, first.first_attempt_unix_ns};
  } else {
    now.ordinal = ordinal_;
    now.index = 0;
    // In the middle of a delivery whose next records have not been looked at.
    if (position_ > 0) {
      if (auto item = inbox_.item(ordinal_)) now.index = (*item)->delivered->records()[position_].index;
    }
  }
  if (now.ordinal == saved_.ordinal && now.index == saved_.index && now.attempts == saved_.attempts) return;
  saved_ = now;
  save(InboxType::kCursor,
       CursorEntry{adapter_.instance, now.ordinal, now.index, now.attempts, now.first_attempt_unix_ns}.encode());
}

void SinkFeed::save(InboxType type, Bytes bytes) {
  const bool replaces = type == InboxType::kCursor && !saving_.empty() && saving_.back()->type == type &&
                        !saving_.back()->under_way && !saving_.back()->durable;
  if (replaces) {
    saving_.back()->bytes = std::move(bytes);
  } else {
    saving_.push_back(std::make_shared<Saving>(Saving{type, std::move(bytes)}));
  }
  save_again();
}

// Entries are lost only together with all that were written behind them, so they are in order at every moment.
void SinkFeed::save_again() {
  while (!saving_.empty() && saving_.front()->durable) saving_.pop_front();
  const std::int64_t now = clock_.steady_ns();
  for (const auto& one : saving_) {
    if (one->under_way || one->durable) continue;
    if (now < one->not_before_ns) return;
    one->not_before_ns = now + kSaveAgainNs;
    one->under_way = true;
    inbox_.write(
        one->type, one->bytes,
        [weak = std::weak_ptr<Saving>(one)](const Error* error) {
          const auto there = weak.lock();
          if (there == nullptr) return;
          there->under_way = false;
          there->durable = error == nullptr;
        },
        one->type == InboxType::kCursor);
    if (!one->under_way) return;
  }
}

bool SinkFeed::letters_are_safe() const {
  return std::all_of(saving_.begin(), saving_.end(),
                     [](const auto& one) { return one->durable || one->type == InboxType::kCursor; });
}

void SinkFeed::act(const InboundLetter& letter, ActEntry::What what, std::string_view who,
                   std::function<void(Status)> done) {
  ActEntry entry;
  entry.letter = letter.id;
  entry.what = what;
  entry.who = who;
  entry.time_unix_ns = clock_.wall_unix_ns();
  inbox_.write(InboxType::kAct, entry.encode(),
               [done = std::move(done)](const Error* error) { done(error == nullptr ? Status() : Status(*error)); });
}

}  // namespace thalweg::gate
