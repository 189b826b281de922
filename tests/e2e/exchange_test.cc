// exchange_test.cc: what neighbours see of a whole exchange: hub and gates over real sockets and files.
#include "support/exchange.h"

#include <catch2/catch.hpp>

using namespace thalweg;

namespace {

/// 大足 above, 荣昌, 泸县 below; all connected.
struct Neighbours : Exchange {
  Neighbours() {
    start_hub();
    enrol("dazu", "500111");
    enrol("rongchang", "500153");
    enrol("luxian", "510521");
    for (const char* name : {"dazu", "rongchang", "luxian"}) start_gate(name);
  }
};

}  // namespace

TEST_CASE("section data of 荣昌 arrives at 泸县 once, by the agreement, with its bytes as they were signed") {
  Neighbours x;
  const json sent = x.publish("rongchang", json::array({observation_draft("k1")}));
  INFO(sent.dump());
  REQUIRE(sent["all_accepted"] == true);
  const std::string id = sent["settled"][0]["id"];
  REQUIRE(eventually([&] { return x.inbox("luxian").size() == 1; }));
  CHECK(x.inbox("luxian")[0]["id"] == id);
  // The same reading again makes no second record.
  CHECK(x.publish("rongchang", json::array({observation_draft("k1")}))["settled"][0]["id"] == id);
  CHECK(x.publish("rongchang", json::array({observation_draft("k2")}))["all_accepted"] == true);
  REQUIRE(eventually([&] { return x.inbox("luxian").size() == 2; }));
  const json why = x.ask_hub({{"cmd", "why"}, {"record", id}});
  CHECK(why["text_zh"].get<std::string>().find("section-rongchang-luxian") != std::string::npos);
}

TEST_CASE("a search goes up, a warning goes down, an officer signs, and the sender sees by whom") {
  Neighbours x;
  const json search = x.publish("rongchang", json::array({notice_draft("search", "2026-0923-01")}));
  INFO(search.dump());
  REQUIRE(search["all_accepted"] == true);
  REQUIRE(eventually([&] { return x.inbox("dazu").size() == 1; }));
  const json warning = x.publish("rongchang", json::array({notice_draft("warning", "2026-0923-01")}));
  REQUIRE(warning["all_accepted"] == true);
  const std::string id = warning["settled"][0]["id"];
  REQUIRE(eventually([&] { return x.inbox("luxian").size() >= 1; }));
  // A tool that writes a text where true or false is due is told so, and the gate goes on.
  const json wrong = x.ask_gate("luxian", {{"cmd", "ack"}, {"record", id}, {"officer", "周敏"}, {"by_phone", "true"}});
  CHECK(wrong["ok"] == false);
  CHECK(wrong["code"] == static_cast<int>(Code::kInvalid));
  const json ack = x.ask_gate("luxian", {{"cmd", "ack"}, {"record", id}, {"officer", "周敏"}});
  INFO(ack.dump());
  REQUIRE(ack["ok"] == true);
  const auto show = [&] { return x.ask_gate("rongchang", {{"cmd", "show"}, {"record", id}}); };
  REQUIRE(eventually([&] { return show().dump().find("周敏") != std::string::npos; }));
  // Whom to call is in the manifest that the hub has signed for this gate.
  const json step = show()["record"]["progress"][0];
  CHECK(step["party"] == "510521");
  CHECK(step["name_zh"] == "泸州市泸县生态环境局");
  CHECK(step["duty_phone"] == "0830-0000-521");
  const json status = x.ask_gate("rongchang", {{"cmd", "status"}});
  for (const json& lane : status["lanes"]) CHECK(lane["link"]["disbelieved"] == 0);
}

TEST_CASE("the hub shows a record as in an inbox only when that receiver has it") {
  Neighbours x;
  x.stop_gate("luxian");
  const std::string id =
      x.publish("rongchang", json::array({notice_draft("warning", "2026-0923-01")}))["settled"][0]["id"];
  const auto receivers = [&] {
    try {
      return x.ask_hub({{"cmd", "show"}, {"record", id}})["receivers"];
    } catch (const std::exception&) {
      return json();  // it is not there yet
    }
  };
  REQUIRE(eventually([&] { return !receivers().is_null(); }));
  CHECK(receivers() == json::array({{{"receiver", "510521"}, {"in_inbox", false}, {"taken", false}}}));
  x.start_gate("luxian");
  REQUIRE(eventually([&] { return receivers()[0]["in_inbox"] == true; }));
}

TEST_CASE("names for listings are those of the region, at the hub and at a gate") {
  Neighbours x;
  const auto name_of = [](const json& answer, const char* list, const char* code) {
    for (const json& one : answer["region"][list])
      if (one["code"] == code) return one["name_zh"].get<std::string>();
    return std::string();
  };
  const auto at_gate = [&] { return x.ask_gate("rongchang", {{"cmd", "region"}}); };
  REQUIRE(eventually([&] { return at_gate()["region"].contains("parties"); }));
  for (const json& answer : {x.ask_hub({{"cmd", "region"}}), at_gate()}) {
    CHECK(name_of(answer, "parties", "510521") == "泸州市泸县生态环境局");
    CHECK(name_of(answer, "sections", "laixi-gaodong") == "高洞电站");
  }
}

TEST_CASE("who is no party to a case gets nothing of it") {
  Neighbours x;
  const json record = {
      {"type", "thalweg.enforcement.record.v1"},
      {"subject", "case-7"},
      {"time", "2026-09-23T09:00:00+08:00"},
      {"data",
       {{"case", "case-7"},
        {"kind", "joint_patrol"},
        {"step", "found"},
        {"at", "2026-09-23T09:00:00+08:00"},
        {"parties", {{{"code", "510521"}, {"role", "lead"}}, {{"code", "500153"}, {"role", "partner"}}}}}}};
  const json sent = x.publish("luxian", json::array({record}));
  INFO(sent.dump());
  REQUIRE(sent["all_accepted"] == true);
  REQUIRE(eventually([&] { return x.inbox("rongchang").size() == 1; }));
  CHECK(x.inbox("dazu").empty());
}

TEST_CASE("what is sent while the hub is away arrives once it is back, each once and in order") {
  Neighbours x;
  x.stop_hub();
  json drafts = json::array();
  for (int i = 0; i < 50; ++i) drafts.push_back(observation_draft("k" + std::to_string(i)));
  const json sent = x.publish("rongchang", drafts);
  REQUIRE(sent["all_accepted"] == true);
  x.start_hub();
  REQUIRE(eventually([&] { return x.inbox("luxian", 1000).size() == 50; }));
  const json got = x.inbox("luxian", 1000);
  for (int i = 0; i < 50; ++i) CHECK(got[49 - i]["id"] == sent["settled"][i]["id"]);
}

TEST_CASE("a receiver that was away finds all of it when it comes back") {
  Neighbours x;
  x.stop_gate("luxian");
  for (int i = 0; i < 20; ++i)
    REQUIRE(x.publish("rongchang", json::array({observation_draft("k" + std::to_string(i))}))["all_accepted"] == true);
  x.start_gate("luxian");
  REQUIRE(eventually([&] { return x.inbox("luxian", 1000).size() == 20; }));
}
