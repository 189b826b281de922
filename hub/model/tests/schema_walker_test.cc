#include "model/schema_walker.h"

#include <catch2/catch.hpp>

#include "schema_samples.h"

using namespace thalweg;
using samples::faults_of;

namespace {

const std::string kObservation = "thalweg.section.observation.v1";
const std::string kNotice = "thalweg.emergency.notice.v1";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}
std::string station() { return samples::sample("thalweg.section.observation.v1.station"); }
std::string night() { return samples::sample("thalweg.emergency.notice.v1.night"); }

// The one fault that is expected.
Fault only(const std::string& type, const std::string& json) {
  const auto faults = faults_of(type, json);
  INFO(summary(faults));
  REQUIRE(faults.size() == 1);
  CHECK_FALSE(faults[0].message_zh.empty());
  return faults[0];
}

}  // namespace

TEST_CASE("every example of the SDK passes", "[model][schema]") {
  for (const auto& sample : samples::all()) {
    INFO(sample.name);
    CHECK(summary(faults_of(sample.type, sample.json)).empty());
  }
}

TEST_CASE("a notice at night needs six things and no more", "[model][schema]") {
  CHECK(faults_of(kNotice, night()).empty());
  for (const char* member : {"incident", "kind", "learned_at", "contact", "telephone"}) {
    const std::string json = with(night(), "\"" + std::string(member) + "\"", "\"ext\"");
    const auto faults = faults_of(kNotice, json);
    INFO(summary(faults));
    const bool named = std::any_of(faults.begin(), faults.end(), [&](const Fault& f) {
      return f.path == "data." + std::string(member) && f.message == "is required";
    });
    CHECK(named);
  }
  const auto nowhere = only(kNotice, with(night(), "\"place\"", "\"cause\""));
  CHECK(nowhere.path == "data");
  CHECK(nowhere.message == "needs one of: river, place");
  CHECK(faults_of(kNotice, with(night(), "\"place\"", "\"river\"")).empty());
}

TEST_CASE("faults carry the path to the place", "[model][schema]") {
  auto fault = only(kObservation, with(station(), "\"value\": 2.82", "\"value\": \"2.82\""));
  CHECK(fault.code == Code::kRecordSchema);
  CHECK(fault.path == "data.factors[2].value");
  CHECK(fault.message == "must be number or null, not string");
  CHECK(fault.message_zh == "应为数值或空值，实为文本");

  fault = only(kObservation, with(station(), "\"mode\": \"automatic\"", "\"mode\": \"automatc\""));
  CHECK(fault.path == "data.mode");
  CHECK(fault.message.find("near: automatic") != std::string::npos);

  fault = only(kObservation, with(station(), "+08:00", ""));
  CHECK(fault.path == "data.time");
  CHECK(fault.message.find("offset") != std::string::npos);

  const auto misspelt = faults_of(kObservation, with(station(), "\"section\"", "\"sectoin\""));
  REQUIRE(misspelt.size() == 2);
  CHECK(misspelt[0].path == "data.sectoin");
  CHECK(misspelt[0].message.find("section") != std::string::npos);
  CHECK(misspelt[1].path == "data.section");
  CHECK(summary(misspelt).find("data.section: is required") != std::string::npos);

  fault = only(kObservation, with(station(), "\"time_label\": \"instant\"", "\"time_label\": \"start\""));
  CHECK(fault.path == "data.period");
  CHECK(fault.message == "is required when time_label is start");
}

TEST_CASE("an unknown factor has its own code and brings the nearest", "[model][schema]") {
  const auto fault = only(kObservation, with(station(), "w21003", "w2l003"));
  CHECK(fault.code == Code::kFactorUnknown);
  CHECK(fault.path == "data.factors[6].code");
  CHECK(fault.message.find("w21003 氨氮") != std::string::npos);
}

TEST_CASE("own members are welcome in ext and nowhere else", "[model][schema]") {
  const std::string anything = R"({"a":[1,{"b":null}],"中":"文","n":-1.5e-3})";
  CHECK(faults_of(kNotice, with(night(), "{", "{\"ext\":" + anything + ",")).empty());
  const auto fault = only(kNotice, with(night(), "{", "{\"zz_own\":" + anything + ","));
  CHECK(fault.path == "data.zz_own");
  CHECK(fault.message.find("ext") != std::string::npos);
  std::string many = "{";
  for (int i = 0; i < 65; ++i) many += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
  CHECK(only(kNotice, with(night(), "{", "{\"ext\":" + many + "},")).message == "must have at most 64 members");
}

TEST_CASE("all faults are named, but never more than the bound", "[model][schema]") {
  std::string json = station();
  for (std::size_t at = 0; (at = json.find("\"value\": ", at)) != std::string::npos; at += 9)
    json.insert(at + 9, "true, \"x\": ");
  const auto faults = faults_of(kObservation, json);
  CHECK(faults.size() == 18);
  std::string many = R"({"section":1,"factors":[)";
  for (int i = 0; i < 200; ++i) many += i ? ",1" : "1";
  CHECK(faults_of(kObservation, many + "]}").size() == kMaxFaults);
}

