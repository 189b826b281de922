#include "storm/origin.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "link/local_socket.h"

namespace thalweg::storm {
namespace {
constexpr auto kPause = std::chrono::milliseconds(5);
constexpr auto kPatience = std::chrono::seconds(20);
constexpr std::uint64_t kBehindMost = 500;  // records at once of a station that is behind
}  // namespace

void Origin::start() {
  begin_ = SteadyClock::now();
  thread_ = std::thread([this] { run(); });
}

void Origin::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Origin::fail(std::string why) {
  failure_ = settings_.name + ": " + std::move(why);
  failed_ = true;
}

SteadyClock::time_point Origin::due(std::uint64_t i) const {
  return begin_ + std::chrono::duration_cast<SteadyClock::duration>(
                      std::chrono::duration<double>(static_cast<double>(i) / settings_.per_second));
}

std::uint64_t Origin::due_count() const {
  const std::chrono::duration<double> since = SteadyClock::now() - begin_;
  return static_cast<std::uint64_t>(since.count() * settings_.per_second) + 1;
}

std::uint64_t Origin::released() const { return std::min(wanted_.load(), paced() ? due_count() : released_.load()); }

/// Until the next record may go, or a while.
void Origin::rest() {
  const auto most = SteadyClock::now() + kPause;
  std::this_thread::sleep_until(paced() && accepted_.size() < wanted_ ? std::min(most, due(accepted_.size())) : most);
}

void Origin::run() {
  while (!stopping_ && !done()) {
    if (!converse()) std::this_thread::sleep_for(kPause);  // the gate is being started
  }
}

/// After the gate was started again: whoever is connected was so before it was set back.
void Origin::go_back() {
  const std::int64_t to = rewind_to_.exchange(-1);
  if (to < 0 || static_cast<std::uint64_t>(to) >= accepted_.size()) return;
  if (accepted_.size() > before_.size()) before_ = accepted_;
  accepted_.resize(static_cast<std::size_t>(to));
  accepted_count_ = accepted_.size();
}

void Origin::waited(std::uint64_t first) {
  const std::chrono::nanoseconds time(SteadyClock::now() - due(first));
  longest_wait_ns_ = std::max<std::int64_t>(longest_wait_ns_.load(), time.count());
  if (!settings_.keep_waits) return;
  const std::lock_guard lock(waits_mutex_);
  waits_ms_.push_back(static_cast<double>(time.count()) / 1e6);
}

std::vector<double> Origin::take_waits_ms() {
  const std::lock_guard lock(waits_mutex_);
  return std::exchange(waits_ms_, {});
}

/// One connection, until it breaks.
bool Origin::converse() {
  auto client = link::BlockingLocalClient::connect(settings_.socket);
  if (!client) return false;
  go_back();
  std::mt19937 random(settings_.seed + static_cast<std::uint32_t>(accepted_.size()));
  bool again = true;  // what stood in the last batch may have been accepted without our hearing it
  while (!stopping_ && !done()) {
    const std::uint64_t from = accepted_.size();
    std::uint64_t to = from + 1 + random() % settings_.batch_most;
    // With one batch under way, small ones would bound the rate by the time of an answer, and once behind it would stay
    // so.
    if (paced() && released() > from + 2 * settings_.batch_most) to = from + kBehindMost;
    to = std::min<std::uint64_t>(released(), to);
    if (to <= from) {
      rest();
      continue;
    }
    std::vector<std::string> keys, data;
    for (std::uint64_t i = from; i < to; ++i) {
      keys.push_back(settings_.name + "-" + std::to_string(i));
      data.push_back(settings_.data(i));
    }
    link::LocalSubmit submit;
    for (std::uint64_t i = from; i < to; ++i) {
      link::LocalDraft draft;
      draft.ticket = i;
      draft.lane = settings_.lane;
      draft.type = settings_.type;
      draft.subject = settings_.subject;
      draft.time = "2026-09-23T06:00:00+08:00";
      draft.origin_key = keys[i - from];
      draft.data = data[i - from];
      submit.drafts.push_back(draft);
    }
    Bytes frame;
    submit.encode(frame);
    if (!client->send(frame)) return false;
    std::vector<RecordId> ids(to - from);
    std::vector<bool> yes(to - from, false);
    for (std::uint64_t open = to - from; open > 0;) {
      auto came = client->next(kPatience);
      if (!came) return false;
      link::LocalSettled settled;
      if (came->type != link::LocalType::kSettled || !link::LocalSettled::decode(came->body, settled)) {
        fail("the gate answered SUBMIT with another frame");
        return false;
      }
      for (const auto& one : settled.settled) {
        if (one.ticket < from || one.ticket >= to || open == 0) {
          fail("the gate answered a ticket that is not open: " + std::to_string(one.ticket));
          return false;
        }
        --open;
        if (one.answer == link::Answer::kRejected) {
          fail("record " + std::to_string(one.ticket) + " was rejected: " + std::string(one.reason));
          return false;
        }
        if (one.answer != link::Answer::kAccepted) continue;
        if (again && one.code == Code::kRecordDuplicate) ++repeats_;
        ids[one.ticket - from] = one.id;
        yes[one.ticket - from] = true;
      }
    }
    again = false;
    // In order: what stands behind one that has to come again comes again too, and is known by its key.
    for (std::size_t i = 0; i < yes.size() && yes[i]; ++i) {
      if (const std::size_t at = accepted_.size(); at < before_.size() && before_[at] != ids[i]) {
        fail("record " + std::to_string(at) + " came back under another id: " + ids[i].text());
        return false;
      }
      accepted_.push_back(ids[i]);
    }
    if (paced() && accepted_.size() > from) waited(from);  // the first of a batch has waited longest
    if (!yes.back()) again = true;
    accepted_count_ = accepted_.size();
  }
  return true;
}

}  // namespace thalweg::storm
