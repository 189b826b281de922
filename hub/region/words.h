// words.h: texts that exist in Chinese and in English.
#pragma once

#include <string>

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

}  // namespace thalweg::region
