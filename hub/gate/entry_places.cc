// entry_places.cc: see entry_places.h.
#include "gate/entry_places.h"

#include <algorithm>

namespace thalweg::gate {

void EntryPlaces::add(ledger::Place place, std::size_t bytes, std::int64_t time_unix_ns) {
  ++last_;
  if (marks_.empty() || newest_.size() >= kMarkEntries || bytes_ >= kMarkBytes) {
    marks_.push_back({last_, place, time_unix_ns});
    newest_.clear();
    bytes_ = 0;
  }
  newest_.push_back(place);
  newest_unix_ns_ = time_unix_ns;
  bytes_ += bytes;
}

Result<ledger::Place> EntryPlaces::find(const ledger::SegmentLog& log, std::uint64_t number) const {
  if (!holds(number)) return Error{Code::kNotFound, "number " + std::to_string(number) + " is not held"};
  const auto behind =
      std::upper_bound(marks_.begin(), marks_.end(), number, [](auto n, const Mark& mark) { return n < mark.number; });
  const Mark& mark = *(behind - 1);
  const std::size_t at = number - mark.number;
  if (behind == marks_.end()) return newest_[at];
  for (const Window& window : windows_)
    if (window.first == mark.number) return window.places[at];
  TW_ASSIGN(auto places, read(log, mark, behind->number - mark.number));
  const ledger::Place found = places[at];
  windows_[oldest_window_] = {mark.number, std::move(places)};
  oldest_window_ = (oldest_window_ + 1) % windows_.size();
  return found;
}

Result<std::vector<ledger::Place>> EntryPlaces::read(const ledger::SegmentLog& log, const Mark& from,
                                                     std::size_t count) const {
  std::vector<ledger::Place> places;
  places.reserve(count);
  for (std::uint64_t next = from.place.block; places.size() < count;) {
    TW_ASSIGN(const auto blocks, log.read_run(next, kMarkBytes));
    if (blocks.empty())
      return Error{Code::kDamaged, "the log ends before entry " + std::to_string(from.number + count)};
    for (const ledger::BlockPtr& block : blocks) {
      std::uint32_t entry = block->info.number == from.place.block ? from.place.entry : 0;
      for (; entry < block->entries.size() && places.size() < count; ++entry)
        if (block->entries[entry].type == type_) places.push_back({block->info.number, entry});
    }
    next += blocks.size();
  }
  return places;
}

std::uint64_t EntryPlaces::first_block_of(std::uint64_t number, std::int64_t since_unix_ns, std::uint64_t none) const {
  if (marks_.empty() || (number > last_ && newest_unix_ns_ < since_unix_ns)) return none;
  auto mark = marks_.begin();
  // Times never go back in a log: what stands before the next mark is not younger than it.
  for (auto next = mark + 1; next != marks_.end() && next->number <= number && next->time_unix_ns < since_unix_ns;)
    mark = next++;
  return mark->place.block;
}

void EntryPlaces::forget_before(std::uint64_t block) {
  while (!marks_.empty() && marks_.front().place.block < block) marks_.pop_front();
  if (marks_.empty()) newest_.clear();
  first_ = marks_.empty() ? last_ + 1 : marks_.front().number;
}

void EntryPlaces::encode(ByteWriter& out) const {
  out.u64(first_);
  out.u64(last_);
  out.i64(newest_unix_ns_);
  out.u64(bytes_);
  out.u64(marks_.size());
  for (const Mark& mark : marks_) {
    out.u64(mark.number);
    mark.place.encode(out);
    out.i64(mark.time_unix_ns);
  }
  for (const ledger::Place place : newest_) place.encode(out);
}

bool EntryPlaces::decode(ByteReader& in) {
  *this = EntryPlaces(type_, in.u64());
  last_ = in.u64();
  newest_unix_ns_ = in.i64();
  bytes_ = in.u64();
  const std::uint64_t marks = in.u64();
  for (std::uint64_t i = 0; i < marks && in.ok(); ++i) {
    Mark mark;
    mark.number = in.u64();
    mark.place = ledger::Place::decode(in);
    mark.time_unix_ns = in.i64();
    if (marks_.empty() ? mark.number != first_
                       : mark.number <= marks_.back().number || mark.number - marks_.back().number > kMarkEntries)
      return false;
    marks_.push_back(mark);
  }
  if (!in.ok() || marks_.empty() != (last_ + 1 == first_)) return false;
  if (marks_.empty()) return true;
  if (marks_.back().number > last_ || last_ - marks_.back().number >= kMarkEntries) return false;
  for (std::uint64_t left = last_ + 1 - marks_.back().number; left > 0 && in.ok(); --left)
    newest_.push_back(ledger::Place::decode(in));
  return in.ok();
}

}  // namespace thalweg::gate
