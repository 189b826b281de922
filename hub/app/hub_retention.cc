#include "app/hub_retention.h"

#include <future>
#include <limits>

#include "base/log.h"

namespace thalweg::app {
namespace {

ledger::RetentionRules rules_of(std::int64_t age_ns) {
  ledger::RetentionRules rules;
  rules.default_age_ns = age_ns;
  return rules;
}

}  // namespace

HubRetention::HubRetention(HubLane& lane, const Clock& clock, std::int64_t age_ns)
    : lane_(lane), clock_(clock), retention_(lane.store().log(), rules_of(age_ns)) {}

Result<bool> HubRetention::pass() {
  TW_TRY(drop());  // first: what goes need not be compressed
  return lane_.store().log().compress_one();
}

Status HubRetention::drop() {
  ledger::SegmentLog& log = lane_.store().log();
  ledger::RetentionBounds bounds;
  bounds.now_unix_ns = clock_.wall_unix_ns();
  bounds.clock_doubtful = lane_.store().commit().clock_doubtful();
  bounds.first_needed_block = std::numeric_limits<std::uint64_t>::max();
  TW_ASSIGN(const std::uint64_t old_before, retention_.may_drop_before(bounds));
  if (old_before <= log.first_block()) return {};

  // Nothing of a sealed segment becomes needed again later: settlements only go up.
  TW_ASSIGN(const HubLane::Needed needed, lane_.loop().run([this] { return lane_.needed(); }));
  bounds.first_needed_block = needed.first_block;
  TW_ASSIGN(const std::uint64_t first, retention_.may_drop_before(bounds));
  hold(first < old_before ? needed.receiver : std::string(), needed.first_block);
  if (first <= log.first_block()) return {};

  std::promise<Status> written;
  auto summary = written.get_future();
  lane_.loop().post([this, &written] {
    lane_.append(ledger::EntryType::kSummary, lane_.store().make_summary(),
                 [&written](Status status) { written.set_value(std::move(status)); });
  });
  TW_TRY(summary.get());
  const std::uint64_t was = log.first_block();
  TW_ASSIGN(const std::uint64_t now, log.drop_before(first));
  log::info("ledger", "lane {}: blocks {} to {} are past their time and were dropped", name(lane_.lane()), was,
            now - 1);
  TW_TRY(lane_.store().places().trim());
  return lane_.store().records().trim();
}

void HubRetention::hold(const std::string& receiver, std::uint64_t block) {
  std::lock_guard guard(mutex_);
  if (held_back_by_ == receiver) return;
  held_back_by_ = receiver;
  if (!receiver.empty())
    log::warning("ledger",
                 "lane {}: blocks from {} on are past their time, but {} has not settled them; they stay until it has, "
                 "or until an operator gives it up: thalweg receiver give-up",
                 name(lane_.lane()), block, receiver);
}

std::string HubRetention::held_back_by() const {
  std::lock_guard guard(mutex_);
  return held_back_by_;
}

}  // namespace thalweg::app
