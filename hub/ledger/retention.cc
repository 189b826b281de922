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
  // Block times never fall: without classes the last block is the one that stays longest.
  const std::uint64_t from = rules_.classes_of ? segment.first_block : segment.last_block;
  TW_TRY(for_blocks(log_, from, segment.last_block, look_at));
  known_segment_ = segment.first_block;
  known_until_ = until;
  return until;
}

Result<std::uint64_t> Retention::may_drop_before(const RetentionBounds& bounds) {
  std::uint64_t first = log_.first_block();
  if (bounds.clock_doubtful) return first;
  for (const SegmentInfo& segment : log_.segments()) {
    if (segment.last_block < first) continue;  // just dropped
    if (!segment.sealed || segment.last_block >= bounds.first_needed_block) break;
    TW_ASSIGN(const std::int64_t until, keep_until(segment));
    if (bounds.now_unix_ns < until) break;
    first = segment.last_block + 1;
  }
  return first;
}

Result<std::uint64_t> Retention::apply(const RetentionBounds& bounds) {
  TW_ASSIGN(const std::uint64_t first, may_drop_before(bounds));
  return log_.drop_before(first);
}

}  // namespace thalweg::ledger
