// schema_formats.cc: the named formats that a schema may ask of a string, written out by hand.
#include "model/schema_formats.h"

#include <array>

#include "model/factors.h"

namespace thalweg {
namespace {

struct Row {
  NamedFormat format;
  std::string_view name;
  FormatHelp help;
};

constexpr Row kFormats[] = {
    {NamedFormat::kDateTime,
     "date-time",
     {"a time with its offset, like 2026-09-23T06:00:00+08:00", "带时区的时间，如 2026-09-23T06:00:00+08:00"}},
    {NamedFormat::kDate, "date", {"a date like 2026-09-23", "日期，如 2026-09-23"}},
    {NamedFormat::kDuration, "duration", {"a period like PT1H, P1D or P1M", "时段，如 PT1H、P1D、P1M"}},
    {NamedFormat::kUuid,
     "uuid",
     {"a UUID in lower case, like 01920c2a-7b10-7cc3-98c4-dc0c0c07398f",
      "小写 UUID，如 01920c2a-7b10-7cc3-98c4-dc0c0c07398f"}},
    {NamedFormat::kCode,
     "thalweg-code",
     {"a code of 1 to 64 letters, digits, '.', '_' or '-'", "1 至 64 个字母、数字、点、下划线或连字符组成的代码"}},
    {NamedFormat::kLine, "thalweg-line", {"one line, without control characters", "单行文本，不含控制字符"}},
    {NamedFormat::kTelephone,
     "thalweg-telephone",
     {"a telephone number of at least three digits, at most 60 bytes", "电话号码，至少三位数字，不超过 60 字节"}},
    {NamedFormat::kSha256,
     "thalweg-sha256",
     {"a SHA-256 as 64 lower-case hexadecimal digits", "64 位小写十六进制 SHA-256"}},
    {NamedFormat::kMediaType, "thalweg-media-type", {"a media type like image/jpeg", "媒体类型，如 image/jpeg"}},
    {NamedFormat::kFactor, "thalweg-factor", {"a code of the factor dictionary", "监测因子字典中的代码"}},
};

enum CharClass : std::uint8_t { kDigit = 1, kLowerHex = 2, kCodeChar = 4, kTokenChar = 8 };

constexpr std::array<std::uint8_t, 256> char_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (int c = '0'; c <= '9'; ++c) classes[static_cast<std::size_t>(c)] = kDigit | kLowerHex | kCodeChar | kTokenChar;
  for (int c = 'a'; c <= 'z'; ++c) classes[static_cast<std::size_t>(c)] = kCodeChar | kTokenChar;
  for (int c = 'A'; c <= 'Z'; ++c) classes[static_cast<std::size_t>(c)] = kCodeChar | kTokenChar;
  for (int c = 'a'; c <= 'f'; ++c) classes[static_cast<std::size_t>(c)] |= kLowerHex;
  for (char c : {'.', '_', '-'}) classes[static_cast<std::uint8_t>(c)] |= kCodeChar | kTokenChar;
  for (char c : {'!', '#', '$', '&', '^', '+'}) classes[static_cast<std::uint8_t>(c)] |= kTokenChar;
  return classes;
}
constexpr auto kClasses = char_classes();

bool is(char c, CharClass wanted) { return (kClasses[static_cast<std::uint8_t>(c)] & wanted) != 0; }

bool all(std::string_view text, CharClass wanted) {
  std::uint8_t common = wanted;
  for (char c : text) common &= kClasses[static_cast<std::uint8_t>(c)];
  return common != 0;
}

// Two digits at `at`, or a number above any that is allowed.
unsigned two(std::string_view text, std::size_t at) {
  const unsigned a = static_cast<unsigned>(text[at]) - '0', b = static_cast<unsigned>(text[at + 1]) - '0';
  return a < 10 && b < 10 ? a * 10 + b : 1000;
}

bool is_date(std::string_view t) {
  if (t.size() != 10 || t[4] != '-' || t[7] != '-') return false;
  const unsigned century = two(t, 0), year = two(t, 2), month = two(t, 5), day = two(t, 8);
  if (century > 99 || year > 99 || month < 1 || month > 12 || day < 1) return false;
  constexpr std::uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year != 0 || century % 4 == 0);
  return day <= kDays[month - 1] + (leap && month == 2 ? 1u : 0u);
}

