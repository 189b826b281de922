#include "model/record_checker.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>

#include "schema_samples.h"

using namespace thalweg;

namespace {

struct Attributes {
  std::string type = "thalweg.emergency.notice.v1";
  std::string subject = "YL-2026-LX-01";
  std::string lane = "urgent";
  std::string more{};
};

std::string record(const Attributes& a, const std::string& data) {
  return R"({"specversion":"1.0","id":"01997c2a-7b10-7cc3-98c4-dc0c0c07398f","source":"/party/500153","type":")" +
         a.type + R"(","subject":")" + a.subject + R"(","time":"2026-09-23T06:20:00+08:00","lane":")" + a.lane + "\"," +
         a.more + R"("data":)" + data + "}";
}
std::string night() { return samples::sample("thalweg.emergency.notice.v1.night"); }

struct Checked {
  std::shared_ptr<samples::Padded> bytes;  // what the envelope points into
  Result<Envelope> envelope;
  std::vector<Fault> faults;
};
Checked check(const std::string& text) {
  static RecordChecker checker(samples::schemas());
  auto padded = std::make_shared<samples::Padded>(text);
  std::vector<Fault> faults;
  auto envelope = checker.check(padded->view(), faults);
  std::vector<Fault> again;
  const auto copied = checker.check_copy(as_bytes(text), again);
  CHECK(copied.has_value() == envelope.has_value());
  REQUIRE(again.size() == faults.size());
  for (std::size_t i = 0; i < faults.size(); ++i) {
    CHECK(again[i].code == faults[i].code);
    CHECK(again[i].path == faults[i].path);
  }
  return {std::move(padded), std::move(envelope), std::move(faults)};
}

}  // namespace

TEST_CASE("a good record gives its envelope and no faults", "[model][checker]") {
  const auto checked = check(record({}, night()));
  REQUIRE(checked.envelope);
  CHECK(checked.faults.empty());
  CHECK_FALSE(refusal_of(checked.faults));
  CHECK(checked.envelope->subject == "YL-2026-LX-01");
}

TEST_CASE("an unknown type is named with the nearest ones", "[model][checker]") {
  const auto checked = check(record({.type = "thalweg.emergency.notise.v1"}, night()));
  REQUIRE(checked.envelope);
  REQUIRE(checked.faults.size() == 1);
  CHECK(refusal_of(checked.faults) == Code::kRecordTypeUnknown);
  CHECK(checked.faults[0].path == "type");
  CHECK(checked.faults[0].message.find("thalweg.emergency.notice.v1") != std::string::npos);
}

TEST_CASE("the subject must be what the data says", "[model][checker]") {
  const auto checked = check(record({.subject = "other"}, night()));
  REQUIRE(checked.envelope);
  REQUIRE(checked.faults.size() == 1);
  CHECK(checked.faults[0].code == Code::kRecordAttributeInvalid);
  CHECK(checked.faults[0].path == "data.incident");
  std::string escaped = night();
  escaped.replace(escaped.find("YL-2026"), 2, R"(\u0059L)");
  CHECK(check(record({}, escaped)).faults.empty());
  CHECK(
      check(record({.type = "thalweg.receipt.v1", .subject = "anything"}, samples::sample("thalweg.receipt.v1.signed")))
          .faults.empty());
}

