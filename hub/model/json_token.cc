// json_token.cc: looks at single JSON tokens where they stand: ends, escapes, the form of numbers.
#include "model/json_token.h"

#include <simdjson.h>

#include <charconv>
#include <limits>

namespace thalweg {
namespace {

constexpr std::size_t kMostDigits = 300;  // a double holds 308

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string_view raw_key(const char* raw) {
  const char* end = raw;
  for (; *end != '"'; ++end) {
    if (*end == '\\') ++end;
  }
  return {raw, static_cast<std::size_t>(end - raw)};
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (char c : text) count += (static_cast<std::uint8_t>(c) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

NumberForm number_form(std::string_view token) {
  const char* at = token.data();
  const char* const end = at + token.size();
  if (at != end && *at == '-') ++at;
  const char* const digits = at;
  while (at != end && is_digit(*at)) ++at;
  if (at == digits || (*digits == '0' && at - digits > 1)) return NumberForm::kNone;
  if (at == end) {
    if (at - digits <= 18) return NumberForm::kInteger;
    std::int64_t value = 0;
    const auto parsed = std::from_chars(token.data(), end, value);
    if (parsed.ec == std::errc()) return NumberForm::kInteger;
    return token.size() < kMostDigits ? NumberForm::kDecimal : NumberForm::kLarge;
  }
  bool large = token.size() >= kMostDigits;
  if (*at == '.') {
    const char* const fraction = ++at;
    while (at != end && is_digit(*at)) ++at;
    if (at == fraction) return NumberForm::kNone;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    large = true;
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    const char* const exponent = at;
    while (at != end && is_digit(*at)) ++at;
    if (at == exponent) return NumberForm::kNone;
  }
  if (at != end) return NumberForm::kNone;
  return large ? NumberForm::kLarge : NumberForm::kDecimal;
}

double number_value(std::string_view number) {
  double value = 0;
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value);
  if (parsed.ec != std::errc::result_out_of_range) return value;
  // Too small is as good as zero; too large is told apart by its exponent's sign.
  const std::size_t exponent = number.find_first_of("eE");
  const bool small = exponent != number.npos && number.substr(exponent).find('-') != number.npos;
  return small ? 0 : std::numeric_limits<double>::infinity();
}

std::optional<std::string> unescaped(std::string_view token) {
  if (token.size() < 2) return std::nullopt;
  const std::string_view text = token.substr(1, token.size() - 2);
  if (text.find('\\') == text.npos) return std::string(text);
  simdjson::ondemand::parser parser;
  const simdjson::padded_string copy(token);
  simdjson::ondemand::document document;
  std::string_view plain;
  if (parser.iterate(copy).get(document) || document.get_string().get(plain)) return std::nullopt;
  return std::string(plain);
}

}  // namespace thalweg
