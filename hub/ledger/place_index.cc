// place_index.cc: where the deliveries of each receiver stand.
#include "ledger/place_index.h"

#include <algorithm>
#include <list>
#include <map>
#include <mutex>

#include "ledger/entries.h"
#include "ledger/side_file.h"

namespace thalweg::ledger {
namespace {

constexpr std::string_view kMagic = "TWPLCv1\n";
constexpr std::string_view kEnding = ".places";
constexpr std::size_t kLoaded = 4;  // sealed parts kept in memory: readers that are behind are few at a time
constexpr std::size_t kHeads = 64;  // beginnings of sealed parts: what a search over a thousand of them looks at

/// Deliveries of one receiver within one segment.
struct Run {
  std::uint64_t first = 0;  ///< sequence of places[0]; with no places, of the next one to come
  std::vector<Place> places;
  std::uint64_t next() const { return first + places.size(); }
};

/// All receivers known by the end of one segment, also those without a delivery in it: so one part tells on which side
/// of it a sequence lies.
struct Part {
  SideKey key;
  std::map<std::string, Run, std::less<>> runs;
};
using PartPtr = std::shared_ptr<const Part>;

/// A part without its places.
struct Head {
  SideKey key;
  std::map<std::string, std::uint64_t, std::less<>> firsts;
};
using HeadPtr = std::shared_ptr<const Head>;

/// The one of that segment, moved to the front; nullptr when it is not there.
template <class T>
T recent(std::list<T>& list, std::uint64_t first_block) {
  const auto at =
      std::find_if(list.begin(), list.end(), [&](const T& one) { return one->key.first_block == first_block; });
  if (at == list.end()) return nullptr;
  list.splice(list.begin(), list, at);
  return list.front();
}

template <class T>
void keep(std::list<T>& list, T one, std::size_t at_most) {
  list.push_front(std::move(one));
  if (list.size() > at_most) list.pop_back();
}

Bytes encode(const Part& part) {
  Bytes out;
  ByteWriter w(out);
  w.u32(static_cast<std::uint32_t>(part.runs.size()));
  for (const auto& [receiver, run] : part.runs) {
    w.short_text(receiver);
    w.u64(run.first);
    w.u32(static_cast<std::uint32_t>(run.places.size()));
    for (const Place& place : run.places) {
      w.u32(static_cast<std::uint32_t>(place.block - part.key.first_block));
      w.u32(place.entry);
    }
  }
  return out;
}

PartPtr decode(const SideKey& key, ByteView bytes) {
  auto part = std::make_shared<Part>();
  part->key = key;
  ByteReader r(bytes);
  const std::uint32_t receivers = r.u32();
  for (std::uint32_t i = 0; i < receivers && r.ok(); ++i) {
    const std::string_view receiver = r.short_text();
    Run& run = part->runs[std::string(receiver)];
    run.first = r.u64();
    const std::uint32_t count = r.u32();
    run.places.reserve(std::min<std::size_t>(count, r.left() / 8));
    for (std::uint32_t p = 0; p < count && r.ok(); ++p) {
      const std::uint64_t block = key.first_block + r.u32();
      run.places.push_back({block, r.u32()});
    }
  }
  return r.done() ? part : nullptr;
}

}  // namespace

struct PlaceIndex::State {
  State(const SegmentLog& l, Path f, Extract e) : log(l), folder(std::move(f)), extract(std::move(e)) {}
  const SegmentLog& log;
  const Path folder;
  const Extract extract;

  mutable std::mutex mutex;  // guards all below
  std::vector<SideKey> sealed;
  std::map<std::uint64_t, PartPtr> unwritten;  ///< by first block: sealed, file to be written
  mutable std::list<PartPtr> loaded;           ///< most recently used first
  mutable std::list<HeadPtr> heads;            ///< most recently used first
  Part active;
  std::uint64_t next_block = 1;

