#include "table.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

namespace thalweg::station {
namespace {

constexpr std::int64_t kDay = 86'400;

std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> cells;
  for (;;) {
    const std::size_t comma = line.find(',');
    std::string_view cell = line.substr(0, comma);
    while (!cell.empty() && cell.front() == ' ') cell.remove_prefix(1);
    while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\r')) cell.remove_suffix(1);
    cells.push_back(cell);
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

// Days since 1970-01-01 of the proleptic Gregorian calendar, and back (H. Hinnant's well-known formulas).
std::int64_t days_of(std::int64_t y, int m, int d) {
  y -= m <= 2;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = y - era * 400;
  const auto doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

Result<std::int64_t> time_of(std::string_view text, std::size_t line) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0;
  int used = 0;
  const std::string held(text);
  const std::string where = "line " + std::to_string(line) + ": ";
  if (std::sscanf(held.c_str(), "%4d-%2d-%2d %2d:%2d%n", &year, &month, &day, &hour, &minute, &used) != 5 ||
      static_cast<std::size_t>(used) != held.size()) {
    if (std::sscanf(held.c_str(), "%2d-%2d %2d:%2d%n", &month, &day, &hour, &minute, &used) == 4 && used > 0)
      return Error{Code::kTimeWithoutYear, where + "the time has no year: " + held};
    return Error{Code::kMappingInvalid, where + "the time must be YYYY-MM-DD HH:MM: " + held};
  }
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || hj212_time(days_of(year, month, day) * kDay).substr(6, 2) != held.substr(8, 2))
    return Error{Code::kMappingInvalid, where + "no such moment: " + held};
  return days_of(year, month, day) * kDay + hour * 3600 + minute * 60;
}

bool factor(std::string_view name) {
  return name.size() == 6 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin() + 1, name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// What may stand in an HJ 212 parameter.
bool sendable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > 0x20 && c < 0x7F && c != '&' && c != ';' && c != '='; });
}

}  // namespace

std::string hj212_time(std::int64_t local_seconds) {
  std::int64_t days = local_seconds / kDay, left = local_seconds % kDay;
  if (left < 0) --days, left += kDay;
  const std::int64_t z = days + 719468;
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const auto doe = static_cast<int>(z - era * 146097);
  const int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int mp = (5 * doy + 2) / 153;
  const int day = doy - (153 * mp + 2) / 5 + 1;
  const int month = mp < 10 ? mp + 3 : mp - 9;
  const auto year = static_cast<int>(yoe + era * 400 + (month <= 2));
  const auto seconds = static_cast<int>(left);
  char text[96];
  std::snprintf(text, sizeof text, "%04d%02d%02d%02d%02d%02d", year, month, day, seconds / 3600, seconds / 60 % 60,
                seconds % 60);
  return text;
}

std::int64_t shifted(const Moment& moment, std::uint64_t round) {
  constexpr std::uint64_t kSecondsUsed = 60;  // moments are whole minutes apart
  constexpr std::int64_t kMonth = 31 * kDay;
  return moment.local_seconds - static_cast<std::int64_t>(round % kSecondsUsed) -
         static_cast<std::int64_t>(round / kSecondsUsed) * kMonth;
}

Result<std::vector<Moment>> parse_table(std::string_view text) {
  std::vector<Moment> moments;
  std::vector<std::string_view> header;
  std::size_t time_column = 0;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.empty() || row == "\r" || row[0] == '#') continue;
    const auto cells = cells_of(row);
    if (header.empty()) {
      header = cells;
      const auto found = std::find(header.begin(), header.end(), "time");
      if (found == header.end())
        return Error{Code::kMappingInvalid, "line " + std::to_string(line) + ": no column time"};
      time_column = static_cast<std::size_t>(found - header.begin());
      continue;
    }
    if (cells.size() != header.size())
      return Error{Code::kMappingInvalid, "line " + std::to_string(line) + ": " + std::to_string(cells.size()) +
                                              " cells, the header has " + std::to_string(header.size())};
    Moment moment;
    TW_ASSIGN(moment.local_seconds, time_of(cells[time_column], line));
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!factor(header[i]) || cells[i].empty() || cells[i] == "--") continue;
      if (!sendable(cells[i]))
        return Error{Code::kMappingInvalid,
                     "line " + std::to_string(line) + ": cannot be sent: " + std::string(cells[i])};
      moment.readings.emplace_back(header[i], cells[i]);
    }
    moments.push_back(std::move(moment));
  }
  if (moments.empty()) return Error{Code::kMappingInvalid, "the table has no rows"};
  return moments;
}

Result<std::vector<Moment>> read_table(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{Code::kNotFound, "cannot open " + path};
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto moments = parse_table(text);
  if (!moments) return std::move(moments).error().in(path);
  return moments;
}

}  // namespace thalweg::station
