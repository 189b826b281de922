// moment.h: times as spreadsheets write them, and the calendar of the zone in which people see them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "thalweg/cpp/result.h"

namespace thalweg::tabular {

/// Reads a time. `format`: "auto", or YYYY MM DD HH mm ss with the characters between them; a part other than YYYY may
/// have one digit where a character follows it. "auto" knows YYYY-MM-DD and YYYY/MM/DD and YYYY年MM月DD日 with
/// HH:mm[:ss] or without, YYYYMMDDHHmmss, all without the year too, and RFC 3339. `year` stands in where the text has
/// none. The result is RFC 3339 with `utc_offset_minutes`, or with the offset in the text. Errors: kTimeWithoutYear,
/// kData.
Result<std::string> read_time(std::string_view text, std::string_view format, std::optional<int> year,
                              int utc_offset_minutes);

/// Calendar time in a zone.
struct Calendar {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;
};
Calendar calendar_of(std::int64_t unix_ns, int utc_offset_minutes);
/// "2026-09-23 06:00:00": what a spreadsheet takes for a time.
std::string sheet_time(std::int64_t unix_ns, int utc_offset_minutes);
/// An RFC 3339 text in that form; as it is if it is none.
std::string sheet_time(std::string_view rfc3339, int utc_offset_minutes);

}  // namespace thalweg::tabular