TEST_CASE("a member twice is a fault, for readers would not agree", "[model][schema]") {
  CHECK(only(kNotice, with(night(), "{", R"({"kind":"warning",)")).message.find("twice") != std::string::npos);
  CHECK(only(kNotice, with(night(), "{", R"({"k\u0069nd":"warning",)")).path == "data.kind");
}

TEST_CASE("escapes are read before anything is compared", "[model][schema]") {
  CHECK(faults_of(kNotice, with(night(), "\"warning\"", R"("warn\u0069ng")")).empty());
  CHECK(faults_of(kNotice, with(night(), "\"kind\"", R"("k\u0069nd")")).empty());
  CHECK(faults_of(kNotice, with(night(), "高洞电站", R"(\u9ad8\u6d1e\ud83d\ude00)")).empty());
  CHECK(only(kNotice, with(night(), "高洞电站", R"(高\n洞)")).message.find("control") != std::string::npos);
  CHECK(only(kNotice, with(night(), "高洞电站", R"(高\u0000洞)")).message.find("U+0000") != std::string::npos);
  for (const char* wrong : {R"(\x)", R"(\ud800)", R"(\ud800\u0041)", R"(\u12)", R"(\u12g4)"}) {
    INFO(wrong);
    CHECK(only(kNotice, with(night(), "高洞电站", wrong)).code == Code::kRecordNotJson);
    CHECK(faults_of(kNotice, with(night(), "{", "{\"ext\":{\"" + std::string(wrong) + "\":1},")).back().code ==
          Code::kRecordNotJson);
  }
}

TEST_CASE("lengths count characters, not bytes", "[model][schema]") {
  std::string name;
  for (int i = 0; i < 60; ++i) name += "演";
  CHECK(faults_of(kNotice, with(night(), "李演", name)).empty());
  const auto fault = only(kNotice, with(night(), "李演", name + "演"));
  CHECK(fault.message == "must have at most 60 characters, has 61");
  CHECK(only(kNotice, with(night(), "李演", "")).message == "must have at least 1 characters, has 0");
}

TEST_CASE("numbers must be JSON, finite and in range", "[model][schema]") {
  const auto value = [](const std::string& number) {
    return faults_of(kObservation, with(station(), "\"value\": 2.82", "\"value\": " + number));
  };
  for (const char* good :
       {"0", "-0", "0.0", "1e3", "1E-3", "-1.5e+10", "123456789012345678901234567890", "null", "1e-999", "0e999"}) {
    INFO(good);
    CHECK(value(good).empty());
  }
  for (const char* bad : {"01", "+1", ".5", "1.", "1e", "1e+", "-", "0x10", "NaN", "Infinity", "1 2", "nul", "nulll",
                          "True", "1_0", "--1", "1.2.3"}) {
    INFO(bad);
    const auto faults = value(bad);
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].code == Code::kRecordNotJson);
  }
  CHECK(value("1e999").at(0).message.find("range") != std::string::npos);
  CHECK(value(std::string(400, '9')).at(0).message.find("range") != std::string::npos);
  const std::string warning = samples::sample("thalweg.emergency.notice.v1.warning");
  CHECK(only(kNotice, with(warning, "105.59", "180.0001")).message.find(">= -180, <= 180") != std::string::npos);
  CHECK(only(kNotice, with(warning, "120331", "-1")).path == "data.attachments[0].size");
  CHECK(only(kNotice, with(warning, "120331", "1.0")).message == "must be integer, not number");
  CHECK(only(kNotice, with(warning, "120331", "99999999999999999999")).message == "must be integer, not number");
  CHECK(faults_of(kNotice, with(warning, "120331", "9223372036854775807")).empty());
  CHECK(only(kNotice, with(warning, "120331", "9223372036854775808")).message == "must be integer, not number");
}

