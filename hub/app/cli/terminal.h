// terminal.h: texts, tables and colours for people: Chinese or English, plain when nobody looks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "region/words.h"
#include "thalweg/cpp/result.h"

namespace thalweg::app {

using region::Language;

/// "zh" and "en", else what LC_ALL, LC_MESSAGES or LANG say; English for anything but Chinese.
Language language_from(std::string_view option);

enum class Colour { kPlain, kBold, kDim, kRed, kGreen, kYellow, kCyan };

/// What a command writes to. One per program run.
class Terminal {
 public:
  explicit Terminal(Language language);
  Terminal(Language language, bool colours);

  Language language() const { return language_; }
  bool chinese() const { return language_ == Language::kChinese; }
  /// The text in the chosen language.
  std::string say(std::string_view zh, std::string_view en) const { return std::string(chinese() ? zh : en); }

  /// To standard output, with a line end.
  void line(std::string_view text = {}) const;
  void line(std::string_view zh, std::string_view en) const { line(say(zh, en)); }
  /// To standard error: what went wrong, its number, and what to do about it.
  void error(const Error& error, std::string_view program = "thalweg") const;
  void error(std::string_view zh, std::string_view en) const;
  /// `text` in `colour` where standard output is a terminal and NO_COLOR is not set.
  std::string paint(Colour colour, std::string_view text) const;

 private:
  Language language_;
  bool colours_;
};

/// Columns as wide as their widest cell; East Asian characters count two, colours none.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.size() == 1; }
  /// A line for the head, one for each row, each with its line end; no blanks at the end of a line.
  std::string text(const Terminal& terminal) const;
  void print(const Terminal& terminal) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// Columns that `text` takes on a terminal.
std::size_t display_width(std::string_view text);

/// `text` from outside made harmless for a terminal: control characters (colours, cursor moves, ends of lines) and
/// marks that turn the direction of writing become U+FFFD. With `lines`, ends of lines stay.
enum class Lines { kReplaced, kKept };
std::string clean(std::string_view text, Lines lines = Lines::kReplaced);

/// Meaning and remedy of a code, from sdk/errors.json.
struct CodeText {
  std::string_view name, meaning_zh, meaning_en, remedy_zh, remedy_en;
};
const CodeText& text_of(Code code);

}  // namespace thalweg::app
