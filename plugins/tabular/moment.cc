#include "moment.h"

#include <cstdio>

#include "thalweg/cpp/value.h"

namespace thalweg::tabular {
namespace {

constexpr std::int64_t kDay = 86'400;

std::int64_t days_of(std::int64_t y, int m, int d) {
  y -= m <= 2;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = y - era * 400;
  const auto doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

Calendar calendar_of_seconds(std::int64_t seconds) {
  std::int64_t days = seconds / kDay, left = seconds % kDay;
  if (left < 0) --days, left += kDay;
  const std::int64_t z = days + 719468;
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const auto doe = static_cast<int>(z - era * 146097);
  const int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int mp = (5 * doy + 2) / 153;
  Calendar c;
  c.day = doy - (153 * mp + 2) / 5 + 1;
  c.month = mp < 10 ? mp + 3 : mp - 9;
  c.year = static_cast<int>(yoe + era * 400 + (c.month <= 2));
  c.hour = static_cast<int>(left / 3600);
  c.minute = static_cast<int>(left / 60 % 60);
  c.second = static_cast<int>(left % 60);
  return c;
}

bool exists(const Calendar& c) {
  if (c.year < 1900 || c.year > 9999 || c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31) return false;
  if (c.hour < 0 || c.hour > 23 || c.minute < 0 || c.minute > 59 || c.second < 0 || c.second > 59) return false;
  const Calendar back = calendar_of_seconds(days_of(c.year, c.month, c.day) * kDay);
  return back.day == c.day && back.month == c.month;
}

std::string rfc3339(const Calendar& c, int offset) {
  char text[128];
  const int size = offset < 0 ? -offset : offset;
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", c.year, c.month, c.day, c.hour, c.minute,
                c.second, offset < 0 ? '-' : '+', size / 60, size % 60);
  return text;
}

struct Parsed {
  Calendar at;
  bool has_year = false;
};

bool digit(char c) { return c >= '0' && c <= '9'; }
bool token(char c) { return c == 'Y' || c == 'M' || c == 'D' || c == 'H' || c == 'm' || c == 's'; }

/// Matches the whole text or nothing.
std::optional<Parsed> match(std::string_view text, std::string_view format) {
  Parsed parsed;
  std::size_t at = 0;
  for (std::size_t f = 0; f < format.size();) {
    const char kind = format[f];
    if (!token(kind)) {
      if (at >= text.size() || text[at] != kind) return std::nullopt;
      ++at, ++f;
      continue;
    }
    std::size_t width = 0;
    while (f < format.size() && format[f] == kind) ++f, ++width;
    const bool exact = kind == 'Y' || (f < format.size() && token(format[f]));
    int value = 0;
    std::size_t read = 0;
    while (read < width && at < text.size() && digit(text[at])) value = value * 10 + (text[at++] - '0'), ++read;
    if (read == 0 || (exact && read != width)) return std::nullopt;
    switch (kind) {
      case 'Y':
        parsed.at.year = value, parsed.has_year = true;
        break;
      case 'M':
        parsed.at.month = value;
        break;
      case 'D':
        parsed.at.day = value;
        break;
      case 'H':
        parsed.at.hour = value;
        break;
      case 'm':
        parsed.at.minute = value;
        break;
      default:
        parsed.at.second = value;
        break;
    }
  }
  if (at != text.size()) return std::nullopt;
  return parsed;
}

constexpr std::string_view kKnown[] = {"YYYY-MM-DD HH:mm:ss",
                                       "YYYY-MM-DD HH:mm",
                                       "YYYY-MM-DD",
                                       "YYYY/MM/DD HH:mm:ss",
                                       "YYYY/MM/DD HH:mm",
                                       "YYYY/MM/DD",
                                       "YYYY-MM-DDTHH:mm:ss",
                                       "YYYYMMDDHHmmss",
                                       "YYYYMMDD",
                                       "YYYY年MM月DD日 HH:mm",
                                       "YYYY年MM月DD日HH时",
                                       "YYYY年MM月DD日HH时mm分",
                                       "YYYY年MM月DD日",
                                       "MM-DD HH:mm:ss",
                                       "MM-DD HH:mm",
                                       "MM/DD HH:mm",
                                       "MM-DD",
                                       "MM/DD",
                                       "MM月DD日 HH:mm",
                                       "MM月DD日HH时",
                                       "MM月DD日"};

/// The offset at the end of an RFC 3339 text, cut off it.
std::optional<int> cut_offset(std::string_view& text) {
  if (text.size() < 20 || text[10] != 'T') return std::nullopt;
  std::optional<int> offset;
  if (text.back() == 'Z') {
    text.remove_suffix(1);
    offset = 0;
  } else if (const char sign = text[text.size() - 6]; (sign == '+' || sign == '-') && text[text.size() - 3] == ':') {
    const std::string_view o = text.substr(text.size() - 5);
    if (!digit(o[0]) || !digit(o[1]) || !digit(o[3]) || !digit(o[4])) return std::nullopt;
    const int minutes = ((o[0] - '0') * 10 + o[1] - '0') * 60 + (o[3] - '0') * 10 + o[4] - '0';
    offset = sign == '-' ? -minutes : minutes;
    text.remove_suffix(6);
  }
  if (const std::size_t point = text.find('.'); offset && point != std::string_view::npos) text = text.substr(0, point);
  return offset;
}

}  // namespace

Result<std::string> read_time(std::string_view text, std::string_view format, std::optional<int> year,
                              int utc_offset_minutes) {
  const std::string shown(text.substr(0, 40));
  text = detail::trimmed(text);
  std::optional<Parsed> parsed;
  if (format == "auto") {
    std::string_view inside = text;
    if (const auto offset = cut_offset(inside)) {
      utc_offset_minutes = *offset;
      text = inside;
    }
    for (const std::string_view known : kKnown)
      if (!parsed) parsed = match(text, known);
  } else {
    parsed = match(text, format);
  }
  if (!parsed) return Error{Code::kData, "no time of the form " + std::string(format) + ": \"" + shown + "\""};
  if (!parsed->has_year) {
    if (!year) return Error{Code::kTimeWithoutYear, "the time has no year, and none is given: \"" + shown + "\""};
    parsed->at.year = *year;
  }
  if (!exists(parsed->at)) return Error{Code::kData, "no such moment: \"" + shown + "\""};
  return rfc3339(parsed->at, utc_offset_minutes);
}

Calendar calendar_of(std::int64_t unix_ns, int utc_offset_minutes) {
  std::int64_t seconds = unix_ns / 1'000'000'000;
  if (unix_ns % 1'000'000'000 < 0) --seconds;
  return calendar_of_seconds(seconds + utc_offset_minutes * 60);
}

std::string sheet_time(std::int64_t unix_ns, int utc_offset_minutes) {
  const Calendar c = calendar_of(unix_ns, utc_offset_minutes);
  char text[96];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute, c.second);
  return text;
}

std::string sheet_time(std::string_view text, int utc_offset_minutes) {
  std::string_view inside = text;
  const auto offset = cut_offset(inside);
  const auto parsed = offset ? match(inside, "YYYY-MM-DDTHH:mm:ss") : std::nullopt;
  if (!parsed || !exists(parsed->at)) return std::string(text);
  const Calendar& c = parsed->at;
  const std::int64_t seconds =
      days_of(c.year, c.month, c.day) * kDay + c.hour * 3600 + c.minute * 60 + c.second - std::int64_t{*offset} * 60;
  return sheet_time(seconds * 1'000'000'000, utc_offset_minutes);
}

}  // namespace thalweg::tabular
