// table.h: a table of published readings, as thalweg-station plays it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "thalweg/cpp/result.h"

namespace thalweg::station {

/// One row: a moment and what the station gave at it. No readings: it gave nothing.
struct Moment {
  std::int64_t local_seconds = 0;  ///< since 1970-01-01T00:00 in the station's own zone
  std::vector<std::pair<std::string, std::string>>
      readings;  ///< factor code and text as published; missing ones left out
};

/// Reads a CSV table: lines with # are comments; the header names `time` (YYYY-MM-DD HH:MM) and factor codes; other
/// columns (class) are not sent. `--` and empty cells are missing. Errors: kMappingInvalid, kTimeWithoutYear, with the
/// line.
Result<std::vector<Moment>> parse_table(std::string_view text);
/// Errors: kNotFound besides.
Result<std::vector<Moment>> read_table(const std::string& path);

/// "20260923060000".
std::string hj212_time(std::int64_t local_seconds);

/// Moment `index` of repetition `round`: the same readings at a time of their own, `round` 0 being the published one.
///
/// Later rounds lie earlier, second by second, and a month earlier after an hour of seconds, so that a table whose
/// moments are whole minutes apart gives no time twice.
std::int64_t shifted(const Moment& moment, std::uint64_t round);

}  // namespace thalweg::station
