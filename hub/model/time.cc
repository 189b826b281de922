#include "model/time.h"

#include <chrono>
#include <cstdio>

#include "base/invariant.h"

namespace thalweg {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
// Whole years that fit nanoseconds in 64 bits at every offset.
constexpr int kFirstYear = 1678;
constexpr int kLastYear = 2261;

/// Reads digits at fixed places; remembers whether one was none.
struct Digits {
  std::string_view text;
  bool good = true;

  int two(std::size_t at) { return one(at) * 10 + one(at + 1); }
  int one(std::size_t at) {
    const unsigned digit = static_cast<unsigned char>(text[at]) - unsigned{'0'};
    good &= digit <= 9;
    return static_cast<int>(digit);
  }
  void expect(std::size_t at, char c) { good &= text[at] == c; }
};

Error bad(const char* why) { return {Code::kData, why}; }

}  // namespace

Result<std::int64_t> parse_rfc3339(std::string_view text) {
  constexpr std::size_t kSecondsEnd = 19;  // "2026-09-23T06:00:00"
  constexpr const char* kForm = "not a time like 2026-09-23T06:00:00+08:00";
  if (text.size() < kSecondsEnd) return bad(kForm);
  Digits in{text};
  const int year = in.two(0) * 100 + in.two(2);
  const int month = in.two(5);
  const int day = in.two(8);
  const int hour = in.two(11);
  const int minute = in.two(14);
  const int second = in.two(17);
  in.expect(4, '-');
  in.expect(7, '-');
  in.expect(10, 'T');
  in.expect(13, ':');
  in.expect(16, ':');
  if (!in.good) return bad(kForm);

  std::size_t at = kSecondsEnd;
  std::int64_t nanos = 0;
  if (at < text.size() && text[at] == '.') {
    std::int64_t unit = kNanosPerSecond / 10;
    const std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) nanos += unit * (text[at] - '0');
    if (at == first || at - first > 9) return bad("one to nine digits stand behind the second");
  }

  int offset_minutes = 0;
  if (at == text.size()) return bad("the offset is missing, e.g. +08:00 for Beijing time");
  if (text[at] == 'Z') {
    ++at;
  } else {
    if (text.size() - at != 6) return bad("the offset is not like +08:00");
    in.expect(at + 3, ':');
    const int hours = in.two(at + 1);
    const int minutes = in.two(at + 4);
    if (!in.good || (text[at] != '+' && text[at] != '-') || hours > 23 || minutes > 59) {
      return bad("the offset is not like +08:00");
    }
    offset_minutes = hours * 60 + minutes;
    if (text[at] == '-') {
      if (offset_minutes == 0) return bad("the offset -00:00 says that the offset is not known");
      offset_minutes = -offset_minutes;
    }
    at += 6;
  }
  if (at != text.size()) return bad("something stands behind the time");

  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return bad("the calendar has no such day");
  // A leap second is the last of its minute; the clocks here count it into the next.
  if (hour > 23 || minute > 59 || second > 60 || (second == 60 && minute != 59)) return bad("the day has no such time");
  if (year < kFirstYear || year > kLastYear) return bad("the year is not between 1678 and 2261");
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = days * 86'400 + hour * 3'600 + (minute - offset_minutes) * 60 + second;
  return seconds * kNanosPerSecond + nanos;
}

std::string format_rfc3339(std::int64_t unix_ns, int offset_minutes) {
  THALWEG_INVARIANT(offset_minutes > -24 * 60 && offset_minutes < 24 * 60);
  std::int64_t seconds = unix_ns / kNanosPerSecond;
  std::int64_t nanos = unix_ns % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  }
  const std::chrono::sys_seconds local{std::chrono::seconds(seconds + offset_minutes * 60)};
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{local - day};
  char text[48];
  int size = std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                           static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                           static_cast<int>(time.seconds().count()));
  std::string out(text, static_cast<std::size_t>(size));
  if (nanos != 0) {
    int digits = 9;
    while (nanos % 1000 == 0) {
      nanos /= 1000;
      digits -= 3;
    }
    size = std::snprintf(text, sizeof text, ".%0*lld", digits, static_cast<long long>(nanos));
    out.append(text, static_cast<std::size_t>(size));
  }
  if (offset_minutes == 0) {
    out += 'Z';
  } else {
    const int size_of_offset = offset_minutes < 0 ? -offset_minutes : offset_minutes;
    size = std::snprintf(text, sizeof text, "%c%02d:%02d", offset_minutes < 0 ? '-' : '+', size_of_offset / 60,
                         size_of_offset % 60);
    out.append(text, static_cast<std::size_t>(size));
  }
  return out;
}

}  // namespace thalweg
