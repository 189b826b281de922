#include "app/cli/status_views.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace thalweg::app {
namespace {

using nlohmann::json;

const Terminal kZh(Language::kChinese, false);
const Terminal kEn(Language::kEnglish, false);
const Terminal kColoured(Language::kChinese, true);

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

json hub_status() {
  return json::parse(R"({"hub":"500000","region":{"code":"laixi","name_zh":"濑溪河流域","name_en":"Laixi","version":3},
    "lanes":{"urgent":{"endpoint":"tcp://0.0.0.0:7711","block":9,"bytes":1048576,"streams":3,"parcels":4,"records":4,
                       "refused_records":0,"block_time":"2026-09-23T06:00:00+08:00","clock_doubtful":false},
             "routine":{"endpoint":"tcp://0.0.0.0:7710","block":90,"bytes":3221225472,"streams":3,"parcels":40,"records":400,
                        "refused_records":2,"block_time":"2026-09-23T06:00:00+08:00","clock_doubtful":false}},
    "parties":[{"party":"500153","name_zh":"荣昌区生态环境局","name_en":"Rongchang","duty_phone":"023-1","enrolled":true,
                "sessions":[{"gate":"500153/gate-1","lane":"urgent","clock_offset_ms":-12.0},{"gate":"500153/gate-1","lane":"routine"}],
                "lanes":{"urgent":{"sent_to":5,"in_inbox":5,"taken":5,"lag":0,"dead_letters":0},
                         "routine":{"sent_to":9,"in_inbox":7,"taken":4,"lag":2,"dead_letters":1}}},
               {"party":"510521","name_zh":"泸县生态环境局","duty_phone":"0830-2","enrolled":false,"sessions":[],"lanes":{}}]})");
}

TEST_CASE("The hub's status shows parties, lag per lane, dead letters, ledger size and clocks") {
  const std::string text = hub_status_text(kZh, hub_status());
  CHECK(has(text, "濑溪河流域"));
  CHECK(has(text, "荣昌区生态环境局"));
  CHECK(has(text, "在线"));
  CHECK(has(text, "2 +3"));
  CHECK(has(text, "-12 ms"));
  CHECK(has(text, "3.0 GiB"));
  CHECK(has(text, "未登记"));
  CHECK(has(text, "deadletters list"));
  CHECK(has(hub_status_text(kEn, hub_status()), "Rongchang"));
  CHECK(has(hub_status_text(kEn, hub_status()), "urgent lag"));
}

TEST_CASE("A clock that is off by more than five minutes is red, with the next step") {
  json status = hub_status();
  CHECK_FALSE(has(hub_status_text(kZh, status), "超过 5 分钟"));
  status["parties"][0]["sessions"][1]["clock_offset_ms"] = 372000.0;
  CHECK(has(hub_status_text(kColoured, status), "\033[31;1m+6.2 分"));
  CHECK(has(hub_status_text(kZh, status), "超过 5 分钟"));
  status["lanes"]["urgent"]["clock_doubtful"] = true;
  CHECK(has(hub_status_text(kZh, status), "thalweg clock confirm"));
}

TEST_CASE("Who holds old segments of the ledger back is named, with the lane and the way out") {
  json status = hub_status();
  CHECK_FALSE(has(hub_status_text(kZh, status), "give-up"));
  status["lanes"]["routine"]["held_back_by"] = "500153";
  CHECK(has(hub_status_text(kZh, status), "常规通道：500153 荣昌区生态环境局 尚未结算，旧账本段因此超期保留\n"));
  CHECK(has(hub_status_text(kZh, status), "thalweg receiver give-up"));
  CHECK(has(hub_status_text(kEn, status),
            "routine lane: old segments of the ledger stay beyond their time because 500153 Rongchang has not settled "
            "them\n"));
  CHECK(has(hub_status_text(kEn, status), "thalweg receiver give-up"));
  status["lanes"]["routine"]["held_back_by"] = "999999";  // left the region
  CHECK(has(hub_status_text(kZh, status), "常规通道：999999 尚未结算"));
}

