#include "model/factors.h"

#include <catch2/catch.hpp>

#include "model/builtin_texts.h"
#include "schema_samples.h"

using namespace thalweg;

TEST_CASE("the dictionary that is compiled in is the one of the SDK", "[model][factors]") {
  CHECK(builtin_factors() == samples::text_of_file(THALWEG_SOURCE_DIR "/sdk/data/factors.tsv"));
  const auto& dictionary = FactorDictionary::builtin();
  CHECK(dictionary.all().size() >= 63);
  for (const Factor& factor : dictionary.all()) {
    INFO(factor.code);
    CHECK(dictionary.find(factor.code) == &factor);
    CHECK_FALSE(factor.name_zh.empty());
    CHECK_FALSE(factor.name_en.empty());
  }
}

TEST_CASE("every unit of the dictionary is one that a reading may have", "[model][factors]") {
  for (const Factor& factor : FactorDictionary::builtin().all()) {
    const std::string json =
        R"({"section":"a","time":"2026-09-23T06:00:00+08:00","time_label":"instant","mode":"automatic",)"
        R"("review":"raw","factors":[{"code":")" +
        std::string(factor.code) + R"(","text":"1","value":1,"unit":")" + std::string(factor.unit) + R"("}]})";
    INFO(json);
    CHECK(samples::faults_of("thalweg.section.observation.v1", json).empty());
  }
}

TEST_CASE("a code is found whole, and only when it is known", "[model][factors]") {
  const auto& dictionary = FactorDictionary::builtin();
  REQUIRE(dictionary.find("w21003") != nullptr);
  CHECK(dictionary.find("w21003")->name_zh == "氨氮");
  CHECK(dictionary.find("w21003")->unit == "mg/L");
  CHECK_FALSE(dictionary.find("w21003")->assumed);
  REQUIRE(dictionary.find("w01003") != nullptr);
  CHECK(dictionary.find("w01003")->assumed);
  for (const char* unknown : {"", "w2100", "w210033", "W21003", "w99999", "氨氮"})
    CHECK(dictionary.find(unknown) == nullptr);
}

TEST_CASE("an unknown factor brings the nearest, by code or by name", "[model][factors]") {
  const auto& dictionary = FactorDictionary::builtin();
  CHECK(dictionary.nearest_to("w2l003").front() == "w21003 氨氮");
  CHECK(dictionary.nearest_to("氨氮").front() == "w21003 氨氮");
  CHECK(dictionary.nearest_to("zzzzzzzzzzz").empty());
}

TEST_CASE("a table with a mistake names its line", "[model][factors]") {
  const std::string header = "# comment\ncode\tname_zh\tname_en\tunit\told\tformat\tsource\n";
  const auto message = [&](const std::string& rows) { return FactorDictionary::parse(header + rows).error().message; };
  CHECK(message("w21003\t氨氮\tx\tmg/L\t-\t-\n").find("line 3") != std::string::npos);
  CHECK(message("w21003\ta\tb\tmg/L\t-\t-\ts\nw21003\ta\tb\tmg/L\t-\t-\ts\n").find("line 4") != std::string::npos);
  CHECK(message("w2100\ta\tb\tmg/L\t-\t-\ts\n").find("five digits") != std::string::npos);
  CHECK_FALSE(FactorDictionary::parse("w21003\ta\tb\tmg/L\t-\t-\ts\n"));
  CHECK(FactorDictionary::parse(header).value().all().empty());
  FactorDictionary moved = FactorDictionary::parse(header + "w21003\ta\tb\tmg/L\t-\t-\ts").value();
  CHECK(moved.find("w21003") != nullptr);
}
