#include "storm/checker.h"

#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace thalweg::storm {
namespace {
constexpr std::size_t kMostExamples = 10;
}

Findings& Findings::operator+=(const Findings& other) {
  lost += other.lost;
  doubled += other.doubled;
  out_of_order += other.out_of_order;
  foreign += other.foreign;
  forbidden += other.forbidden;
  examples.insert(examples.end(), other.examples.begin(), other.examples.end());
  return *this;
}

Findings compare(std::span<const RecordId> accepted, std::span<const RecordId> held) {
  Findings found;
  const auto say = [&](std::uint64_t& count, const char* what, const RecordId& id) {
    if (++count <= kMostExamples) found.examples.push_back(std::string(what) + " " + id.text());
  };
  struct Known {
    std::size_t place = 0;
    bool seen = false;
  };
  std::unordered_map<RecordId, Known> known;
  known.reserve(accepted.size());
  for (std::size_t i = 0; i < accepted.size(); ++i) known.emplace(accepted[i], Known{i});
  std::size_t furthest = 0;
  for (const RecordId& id : held) {
    const auto at = known.find(id);
    if (at == known.end()) {
      say(found.foreign, "foreign", id);
    } else if (std::exchange(at->second.seen, true)) {
      say(found.doubled, "doubled", id);
    } else if (at->second.place < furthest) {
      say(found.out_of_order, "out of order", id);
    } else {
      furthest = at->second.place;
    }
  }
  for (const RecordId& id : accepted)
    if (!known.at(id).seen) say(found.lost, "lost", id);
  return found;
}

Findings intruders(std::span<const RecordId> not_for_it, std::span<const RecordId> held) {
  Findings found;
  const std::unordered_set<RecordId> closed(not_for_it.begin(), not_for_it.end());
  for (const RecordId& id : held) {
    if (!closed.contains(id)) continue;
    if (++found.forbidden <= kMostExamples) found.examples.push_back("not for this inbox " + id.text());
  }
  return found;
}

}  // namespace thalweg::storm