TEST_CASE("A party with one lane only, or none, is not shown as connected") {
  json status = hub_status();
  status["parties"][0]["sessions"].erase(1);
  CHECK(has(hub_status_text(kZh, status), "仅紧急通道"));
  status["parties"][0]["sessions"] = json::array();
  CHECK(has(hub_status_text(kZh, status), "离线"));
}

json gate_status() {
  return json::parse(R"({"party":"500153","gate":"gate-1","program":"thalweg-gate 0.1.0","lanes":[
    {"lane":"urgent","link":{"open":false,"hub":"tcp://h:7711","problem":"connection refused","code":0,"since":"2026-09-23T06:00:00+08:00","clock_offset_ms":null},
     "outbox":{"head":5,"acknowledged":3,"waiting":2,"bytes":2048,"dead_letters":0,"receivers":[{"party":"510521","in_inbox":3,"taken":2}],"problem":""},
     "inbox":{"records":7,"bytes":1024,"dead_letters":1,"problem":""},
     "adapters":[{"instance":"sheet","plugin":"tabular","kind":"sink","state":"running","pid":7,"starts":1,"crashes":0,"why":"","lag":4,"problem":"disk"}]}]})");
}

TEST_CASE("A gate's status shows its line, boxes, receivers and adapters") {
  const std::string text = gate_status_text(kZh, gate_status());
  CHECK(has(text, "500153/gate-1"));
  CHECK(has(text, "断开"));
  CHECK(has(text, "connection refused"));
  CHECK(has(text, "2.0 KiB"));
  CHECK(has(text, "510521"));
  CHECK(has(text, "sheet"));
  CHECK(has(text, "disk"));
  CHECK(has(text, "有异常件"));
  CHECK(adapters_in(gate_status())[0]["lane"] == "urgent");
}

TEST_CASE("A gate's status says what the hub refuses while the line is open") {
  json status = gate_status();
  json& link = status["lanes"][0]["link"];
  link["open"] = true;
  CHECK_FALSE(has(gate_status_text(kZh, status), "connection refused"));
  link["problem"] = "writing 7.seg: Input/output error";
  link["code"] = 401;
  const std::string text = gate_status_text(kZh, status);
  CHECK(has(text, "已连接"));
  CHECK(has(text, "writing 7.seg: Input/output error"));
  CHECK(has(text, "请检查消息所指的磁盘"));
}

TEST_CASE("Dead letters are listed with their reason and what to do next") {
  const json letter = {{"id", "in-routine-3"},
                       {"since", "2026-09-23T06:00:00+08:00"},
                       {"adapter", "sheet"},
                       {"attempts", 100},
                       {"state", "open"},
                       {"code", static_cast<int>(Code::kAttemptsExhausted)},
                       {"text", "disk\033[2J full"},
                       {"record", "r"}};
  const std::string text = letter_table(kZh, json::array({letter}));
  CHECK(has(text, "in-routine-3"));
  CHECK(has(text, "deadletters show"));
  CHECK(letter_table(kEn, json::array()) == "no dead letters\n");
  const std::string one = letter_text(kEn, letter, json());
  CHECK(has(one, "full"));
  CHECK_FALSE(has(one, "\033"));
  CHECK(has(one, "not at this gate any more"));
}

TEST_CASE("Sizes and offsets are written in units that people read") {
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(1536) == "1.5 KiB");
  CHECK(offset_text(kEn, 3.4) == "+3 ms");
  CHECK(offset_text(kEn, -45000) == "-45.0 s");
  CHECK(offset_text(kEn, 372000) == "+6.2 min");
}

TEST_CASE("Status views stand answers that lack everything") {
  for (const json& odd :
       {json::object(), json{{"lanes", 3}, {"parties", {nullptr, 4}}}, json{{"lanes", {1, json::object()}}}}) {
    CHECK_FALSE(hub_status_text(kZh, odd).empty());
    CHECK_FALSE(gate_status_text(kZh, odd).empty());
    CHECK_FALSE(letter_table(kZh, json::array({odd})).empty());
  }
}

}  // namespace
}  // namespace thalweg::app
