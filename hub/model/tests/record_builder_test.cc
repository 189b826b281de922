#include "model/record_builder.h"

#include <catch2/catch.hpp>

#include "model/record.h"

namespace thalweg {
namespace {

Draft good_draft() {
  Draft draft;
  draft.id = *Uuid::parse("01a0cb22-0700-72ba-8cdf-4dbde59622b1");
  draft.party = "500153";
  draft.type = "thalweg.emergency.notice.v1";
  draft.subject = "事件-2026-001";
  draft.time = "2026-09-23T06:00:00+08:00";
  draft.lane = Lane::kUrgent;
  draft.exercise = "演练-7";
  draft.correlation = "incident-3";
  draft.submitter = "person:zhang";
  draft.data_json = R"({"text":"a \" } b","n":[{}]})";
  return draft;
}

/// What the builder says; building and checking at one stroke must refuse the same drafts, in the same words.
Code code_of(const Draft& draft) {
  Bytes out{1, 2, 3};
  const Status built = build_record(draft, out);
  if (!built) CHECK(out.empty());
  static const SchemaSet schemas = *SchemaSet::load_builtin();
  static RecordChecker checker(schemas);
  std::vector<Fault> faults;
  Bytes at_once;
  const auto checked = build_checked_record(draft, checker, at_once, faults);
  REQUIRE(checked.has_value() == built.has_value());
  if (built) {
    CHECK(at_once == out);
    CHECK(checked->data_raw.data() + checked->data_raw.size() + 1 == as_text(at_once).data() + at_once.size());
  } else {
    CHECK(checked.error().code == built.error().code);
    CHECK(checked.error().message == built.error().message);
  }
  return built ? Code::kOk : built.error().code;
}

}  // namespace

TEST_CASE("what is built is read back the same", "[model][record]") {
  const Draft draft = good_draft();
  Bytes record;
  REQUIRE(build_record(draft, record));
  CHECK(record.capacity() >= record.size() + kRecordPadding);
  RecordReader reader;
  const auto envelope = reader.read_copy(record);
  REQUIRE(envelope);
  CHECK(envelope->record_id == draft.id);
  CHECK(envelope->party == draft.party);
  CHECK(envelope->type == draft.type);
  CHECK(envelope->subject == draft.subject);
  CHECK(envelope->time == draft.time);
  CHECK(envelope->lane_value == draft.lane);
  CHECK(envelope->exercise == draft.exercise);
  CHECK(envelope->correlationid == draft.correlation);
  CHECK(envelope->submitter == draft.submitter);
  CHECK(envelope->dataschema == "https://thalweg.example/schemas/thalweg.emergency.notice.v1.json");
  CHECK(envelope->data_raw == draft.data_json);
}

TEST_CASE("optional attributes are left out when they are empty", "[model][record]") {
  Draft draft = good_draft();
  draft.exercise = draft.correlation = draft.submitter = {};
  Bytes record;
  REQUIRE(build_record(draft, record));
  for (std::string_view name : {"exercise", "correlationid", "submitter"}) {
    CHECK(as_text(record).find(name) == std::string_view::npos);
  }
}

TEST_CASE("blanks around the data are dropped, inside they stay", "[model][record]") {
  Draft draft = good_draft();
  draft.data_json = "\n {\"a\": [1, 2]}\t\r\n";
  Bytes record;
  REQUIRE(build_record(draft, record));
  CHECK(as_text(record).ends_with(",\"data\":{\"a\": [1, 2]}}"));
}

TEST_CASE("data cannot reach out of its place", "[model][record]") {
  for (std::string_view data : {R"({}, "exercise":"x", "y":{})", R"({"a":1},"lane":"urgent","b":{})", R"({}})",
                                R"({}{})", R"({)", R"(})", R"([])", R"("x")", "null", R"({"a":"})", "{}\0", R"(}{)",
                                R"({"a":[}, "lane":"x", "b":[{]})", "{\"a\":\"\n\"}", "{\"a\":\"\xff\"}"}) {
    CAPTURE(data);
    Draft draft = good_draft();
    draft.exercise = {};
    draft.data_json = data;
    if (const Code code = code_of(draft); code != Code::kOk) {
      CHECK(code == Code::kRecordNotJson);
      continue;
    }
    Bytes record;
    REQUIRE(build_record(draft, record));
    // What is balanced but no JSON is for the checker; here it must stay where it was put.
    RecordReader reader;
    const auto envelope = reader.read_copy(record);
    REQUIRE(envelope);
    CHECK(envelope->data_raw == data);
    CHECK(envelope->exercise.empty());
  }
}

TEST_CASE("attributes that a reader would refuse are not written", "[model][record]") {
  const auto changed = [](auto change) {
    Draft draft = good_draft();
    change(draft);
    return code_of(draft);
  };
  CHECK(changed([](Draft&) {}) == Code::kOk);
  CHECK(changed([](Draft& d) { d.id = Uuid{}; }) == Code::kRecordAttributeInvalid);
  CHECK(changed([](Draft& d) { d.party = "a/b"; }) == Code::kRecordAttributeInvalid);
  CHECK(changed([](Draft& d) { d.party = ""; }) == Code::kRecordAttributeInvalid);
  CHECK(changed([](Draft& d) { d.type = ""; }) == Code::kRecordAttributeMissing);
  CHECK(changed([](Draft& d) { d.type = "a\"b"; }) == Code::kRecordAttributeInvalid);
  CHECK(changed([](Draft& d) { d.subject = ""; }) == Code::kRecordAttributeMissing);
  CHECK(changed([](Draft& d) { d.subject = R"(x","lane":"urgent)"; }) == Code::kRecordAttributeInvalid);
  CHECK(changed([](Draft& d) { d.subject = "x\\"; }) == Code::kRecordAttributeInvalid);
  CHECK(changed([](Draft& d) { d.subject = "\xff"; }) == Code::kRecordAttributeInvalid);
  CHECK(changed([](Draft& d) { d.time = ""; }) == Code::kRecordAttributeMissing);
  CHECK(changed([](Draft& d) { d.time = "2026-09-23T06:00:00"; }) == Code::kRecordAttributeInvalid);
  CHECK(changed([](Draft& d) { d.exercise = "a\nb"; }) == Code::kRecordAttributeInvalid);
  CHECK(changed([](Draft& d) { d.correlation = "\""; }) == Code::kRecordAttributeInvalid);
  CHECK(changed([](Draft& d) { d.submitter = "\x7f"; }) == Code::kRecordAttributeInvalid);
  CHECK(changed([](Draft& d) { d.data_json = " "; }) == Code::kRecordAttributeMissing);
  const std::string long_subject(257, 'x');
  CHECK(changed([&](Draft& d) { d.subject = long_subject; }) == Code::kRecordAttributeInvalid);
}

TEST_CASE("a record that would be above 1 MiB is not built", "[model][record]") {
  Draft draft = good_draft();
  Bytes record;
  REQUIRE(build_record(draft, record));
  const std::size_t room = kMaxRecordBytes - record.size() + draft.data_json.size() - 8;  // {"a":""}
  const std::string largest = R"({"a":")" + std::string(room, 'x') + R"("})";
  draft.data_json = largest;
  CHECK(code_of(draft) == Code::kOk);
  const std::string larger = R"({"a":")" + std::string(room + 1, 'x') + R"("})";
  draft.data_json = larger;
  CHECK(code_of(draft) == Code::kRecordTooLarge);
}

}  // namespace thalweg
