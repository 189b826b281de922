// retention.cc: which segments may go.
#include "ledger/retention.h"

#include <algorithm>

#include "ledger/side_file.h"

namespace thalweg::ledger {

/// The moment from which on nothing in the segment needs to be kept for its age.
Result<std::int64_t> Retention::keep_until(const SegmentInfo& segment) {
  if (known_segment_ == segment.first_block) return known_until_;
  std::int64_t until = INT64_MIN;
  auto look_at = [&](const Block& block) -> Status {
    auto keep = [&](std::int64_t age) {
      std::int64_t end = INT64_MAX;
      if (!__builtin_add_overflow(block.info.time_unix_ns, age, &end))
        until = std::max(until, end);
      else
        until = INT64_MAX;
    };
    if (!rules_.classes_of) {
      keep(rules_.default_age_ns);
      return {};
    }
    for (const EntryRef& entry : block.entries) {
      bool any = false;
      TW_TRY(rules_.classes_of(entry, [&](std::string_view cls) {
        any = true;
        auto age = rules_.age_ns.find(cls);
        keep(age == rules_.age_ns.end() ? rules_.default_age_ns : age->second);
      }));
      if (!any) keep(rules_.default_age_ns);
    }
    return {};
  };
  TW_TRY(for_blocks(log_, segment.first_block, segment.last_block, look_at));
  known_segment_ = segment.first_block;
  known_until_ = until;
  return until;
}

Result<std::uint64_t> Retention::apply(const RetentionBounds& bounds) {
  while (!bounds.clock_doubtful) {
    const std::vector<SegmentInfo> segments = log_.segments();
    const SegmentInfo& front = segments.front();
    if (!front.sealed || front.last_block >= bounds.first_needed_block) break;
    TW_ASSIGN(std::int64_t until, keep_until(front));
    if (bounds.now_unix_ns < until) break;
    TW_ASSIGN(std::uint64_t first, log_.drop_before(front.last_block + 1));
    if (first <= front.first_block) break;
  }
  return log_.first_block();
}

}  // namespace thalweg::ledger
