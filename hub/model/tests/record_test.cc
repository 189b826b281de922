#include "model/record.h"

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <sstream>

namespace thalweg {
namespace {

constexpr std::string_view kGood =
    R"({"specversion":"1.0","id":"01a0cb22-0700-72ba-8cdf-4dbde59622b1","source":"/party/500153",)"
    R"("type":"thalweg.section.observation.v1","subject":"gaodong","time":"2026-09-23T06:00:00+08:00","lane":"routine",)"
    R"("exercise":"drill-7","correlationid":"incident-3","submitter":"instance:station-1",)"
    R"("datacontenttype":"application/json","dataschema":"https://thalweg.example/schemas/x.json",)"
    R"("station":"A500226_0002","data":{"section":"gaodong","factors":[{"text":"2.82 \"}{\\"}]}})";

std::string with(std::string_view from, std::string_view to) {
  std::string text(kGood);
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// Reads from memory of exactly the promised size, so that a sanitizer sees every byte read beyond it.
Result<Envelope> read_once(std::string_view text, std::vector<Fault>* faults = nullptr) {
  const auto padded = std::make_unique<std::uint8_t[]>(text.size() + kRecordPadding);
  std::copy(text.begin(), text.end(), padded.get());
  RecordReader reader;
  return reader.read({padded.get(), text.size()}, faults);
}

Code code_of(std::string_view text) {
  const auto envelope = read_once(text);
  return envelope ? Code::kOk : envelope.error().code;
}

}  // namespace

TEST_CASE("a record's attributes are read as they stand", "[model][record]") {
  RecordReader reader;
  const auto envelope = reader.read_copy(as_bytes(kGood));
  REQUIRE(envelope);
  CHECK(envelope->id == "01a0cb22-0700-72ba-8cdf-4dbde59622b1");
  CHECK(envelope->record_id.text() == envelope->id);
  CHECK(envelope->source == "/party/500153");
  CHECK(envelope->party == "500153");
  CHECK(envelope->type == "thalweg.section.observation.v1");
  CHECK(envelope->subject == "gaodong");
  CHECK(envelope->time == "2026-09-23T06:00:00+08:00");
  CHECK(envelope->time_unix_ns == 1'790'114'400'000'000'000);
  CHECK(envelope->lane == "routine");
  CHECK(envelope->lane_value == Lane::kRoutine);
  CHECK(envelope->exercise == "drill-7");
  CHECK(envelope->correlationid == "incident-3");
  CHECK(envelope->submitter == "instance:station-1");
  CHECK(envelope->dataschema == "https://thalweg.example/schemas/x.json");
  CHECK(envelope->data_raw == R"({"section":"gaodong","factors":[{"text":"2.82 \"}{\\"}]})");
}

TEST_CASE("views of a record point into the record, whichever way it was read", "[model][record]") {
  RecordReader reader;
  const auto envelope = reader.read_copy(as_bytes(kGood));
  REQUIRE(envelope);
  for (std::string_view view : {envelope->id, envelope->party, envelope->subject, envelope->data_raw}) {
    CHECK(view.data() >= kGood.data());
    CHECK(view.data() + view.size() <= kGood.data() + kGood.size());
  }
}

TEST_CASE("attributes may come in any order and with blanks between", "[model][record]") {
  RecordReader reader;
  const auto envelope = reader.read_copy(as_bytes(
      " {\n\t\"data\" : { }  , \"lane\" : \"urgent\" ,\r\n \"time\":\"2026-09-22T22:00:00Z\", \"subject\":\"事件 1\","
      "\"type\":\"t\",\"source\":\"/party/"
      "hub\",\"id\":\"01a0cb22-0700-72ba-8cdf-4dbde59622b1\",\"specversion\":\"1.0\"}\n "));
  REQUIRE(envelope);
  CHECK(envelope->lane_value == Lane::kUrgent);
  CHECK(envelope->subject == "事件 1");
  CHECK(envelope->exercise.empty());
  CHECK(std::string(envelope->data_raw) == "{ }");
}

