#include "model/nearest.h"

#include <catch2/catch.hpp>

using thalweg::nearest;
using Names = std::vector<std::string>;

TEST_CASE("a name with one wrong letter finds the one that was meant", "[model][nearest]") {
  const Names known = {"section", "station", "sample", "time", "factors"};
  CHECK(nearest("sectoin", known).front() == "section");
  CHECK(nearest("Section", known).front() == "section");
  CHECK(nearest("factor", known) == Names{"factors"});
  CHECK(nearest("zebra", known).empty());
}

TEST_CASE("two neighbours that are swapped are one mistake, in Chinese too", "[model][nearest]") {
  CHECK(nearest("ba", Names{"ab"}) == Names{"ab"});
  CHECK(nearest("泸溪濑", Names{"泸濑溪"}) == Names{"泸濑溪"});
  CHECK(nearest("w20113", Names{"w20131", "w20115"}) == Names{"w20131", "w20115"});  // one edit each, in their order
  CHECK(nearest("w21030", Names{"w21999", "w21003"}).front() == "w21003");
  CHECK(nearest("bca", Names{"abc"}).empty());  // moved by two places: two edits of three letters
}

TEST_CASE("Chinese names differ by characters, not by bytes", "[model][nearest]") {
  const Names known = {"高洞电站", "高洞梁", "濑溪河", "泸县"};
  CHECK(nearest("高同电站", known) == Names{"高洞电站"});
  CHECK(nearest("高洞", known) == Names{"高洞梁", "高洞电站"});
  CHECK(nearest("卢县", known) == Names{"泸县"});
}

TEST_CASE("at most so many names as were asked for come back, the nearest first, none twice", "[model][nearest]") {
  const Names known = {"w21011", "w21003", "w21003", "w21001", "w21004"};
  CHECK(nearest("w2100l", known, 2) == Names{"w21003", "w21001"});
  CHECK(nearest("w21003", known, 1) == Names{"w21003"});
  CHECK(nearest("w21003", known, 0).empty());
}

TEST_CASE("names of any bytes and any length are bounded work", "[model][nearest]") {
  const Names known = {std::string(5000, 'a'), "\xff\xfe\x80", ""};
  CHECK(nearest(std::string(1 << 20, 'a'), known).size() == 1);
  CHECK(nearest("\xff\xfe\x80", known).front() == "\xff\xfe\x80");
  CHECK(nearest("", Names{"a"}).empty());
}
