// value.h: what a written measured value means: a decimal, a censored result, or nothing. Missing is never 0.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace thalweg {

/// A value as it was written, understood.
struct Value {
  std::string
      decimal;        ///< as a JSON number with the digits that were written ("0.050"); empty when missing or censored
  char censored = 0;  ///< '<' below the limit, '>' above the range, 0 neither
  std::string limit;  ///< as a JSON number; empty when the text does not say (ND, 未检出)

  bool missing() const { return decimal.empty() && censored == 0; }
};

namespace detail {
inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}
}  // namespace detail

/// `text` as a JSON number with the same digits; empty if it is no finite decimal. "+.5" gives "0.5", "007" gives "7".
/// Thousands separators are not guessed at. Exponents are kept. At most 40 characters.
inline std::string json_number(std::string_view text) {
  text = detail::trimmed(text);
  if (text.empty() || text.size() > 40) return {};
  std::string out;
  std::size_t i = 0;
  const auto digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  if (text[i] == '+' || text[i] == '-') {
    if (text[i] == '-') out += '-';
    ++i;
  }
  const std::size_t whole = i;
  while (digit(i)) ++i;
  std::size_t first = whole;
  while (first + 1 < i && text[first] == '0') ++first;
  out += first == i ? std::string("0") : std::string(text.substr(first, i - first));
  bool digits = i > whole;
  if (i < text.size() && text[i] == '.') {
    const std::size_t point = i++;
    while (digit(i)) ++i;
    if (i > point + 1) {
      out += text.substr(point, i - point);
      digits = true;
    }
  }
  if (!digits) return {};
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    const std::size_t mark = i++;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    const std::size_t power = i;
    while (digit(i)) ++i;
    if (i == power || i - power > 3) return {};
    out += text.substr(mark, i - mark);
  }
  if (i != text.size()) return {};
  const double value = std::strtod(out.c_str(), nullptr);
  return value > 1.7e308 || value < -1.7e308 ? std::string{} : out;
}

/// Reads a value as stations, laboratories and spreadsheets write it. Never fails: what is not understood is missing.
///
/// Numbers: "0.050". Below the limit: "<0.01", "＜0.01", "0.01L" (the mark of HJ laboratories), "ND", "未检出". Above
/// the range: ">16", "＞16". Missing: "", "--", "-", "/", "NA", and any other text.
inline Value read_value(std::string_view text) {
  text = detail::trimmed(text);
  Value value;
  value.decimal = json_number(text);
  if (!value.decimal.empty()) return value;
  const auto after = [&](std::string_view mark) { return text.substr(mark.size()); };
  for (const auto& [mark, kind] : {std::pair{std::string_view("<"), '<'}, {"＜", '<'}, {">", '>'}, {"＞", '>'}}) {
    if (text.substr(0, mark.size()) != mark) continue;
    value.limit = json_number(after(mark));
    if (!value.limit.empty()) value.censored = kind;
    return value;
  }
  if (text == "ND" || text == "nd" || text == "N.D." || text == "未检出") {
    value.censored = '<';
  } else if (text.size() > 1 && (text.back() == 'L' || text.back() == 'l')) {
    value.limit = json_number(text.substr(0, text.size() - 1));
    if (!value.limit.empty()) value.censored = '<';
  }
  return value;
}

}  // namespace thalweg