TEST_CASE("each required attribute is missed by name", "[model][record]") {
  for (std::string_view name : {"specversion", "id", "source", "type", "subject", "time", "lane", "data"}) {
    CAPTURE(name);
    std::vector<Fault> faults;
    // The renamed attribute is let through as a further one, except for the object.
    const std::string quoted = '"' + std::string(name) + '"';
    const std::string renamed =
        name == "data" ? with(",\"data\":{\"section\":\"gaodong\",\"factors\":[{\"text\":\"2.82 \\\"}{\\\\\"}]}", "")
                       : with(quoted, "\"other\"");
    const auto envelope = read_once(renamed, &faults);
    REQUIRE_FALSE(envelope);
    CHECK(envelope.error().code == Code::kRecordAttributeMissing);
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].path == name);
    CHECK_FALSE(faults[0].message_zh.empty());
  }
}

TEST_CASE("each attribute with a value it may not have is refused", "[model][record]") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"("specversion":"1.0")", R"("specversion":"0.3")"},
      {R"("specversion":"1.0")", R"("specversion":1.0)"},
      {"01a0cb22-0700-72ba", "01a0cb22-0700-42ba"},
      {"01a0cb22-0700-72ba-8cdf", "01a0cb22-0700-72ba-0cdf"},
      {"01a0cb22-0700", "01A0cb22-0700"},
      {"01a0cb22-0700", "01a0cb22-070"},
      {"/party/500153", "/party/"},
      {"/party/500153", "/party/500153/x"},
      {"/party/500153", "/party/荣昌"},
      {"/party/500153", "party/500153"},
      {"/party/500153", "/Party/500153"},
      {"thalweg.section.observation.v1", ""},
      {"thalweg.section.observation.v1", "a b"},
      {R"("subject":"gaodong")", R"("subject":"")"},
      {R"("subject":"gaodong")", R"("subject":null)"},
      {R"("subject":"gaodong")", R"("subject":["gaodong"])"},
      {R"("subject":"gaodong")",
       "\"subject\":\"gao\xc2\x85"
       "dong\""},
      {R"("subject":"gaodong")",
       "\"subject\":\"gao\x7f"
       "dong\""},
      {"+08:00", ""},
      {"06:00:00", "25:00:00"},
      {R"("lane":"routine")", R"("lane":"Routine")"},
      {R"("lane":"routine")", R"("lane":0)"},
      {R"("lane":"routine")", R"("lane":true)"},
      {"drill-7", ""},
      {"incident-3", ""},
      {"instance:station-1", ""},
      {"application/json", "application/xml"},
      {"https://thalweg.example/schemas/x.json", ""},
      {R"("station":"A500226_0002")", R"("Station":"x")"},
      {R"("station":"A500226_0002")", R"("":"x")"},
      {R"("station":"A500226_0002")", R"("data_base64":"x")"},
      {R"("station":"A500226_0002")", R"("abcdefghijklmnopqrstu":"x")"},
      {R"("station":"A500226_0002")", R"("station":null)"},
      {R"("station":"A500226_0002")", R"("station":{"a":1})"},
      {R"("station":"A500226_0002")", R"("station":[1])"},
      {R"("data":{)", R"("data":[{)"},
  };
  for (auto [from, to] : cases) {
    CAPTURE(from, to);
    const Code code = code_of(with(from, to));
    CHECK((code == Code::kRecordAttributeInvalid || (from == R"("data":{)" && code != Code::kOk)));
  }
}

TEST_CASE("an attribute that stands twice is refused, whichever value is the good one", "[model][record]") {
  for (std::string_view twice :
       {R"("lane":"urgent",)", R"("lane":"routine",)", R"("exercise":"drill-8",)", R"("station":"A500226_0002",)",
        R"("source":"/party/500111",)", R"("data":{},)", R"("id":7,)"}) {
    CAPTURE(twice);
    CHECK(code_of(with(R"("specversion":)", std::string(twice) + R"("specversion":)")) ==
          Code::kRecordAttributeInvalid);
  }
  CHECK(code_of(with(R"("station":"A500226_0002")", R"("abc":1,"abd":2,"abc":1)")) == Code::kRecordAttributeInvalid);
}