bool is_date_time(std::string_view t) {
  if (t.size() < 20 || t[10] != 'T' || t[13] != ':' || t[16] != ':' || !is_date(t.substr(0, 10))) return false;
  const unsigned hour = two(t, 11), minute = two(t, 14), second = two(t, 17);
  if (hour > 23 || minute > 59 || second > 59) return false;
  std::string_view rest = t.substr(19);
  if (rest.front() == '.') {
    std::size_t digits = 1;
    while (digits < rest.size() && is(rest[digits], kDigit)) ++digits;
    if (digits < 2 || digits > 10) return false;  // nanoseconds are the finest that is kept
    rest.remove_prefix(digits);
  }
  if (rest == "Z") return true;
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':') return false;
  return two(rest, 1) <= 23 && two(rest, 4) <= 59;
}

// Whole numbers before Y M D, then T and H M S, each at most once and in this order; at least one.
bool is_duration(std::string_view t) {
  if (t.size() < 3 || t.size() > 32 || t.front() != 'P') return false;
  t.remove_prefix(1);
  std::string_view units = "YMD";
  bool any = false, in_time = false;
  while (!t.empty()) {
    if (t.front() == 'T') {
      if (in_time) return false;
      in_time = true;
      units = "HMS";
      t.remove_prefix(1);
      any = false;  // something must follow the T
      if (t.empty()) return false;
    }
    std::size_t digits = 0;
    while (digits < t.size() && is(t[digits], kDigit)) ++digits;
    if (digits == 0 || digits > 9 || digits == t.size()) return false;
    const std::size_t unit = units.find(t[digits]);
    if (unit == std::string_view::npos) return false;
    units.remove_prefix(unit + 1);
    t.remove_prefix(digits + 1);
    any = true;
  }
  return any;
}

bool is_uuid(std::string_view t) {
  return t.size() == 36 && t[8] == '-' && t[13] == '-' && t[18] == '-' && t[23] == '-' &&
         all(t.substr(0, 8), kLowerHex) && all(t.substr(9, 4), kLowerHex) && all(t.substr(14, 4), kLowerHex) &&
         all(t.substr(19, 4), kLowerHex) && all(t.substr(24), kLowerHex);
}

bool is_line(std::string_view t) {
  for (char c : t) {
    if (static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

bool is_telephone(std::string_view t) {
  std::size_t digits = 0;
  for (char c : t) digits += is(c, kDigit) ? 1 : 0;
  return digits >= 3 && t.size() <= 60 && is_line(t);
}

bool is_media_type(std::string_view t) {
  const std::size_t slash = t.find('/');
  return t.size() <= 127 && slash != std::string_view::npos && slash > 0 && slash + 1 < t.size() &&
         all(t.substr(0, slash), kTokenChar) && all(t.substr(slash + 1), kTokenChar);
}

}  // namespace

std::optional<NamedFormat> format_from(std::string_view name) {
  for (const Row& row : kFormats) {
    if (row.name == name) return row.format;
  }
  return std::nullopt;
}

std::string_view name_of(NamedFormat format) {
  for (const Row& row : kFormats) {
    if (row.format == format) return row.name;
  }
  return "";
}

FormatHelp help_for(NamedFormat format) {
  for (const Row& row : kFormats) {
    if (row.format == format) return row.help;
  }
  return {};
}

bool has_format(NamedFormat format, std::string_view text) {
  switch (format) {
    case NamedFormat::kNone:
      return true;
    case NamedFormat::kDateTime:
      return is_date_time(text);
    case NamedFormat::kDate:
      return is_date(text);
    case NamedFormat::kDuration:
      return is_duration(text);
    case NamedFormat::kUuid:
      return is_uuid(text);
    case NamedFormat::kCode:
      return !text.empty() && text.size() <= 64 && all(text, kCodeChar);
    case NamedFormat::kLine:
      return is_line(text);
    case NamedFormat::kTelephone:
      return is_telephone(text);
    case NamedFormat::kSha256:
      return text.size() == 64 && all(text, kLowerHex);
    case NamedFormat::kMediaType:
      return is_media_type(text);
    case NamedFormat::kFactor:
      return FactorDictionary::builtin().find(text) != nullptr;
  }
  return false;
}

}  // namespace thalweg
