// laixi_test.cc: the example region loads, and is what it says.
#include <catch2/catch.hpp>

#include "region/load.h"
#include "region/show.h"

namespace thalweg::region {
namespace {

constexpr std::int64_t kAutumn2026 = 1'790'000'000'000'000'000;

std::shared_ptr<const Region> laixi() {
  std::vector<Mistake> mistakes;
  auto region = load_folder(real_files(), Path(THALWEG_SOURCE_DIR) / "examples/regions/laixi", mistakes);
  for (const Mistake& m : mistakes) UNSCOPED_INFO(m.text(Language::kEnglish));
  REQUIRE(region.has_value());
  return *region;
}

}  // namespace

TEST_CASE("the example region has no mistakes and no statutory gap", "[region][laixi]") {
  CHECK(statutory_gaps(*laixi(), kAutumn2026).empty());
}

TEST_CASE("高洞电站 is found by its station number, which holds an old code of 荣昌", "[region][laixi]") {
  const auto region = laixi();
  const Section& gaodong = region->section(*region->find_section("A500226_0002"));
  CHECK(gaodong.name.zh == "高洞电站");
  CHECK(region->party(gaodong.party).code == "500153");
  CHECK(region->party(*region->party_by_key("500226")).code == "500153");
  CHECK(region->party(*region->party_by_key("荣昌")).code == "500153");
}

TEST_CASE("泸县 lies below 荣昌 and above it at once, 大足 only above", "[region][laixi]") {
  const auto region = laixi();
  const auto adjoining = region->adjoining(*region->party_by_key("500153"));
  REQUIRE(adjoining.size() == 2);
  CHECK(region->party(adjoining[0].party).code == "500111");
  CHECK(adjoining[0].upstream);
  CHECK_FALSE(adjoining[0].downstream);
  CHECK(region->party(adjoining[1].party).code == "510521");
  CHECK(adjoining[1].upstream);
  CHECK(adjoining[1].downstream);
}

TEST_CASE("the region is shown in flow order in both languages", "[region][laixi]") {
  const auto region = laixi();
  const std::string zh = show(*region, Language::kChinese, kAutumn2026);
  const std::string en = show(*region, Language::kEnglish, kAutumn2026);
  const auto in_order = [](const std::string& text, std::initializer_list<std::string_view> parts) {
    std::size_t at = 0;
    for (const std::string_view part : parts) {
      CAPTURE(part);
      at = text.find(part, at);
      REQUIRE(at != std::string::npos);
    }
  };
  in_order(zh, {"濑溪河", "laixi-dazu", "玉滩水库", "laixi-rongchang", "高洞电站", "laixi-luxian", "流出本区域"});
  in_order(en, {"Laixi River", "laixi-dazu", "Gaodong", "tributary from Luxian", "laixi-luxian", "leaves the region"});
  CHECK_THAT(zh, Catch::Contains("由运维方声明"));
  CHECK_THAT(en, Catch::Contains("asserted by the operator"));
}

TEST_CASE("the region as JSON names every party, section and agreement", "[region][laixi]") {
  const auto region = laixi();
  const std::string json = show_json(*region, kAutumn2026);
  for (const Party& party : region->parties()) CHECK_THAT(json, Catch::Contains("\"code\": \"" + party.code + "\""));
  for (const Section& section : region->sections()) CHECK_THAT(json, Catch::Contains(section.code));
  for (const Agreement& agreement : region->agreements()) CHECK_THAT(json, Catch::Contains(agreement.id));
}

}  // namespace thalweg::region
