#include "app/cli/terminal.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdlib>
#include <cwchar>
#include <iostream>
#include <unordered_map>

#include "base/bytes.h"

namespace thalweg::app {
namespace {

const std::unordered_map<int, CodeText>& code_texts() {
  static const std::unordered_map<int, CodeText> texts{
#define TW_ERROR_TEXT(name, number, meaning_zh, meaning_en, remedy_zh, remedy_en) \
  {number, {name, meaning_zh, meaning_en, remedy_zh, remedy_en}},
#include "error_texts.inc"
#undef TW_ERROR_TEXT
  };
  return texts;
}

std::string_view escape(Colour colour) {
  switch (colour) {
    case Colour::kPlain:
      return "";
    case Colour::kBold:
      return "\033[1m";
    case Colour::kDim:
      return "\033[2m";
    case Colour::kRed:
      return "\033[31;1m";
    case Colour::kGreen:
      return "\033[32m";
    case Colour::kYellow:
      return "\033[33m";
    case Colour::kCyan:
      return "\033[36m";
  }
  return "";
}

}  // namespace

Language language_from(std::string_view option) {
  std::string wanted(option);
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    if (!wanted.empty()) break;
    if (const char* value = std::getenv(name)) wanted = value;
  }
  return wanted.starts_with("zh") ? Language::kChinese : Language::kEnglish;
}

Terminal::Terminal(Language language) : Terminal(language, isatty(1) != 0 && std::getenv("NO_COLOR") == nullptr) {}

Terminal::Terminal(Language language, bool colours) : language_(language), colours_(colours) {
  std::setlocale(LC_CTYPE, "C.UTF-8");  // for the width of characters
}

void Terminal::line(std::string_view text) const { std::cout << text << '\n'; }

void Terminal::error(std::string_view zh, std::string_view en) const {
  std::cerr << "thalweg: " << say(zh, en) << '\n';
}

void Terminal::error(const Error& error, std::string_view program) const {
  const CodeText& text = text_of(error.code);
  std::cerr << program << ": " << clean(error.message, Lines::kKept) << '\n';
  std::cerr << "  " << static_cast<int>(error.code) << ' ' << say(text.meaning_zh, text.meaning_en);
  if (const std::string remedy = say(text.remedy_zh, text.remedy_en); !remedy.empty())
    std::cerr << say("；", "; ") << remedy;
  std::cerr << '\n';
}

std::string Terminal::paint(Colour colour, std::string_view text) const {
  if (!colours_ || colour == Colour::kPlain) return std::string(text);
  return std::string(escape(colour)) + std::string(text) + "\033[0m";
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  std::mbstate_t state{};
  const char* at = text.data();
  std::size_t left = text.size();
  while (left > 0) {
    if (*at == '\033') {  // a colour: up to its 'm'
      while (left > 0 && *at != 'm') ++at, --left;
      if (left > 0) ++at, --left;
      continue;
    }
    wchar_t wide = 0;
    const std::size_t used = std::mbrtowc(&wide, at, left, &state);
    if (used == 0 || used > left) {
      ++at, --left, ++width;
      state = {};
      continue;
    }
    width += static_cast<std::size_t>(std::max(0, wcwidth(wide)));
    at += used;
    left -= used;
  }
  return width;
}

std::string Table::text(const Terminal& terminal) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string out;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    std::size_t blanks = 0;  // before the next cell that is not empty
    for (std::size_t i = 0; i < rows_[r].size(); ++i) {
      const std::string& cell = rows_[r][i];
      if (!cell.empty()) {
        out.append(blanks, ' ');
        blanks = 0;
        out += r == 0 ? terminal.paint(Colour::kBold, cell) : cell;
      }
      blanks += widths[i] - display_width(cell) + 2;
    }
    out += '\n';
  }
  return out;
}

void Table::print(const Terminal& terminal) const { std::cout << text(terminal); }

std::string clean(std::string_view text, Lines lines) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
    const unsigned first = byte(i), second = byte(i + 1), third = byte(i + 2);
    if (first < 0x20 || first == 0x7F) {
      if (first == '\n' && lines == Lines::kKept) {
        out += '\n';
      } else {
        out += kReplacement;
      }
    } else if (first == 0xC2 && second >= 0x80 && second <= 0x9F) {  // C1: one byte of escape on some terminals
      out += kReplacement;
      i += 1;
    } else if (first == 0xE2 &&
               ((second == 0x80 && ((third >= 0xAA && third <= 0xAE) || third == 0xA8 || third == 0xA9)) ||
                (second == 0x81 && third >= 0xA6 && third <= 0xA9))) {
      out += kReplacement;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

const CodeText& text_of(Code code) {
  static const CodeText unknown{"?", "未知代码", "a code that this version does not know", "请升级",
                                "update this program"};
  const auto at = code_texts().find(static_cast<int>(code));
  return at == code_texts().end() ? unknown : at->second;
}

}  // namespace thalweg::app
