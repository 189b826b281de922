#include <string>

#include "trust/keys.h"

namespace thalweg::trust {
namespace {

constexpr std::size_t kDigits = 40;
constexpr std::size_t kGroup = 5;

/// The last 40 decimal digits of the fingerprint taken as a big-endian number.
std::string digits_of(Hash256 number) {
  std::string digits(kDigits, '0');
  for (std::size_t place = kDigits; place-- > 0;) {
    unsigned rest = 0;
    for (std::uint8_t& byte : number) {
      const unsigned value = rest << 8 | byte;
      byte = static_cast<std::uint8_t>(value / 10);
      rest = value % 10;
    }
    digits[place] = static_cast<char>('0' + rest);
  }
  return digits;
}

}  // namespace

std::string fingerprint_text(const Hash256& fingerprint) {
  const std::string digits = digits_of(fingerprint);
  std::string text;
  for (std::size_t i = 0; i < kDigits; i += kGroup) {
    if (i != 0) text += ' ';
    text.append(digits, i, kGroup);
  }
  return text;
}

bool fingerprint_equals(std::string_view typed, const Hash256& fingerprint) {
  static constexpr std::string_view kFullWidth = "\xef\xbc";  // U+FF10 to U+FF19 are EF BC 90 to EF BC 99
  static constexpr std::string_view kIdeographicSpace = "\xe3\x80\x80";
  std::string digits;
  while (!typed.empty() && digits.size() <= kDigits) {
    const char c = typed.front();
    std::size_t taken = 1;
    if (c >= '0' && c <= '9') {
      digits += c;
    } else if (typed.size() >= 3 && typed.starts_with(kFullWidth) && typed[2] >= '\x90' && typed[2] <= '\x99') {
      digits += static_cast<char>('0' + (typed[2] - '\x90'));
      taken = 3;
    } else if (typed.starts_with(kIdeographicSpace)) {
      taken = 3;
    } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != '-') {
      return false;
    }
    typed.remove_prefix(taken);
  }
  return digits == digits_of(fingerprint);
}

}  // namespace thalweg::trust
