// held_leaves.cc: see held_leaves.h.
#include "gate/held_leaves.h"

#include <algorithm>
#include <iterator>

namespace thalweg::gate {

bool HeldLeaves::Held::holds_whole(std::uint64_t number) const {
  if (number <= floor) return true;
  auto after = whole.upper_bound(number);
  return after != whole.begin() && std::prev(after)->second >= number;
}

void HeldLeaves::Held::add_whole(std::uint64_t number) {
  if (holds_whole(number)) return;
  part.erase(number);
  if (number == floor + 1) {
    floor = number;
    if (auto first = whole.begin(); first != whole.end() && first->first == floor + 1) {
      floor = first->second;
      whole.erase(first);
    }
    return;
  }
  std::uint64_t first = number, last = number;
  auto after = whole.upper_bound(number);
  if (after != whole.end() && after->first == number + 1) {
    last = after->second;
    after = whole.erase(after);
  }
  if (after != whole.begin() && std::prev(after)->second + 1 == number) {
    first = std::prev(after)->first;
    whole.erase(std::prev(after));
  }
  whole[first] = last;
}

void HeldLeaves::Held::bound() {
  while (whole.size() > kMaxGaps) {
    floor = whole.begin()->second;
    whole.erase(whole.begin());
  }
  while (part.size() > kMaxGaps) {
    floor = std::max(floor, part.begin()->first);
    part.erase(part.begin());
  }
  while (!whole.empty() && whole.begin()->first <= floor + 1) {
    floor = std::max(floor, whole.begin()->second);
    whole.erase(whole.begin());
  }
  part.erase(part.begin(), part.upper_bound(floor));
}

std::vector<std::uint32_t> HeldLeaves::missing(const StreamId& stream, std::uint64_t number, std::uint32_t,
                                               std::span<const std::uint32_t> indexes) const {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return {indexes.begin(), indexes.end()};
  const Held& held = found->second;
  if (held.holds_whole(number)) return {};
  const auto part = held.part.find(number);
  if (part == held.part.end()) return {indexes.begin(), indexes.end()};
  std::vector<std::uint32_t> out;
  std::set_difference(indexes.begin(), indexes.end(), part->second.begin(), part->second.end(),
                      std::back_inserter(out));
  return out;
}

void HeldLeaves::add(const StreamId& stream, std::uint64_t number, std::uint32_t count,
                     std::span<const std::uint32_t> indexes) {
  Held& held = streams_[stream];
  if (held.holds_whole(number)) return;
  if (indexes.size() < count) {
    std::vector<std::uint32_t>& part = held.part[number];
    std::vector<std::uint32_t> both;
    std::set_union(part.begin(), part.end(), indexes.begin(), indexes.end(), std::back_inserter(both));
    part = std::move(both);
    if (part.size() >= count) held.add_whole(number);
  } else {
    held.add_whole(number);
  }
  if (held.whole.size() > kMaxGaps || held.part.size() > kMaxGaps) held.bound();
}

void HeldLeaves::add_whole(const StreamId& stream, std::uint64_t number) {
  Held& held = streams_[stream];
  held.add_whole(number);
  if (held.whole.size() > kMaxGaps) held.bound();
}

void HeldLeaves::encode(Bytes& out) const {
  ByteWriter writer(out);
  writer.u32(static_cast<std::uint32_t>(streams_.size()));
  for (const auto& [stream, held] : streams_) {
    writer.short_text(stream.party);
    writer.short_text(stream.gate);
    writer.raw(stream.incarnation.bytes);
    writer.u8(static_cast<std::uint8_t>(stream.lane));
    writer.u64(held.floor);
    writer.u32(static_cast<std::uint32_t>(held.whole.size()));
    for (const auto& [first, last] : held.whole) {
      writer.u64(first);
      writer.u64(last);
    }
    writer.u32(static_cast<std::uint32_t>(held.part.size()));
    for (const auto& [number, indexes] : held.part) {
      writer.u64(number);
      writer.u32(static_cast<std::uint32_t>(indexes.size()));
      for (std::uint32_t index : indexes) writer.u32(index);
    }
  }
}

bool HeldLeaves::decode(ByteReader& in) {
  streams_.clear();
  const std::uint32_t streams = in.u32();
  for (std::uint32_t i = 0; i < streams && in.ok(); ++i) {
    StreamId stream;
    stream.party = in.short_text();
    stream.gate = in.short_text();
    stream.incarnation.bytes = in.array<16>();
    stream.lane = static_cast<Lane>(in.u8());
    Held held;
    held.floor = in.u64();
    const std::uint32_t ranges = in.u32();
    for (std::uint32_t k = 0; k < ranges && in.ok(); ++k) {
      const std::uint64_t first = in.u64();
      held.whole[first] = in.u64();
    }
    const std::uint32_t parts = in.u32();
    for (std::uint32_t k = 0; k < parts && in.ok(); ++k) {
      std::vector<std::uint32_t>& indexes = held.part[in.u64()];
      const std::uint32_t count = in.u32();
      if (count > in.left() / 4) return false;
      for (std::uint32_t j = 0; j < count; ++j) indexes.push_back(in.u32());
    }
    if (in.ok()) streams_.emplace(std::move(stream), std::move(held));
  }
  return in.ok();
}

}  // namespace thalweg::gate
