// water_test.cc: who lies above and below, in the order in which the water reaches them.
#include "small_region.h"

namespace thalweg::region {
namespace {

struct Fixture {
  std::shared_ptr<const Region> region = region_of(small_region());
  PartyIndex up = *region->party_by_key("up"), mid = *region->party_by_key("mid"), low = *region->party_by_key("low");
  PartyIndex city = *region->party_by_key("city"), chief = *region->party_by_key("chief");
  Stretch at(std::string_view reach, double km) const { return {*region->reach_by_code(reach), km, km}; }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the water reaches parties in order, with distance and hours", "[region]") {
  const Stretch place = at("main-1", 4);
  const auto below = region->downstream(std::span(&place, 1), up);
  REQUIRE(below.size() == 2);
  CHECK(below[0].party == mid);
  CHECK(below[0].km == 6);
  CHECK(below[0].hours == Approx(6 / 1.8));
  CHECK(below[0].hours_known);
  CHECK(below[1].party == low);
  CHECK(below[1].km == 26);
}

TEST_CASE_METHOD(Fixture, "a party may lie below and above another at once", "[region]") {
  const auto adjoining = region->adjoining(mid);
  REQUIRE(adjoining.size() == 2);
  CHECK(adjoining[0].party == low);
  CHECK(adjoining[0].upstream);
  CHECK(adjoining[0].downstream);
  CHECK_FALSE(adjoining[0].opposite);
  CHECK(adjoining[1].party == up);
  CHECK(adjoining[1].upstream);
  CHECK_FALSE(adjoining[1].downstream);
}

TEST_CASE_METHOD(Fixture, "a tributary counts as above only where it has entered", "[region]") {
  const Stretch before = at("main-2", 14.9), after = at("main-2", 15);
  const auto above_before = region->upstream(std::span(&before, 1), mid);
  REQUIRE(above_before.size() == 1);
  CHECK(above_before[0].party == up);
  CHECK(above_before[0].km == Approx(14.9));
  const auto above_after = region->upstream(std::span(&after, 1), mid);
  REQUIRE(above_after.size() == 2);
  CHECK(above_after[0].party == low);  // the tributary's mouth is right there
  CHECK(above_after[0].km == 0);
  CHECK_FALSE(above_after[1].party == low);
}

TEST_CASE_METHOD(Fixture, "a tributary's water goes on in the river that it joins", "[region]") {
  const Stretch place = at("side-1", 1);
  const auto below = region->downstream(std::span(&place, 1));
  REQUIRE(below.size() == 2);
  CHECK(below[0].party == low);  // it stands there itself
  CHECK(below[0].km == 0);
  CHECK(below[1].party == mid);
  CHECK(below[1].km == 4);
  CHECK_FALSE(below[1].hours_known);  // the tributary has no velocity
}

TEST_CASE_METHOD(Fixture, "without a place, all water of a party counts", "[region]") {
  const auto water = region->water_of(low);
  CHECK(water.size() == 2);
  CHECK(region->water_of(low, *region->river_by_key("side")).size() == 1);
  const auto below = region->downstream(water, low);
  REQUIRE(below.size() == 1);
  CHECK(below[0].party == mid);
  CHECK(region->water_of(chief).empty());
  CHECK(region->downstream({}, chief).empty());
}

TEST_CASE("parties on two banks face each other", "[region]") {
  const auto region =
      region_of(changed(small_region(), "rivers.toml", "party = \"up\"", "left_bank = \"up\"\nright_bank = \"mid\""));
  const PartyIndex up = *region->party_by_key("up"), mid = *region->party_by_key("mid");
  REQUIRE(region->adjoining(up).size() == 1);
  CHECK(region->adjoining(up)[0].party == mid);
  CHECK(region->adjoining(up)[0].opposite);
  CHECK(region->adjoining(up)[0].downstream);
  const Stretch place{*region->reach_by_code("main-1"), 5, 5};
  const auto below = region->downstream(std::span(&place, 1), up);
  CHECK(below[0].party == mid);
  CHECK(below[0].km == 0);
}

TEST_CASE("a reach outside of the region passes the water on and is nobody's neighbour", "[region]") {
  const auto region =
      region_of(changed(small_region(), "rivers.toml", "length_km = 20\nvelocity_m_s = 0.5\nparty = \"mid\"",
                        "length_km = 20\nvelocity_m_s = 0.5"));
  const PartyIndex up = *region->party_by_key("up"), low = *region->party_by_key("low");
  CHECK(region->adjoining(up).empty());
  const Stretch place{*region->reach_by_code("main-1"), 10, 10};
  const auto below = region->downstream(std::span(&place, 1), up);
  REQUIRE(below.size() == 1);
  CHECK(below[0].party == low);
  CHECK(below[0].km == 20);
}

TEST_CASE_METHOD(Fixture, "the common superior is the lowest above both", "[region]") {
  CHECK(region->common_superior(up, low) == city);
  CHECK(region->common_superior(up, chief) == kNone);
  CHECK(region->is_above(city, up));
  CHECK_FALSE(region->is_above(up, city));
  CHECK_FALSE(region->is_above(up, up));
}

TEST_CASE("a river of a thousand reaches is walked without recursion and in order", "[region]") {
  Texts texts = small_region();
  std::string reaches;
  for (int i = 4; i < 1000; ++i)
    reaches += "[[river.reach]]\ncode = \"r" + std::to_string(i) + "\"\norder = " + std::to_string(i) +
               "\nlength_km = 1\nparty = \"low\"\n";
  texts = changed(texts, "rivers.toml", "[[river.dam]]", reaches + "[[river.dam]]");
  const auto region = region_of(texts);
  const Stretch end{*region->reach_by_code("r999"), 1, 1};
  const auto above = region->upstream(std::span(&end, 1));
  CHECK(above.size() == 3);
  CHECK(above.back().km == Approx(996 + 30 + 20));
}

}  // namespace thalweg::region