TEST_CASE("an attribute cannot be spelled a second way by escapes", "[model][record]") {
  for (auto [from, to] :
       {std::pair<std::string_view, std::string_view>{R"("lane":"routine")", R"("lane":"\u0072outine")"},
        {R"("lane":"routine")", R"("\u006cane":"routine")"},
        {"/party/500153", R"(\/party\/500153)"},
        {R"("subject":"gaodong")", R"("subject":"gao\"dong")"},
        {R"("subject":"gaodong")", R"("subject":"gao\ndong")"}}) {
    CAPTURE(to);
    CHECK(code_of(with(from, to)) == Code::kRecordAttributeInvalid);
  }
}

TEST_CASE("further attributes are let through up to their bounds", "[model][record]") {
  CHECK(code_of(with(R"("station":"A500226_0002")", R"("a1":"x \u00e9","b":true,"c":-1.5,"d":false)")) == Code::kOk);
  std::string many;
  for (std::size_t i = 0; i < kMaxExtensions; ++i) many += "\"x" + std::to_string(i) + "\":1,";
  CHECK(code_of(with(R"("station":"A500226_0002",)", many)) == Code::kOk);
  CHECK(code_of(with(R"("station":"A500226_0002",)", many + "\"y\":1,")) == Code::kRecordAttributeInvalid);
  const std::string fits = "\"station\":\"" + std::string(kMaxExtensionValueBytes - 2, 'x') + '"';
  CHECK(code_of(with(R"("station":"A500226_0002")", fits)) == Code::kOk);
  const std::string longer = "\"station\":\"" + std::string(kMaxExtensionValueBytes - 1, 'x') + '"';
  CHECK(code_of(with(R"("station":"A500226_0002")", longer)) == Code::kRecordAttributeInvalid);
  CHECK(code_of(with(R"("station":"A500226_0002")", R"("station":tru)")) != Code::kOk);
  CHECK(code_of(with(R"("station":"A500226_0002")", R"("station":01)")) != Code::kOk);
  CHECK(code_of(with(R"("station":"A500226_0002")", R"("station":"\x")")) != Code::kOk);
}

TEST_CASE("all faults of the attributes are named at once", "[model][record]") {
  std::string bad = with(R"("lane":"routine")", R"("lane":"fast")");
  bad.replace(bad.find("+08:00"), 6, "");
  bad.replace(bad.find(R"("id":"01a0cb22-0700-72ba-8cdf-4dbde59622b1",)"), 44, "");
  std::vector<Fault> faults;
  const auto envelope = read_once(bad, &faults);
  REQUIRE_FALSE(envelope);
  std::map<std::string, Code> found;
  for (const Fault& fault : faults) found[fault.path] = fault.code;
  CHECK(found == std::map<std::string, Code>{{"lane", Code::kRecordAttributeInvalid},
                                             {"time", Code::kRecordAttributeInvalid},
                                             {"id", Code::kRecordAttributeMissing}});
  CHECK(envelope.error().code == faults[0].code);
  CHECK(envelope.error().message.find(faults[0].path) == 0);
}