TEST_CASE("a record that names its schema names the right one", "[model][checker]") {
  const std::string uri = "https://thalweg.example/schemas/thalweg.emergency.notice.v1.json";
  CHECK(check(record({.more = R"("dataschema":")" + uri + "\","}, night())).faults.empty());
  const auto checked = check(record({.more = R"("dataschema":"https://else.example/x.json",)"}, night()));
  REQUIRE(checked.faults.size() == 1);
  CHECK(checked.faults[0].path == "dataschema");
}

TEST_CASE("faults of the attributes and of the data are named at once", "[model][checker]") {
  std::string data = night();
  data.replace(data.find("\"warning\""), 9, "\"warn\"");
  const auto checked = check(record({.lane = "express"}, data));
  REQUIRE_FALSE(checked.envelope);
  CHECK(checked.envelope.error().code == Code::kRecordAttributeInvalid);
  REQUIRE(checked.faults.size() == 2);
  CHECK(checked.faults[0].path == "lane");
  CHECK(checked.faults[1].path == "data.kind");
  for (const Fault& fault : checked.faults) CHECK_FALSE(fault.message_zh.empty());
}

TEST_CASE("broken JSON inside the data is found although the envelope could be read", "[model][checker]") {
  for (const char* data : {R"({"ext":{"a":01}})", R"({"ext":{"a":tru}})", R"({"ext":{"a":[1}}})",
                           R"({"ext":{"a":"\ud800"}})", R"({"incident" "a"})"}) {
    INFO(data);
    const auto checked = check(record({}, data));
    const bool found = std::any_of(checked.faults.begin(), checked.faults.end(),
                                   [](const Fault& f) { return f.code == Code::kRecordNotJson; });
    CHECK(found);
    CHECK(refusal_of(checked.faults).has_value());
  }
  const std::string whole = record({}, night());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto checked = check(whole.substr(0, size));
    CHECK_FALSE(checked.envelope);
  }
  CHECK_FALSE(check(whole + "x").envelope);
  CHECK_FALSE(check(std::string(kMaxRecordBytes + 1, ' ')).envelope);
}

TEST_CASE("what is unknown never stops an urgent notice, and stops anything else", "[model][checker]") {
  const std::string data = samples::sample("thalweg.emergency.notice.v1.warning");
  std::string unknown = data;
  unknown.replace(unknown.find("w01018"), 6, "w99999");
  auto urgent = check(record({}, unknown));
  REQUIRE(urgent.envelope);
  CHECK(refusal_of(urgent.faults) == Code::kFactorUnknown);
  soften_for_urgent(*urgent.envelope, urgent.faults);
  CHECK_FALSE(refusal_of(urgent.faults));
  REQUIRE(urgent.faults.size() == 1);
  CHECK(urgent.faults[0].code == Code::kMarkedUnverified);
  CHECK(urgent.faults[0].path == "data.pollutants[0].code");

  auto routine = check(record({.lane = "routine"}, unknown));
  REQUIRE(routine.envelope);
  soften_for_urgent(*routine.envelope, routine.faults);
  CHECK(refusal_of(routine.faults) == Code::kFactorUnknown);

  CHECK(softened_for_urgent(*urgent.envelope, Code::kSectionUnknown) == Code::kMarkedUnverified);
  CHECK(softened_for_urgent(*urgent.envelope, Code::kClockOffset) == Code::kMarkedUnverified);
  CHECK(softened_for_urgent(*urgent.envelope, Code::kRecordSchema) == Code::kRecordSchema);
  CHECK(softened_for_urgent(*routine.envelope, Code::kSectionUnknown) == Code::kSectionUnknown);

  std::string observation = samples::sample("thalweg.section.observation.v1.station");
  auto data_record = check(record({.type = "thalweg.section.observation.v1", .subject = "gaodong"},
                                  observation.replace(observation.find("w21003"), 6, "w99999")));
  REQUIRE(data_record.envelope);
  soften_for_urgent(*data_record.envelope, data_record.faults);
  CHECK(refusal_of(data_record.faults) == Code::kFactorUnknown);
}

TEST_CASE("a summary is one line that is cut between faults", "[model][checker]") {
  const auto checked = check(record({}, "{}"));
  CHECK(summary(checked.faults).find("data.incident: is required; ") != std::string::npos);
  CHECK(summary_zh(checked.faults).find("data.incident: 为必填项；") != std::string::npos);
  const std::string cut = summary(checked.faults, 60);
  CHECK(cut.size() <= 60);
  CHECK(cut.find("; +") != std::string::npos);
}
