#include "model/time.h"

#include <catch2/catch.hpp>
#include <limits>

namespace thalweg {
namespace {
constexpr std::int64_t kSecond = 1'000'000'000;
}

TEST_CASE("times with an offset are read to the nanosecond", "[model]") {
  const std::pair<std::string_view, std::int64_t> examples[] = {
      {"2026-09-23T06:00:00+08:00", 1'790'114'400 * kSecond},
      {"2026-09-22T22:00:00Z", 1'790'114'400 * kSecond},
      {"2026-09-22T22:00:00+00:00", 1'790'114'400 * kSecond},
      {"2026-09-22T18:30:00-03:30", 1'790'114'400 * kSecond},
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01T00:00:00.000000001Z", 1},
      {"1969-12-31T23:59:59.5Z", -kSecond / 2},
      {"1970-01-01T00:00:00.25+08:00", -28'800 * kSecond + kSecond / 4},
      {"2024-02-29T00:00:00Z", 1'709'164'800 * kSecond},
      {"2016-12-31T23:59:60Z", 1'483'228'800 * kSecond},
      {"2017-01-01T07:59:60+08:00", 1'483'228'800 * kSecond},
  };
  for (auto [text, unix_ns] : examples) {
    CAPTURE(text);
    const auto time = parse_rfc3339(text);
    REQUIRE(time);
    CHECK(*time == unix_ns);
  }
}

TEST_CASE("a time without offset, or that is none, is refused and not guessed", "[model]") {
  for (std::string_view bad : {"",
                               "2026-09-23",
                               "2026-09-23T06:00:00",
                               "2026-09-23T06:00:00.1",
                               "2026-09-23 06:00:00+08:00",
                               "2026-09-23T06:00+08:00",
                               "2026-09-23T06:00:00-00:00",
                               "2026-09-23T06:00:00+0800",
                               "2026-09-23T06:00:00+08",
                               "2026-09-23T06:00:00z",
                               "2026-09-23t06:00:00Z",
                               "2026-09-23T06:00:00Z ",
                               " 2026-09-23T06:00:00Z",
                               "2026-09-23T06:00:00.Z",
                               "2026-09-23T06:00:00.1234567890Z",
                               "2026-09-23T24:00:00Z",
                               "2026-09-23T06:60:00Z",
                               "2026-09-23T06:00:61Z",
                               "2026-09-23T06:00:60Z",
                               "2026-02-29T06:00:00Z",
                               "2026-13-01T06:00:00Z",
                               "2026-00-10T06:00:00Z",
                               "2026-09-00T06:00:00Z",
                               "2026-09-31T06:00:00Z",
                               "2026-09-23T06:00:00+24:00",
                               "2026-09-23T06:00:00+08:60",
                               "2026-09-23T06:00:00 08:00",
                               "1677-01-01T00:00:00Z",
                               "2262-01-01T00:00:00Z",
                               "9999-12-31T23:59:59Z",
                               "0000-01-01T00:00:00Z",
                               "2026-9-23T06:00:00Z",
                               "-026-09-23T06:00:00Z",
                               "+026-09-23T06:00:00Z",
                               "2026-09-23T06:00:00+08:00Z",
                               "2026-09-23T06:00:00\xef\xbc\x8b"
                               "08:00"}) {
    CAPTURE(bad);
    const auto time = parse_rfc3339(bad);
    REQUIRE_FALSE(time);
    CHECK(time.error().code == Code::kData);
  }
}

TEST_CASE("a time cut anywhere is refused", "[model]") {
  const std::string whole = "2026-09-23T06:00:00.123+08:00";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    CAPTURE(cut);
    CHECK_FALSE(parse_rfc3339(cut));
  }
}

TEST_CASE("times are written for people in Beijing unless asked otherwise", "[model]") {
  CHECK(format_rfc3339(1'790'114'400 * kSecond) == "2026-09-23T06:00:00+08:00");
  CHECK(format_rfc3339(1'790'114'400 * kSecond, 0) == "2026-09-22T22:00:00Z");
  CHECK(format_rfc3339(1'790'114'400 * kSecond, -210) == "2026-09-22T18:30:00-03:30");
  CHECK(format_rfc3339(250'000'000, 0) == "1970-01-01T00:00:00.250Z");
  CHECK(format_rfc3339(1'000, 0) == "1970-01-01T00:00:00.000001Z");
  CHECK(format_rfc3339(-1, 0) == "1969-12-31T23:59:59.999999999Z");
}

TEST_CASE("what is written is read back as the same moment", "[model]") {
  std::uint64_t state = 42;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    // Within the years that are read, at every resolution.
    std::int64_t time = static_cast<std::int64_t>(state) / 100 * 99;
    if (i % 3 == 0) time -= time % kSecond;
    const int offset = static_cast<int>(state >> 33) % (2 * 1439 + 1) - 1439;
    const std::string text = format_rfc3339(time, offset);
    CAPTURE(text);
    const auto back = parse_rfc3339(text);
    REQUIRE(back);
    CHECK(*back == time);
  }
}

TEST_CASE("the first and last nanosecond of 64 bits can be written", "[model]") {
  CHECK(format_rfc3339(std::numeric_limits<std::int64_t>::max(), 0) == "2262-04-11T23:47:16.854775807Z");
  CHECK(format_rfc3339(std::numeric_limits<std::int64_t>::min(), 0) == "1677-09-21T00:12:43.145224192Z");
}

}  // namespace thalweg
