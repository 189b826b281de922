// words.h: texts that exist in Chinese and in English.
#pragma once

#include <string>
#include <string_view>

namespace thalweg::region {

enum class Language { kChinese, kEnglish };

/// A text for people in both languages. A name without an English form is shown in Chinese: a wrong translation of a
/// place is worse than none.
struct Words {
  std::string zh;
  std::string en;

  const std::string& in(Language language) const { return language == Language::kEnglish && !en.empty() ? en : zh; }
  bool operator==(const Words&) const = default;
};

/// The first bytes of a text from outside, for a message: at most 100, never half a character.
inline std::string_view shortened(std::string_view text) {
  constexpr std::size_t kMost = 100;
  if (text.size() <= kMost) return text;
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace thalweg::region
