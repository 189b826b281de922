#include "../moment.h"

#include <catch2/catch.hpp>

#include "../row_reader.h"
#include "thalweg/cpp/value.h"

using namespace thalweg;
using namespace thalweg::tabular;

TEST_CASE("times are read as people write them", "[tabular][time]") {
  const std::pair<const char*, const char*> cases[] = {
      {"2026-09-23 06:00", "2026-09-23T06:00:00+08:00"},
      {"2026/9/3 6:05", "2026-09-03T06:05:00+08:00"},
      {"2026-09-23 06:00:59", "2026-09-23T06:00:59+08:00"},
      {"2026年9月23日 06:00", "2026-09-23T06:00:00+08:00"},
      {"2026年9月23日6时", "2026-09-23T06:00:00+08:00"},
      {"20260923060000", "2026-09-23T06:00:00+08:00"},
      {" 2026-09-23 ", "2026-09-23T00:00:00+08:00"},
      {"2026-09-23T06:00:00Z", "2026-09-23T06:00:00+00:00"},
      {"2026-09-23T06:00:00.5-02:30", "2026-09-23T06:00:00-02:30"},
  };
  for (const auto& [text, meaning] : cases) {
    const auto time = read_time(text, "auto", std::nullopt, 480);
    INFO(text);
    REQUIRE(time);
    CHECK(*time == meaning);
  }
  CHECK(*read_time("06.00 23.09.26x2026", "HH.mm DD.MM.26xYYYY", std::nullopt, 0) == "2026-09-23T06:00:00+00:00");
}

TEST_CASE("a date without a year is refused, not guessed", "[tabular][time]") {
  for (const char* text : {"08-26 13:00", "8/26 13:00", "08月26日", "08-26"}) {
    const auto time = read_time(text, "auto", std::nullopt, 480);
    INFO(text);
    REQUIRE_FALSE(time);
    CHECK(time.error().code == Code::kTimeWithoutYear);
    CHECK(read_time(text, "auto", 2026, 480));
  }
  CHECK(*read_time("08-26 13:00", "MM-DD HH:mm", 2026, 480) == "2026-08-26T13:00:00+08:00");
}

TEST_CASE("what is no moment is refused", "[tabular][time]") {
  for (const char* text :
       {"", "soon", "2026-02-30", "2026-13-01", "2026-09-23 24:00", "26-09-23 06:00:00:00", "2026-09-23 06", "--"}) {
    const auto time = read_time(text, "auto", std::nullopt, 480);
    INFO(text);
    REQUIRE_FALSE(time);
    CHECK(time.error().code == Code::kData);
  }
}

TEST_CASE("times are shown in the zone of the people who read them", "[tabular][time]") {
  CHECK(sheet_time("2026-09-22T22:00:00Z", 480) == "2026-09-23 06:00:00");
  CHECK(sheet_time("2026-09-23T06:00:00+08:00", 480) == "2026-09-23 06:00:00");
  CHECK(sheet_time("no time", 480) == "no time");
  CHECK(sheet_time(0, 480) == "1970-01-01 08:00:00");
  CHECK(sheet_time(-1, 0) == "1969-12-31 23:59:59");
}

TEST_CASE("a written value is a decimal, a censored result or missing, never zero", "[sdk][value]") {
  CHECK(read_value("0.050").decimal == "0.050");
  CHECK(read_value(" -.5 ").decimal == "-0.5");
  CHECK(read_value("007").decimal == "7");
  CHECK(read_value("1e-3").decimal == "1e-3");
  for (const char* text : {"<0.01", "＜0.01", "0.01L", "< 0.01"}) {
    CHECK(read_value(text).censored == '<');
    CHECK(read_value(text).limit == "0.01");
    CHECK(read_value(text).decimal.empty());
  }
  CHECK(read_value(">16").censored == '>');
  for (const char* text : {"ND", "未检出"}) {
    CHECK(read_value(text).censored == '<');
    CHECK(read_value(text).limit.empty());
  }
  for (const char* text : {"", "--", "-", "/", "1,234", "nan", "inf", "1e999", "0x10", "1.2.3", "L", "<", "1e", "."}) {
    INFO(text);
    CHECK(read_value(text).missing());
  }
}

TEST_CASE("the class of water is read however it is written", "[tabular][class]") {
  for (const char* text : {"3", "III", "Ⅲ", "Ⅲ类", "III类", " 3 "}) CHECK(class_of(text) == "III");
  for (const char* text : {"6", "劣V", "劣Ⅴ", "劣Ⅴ类"}) CHECK(class_of(text) == "劣V");
  for (const char* text : {"-1", "--", "", "7", "good"}) CHECK(class_of(text).empty());
}
