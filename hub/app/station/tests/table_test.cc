#include "table.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace thalweg;
using namespace thalweg::station;

TEST_CASE("the published readings of 高洞电站 are nine moments, one of them empty", "[station]") {
  const auto table = read_table(THALWEG_SOURCE_DIR "/examples/stations/gaodong.csv");
  REQUIRE(table);
  REQUIRE(table->size() == 9);
  CHECK(hj212_time((*table)[0].local_seconds) == "20260826130000");
  CHECK((*table)[7].readings.empty());
  const Moment& last = (*table)[8];
  CHECK(hj212_time(last.local_seconds) == "20260923060000");
  REQUIRE(last.readings.size() == 9);
  CHECK(last.readings[2] == std::pair<std::string, std::string>("w01009", "2.82"));
  CHECK((*table)[0].readings[7] == std::pair<std::string, std::string>("w21011", "0.050"));
  CHECK((*table)[1].readings.size() == 8);  // ammonia nitrogen was not published: missing, not 0
}

TEST_CASE("times go through the calendar and back", "[station]") {
  for (const char* time : {"1970-01-01 00:00", "2000-02-29 23:59", "2026-12-31 12:30", "2100-03-01 00:00"}) {
    const auto table = parse_table("time,w01009\n" + std::string(time) + ",1\n");
    REQUIRE(table);
    std::string compact;
    for (const char c : std::string(time))
      if (c >= '0' && c <= '9') compact += c;
    CHECK(hj212_time((*table)[0].local_seconds) == compact + "00");
  }
}

TEST_CASE("repetitions have times of their own", "[station]") {
  const auto table = read_table(THALWEG_SOURCE_DIR "/examples/stations/gaodong.csv");
  REQUIRE(table);
  std::set<std::int64_t> times;
  for (std::uint64_t round = 0; round < 1000; ++round)
    for (const Moment& moment : *table) times.insert(shifted(moment, round));
  CHECK(times.size() == 9000);
  CHECK(shifted((*table)[0], 0) == (*table)[0].local_seconds);
}

TEST_CASE("a table that is wrong says where", "[station]") {
  const std::pair<const char*, Code> cases[] = {
      {"", Code::kMappingInvalid},
      {"# only a comment\n", Code::kMappingInvalid},
      {"when,w01009\n2026-01-01 00:00,1\n", Code::kMappingInvalid},
      {"time,w01009\n08-26 13:00,1\n", Code::kTimeWithoutYear},
      {"time,w01009\n2026-02-30 13:00,1\n", Code::kMappingInvalid},
      {"time,w01009\n2026-02-03 24:00,1\n", Code::kMappingInvalid},
      {"time,w01009\n2026-02-03 13:00,1,2\n", Code::kMappingInvalid},
      {"time,w01009\n2026-02-03 13:00,1&&2\n", Code::kMappingInvalid},
  };
  for (const auto& [text, code] : cases) {
    const auto table = parse_table(text);
    INFO(text);
    REQUIRE_FALSE(table);
    CHECK(table.error().code == code);
  }
  CHECK(read_table("/nowhere/table.csv").error().code == Code::kNotFound);
}
