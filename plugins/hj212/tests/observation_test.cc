#include "../observation.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "../hj212_config.h"
#include "thalweg_factors_tsv.h"

using namespace thalweg;
using namespace thalweg::hj212;
using nlohmann::json;

namespace {

const FactorTable kTable{kFactorsTsv};

Station station() {
  Station s;
  s.mn = "A500226_0002";
  s.section = "gaodong";
  return s;
}

json only(std::string_view cn, const std::vector<Field>& fields, const Station& s = station()) {
  const auto made = observations(cn, fields, s, kTable);
  REQUIRE(made);
  REQUIRE(made->size() == 1);
  INFO((*made)[0].data);
  return json::parse((*made)[0].data);
}

}  // namespace

TEST_CASE("a real-time packet becomes an instant with values as received", "[hj212][observation]") {
  const json data = only(
      "2011", {{"DataTime", "20260923060000"}, {"w01009-Rtd", "2.820"}, {"w01009-Flag", "N"}, {"w21003-Rtd", "0.079"}});
  CHECK(data["section"] == "gaodong");
  CHECK(data["station"] == "A500226_0002");
  CHECK(data["time"] == "2026-09-23T06:00:00+08:00");
  CHECK(data["time_label"] == "instant");
  CHECK_FALSE(data.contains("period"));
  CHECK(data["mode"] == "automatic");
  CHECK(data["review"] == "raw");
  REQUIRE(data["factors"].size() == 2);
  CHECK(data["factors"][0] == json({{"code", "w01009"},
                                    {"text", "2.820"},
                                    {"value", 2.82},
                                    {"unit", "mg/L"},
                                    {"flag", "N"},
                                    {"statistic", "instant"}}));
  CHECK_FALSE(data["factors"][1].contains("flag"));
}

TEST_CASE("hour, day and minute data label the start of their period", "[hj212][observation]") {
  const std::vector<Field> fields{{"DataTime", "20260923060000"},
                                  {"w01009-Min", "2.5"},
                                  {"w01009-Avg", "2.8"},
                                  {"w01009-Max", "3.1"},
                                  {"w01009-Flag", "N"}};
  const json hour = only("2061", fields);
  CHECK(hour["time_label"] == "start");
  CHECK(hour["period"] == "PT1H");
  REQUIRE(hour["factors"].size() == 3);
  CHECK(hour["factors"][0]["statistic"] == "mean");
  CHECK(hour["factors"][1]["statistic"] == "min");
  CHECK(hour["factors"][2]["statistic"] == "max");
  CHECK(only("2031", fields)["period"] == "P1D");
  Station five = station();
  five.minute_period = "PT5M";
  CHECK(only("2051", fields, five)["period"] == "PT5M");
}

TEST_CASE("a moment without factors is kept as a moment without factors", "[hj212][observation]") {
  const json data = only("2011", {{"DataTime", "20260907020000"}});
  CHECK(data["factors"] == json::array());
  CHECK_FALSE(data.contains("ext"));
}

TEST_CASE("a factor with nothing but a fault flag has no value, never zero", "[hj212][observation]") {
  const json data = only("2011", {{"DataTime", "20260907020000"}, {"w01009-Flag", "D"}});
  CHECK(data["factors"][0] ==
        json({{"code", "w01009"}, {"text", ""}, {"value", nullptr}, {"unit", "mg/L"}, {"flag", "D"}}));
}

TEST_CASE("censored and unreadable values keep their text", "[hj212][observation]") {
  const json data = only(
      "2011", {{"DataTime", "20260907020000"}, {"w21003-Rtd", "0.01L"}, {"w21011-Rtd", "--"}, {"w21001-Rtd", "<0.05"}});
  CHECK(data["factors"][0]["censored"] == "<");
  CHECK(data["factors"][0]["limit"] == 0.01);
  CHECK(data["factors"][0]["value"] == nullptr);
  CHECK(data["factors"][1] ==
        json({{"code", "w21011"}, {"text", "--"}, {"value", nullptr}, {"unit", "mg/L"}, {"statistic", "instant"}}));
  CHECK(data["factors"][2]["text"] == "<0.05");
}

TEST_CASE("a unit that a station departs to is written into the record", "[hj212][observation]") {
  Station s = station();
  const std::vector<Field> fields{{"DataTime", "20260907020000"}, {"w20115-Avg", "0.00001"}};
  CHECK(only("2061", fields, s)["factors"][0]["unit"] == "ug/L");
  s.units["w20115"] = "mg/L";
  CHECK(only("2061", fields, s)["factors"][0]["unit"] == "mg/L");
}

