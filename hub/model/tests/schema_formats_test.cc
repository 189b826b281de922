#include "model/schema_formats.h"

#include <catch2/catch.hpp>

#include <string>

using namespace thalweg;

namespace {

void good(NamedFormat format, std::initializer_list<std::string_view> texts) {
  for (auto text : texts) {
    INFO(name_of(format) << ": " << text);
    CHECK(has_format(format, text));
  }
}
void bad(NamedFormat format, std::initializer_list<std::string_view> texts) {
  for (auto text : texts) {
    INFO(name_of(format) << ": " << text);
    CHECK_FALSE(has_format(format, text));
  }
}

}  // namespace

TEST_CASE("a time has a date that exists and an offset", "[model][schema]") {
  good(NamedFormat::kDateTime, {"2026-09-23T06:00:00+08:00", "2026-09-23T06:00:00Z",
                                "2024-02-29T23:59:59.123456789-03:30", "2000-02-29T00:00:00Z"});
  bad(NamedFormat::kDateTime, {"",
                               "2026-09-23",
                               "2026-09-23T06:00:00",
                               "2026-09-23 06:00:00+08:00",
                               "2026-09-23T06:00+08:00",
                               "2026-02-29T00:00:00Z",
                               "1900-02-29T00:00:00Z",
                               "2026-13-01T00:00:00Z",
                               "2026-00-01T00:00:00Z",
                               "2026-09-31T00:00:00Z",
                               "2026-09-00T00:00:00Z",
                               "2026-09-23T24:00:00Z",
                               "2026-09-23T06:60:00Z",
                               "2026-09-23T06:00:60Z",
                               "2026-09-23T06:00:00.Z",
                               "2026-09-23T06:00:00.1234567890Z",
                               "2026-09-23T06:00:00+0800",
                               "2026-09-23T06:00:00+24:00",
                               "2026-09-23T06:00:00+08:60",
                               "2026-09-23T06:00:00z",
                               "09-23T06:00:00+08:00",
                               "2026-9-23T06:00:00+08:00",
                               "２０２６-09-23T06:00:00Z"});
}

TEST_CASE("dates, periods, ids and hashes have one form each", "[model][schema]") {
  good(NamedFormat::kDate, {"2026-09-23", "2024-02-29"});
  bad(NamedFormat::kDate, {"", "2026-9-23", "2026-02-30", "2026-09-23 "});
  good(NamedFormat::kDuration, {"PT1H", "P1D", "P1M", "P1Y2M3D", "PT30M", "P1DT12H", "PT1H30M5S"});
  bad(NamedFormat::kDuration,
      {"", "P", "PT", "P1", "P1H", "PT1D", "1H", "P1DT", "PT1H1H", "P1D1M", "PTT1H", "P-1D", "P1.5D", "PT1HT1M"});
  good(NamedFormat::kUuid, {"01997c2a-7b10-7cc3-98c4-dc0c0c07398f"});
  bad(NamedFormat::kUuid, {"", "01997C2A-7b10-7cc3-98c4-dc0c0c07398f", "01997c2a7b107cc398c4dc0c0c07398f",
                           "01997c2a-7b10-7cc3-98c4-dc0c0c07398g", "01997c2a-7b10-7cc3-98c4-dc0c0c07398"});
  good(NamedFormat::kSha256, {"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"});
  bad(NamedFormat::kSha256, {"", "2c26", "2C26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"});
}

TEST_CASE("codes, lines, telephones and media types refuse what could do harm", "[model][schema]") {
  good(NamedFormat::kCode, {"500153", "A500226_0002", "a.b-c", std::string(64, 'x')});
  bad(NamedFormat::kCode, {"", "a b", "高洞", "a/b", "a\n", std::string(65, 'x')});
  good(NamedFormat::kLine, {"", "高洞电站", "a b"});
  bad(NamedFormat::kLine, {"a\nb", "a\tb", std::string_view("a\0b", 3), "\x1b[2J", "\x7f"});
  good(NamedFormat::kTelephone, {"110", "023-46000000 转 8001", "+86 138 0000 0000", "(023)46000000"});
  bad(NamedFormat::kTelephone, {"", "12", "电话", "138\n0000", std::string(61, '1')});
  good(NamedFormat::kMediaType, {"image/jpeg", "application/vnd.ms-excel", "image/svg+xml"});
  bad(NamedFormat::kMediaType, {"", "image", "/jpeg", "image/", "image/j p", "a/b/c", "a/" + std::string(127, 'b')});
  good(NamedFormat::kFactor, {"w21003"});
  bad(NamedFormat::kFactor, {"", "w2100", "w00001"});
}

TEST_CASE("every format is found by its name and says what it wants", "[model][schema]") {
  for (auto name : {"date-time", "date", "duration", "uuid", "thalweg-code", "thalweg-line", "thalweg-telephone",
                    "thalweg-sha256", "thalweg-media-type", "thalweg-factor"}) {
    const auto format = format_from(name);
    REQUIRE(format.has_value());
    CHECK(name_of(*format) == name);
    CHECK_FALSE(help_for(*format).en.empty());
    CHECK_FALSE(help_for(*format).zh.empty());
  }
  CHECK_FALSE(format_from("email").has_value());
}
