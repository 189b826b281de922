// find_test.cc: finding parties, rivers and sections by what people and systems call them.
#include "small_region.h"

namespace thalweg::region {
namespace {

/// The small region with a second river of the same name (two rivers are named 大溪河) and two sections of one name.
std::shared_ptr<const Region> ambiguous_region() {
  Texts texts = appended(small_region(), "rivers.toml", R"([[river]]
code = "daxi-wulong"
name = "大溪河"
[[river.reach]]
code = "daxi-wulong-1"
order = 1
length_km = 5
party = "chief"
[[river]]
code = "daxi-jiulongpo"
name = "大溪河"
[[river.reach]]
code = "daxi-jiulongpo-1"
order = 1
length_km = 5
party = "chief"
)");
  texts = appended(texts, "sections.toml", R"([[section]]
code = "kou-1"
name = "河口"
river = "daxi-wulong"
reach = "daxi-wulong-1"
km = 1
party = "chief"
kind = "river"
[[section.station]]
mn = "A200"
to = 2024-06-30
[[section]]
code = "kou-2"
name = "河口"
aliases = ["新河口"]
river = "daxi-jiulongpo"
reach = "daxi-jiulongpo-1"
km = 1
party = "chief"
kind = "lake"
[[section.station]]
mn = "A200"
from = 2024-07-01
)");
  return region_of(texts);
}

}  // namespace

TEST_CASE("a party is found by code, old code, alias and name", "[region]") {
  const auto region = region_of(small_region());
  for (const std::string_view key : {"up", "up-old", "上县", "上县局", "Upper"}) {
    CAPTURE(key);
    const auto found = region->find_party(key);
    REQUIRE(found.has_value());
    CHECK(region->party(*found).code == "up");
  }
  CHECK(region->party(*region->party_by_key("small-hub")).is_hub());
}

TEST_CASE("a party that is not there is answered with the nearest", "[region]") {
  const auto found = region_of(small_region())->find_party("上县局区");
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().code == Code::kNotFound);
  CHECK_THAT(found.error().message, Catch::Contains("上县局"));
}

TEST_CASE("a section is found by code, station number, name and alias", "[region]") {
  const auto region = ambiguous_region();
  for (const std::string_view text : {"mid-out", "A100", "出境"}) {
    CAPTURE(text);
    const auto found = region->find_section(text);
    REQUIRE(found.has_value());
    CHECK(region->section(*found).code == "mid-out");
  }
  CHECK(region->section(*region->find_section("新河口")).code == "kou-2");
  CHECK_FALSE(region->section_by_key("出境").has_value());  // names are no keys
}

TEST_CASE("a name that two sections have is reported with their codes, never guessed", "[region]") {
  const auto found = ambiguous_region()->find_section("河口");
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().code == Code::kSectionUnknown);
  CHECK_THAT(found.error().message, Catch::Contains("several") && Catch::Contains("kou-1") && Catch::Contains("kou-2"));
}

TEST_CASE("two rivers named 大溪河 are reported with their codes, never guessed", "[region]") {
  const auto region = ambiguous_region();
  const auto found = region->find_river("大溪河");
  REQUIRE_FALSE(found.has_value());
  CHECK_THAT(found.error().message, Catch::Contains("daxi-wulong") && Catch::Contains("daxi-jiulongpo"));
  CHECK_FALSE(region->river_by_key("大溪河").has_value());
  CHECK(region->river(*region->find_river("小支河")).code == "side");
}

TEST_CASE("a station number stands for the section that had it at the time", "[region]") {
  const auto region = ambiguous_region();
  const std::int64_t may = 1'714'500'000'000'000'000, august = 1'722'500'000'000'000'000;  // 2024
  CHECK(region->section(*region->find_section("A200", may)).code == "kou-1");
  CHECK(region->section(*region->find_section("A200", august)).code == "kou-2");
  CHECK(region->section(*region->section_by_key("A200")).code == "kou-2");  // without a time: who has it last
}

TEST_CASE("a section that is not there is answered with the nearest", "[region]") {
  const auto found = region_of(small_region())->find_section("mid-uot");
  REQUIRE_FALSE(found.has_value());
  CHECK_THAT(found.error().message, Catch::Contains("mid-out"));
}

TEST_CASE("a long wrong name is cut between characters in the message", "[region]") {
  std::string name = "a";
  for (int i = 0; i < 100; ++i) name += "河";
  const auto found = region_of(small_region())->find_section(name);
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().message.size() < 200);
  CHECK_THAT(found.error().message, Catch::Contains("河'"));
}

}  // namespace thalweg::region
