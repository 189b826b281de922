// json_token.h: looks at single JSON tokens where they stand: ends, escapes, the form of numbers.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace thalweg {

/// The text without JSON's white space behind it; other control characters stay, so that they are found.
inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\r' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

/// Whether a backslash stands in `text`. Reads whole words: 8 bytes behind the text must be readable.
inline bool has_backslash(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u, kHighs = 0x8080808080808080u, kSlashes = kOnes * '\\';
  std::size_t at = 0;
  for (; at < text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    word ^= kSlashes;
    std::uint64_t zeros = (word - kOnes) & ~word & kHighs;
    if (zeros == 0) continue;
    // The lowest bit is exact (borrows only reach upwards): does it lie inside the text?
    return at + static_cast<std::size_t>(std::countr_zero(zeros)) / 8 < text.size();
  }
  return false;
}

/// The key that begins at `raw`, behind its quote, escapes and all. The key must be closed: simdjson has seen to that.
std::string_view raw_key(const char* raw);

/// Number of Unicode code points in valid UTF-8.
std::size_t characters(std::string_view text);

enum class NumberForm : std::uint8_t {
  kNone,     ///< no number by JSON's grammar
  kInteger,  ///< without fraction and exponent, and fits in a signed 64-bit integer, which every reader has
  kDecimal,  ///< any other that a double surely holds
  kLarge,    ///< has an exponent or very many digits: look whether it is finite
};
NumberForm number_form(std::string_view token);
/// The nearest double; infinity beyond its range. `number` has passed number_form().
double number_value(std::string_view number);

/// The text of a string token with its quotes, unescaped; none when an escape is wrong. Copies: not for the hot path.
std::optional<std::string> unescaped(std::string_view token);

}  // namespace thalweg
