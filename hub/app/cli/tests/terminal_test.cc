#include "app/cli/terminal.h"

#include <catch2/catch.hpp>

namespace thalweg::app {
namespace {

const Terminal kPlainZh(Language::kChinese, false);
const Terminal kColouredEn(Language::kEnglish, true);

TEST_CASE("Chinese characters take two columns, colours none") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("荣昌") == 4);
  CHECK(display_width("（荣昌）") == 8);
  CHECK(display_width(kColouredEn.paint(Colour::kRed, "荣昌")) == 4);
  CHECK(display_width("") == 0);
}

TEST_CASE("A byte that is no UTF-8 takes one column and ends nothing") {
  CHECK(display_width("a\xFF"
                      "b") == 3);
  CHECK(display_width("\xE8\x8D") == 2);
}

TEST_CASE("Columns of a table line up whatever is in them") {
  Table table({"主体", "名称"});
  table.row({"500153", "荣昌"});
  table.row({"1", "b"});
  CHECK(table.text(kPlainZh) == "主体    名称\n500153  荣昌\n1       b\n");
}

TEST_CASE("A painted cell is as wide as a plain one") {
  Table plain({"a", "b"}), painted({"a", "b"});
  plain.row({"red", "x"});
  painted.row({kColouredEn.paint(Colour::kRed, "red"), "x"});
  std::string text = painted.text(kPlainZh);
  for (const char* escape : {"\033[31;1m", "\033[0m"})
    if (const auto at = text.find(escape); at != std::string::npos) text.erase(at, std::string(escape).size());
  CHECK(text == plain.text(kPlainZh));
}

TEST_CASE("Empty cells leave their place and no blanks at the end of a line") {
  Table table({"a", "b", "c"});
  table.row({"1", "", "3"});
  table.row({"1", "2", ""});
  CHECK(table.text(kPlainZh) == "a  b  c\n1     3\n1  2\n");
  CHECK_FALSE(table.empty());
  CHECK(Table({"a"}).empty());
}

TEST_CASE("Text from outside moves no cursor, paints nothing and turns no direction") {
  CHECK(clean("a\033[31mb") == "a\xEF\xBF\xBD[31mb");
  CHECK(clean("a\nb") ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(clean("a\nb", Lines::kKept) == "a\nb");
  CHECK(clean("a\rb", Lines::kKept) ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(clean("\xC2\x9B"
              "31m") ==
        "\xEF\xBF\xBD"
        "31m");  // CSI in one character
  CHECK(clean("x\xE2\x80\xAE"
              "y\xE2\x81\xA6") == "x\xEF\xBF\xBDy\xEF\xBF\xBD");  // right-to-left override, isolate
  CHECK(clean("濑溪河 “高洞” – …") == "濑溪河 “高洞” – …");
  CHECK(clean("\xC2") == "\xC2");  // cut short: left as it is, nothing read behind it
  CHECK(clean("\xE2\x80") == "\xE2\x80");
}

TEST_CASE("The language is Chinese for zh and English for anything else") {
  CHECK(language_from("zh") == Language::kChinese);
  CHECK(language_from("zh_CN.UTF-8") == Language::kChinese);
  CHECK(language_from("en") == Language::kEnglish);
  CHECK(language_from("fr") == Language::kEnglish);
}

}  // namespace
}  // namespace thalweg::app
