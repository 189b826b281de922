// origin_keys.h: which records of a source the gate has taken already (rule 11).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace thalweg::gate {

/// Remembers hashes of origin keys for some days, so that a station that re-sends makes no second record.
///
/// 33 to 67 bytes a key. When more keys come within the time than it may hold, the oldest hours are forgotten early
/// and forgotten_early() counts them. Threads: one.
class OriginKeys {
 public:
  using Key = std::array<std::uint8_t, 16>;

  OriginKeys(std::uint64_t at_most, std::int64_t keep_ns) : at_most_(at_most), keep_ns_(keep_ns) {}

  /// SHA-256 over instance and key, cut to 16 bytes: no two keys of real sources meet.
  static Key of(std::string_view instance, std::string_view origin_key);

  bool holds(const Key& key) const;
  /// Remembers the key as seen at `time_unix_ns`. Seen again: the later time holds.
  void add(const Key& key, std::int64_t time_unix_ns);
  /// Forgets what is too old at this time of the gate. Costs one pass over all keys: call it hourly.
  void expire(std::int64_t now_unix_ns);

  /// The same bounds, nothing remembered.
  OriginKeys emptied() const { return {at_most_, keep_ns_}; }
  std::size_t size() const { return count_; }
  std::uint64_t forgotten_early() const { return forgotten_early_; }

  void encode(Bytes& out) const;
  /// False when the bytes are none of encode().
  bool decode(ByteReader& in);

 private:
  struct Slot {
    Key key{};
    std::uint32_t hour = 0;  // since 1970, plus one: zero is an empty slot
  };
  std::size_t place_of(const Key& key) const;
  void rebuild(std::size_t slots, std::uint32_t first_hour);
  void make_room();

  std::uint64_t at_most_;
  std::int64_t keep_ns_;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most 60 % full
  std::size_t count_ = 0;
  std::uint64_t forgotten_early_ = 0;
};

}  // namespace thalweg::gate