TEST_CASE("the time at which a factor was sampled is carried", "[hj212][observation]") {
  const json data =
      only("2011", {{"DataTime", "20260907060000"}, {"w21003-Rtd", "0.1"}, {"w21003-SampleTime", "20260907040000"}});
  CHECK(data["factors"][0]["sampled_at"] == "2026-09-07T04:00:00+08:00");
}

TEST_CASE("what the schema has no member for is kept as received", "[hj212][observation]") {
  const auto made = observations("2011",
                                 {{"DataTime", "20260907060000"},
                                  {"w99999-Rtd", "5"},
                                  {"w99999-Flag", "N"},
                                  {"w01009-Rtd", "7.1"},
                                  {"w01009-Cou", "12"},
                                  {"RestartTime", "20260901000000"},
                                  {"w01009-Rtd", "7.2"}},
                                 station(), kTable);
  REQUIRE(made);
  const json data = json::parse((*made)[0].data);
  CHECK((*made)[0].unknown_factors == std::vector<std::string>{"w99999"});
  CHECK(data["factors"].size() == 1);
  CHECK(data["ext"]["hj212"] == json({{"w99999-Rtd", "5"},
                                      {"w99999-Flag", "N"},
                                      {"w01009-Cou", "12"},
                                      {"RestartTime", "20260901000000"},
                                      {"w01009-Rtd#2", "7.2"}}));
}

TEST_CASE("each moment in a packet becomes its own record", "[hj212][observation]") {
  const auto made = observations("2061",
                                 {{"DataTime", "20260907060000"},
                                  {"w01009-Avg", "1"},
                                  {"DataTime", "20260907070000"},
                                  {"w01009-Avg", "2"},
                                  {"DataTime", "20260907060000"},
                                  {"w01010-Avg", "20"}},
                                 station(), kTable);
  REQUIRE(made);
  REQUIRE(made->size() == 2);
  CHECK((*made)[0].data_time == "20260907070000");
  CHECK(json::parse((*made)[1].data)["factors"].size() == 2);
}

TEST_CASE("a packet without a moment is refused", "[hj212][observation]") {
  for (const std::vector<Field>& fields :
       {std::vector<Field>{}, {{"w01009-Rtd", "1"}}, {{"DataTime", "20260230000000"}}, {{"DataTime", "06:00"}}}) {
    const auto made = observations("2011", fields, station(), kTable);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == Code::kHj212Format);
  }
}

TEST_CASE("moments are checked and get the zone of the station", "[hj212][observation]") {
  CHECK(rfc3339("20240229235959", 480) == "2024-02-29T23:59:59+08:00");
  CHECK(rfc3339("20260229000000", 480).empty());
  CHECK(rfc3339("20261301000000", 480).empty());
  CHECK(rfc3339("20260923240000", 480).empty());
  CHECK(rfc3339("2026092306000a", 480).empty());
  CHECK(rfc3339("20260923060000", 0) == "2026-09-23T06:00:00+00:00");
  CHECK(rfc3339("20260923060000", -150) == "2026-09-23T06:00:00-02:30");
}

TEST_CASE("a wrong configuration is refused with the key", "[hj212][config]") {
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "listen: is missing"},
      {R"({"listen":"127.0.0.1"})", "listen: must be ADDRESS:PORT"},
      {R"({"listen":"127.0.0.1:70000"})", "listen: the port"},
      {R"({"listen":"127.0.0.1:0"})", "stations: must name"},
      {R"({"listen":"127.0.0.1:0","stations":[{"mn":"A"}]})", "stations[0].section: is missing"},
      {R"({"listen":"127.0.0.1:0","stations":[{"mn":"A","section":"s","colour":"red"}]})",
       "stations[0].colour: is not an option"},
      {R"({"listen":"127.0.0.1:0","stations":[{"mn":"A","section":"s"},{"mn":"A","section":"t"}]})",
       "stations[1].mn: is named twice"},
      {R"({"listen":"127.0.0.1:0","units":{"w20115":"kg"},"stations":[]})", "units.w20115: has a unit"},
      {R"({"listen":"127.0.0.1:0","units":{"x":"mg/L"},"stations":[]})", "units.x: is not in the factor dictionary"},
      {R"({"listen":"127.0.0.1:0","idle_ms":1,"stations":[]})", "idle_ms: must be from 10"},
  };
  for (const auto& [text, message] : cases) {
    const auto settings = Settings::read(text, kTable);
    INFO(text);
    REQUIRE_FALSE(settings);
    CHECK(settings.error().code == Code::kConfig);
    CHECK_THAT(settings.error().message, Catch::Contains(message));
  }
}
