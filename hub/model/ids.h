// ids.h: what names a record, a party, a gate and a stream.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "model/lane.h"
#include "thalweg/cpp/result.h"

namespace thalweg {

class Clock;

/// A UUID (RFC 9562). Zero means "none".
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  /// 36 characters, lower case.
  std::string text() const;
  /// Reads 36 characters, either case. Errors: kData.
  static Result<Uuid> parse(std::string_view text);
  /// Version 7: 48 bits of time in front, so that ids sort by it, then 74 of the 80 bits of `entropy`.
  /// A time before 1970 counts as 1970.
  static Uuid v7(std::int64_t unix_ms, std::span<const std::uint8_t, 10> entropy);

  int version() const { return bytes[6] >> 4; }
  /// Version 7 of the RFC's variant.
  bool is_v7() const { return version() == 7 && (bytes[8] & 0xc0) == 0x80; }
  bool is_zero() const { return *this == Uuid{}; }
  auto operator<=>(const Uuid&) const = default;
};

using RecordId = Uuid;

/// The id of the record that a source gave under `origin_key`: the same arguments give the same id on every machine
/// and after every crash, so a station that re-sends makes no second record (rule 11).
/// `unix_ms` is the record's own time. Costs one SHA-256.
RecordId record_id_for(std::int64_t unix_ms, std::string_view party, std::string_view instance,
                       std::string_view origin_key);

/// A new id from the clock and the system's random numbers: incarnations, sessions. Threads: any.
Uuid random_uuid_v7(const Clock& clock);

/// 1 to 64 characters of [0-9A-Za-z._-], the first no '.' or '-': codes of parties and hubs, names of gates and
/// adapter instances. Safe as a file name.
bool valid_code(std::string_view text);

/// What numbers parcels 1, 2, 3 …: a gate that is set up anew is a new incarnation, never a reused number.
struct StreamId {
  std::string party;
  std::string gate;
  Uuid incarnation;
  Lane lane = Lane::kRoutine;

  /// "party/gate/incarnation/lane", for people and logs.
  std::string text() const;
  auto operator<=>(const StreamId&) const = default;
};

}  // namespace thalweg

template <>
struct std::hash<thalweg::Uuid> {
  std::size_t operator()(const thalweg::Uuid& id) const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
  }
};

template <>
struct std::hash<thalweg::StreamId> {
  std::size_t operator()(const thalweg::StreamId& id) const noexcept {
    std::size_t h = std::hash<thalweg::Uuid>{}(id.incarnation);
    h = h * 31 + std::hash<std::string>{}(id.party);
    h = h * 31 + std::hash<std::string>{}(id.gate);
    return h * 31 + static_cast<std::size_t>(id.lane);
  }
};
