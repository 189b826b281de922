#include "app/cli/draft_files.h"

#include <catch2/catch.hpp>

namespace thalweg::app {
namespace {

const std::string kOne =
    R"({"type":"thalweg.section.observation.v1","subject":"gaodong","time":"2026-09-23T06:00:00+08:00","data":{"value": 0.050}})";

std::vector<FileDraft> drafts(std::string_view text, std::string_view exercise = "") {
  auto read = read_drafts("f.json", text, exercise);
  REQUIRE(read);
  return *read;
}

TEST_CASE("One draft is read with its data to the letter") {
  const auto all = drafts(kOne);
  REQUIRE(all.size() == 1);
  CHECK(all[0].place == "f.json");
  CHECK(all[0].type == "thalweg.section.observation.v1");
  CHECK(all[0].subject == "gaodong");
  CHECK(all[0].data == R"({"value": 0.050})");
  CHECK(all[0].lane == Lane::kRoutine);
  CHECK(all[0].faults.empty());
}

TEST_CASE("A draft over several lines with a byte order mark is one draft") {
  const auto all = drafts("\xEF\xBB\xBF{\r\n \"type\": \"t.v1\",\r\n \"time\": \"x\",\r\n \"data\": {\r\n }\r\n}\r\n");
  REQUIRE(all.size() == 1);
  CHECK(all[0].faults.empty());
  CHECK(all[0].data == "{\r\n }");
}

TEST_CASE("A list of drafts is read in its order, each with its place") {
  const auto all = drafts("[" + kOne + ",\n " + kOne + "]");
  REQUIRE(all.size() == 2);
  CHECK(all[1].place == "f.json[1]");
  CHECK(all[1].data == R"({"value": 0.050})");
}

TEST_CASE("Of JSON lines one that is broken is named and the others stay good") {
  const auto all = drafts(kOne + "\n\n{\"type\":\n" + kOne + "\n42\n");
  REQUIRE(all.size() == 4);
  CHECK(all[0].place == "f.json:1");
  CHECK(all[0].faults.empty());
  CHECK(all[1].place == "f.json:3");
  CHECK(all[1].faults.size() == 1);
  CHECK(all[2].faults.empty());
  CHECK(all[3].faults.size() == 1);
}

TEST_CASE("Emergency notices and reports are urgent unless the draft says otherwise") {
  const std::string notice = R"({"type":"thalweg.emergency.notice.v1","time":"x","data":{})";
  CHECK(drafts(notice + "}")[0].lane == Lane::kUrgent);
  CHECK(drafts(notice + R"(,"lane":"routine"})")[0].lane == Lane::kRoutine);
  CHECK(drafts(R"({"lane":"urgent","type":"t","time":"x","data":{}})")[0].lane == Lane::kUrgent);
}

TEST_CASE("All faults of a draft's form are named at once, each with its path") {
  const auto all = drafts(R"({"type":3,"tme":"x","lane":"fast","data":[]})");
  REQUIRE(all[0].faults.size() == 5);
  std::string text;
  for (const region::Words& fault : all[0].faults) text += fault.en + "\n";
  CHECK(text.find("type: must be text") != std::string::npos);
  CHECK(text.find("tme: no such member; did you mean time?") != std::string::npos);
  CHECK(text.find("lane: must be") != std::string::npos);
  CHECK(text.find("data: must be an object") != std::string::npos);
  CHECK(text.find("time: is missing") != std::string::npos);
}

TEST_CASE("A member that stands twice is a fault, as nobody can say which is meant") {
  CHECK(drafts(R"({"type":"t","type":"u","time":"x","data":{}})")[0].faults.size() == 1);
}

TEST_CASE("The exercise of the command line marks every draft and contradicts none") {
  CHECK(drafts(kOne, "drill-1")[0].exercise == "drill-1");
  const std::string marked = R"({"type":"t","time":"x","data":{},"exercise":"drill-1"})";
  CHECK(drafts(marked, "drill-1")[0].faults.empty());
  CHECK(drafts(marked, "drill-2")[0].faults.size() == 1);
  CHECK(drafts(marked)[0].exercise == "drill-1");
}

TEST_CASE("A file that is empty, no JSON or an empty list says so") {
  for (const char* text : {"", " \n", "[]", "type: x", "{\"type\":", "\xFF\xFE"}) {
    INFO(text);
    const auto read = read_drafts("f.json", text, "");
    REQUIRE_FALSE(read);
    CHECK(read.error().code == Code::kData);
    CHECK(read.error().message.find("f.json") == 0);
  }
}

TEST_CASE("Raw members are cut at their own commas, not at those inside texts and lists") {
  const auto members = raw_members(R"( {"a,}": [1, {"b":"]\"\\"}] , "c":"x:y,z" ,"d":-1.50e3} )");
  REQUIRE(members.size() == 6);
  CHECK(members[0] == R"("a,}")");
  CHECK(members[1] == R"([1, {"b":"]\"\\"}])");
  CHECK(members[3] == R"("x:y,z")");
  CHECK(members[5] == "-1.50e3");
  CHECK(raw_members("{}").empty());
  CHECK(raw_members("[ ]").empty());
  CHECK(raw_members("7").empty());
}

}  // namespace
}  // namespace thalweg::app