TEST_CASE("what is not JSON is refused wherever it breaks, whatever stands behind it", "[model][schema]") {
  const std::string whole = samples::sample("thalweg.emergency.notice.v1.warning");
  for (char padding : {'}', ']', ',', ':', '"', '[', '{', '0', ' ', '\0'}) {
    for (std::size_t size = 0; size + 2 < whole.size(); ++size) {  // the last two are the brace and the line's end
      const auto faults = faults_of(kNotice, whole.substr(0, size), padding);
      if (faults.empty() || faults.back().code != Code::kRecordNotJson) {
        INFO("padding " << padding << " size " << size << " " << summary(faults));
        // A text cut inside a member may also be at fault by the schema before the walk comes to the end.
        CHECK_FALSE(faults.empty());
      }
    }
  }
  for (const char* broken : {"",
                             " ",
                             "}",
                             "{",
                             "[1",
                             "nul",
                             "1x",
                             "{}{}",
                             "{} x",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{\"a\":1,}",
                             "{,}",
                             "{a:1}",
                             "{\"ext\":{\"a\":[1 2]}}",
                             "{\"ext\":[1}",
                             "{\"ext\":{\"a\":[1}}",
                             "{\"ext\":{\"a\":\"b\"\"c\"}}",
                             "{\"ext\":{\"a\":1 \"b\":2}}",
                             "{\"ext\":{1:2}}",
                             "{\"ext\":{\"a\":tru}}",
                             "{\"ext\":{\"a\":\"\x01\"}}",
                             "{\"ext\":{\"a\":\"\xff\"}}",
                             "{\"ext\":{\"a\":\x0b 1}}"}) {
    INFO(broken);
    for (char padding : {'}', ']', ',', '\0'}) {
      const auto faults = faults_of(kNotice, broken, padding);
      REQUIRE_FALSE(faults.empty());
      const bool found =
          std::any_of(faults.begin(), faults.end(), [](const Fault& f) { return f.code == Code::kRecordNotJson; });
      CHECK(found);
    }
  }
}

TEST_CASE("data that is no object is refused by its type", "[model][schema]") {
  for (const char* other : {"null", "true", "1", "\"a\"", "[]", "[{}]"}) {
    INFO(other);
    CHECK(only(kNotice, other).message.find("must be object, not ") == 0);
  }
}

TEST_CASE("depth is bounded and costs no stack", "[model][schema]") {
  const auto nested = [](std::size_t levels) {
    return with(night(), "{", "{\"ext\":{\"a\":" + std::string(levels, '[') + "1" + std::string(levels, ']') + "},");
  };
  // record 1, data 2, ext 3: thirteen more
  CHECK(faults_of(kNotice, nested(kMaxRecordDepth - 3)).empty());
  CHECK(only(kNotice, nested(kMaxRecordDepth - 2)).message == "is nested too deeply");
  CHECK(only(kNotice, nested(200000)).message == "is nested too deeply");
  CHECK(
      only(kNotice, with(night(), "{", "{\"zz\":" + std::string(200000, '[') + std::string(200000, ']') + ",")).path ==
      "data.zz");
}

TEST_CASE("faults speak of foreign text without repeating what could do harm", "[model][schema]") {
  const auto fault = only(kNotice, with(night(), "\"warning\"", "\"" + std::string(5000, 'x') + "\""));
  CHECK(fault.message.size() < 300);
  const auto steering = only(kNotice, with(night(), "\"warning\"", R"("\u001b[2J\u0007")"));
  CHECK(steering.message.find('\x1b') == std::string::npos);
  std::string key;
  for (int i = 0; i < 100; ++i) key += "长";
  const auto unknown = only(kNotice, with(night(), "{", "{\"" + key + "\":1,"));
  CHECK(unknown.path.size() <= 70);
  CHECK(faults_of(kNotice, std::string(kMaxRecordBytes + 1, ' ')).at(0).code == Code::kRecordTooLarge);
}

TEST_CASE("texts at the top can be asked for after the check", "[model][schema]") {
  SchemaWalker walker;
  CHECK_FALSE(walker.text_of("kind").has_value());
  const samples::Padded json(with(night(), "\"place\"", R"("to":["500111"],"river":"濑\u6eaa河","place")"));
  WalkTask task;
  task.json = json.view();
  std::vector<Fault> faults;
  REQUIRE(walker.check(*samples::schemas().find(kNotice), task, faults));
  CHECK(walker.text_of("kind") == "warning");
  CHECK(walker.text_of("river") == "濑溪河");
  CHECK_FALSE(walker.text_of("section").has_value());
  CHECK_FALSE(walker.text_of("to").has_value());
  CHECK_FALSE(walker.text_of("nonsense").has_value());
  const samples::Padded other("{}");
  task.json = other.view();
  CHECK_FALSE(walker.check(*samples::schemas().find(kNotice), task, faults));
  CHECK_FALSE(walker.text_of("kind").has_value());
}

TEST_CASE("keys may come in any order, and a walker goes from schema to schema", "[model][schema]") {
  SchemaWalker walker;
  for (int round = 0; round < 3; ++round) {
    for (const auto& sample : samples::all()) {
      const samples::Padded json(sample.json);
      WalkTask task;
      task.json = json.view();
      std::vector<Fault> faults;
      CHECK(walker.check(*samples::schemas().find(sample.type), task, faults));
    }
  }
  CHECK(
      faults_of(
          kNotice,
          R"({"telephone":"110","contact":"a","place":"b","learned_at":"2026-09-23T02:10:00Z","kind":"end","incident":"i"})")
          .empty());
}
