// load_test.cc: a region from its folder or from its texts: whole, or every mistake at once.
#include "region/load.h"

#include <algorithm>
#include <fstream>

#include "small_region.h"
#include "support/temp_folder.h"

namespace thalweg::region {
namespace {

void write(const TempFolder& folder, const Texts& texts) {
  for (const auto& [file, text] : texts) {
    std::filesystem::create_directories((folder / file).parent_path());
    std::ofstream(folder / file) << text;
  }
}

bool says(const std::vector<Mistake>& mistakes, std::string_view file, std::string_view part) {
  return std::ranges::any_of(
      mistakes, [&](const Mistake& m) { return m.file == file && m.message.en.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("a folder and its texts give the same region and the same digest", "[region]") {
  const TempFolder folder;
  write(folder, small_region());
  std::vector<Mistake> mistakes;
  const auto from_folder = load_folder(real_files(), folder.path(), mistakes);
  REQUIRE(from_folder.has_value());
  const auto from_texts = region_of(small_region());
  CHECK((*from_folder)->digest() == from_texts->digest());
  CHECK((*from_folder)->texts() == small_region());
  CHECK(region_of((*from_folder)->texts())->agreements().size() == 2);
}

TEST_CASE("the digest changes with any byte and with the name of a file", "[region]") {
  const Texts texts = small_region();
  CHECK(digest_of(texts) == digest_of(small_region()));
  CHECK(digest_of(appended(texts, "sections.toml", "#")) != digest_of(texts));
  Texts moved = texts;
  moved["agreements/all.toml"] = moved["agreements.toml"];
  moved.erase("agreements.toml");
  CHECK(digest_of(moved) != digest_of(texts));
  // A byte that moves from one file to the next is a change, too.
  CHECK(digest_of({{"a", "12"}, {"b", "3"}}) != digest_of({{"a", "1"}, {"b", "23"}}));
}

TEST_CASE("agreements may stand in files of their own", "[region]") {
  Texts texts = small_region();
  texts["agreements/all.toml"] = texts["agreements.toml"];
  texts.erase("agreements.toml");
  const TempFolder folder;
  write(folder, texts);
  std::vector<Mistake> mistakes;
  const auto region = load_folder(real_files(), folder.path(), mistakes);
  REQUIRE(region.has_value());
  CHECK((*region)->agreement_by_id("data").has_value());
}

TEST_CASE("a file of another name is a mistake, as a misspelled one would be left out unnoticed", "[region]") {
  const TempFolder folder;
  Texts texts = small_region();
  texts["agreement.toml"] = "";
  texts["README.md"] = "not looked at";
  write(folder, texts);
  std::vector<Mistake> mistakes;
  CHECK_FALSE(load_folder(real_files(), folder.path(), mistakes).has_value());
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].file == "agreement.toml");
  CHECK_THAT(mistakes[0].message.en, Catch::Contains("'agreements.toml'"));
}

TEST_CASE("a missing file is a mistake, and does not make every reference into it one", "[region]") {
  Texts texts = small_region();
  texts.erase("parties.toml");
  const std::vector<Mistake> mistakes = mistakes_of(texts);
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].file == "parties.toml");
  CHECK(mistakes[0].code == Code::kRegionSyntax);
}

TEST_CASE("a file that is no TOML does not hide the mistakes of the others", "[region]") {
  Texts texts = changed(small_region(), "parties.toml", "[[party]]", "[[party]");
  texts = changed(texts, "rivers.toml", "basin = \"basin\"", "basin = \"bsn\"");
  const std::vector<Mistake> mistakes = mistakes_of(texts);
  CHECK(mistakes.size() == 2);
  CHECK(says(mistakes, "parties.toml", "is not TOML"));
  CHECK(says(mistakes, "rivers.toml", "no basin 'bsn'"));
}

TEST_CASE("every mistake is told at once, by file and line", "[region]") {
  Texts texts = changed(small_region(), "region.toml", "format = 1\n", "");
  texts = changed(texts, "parties.toml", "superior = \"city\"", "superior = \"town\"");
  texts = changed(texts, "parties.toml", "level = \"county\"\nsuperior", "level = \"conty\"\nsuperior");
  texts = changed(texts, "sections.toml", "km = 10", "km = 100");
  texts = changed(texts, "sections.toml", "kind = \"river\"", "knd = \"river\"");
  texts = changed(texts, "agreements.toml", "valid_from = 2024-01-01", "valid_from = 2024-01-01\nstaus = \"x\"");
  const std::vector<Mistake> mistakes = mistakes_of(texts);
  for (const Mistake& m : mistakes) UNSCOPED_INFO(m.text(Language::kEnglish));
  CHECK(mistakes.size() == 7);  // a misspelled key is one for the key it is not, and one for the key that is missing
  CHECK(std::ranges::is_sorted(mistakes, {}, [](const Mistake& m) { return std::pair(m.file, m.line); }));
  CHECK(says(mistakes, "region.toml", "'format' is missing"));
  CHECK(says(mistakes, "parties.toml", "no party 'town'"));
  CHECK(says(mistakes, "parties.toml", "'conty'"));
  CHECK(says(mistakes, "sections.toml", "only 20 km"));
  CHECK(says(mistakes, "sections.toml", "'knd'"));
  CHECK(says(mistakes, "sections.toml", "'kind' is missing"));
  CHECK(says(mistakes, "agreements.toml", "'staus'"));
}

TEST_CASE("a mistake is one line with its place, its key and its number", "[region]") {
  const std::vector<Mistake> mistakes =
      mistakes_of(changed(small_region(), "parties.toml", "superior = \"city\"", "superior = \"citi\""));
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].text(Language::kEnglish) ==
        "parties.toml:15: party[2].superior: there is no party 'citi'; nearest: 'city' [503]");
  CHECK(mistakes[0].text(Language::kChinese) ==
        "parties.toml:15: party[2].superior: 没有主体“citi”；相近的有：“city” [503]");
}