TEST_CASE("the faults that are named are bounded", "[model][record]") {
  std::string many = R"("specversion":"1.0")";
  for (int i = 0; i < 10'000; ++i) many += R"(,"specversion":"1.0")";
  std::vector<Fault> faults;
  CHECK_FALSE(read_once(with(R"("specversion":"1.0")", many), &faults));
  CHECK(faults.size() <= kMaxFaults);
}

TEST_CASE("what is not JSON is said to be so", "[model][record]") {
  for (std::string_view bad : {"",
                               " ",
                               "null",
                               "7",
                               "\"x\"",
                               "[]",
                               "{",
                               "}",
                               "{]",
                               "nonsense",
                               "{\"a\"}",
                               "{\"a\":}",
                               "{\"a\":1,}",
                               "{a:1}",
                               "{\"a\":\"unclosed}",
                               "{\"a\":\"\n\"}",
                               "{\"a\":\"\xff\"}",
                               "\xef\xbb\xbf{}",
                               "{\"a\":\"\xc0\x80\"}",
                               "{\"a\":\"\xed\xa0\x80\"}",
                               "\0\0\0\0"}) {
    CAPTURE(bad);
    CHECK(code_of(bad) == Code::kRecordNotJson);
  }
  CHECK(code_of(std::string(kGood) + "x") == Code::kRecordNotJson);
  CHECK(code_of(std::string(kGood) + "{}") == Code::kRecordNotJson);
  CHECK(code_of(std::string(kGood) + "}") == Code::kRecordNotJson);
  CHECK(code_of(std::string(kGood) + std::string(1, '\0')) == Code::kRecordNotJson);
}

TEST_CASE("a record cut at any byte is refused, and nothing beyond its padding is read", "[model][record]") {
  for (std::size_t size = 0; size < kGood.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(read_once(kGood.substr(0, size)));
    std::vector<Fault> faults;
    CHECK_FALSE(read_once(kGood.substr(0, size), &faults));
    CHECK_FALSE(faults.empty());
  }
}

TEST_CASE("a record with any byte changed is refused, or its attributes are still valid", "[model][record]") {
  RecordReader reader;
  for (std::size_t i = 0; i < kGood.size(); ++i) {
    for (int c = 0; c < 256; ++c) {
      std::string changed(kGood);
      changed[i] = static_cast<char>(c);
      std::vector<Fault> faults;
      const auto envelope = reader.read_copy(as_bytes(changed), &faults);
      if (!envelope) {
        if (faults.empty()) FAIL("no fault is named");
        continue;
      }
      const bool sound = envelope->record_id.is_v7() && valid_code(envelope->party) && !envelope->subject.empty() &&
                         envelope->data_raw.starts_with('{') && envelope->data_raw.ends_with('}');
      if (!sound) FAIL("byte " << i << " as " << c << " gives a broken envelope");
    }
  }
}

TEST_CASE("a record above 1 MiB is refused before it is read, one of 1 MiB is not", "[model][record]") {
  const std::size_t room = kMaxRecordBytes - kGood.size();
  const std::string largest = with("2.82", "2.82" + std::string(room, 'x'));
  REQUIRE(largest.size() == kMaxRecordBytes);
  CHECK(code_of(largest) == Code::kOk);
  CHECK(code_of(largest + " ") == Code::kRecordTooLarge);
  std::vector<Fault> faults;
  RecordReader reader;
  CHECK_FALSE(reader.read_copy(as_bytes(largest + " "), &faults));
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].path.empty());
}

TEST_CASE("data nested without end is passed over without harm", "[model][record]") {
  for (char open : {'[', '{'}) {
    CAPTURE(open);
    const std::string deep(500'000, open);
    CHECK(code_of(with("[{", deep)) != Code::kOk);
    CHECK(code_of(with(R"("station":"A500226_0002")", "\"station\":" + deep)) != Code::kOk);
  }
  const std::string balanced = std::string(200'000, '[') + std::string(200'000, ']');
  CHECK(code_of(with(R"("section":"gaodong")", "\"section\":" + balanced)) == Code::kOk);  // depth is the checker's
  CHECK(code_of(with(R"("station":"A500226_0002")", "\"station\":" + balanced)) == Code::kRecordAttributeInvalid);
}

TEST_CASE("one reader reads good records after bad ones", "[model][record]") {
  RecordReader reader;
  const std::string large = with("2.82", std::string(300'000, 'x'));
  for (std::string_view text : {kGood.substr(0, 100), kGood, std::string_view("{"), std::string_view(large), kGood}) {
    const auto envelope = reader.read_copy(as_bytes(text));
    CHECK(envelope.has_value() == (text == kGood || text == large));
  }
  RecordReader moved = std::move(reader);
  CHECK(moved.read_copy(as_bytes(kGood)));
}

TEST_CASE("the party of a source is its code, or nothing", "[model][record]") {
  CHECK(party_of("/party/510521") == "510521");
  for (std::string_view bad : {"", "/party/", "/party", "/party/a/b", "/party/../x", "x/party/500153"}) {
    CAPTURE(bad);
    CHECK(party_of(bad).empty());
  }
}

}  // namespace thalweg
