#include "../csv.h"

#include <catch2/catch.hpp>

#include "../encoding.h"

using namespace thalweg;
using namespace thalweg::tabular;

namespace {
using Cells = std::vector<std::string>;
std::string cell(std::string_view text, CellKind kind = CellKind::kText, CodeStyle style = CodeStyle::kFormula) {
  return csv_cell(text, kind, style, ',');
}
}  // namespace

TEST_CASE("quoted cells, line ends of every system and empty rows are read as spreadsheets mean them",
          "[tabular][csv]") {
  const auto rows = parse_csv("a,b\r\n1,\"x \"\"y\"\", z\"\n\n,\n2,\"two\r\nlines\"\r3,", ',');
  REQUIRE(rows);
  REQUIRE(rows->size() == 4);
  CHECK((*rows)[0].cells == Cells{"a", "b"});
  CHECK((*rows)[1].cells == Cells{"1", "x \"y\", z"});
  CHECK((*rows)[1].line == 2);
  CHECK((*rows)[2].cells == Cells{"2", "two\r\nlines"});
  CHECK((*rows)[2].line == 5);
  CHECK((*rows)[3].cells == Cells{"3", ""});
  CHECK((*parse_csv("a;b\t,c", ';'))[0].cells == Cells{"a", "b\t,c"});
  CHECK(parse_csv("", ',')->empty());
}

TEST_CASE("a table that goes wrong is refused with its line", "[tabular][csv]") {
  CHECK(parse_csv("a\n\"open", ',').error().message == "line 2: a quoted cell does not end");
  CHECK(parse_csv("a\n\"" + std::string(70'000, 'x'), ',').error().code == Code::kMappingInvalid);
  CHECK(parse_csv(std::string(5000, ','), ',').error().code == Code::kMappingInvalid);
}

TEST_CASE("what a spreadsheet would compute is made harmless, and numbers stay numbers", "[tabular][csv]") {
  CHECK(cell("=1+1") == "'=1+1");
  CHECK(cell("+cmd|' /C calc'!A0") == "'+cmd|' /C calc'!A0");
  CHECK(cell("-2+3") == "'-2+3");
  CHECK(cell("@SUM(A1)") == "'@SUM(A1)");
  CHECK(cell("\t=1") == "\"'\t=1\"");
  CHECK(cell("\r=1") == "' =1");
  CHECK(cell("\n=1") == "' =1");
  CHECK(cell("＝1+1") == "'＝1+1");
  CHECK(cell("=HYPERLINK(\"http://x\",\"y\")") == "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
  CHECK(cell("-0.5", CellKind::kNumber) == "-0.5");
  CHECK(cell("-0.5") == "-0.5");
  CHECK(cell("-1e5", CellKind::kNumber) == "-1e5");
  CHECK(cell("+5") == "'+5");
  CHECK(cell("--") == "--");
  CHECK(cell("0.050", CellKind::kNumber) == "0.050");
  CHECK(cell("<0.01", CellKind::kNumber) == "<0.01");
  CHECK(cell("a\r\nb") == "a  b");
  CHECK(cell("a,b") == "\"a,b\"");
  CHECK(cell(" a") == "\" a\"");
}

TEST_CASE("codes that a spreadsheet would misread stay text, others are written as they are", "[tabular][csv]") {
  CHECK(cell("500153", CellKind::kCode) == "=\"500153\"");
  CHECK(cell("0012", CellKind::kCode) == "=\"0012\"");
  CHECK(cell("88888880000001", CellKind::kCode) == "=\"88888880000001\"");
  CHECK(cell("12-1", CellKind::kCode) == "=\"12-1\"");
  CHECK(cell("1E05", CellKind::kCode) == "=\"1E05\"");
  CHECK(cell("A500226_0002", CellKind::kCode) == "A500226_0002");
  CHECK(cell("500153", CellKind::kCode, CodeStyle::kTab) == "\"\t500153\"");
  CHECK(cell("500153", CellKind::kCode, CodeStyle::kPlain) == "500153");
  CHECK(cell("=\"&A1", CellKind::kCode) == "\"'=\"\"&A1\"");  // a code can be hostile too
  CHECK(cell("+86 23 1", CellKind::kCode) == "'+86 23 1");
}

TEST_CASE("what was made harmless is read back as it was meant", "[tabular][csv]") {
  for (const char* text : {"=1+1", "+5", "-2+3", "@x", "500153", "0012", "plain", "--"}) {
    for (const CellKind kind : {CellKind::kText, CellKind::kCode})
      for (const CodeStyle style : {CodeStyle::kFormula, CodeStyle::kTab, CodeStyle::kPlain}) {
        const auto rows = parse_csv(csv_cell(text, kind, style, ','), ',');
        REQUIRE(rows);
        CHECK(cell_meaning((*rows)[0].cells[0]) == text);
      }
  }
  CHECK(cell_meaning("'tis") == "'tis");
}

TEST_CASE("both encodings are recognised, with and without a mark", "[tabular][encoding]") {
  const std::string text = "断面,溶解氧\n高洞电站,2.82 ㎎ 𠮷\n";
  const auto gb = to_gb18030(text);
  REQUIRE(gb);
  CHECK(*gb != text);
  CHECK(*to_utf8(*gb, Encoding::kAuto) == text);
  CHECK(*to_utf8(*gb, Encoding::kGb18030) == text);
  CHECK(*to_utf8(text, Encoding::kAuto) == text);
  CHECK(*to_utf8(std::string(kUtf8Bom) + text, Encoding::kAuto) == text);
  CHECK(to_utf8(*gb, Encoding::kUtf8).error().code == Code::kData);
  CHECK(to_utf8("abc\xFF\xFF", Encoding::kAuto).error().code == Code::kData);
  CHECK(to_gb18030("\xFF").error().code == Code::kData);
  CHECK_FALSE(valid_utf8("\xC0\x80"));
  CHECK_FALSE(valid_utf8("\xED\xA0\x80"));
  CHECK_FALSE(valid_utf8("\xE6\xB0"));
}