  Result<PartPtr> part(std::size_t index) const;
  Result<HeadPtr> head(std::size_t index) const;
  Result<PartPtr> read_part(std::size_t index) const;
  PartPtr known_part(std::size_t index) const;
  Status add(Part& to, const Block& block) const;
  Result<std::shared_ptr<Part>> rebuild(std::size_t index) const;
  void seal(const SideKey& key);
  static void go_on_from(Part& next, const Part& before);
  Result<std::size_t> segment_with(std::string_view receiver, std::uint64_t sequence) const;
  Status take(const Block& block);
};

void PlaceIndex::State::go_on_from(Part& next, const Part& before) {
  next.runs.clear();
  for (const auto& [receiver, run] : before.runs) next.runs[receiver].first = run.next();
}

Status PlaceIndex::State::add(Part& to, const Block& block) const {
  std::optional<Error> fault;
  auto give = [&](const Delivered& d) {
    auto [at, fresh] = to.runs.try_emplace(d.receiver);
    if (fresh) at->second.first = d.sequence;
    if (d.sequence != at->second.next() && !fault) {
      fault = Error{Code::kDamaged, "block " + std::to_string(block.info.number) + ": delivery " +
                                        std::to_string(d.sequence) + " of " + d.receiver + " follows " +
                                        std::to_string(at->second.next() - 1)};
    }
    at->second.places.push_back(d.place);
  };
  TW_TRY(extract(block, give));
  if (fault) return *fault;
  return {};
}

/// Builds the part of a sealed segment from the log; the part before it must be there.
Result<std::shared_ptr<Part>> PlaceIndex::State::rebuild(std::size_t index) const {
  auto made = std::make_shared<Part>();
  made->key = sealed[index];
  if (index > 0) {
    TW_ASSIGN(PartPtr before, part(index - 1));
    go_on_from(*made, *before);
  }
  TW_TRY(for_blocks(log, made->key.first_block, made->key.last_block,
                    [&](const Block& block) { return add(*made, block); }));
  return made;
}

PartPtr PlaceIndex::State::known_part(std::size_t index) const {
  const SideKey& key = sealed[index];
  if (auto at = unwritten.find(key.first_block); at != unwritten.end()) return at->second;
  return recent(loaded, key.first_block);
}

Result<PartPtr> PlaceIndex::State::part(std::size_t index) const {
  if (PartPtr known = known_part(index)) return known;
  TW_ASSIGN(PartPtr found, read_part(index));
  keep(loaded, found, kLoaded);
  return found;
}

Result<HeadPtr> PlaceIndex::State::head(std::size_t index) const {
  if (HeadPtr known = recent(heads, sealed[index].first_block)) return known;
  PartPtr whole = known_part(index);
  if (!whole) {
    TW_ASSIGN(whole, read_part(index));
  }
  auto made = std::make_shared<Head>();
  made->key = whole->key;
  for (const auto& [receiver, run] : whole->runs) made->firsts.emplace_hint(made->firsts.end(), receiver, run.first);
  keep<HeadPtr>(heads, made, kHeads);
  return HeadPtr(std::move(made));
}

/// The part of a sealed segment: from its file, or made anew from the log.
Result<PartPtr> PlaceIndex::State::read_part(std::size_t index) const {
  const Path path = side_path(folder, sealed[index].first_block, kEnding);
  PartPtr found;
  if (auto bytes = load_side(log.files(), path, kMagic, sealed[index])) found = decode(sealed[index], *bytes);
  if (!found) {
    TW_ASSIGN(found, rebuild(index));
    (void)save_side(log.files(), path, kMagic, found->key, encode(*found)).has_value();
  }
  return found;
}

/// The active part becomes that of a sealed segment.
void PlaceIndex::State::seal(const SideKey& key) {
  auto done = std::make_shared<Part>(std::move(active));
  done->key = key;
  active = Part{};
  go_on_from(active, *done);
  sealed.push_back(key);
  unwritten[key.first_block] = std::move(done);
}

Status PlaceIndex::State::take(const Block& block) {
  if (block.info.number < next_block) return {};
  // Blocks that the log made by itself (openers of segments) were shown to nobody.
  while (next_block < block.info.number) {
    TW_ASSIGN(BlockPtr skipped, log.read(next_block));
    TW_TRY(take(*skipped));
  }
  if (block.info.number > active.key.first_block) {
    const std::uint64_t segment = log.segment_of(block.info.number);
    if (segment != active.key.first_block && segment != 0) {
      for (const SegmentInfo& s : log.segments())
        if (s.first_block == active.key.first_block) seal(SideKey::of(s));
      active.key.first_block = segment;
    }
  }
  TW_TRY(add(active, block));
  ++next_block;
  return {};
}

PlaceIndex::PlaceIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
PlaceIndex::~PlaceIndex() = default;

Result<std::unique_ptr<PlaceIndex>> PlaceIndex::open(const SegmentLog& log, const Path& folder, Extract extract) {
  auto state = std::make_unique<State>(log, folder, std::move(extract));
  TW_TRY(log.files().create_folders(folder));
  const std::vector<SegmentInfo> segments = log.segments();
  remove_strangers(log.files(), folder, kEnding, segments);
  for (const SegmentInfo& s : segments) {
    if (!s.sealed) continue;
    state->sealed.push_back(SideKey::of(s));
    if (side_fits(log.files(), side_path(folder, s.first_block, kEnding), kMagic, state->sealed.back())) continue;
    TW_TRY(state->part(state->sealed.size() - 1));
  }
  if (!state->sealed.empty()) {
    TW_ASSIGN(PartPtr before, state->part(state->sealed.size() - 1));
    State::go_on_from(state->active, *before);
  }
  const SegmentInfo& last = segments.back();
  state->active.key.first_block = state->next_block = last.first_block;
  TW_TRY(for_blocks(log, last.first_block, last.last_block, [&](const Block& block) { return state->take(block); }));
  return std::unique_ptr<PlaceIndex>(new PlaceIndex(std::move(state)));
}

Status PlaceIndex::follow(const Block& block) {
  std::lock_guard guard(state_->mutex);
  return state_->take(block);
}

Status PlaceIndex::write_sealed() {
  std::vector<PartPtr> parts;
  {
    std::lock_guard guard(state_->mutex);
    for (const auto& [first, part] : state_->unwritten) parts.push_back(part);
  }
  for (const PartPtr& part : parts) {
    TW_TRY(save_side(state_->log.files(), side_path(state_->folder, part->key.first_block, kEnding), kMagic, part->key,
                     encode(*part)));
    std::lock_guard guard(state_->mutex);
    state_->unwritten.erase(part->key.first_block);
    keep(state_->loaded, part, kLoaded);
  }
  return {};
}

Status PlaceIndex::trim() {
  std::lock_guard guard(state_->mutex);
  const std::uint64_t first = state_->log.first_block();
  std::erase_if(state_->sealed, [&](const SideKey& key) {
    if (key.last_block >= first) return false;
    state_->unwritten.erase(key.first_block);
    return true;
  });
  std::erase_if(state_->loaded, [&](const PartPtr& part) { return part->key.last_block < first; });
  std::erase_if(state_->heads, [&](const HeadPtr& head) { return head->key.last_block < first; });
  remove_strangers(state_->log.files(), state_->folder, kEnding, state_->log.segments());
  return {};
}

/// Index of the sealed segment that holds the sequence, if any does; `sealed.size()` stands for the active one.
Result<std::size_t> PlaceIndex::State::segment_with(std::string_view receiver, std::uint64_t sequence) const {
  auto begins_by = [&](const Head& head) {
    auto first_there = head.firsts.find(receiver);
    return first_there == head.firsts.end() || first_there->second <= sequence;
  };
  std::size_t low = 0, high = sealed.size();
  if (auto run = active.runs.find(receiver); run == active.runs.end() || run->second.first <= sequence) return high;
  // Invariant: the segments below `low` begin at or before the sequence, those from `high` on behind it.
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    TW_ASSIGN(HeadPtr here, head(middle));
    if (begins_by(*here)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == 0 ? std::size_t{0} : low - 1;
}

Result<std::vector<Place>> PlaceIndex::read(std::string_view receiver, std::uint64_t sequence,
                                            std::size_t at_most) const {
  std::lock_guard guard(state_->mutex);
  std::vector<Place> out;
  if (sequence == 0) return out;
  TW_ASSIGN(std::size_t segment, state_->segment_with(receiver, sequence));
  for (; segment <= state_->sealed.size() && out.size() < at_most; ++segment) {
    PartPtr held;
    const Part* part = &state_->active;
    if (segment < state_->sealed.size()) {
      TW_ASSIGN(held, state_->part(segment));
      part = held.get();
    }
    auto run = part->runs.find(receiver);
    if (run == part->runs.end()) continue;
    if (sequence < run->second.first) break;
    for (std::uint64_t at = sequence - run->second.first; at < run->second.places.size() && out.size() < at_most;
         ++at) {
      out.push_back(run->second.places[at]);
      ++sequence;
    }
  }
  return out;
}

std::optional<Place> PlaceIndex::find(std::string_view receiver, std::uint64_t sequence) const {
  auto places = read(receiver, sequence, 1);
  if (!places || places->empty()) return std::nullopt;
  return places->front();
}

std::uint64_t PlaceIndex::last(std::string_view receiver) const {
  std::lock_guard guard(state_->mutex);
  auto run = state_->active.runs.find(receiver);
  return run == state_->active.runs.end() ? 0 : run->second.next() - 1;
}

Result<std::uint64_t> PlaceIndex::first(std::string_view receiver) const {
  std::lock_guard guard(state_->mutex);
  const State& s = *state_;
  // A receiver comes into all parts from its first delivery on, so the first part that knows it has its beginning.
  std::size_t low = 0, high = s.sealed.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    TW_ASSIGN(const HeadPtr here, s.head(middle));
    if (here->firsts.contains(receiver)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  auto end = s.active.runs.find(receiver);
  if (end == s.active.runs.end()) return std::uint64_t{0};
  std::uint64_t first = end->second.first;
  if (low < s.sealed.size()) {
    TW_ASSIGN(const HeadPtr here, s.head(low));
    const auto there = here->firsts.find(receiver);
    if (there == here->firsts.end()) return std::uint64_t{0};
    first = there->second;
  }
  // Known from before, but all of its deliveries were dropped.
  return first < end->second.next() ? first : std::uint64_t{0};
}

Status hub_deliveries(const Block& block, const std::function<void(const Delivered&)>& give) {
  Delivered delivered;
  delivered.place.block = block.info.number;
  for (std::uint32_t i = 0; i < block.entries.size(); ++i) {
    const EntryRef& entry = block.entries[i];
    std::vector<ReceiverSequence> sequences;
    if (entry.type == static_cast<std::uint8_t>(EntryType::kParcel)) {
      TW_ASSIGN(ParcelEntry parcel, decode_parcel(entry.bytes));
      sequences = std::move(parcel.decision.sequences);
    } else if (entry.type == static_cast<std::uint8_t>(EntryType::kRedelivery)) {
      TW_ASSIGN(Redelivery again, decode_redelivery(entry.bytes));
      sequences = std::move(again.decision.sequences);
    }
    delivered.place.entry = i;
    for (ReceiverSequence& s : sequences) {
      delivered.receiver = std::move(s.receiver);
      delivered.sequence = s.sequence;
      give(delivered);
    }
  }
  return {};
}

}  // namespace thalweg::ledger
