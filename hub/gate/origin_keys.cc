// origin_keys.cc: see origin_keys.h.
#include "gate/origin_keys.h"

#include <algorithm>

#include "base/hash.h"

namespace thalweg::gate {
namespace {
constexpr std::int64_t kHourNs = 3600ll * 1'000'000'000;

std::uint32_t hour_of(std::int64_t unix_ns) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(unix_ns / kHourNs, 0)) + 1;
}
}  // namespace

OriginKeys::Key OriginKeys::of(std::string_view instance, std::string_view origin_key) {
  static constexpr std::uint8_t kBetween[1] = {0};  // no instance name holds a zero byte
  const Hash256 whole = sha256({as_bytes(instance), kBetween, as_bytes(origin_key)});
  Key key;
  std::copy_n(whole.begin(), key.size(), key.begin());
  return key;
}

std::size_t OriginKeys::place_of(const Key& key) const {
  std::uint64_t hash;
  std::memcpy(&hash, key.data(), sizeof hash);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].hour != 0 && slots_[at].key != key) at = (at + 1) & mask;
  return at;
}

bool OriginKeys::holds(const Key& key) const { return !slots_.empty() && slots_[place_of(key)].hour != 0; }

void OriginKeys::add(const Key& key, std::int64_t time_unix_ns) {
  if (slots_.empty()) slots_.resize(1024);
  const std::uint32_t hour = hour_of(time_unix_ns);
  std::size_t at = place_of(key);
  if (slots_[at].hour != 0) {
    slots_[at].hour = std::max(slots_[at].hour, hour);
    return;
  }
  const bool full = count_ >= at_most_, crowded = (count_ + 1) * 10 > slots_.size() * 6;
  if (full) make_room();
  if (crowded) rebuild(slots_.size() * 2, 0);
  if (full || crowded) at = place_of(key);
  slots_[at] = {key, hour};
  ++count_;
}

void OriginKeys::make_room() {
  // A tenth at once, so that a full memory does not cost a pass per key.
  std::vector<std::uint32_t> hours;
  hours.reserve(count_);
  for (const Slot& slot : slots_) {
    if (slot.hour != 0) hours.push_back(slot.hour);
  }
  const std::size_t tenth = hours.size() / 10;
  std::nth_element(hours.begin(), hours.begin() + static_cast<std::ptrdiff_t>(tenth), hours.end());
  const std::size_t before = count_;
  rebuild(slots_.size(), hours[tenth] + 1);
  forgotten_early_ += before - count_;
}

void OriginKeys::expire(std::int64_t now_unix_ns) {
  if (slots_.empty() || now_unix_ns < keep_ns_) return;
  rebuild(slots_.size(), hour_of(now_unix_ns - keep_ns_));
}

void OriginKeys::rebuild(std::size_t slots, std::uint32_t first_hour) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  count_ = 0;
  for (const Slot& slot : old) {
    if (slot.hour == 0 || slot.hour < first_hour) continue;
    slots_[place_of(slot.key)] = slot;
    ++count_;
  }
}

void OriginKeys::encode(Bytes& out) const {
  ByteWriter writer(out);
  writer.u64(count_);
  for (const Slot& slot : slots_) {
    if (slot.hour == 0) continue;
    writer.raw(slot.key);
    writer.u32(slot.hour);
  }
}

bool OriginKeys::decode(ByteReader& in) {
  const std::uint64_t count = in.u64();
  if (count > in.left() / 20) return false;
  std::size_t slots = 1024;
  while (count * 10 > slots * 6) slots *= 2;
  slots_.assign(slots, Slot{});
  count_ = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    Slot slot;
    slot.key = in.array<16>();
    slot.hour = in.u32();
    if (slot.hour == 0) return false;
    const std::size_t at = place_of(slot.key);
    if (slots_[at].hour == 0) ++count_;
    slots_[at] = slot;
  }
  return in.ok();
}

}  // namespace thalweg::gate