TEST_CASE("a file of nothing but mistakes ends after a thousand", "[region]") {
  Texts texts = small_region();
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "[[section]]\nbad = 1\n";
  texts["sections.toml"] = many;
  CHECK(mistakes_of(texts).size() == 1001);
}

TEST_CASE("a file that is not UTF-8 or nests without end is a mistake and no crash", "[region]") {
  Texts texts = small_region();
  texts["sections.toml"] = "name = \"\xff\xfe\"";
  CHECK(mistakes_of(texts).size() == 1);
  texts["sections.toml"] = "a = " + std::string(100'000, '[');
  CHECK(mistakes_of(texts).size() == 1);
}

TEST_CASE("a folder that is not there is a mistake", "[region]") {
  std::vector<Mistake> mistakes;
  CHECK_FALSE(load_folder(real_files(), "/nonexistent-region-folder", mistakes).has_value());
  CHECK(mistakes.front().code == Code::kRegionSyntax);
}

TEST_CASE("dates are days in Beijing, the last one included", "[region]") {
  const auto region = region_of(changed(small_region(), "agreements.toml", "valid_from = 2024-01-01",
                                        "valid_from = 2024-01-01\nvalid_to = 2024-12-31"));
  const Agreement& data = region->agreement(*region->agreement_by_id("data"));
  constexpr std::int64_t kSecond = 1'000'000'000;
  CHECK(data.from_unix_ns == 1'704'038'400 * kSecond);  // 2023-12-31T16:00:00Z
  CHECK(data.to_unix_ns == 1'735'660'800 * kSecond);    // 2024-12-31T16:00:00Z
  CHECK_FALSE(data.in_force(data.from_unix_ns - 1));
  CHECK(data.in_force(data.from_unix_ns));
  CHECK(data.in_force(data.to_unix_ns - 1));
  CHECK_FALSE(data.in_force(data.to_unix_ns));
}

TEST_CASE("a time with its offset is taken as it says", "[region]") {
  const auto region = region_of(
      changed(small_region(), "agreements.toml", "valid_from = 2024-01-01", "valid_from = 2024-01-01T00:00:00.5Z"));
  CHECK(region->agreement(*region->agreement_by_id("data")).from_unix_ns == 1'704'067'200'500'000'000);
}

}  // namespace thalweg::region
