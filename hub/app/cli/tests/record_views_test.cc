#include "app/cli/record_views.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace thalweg::app {
namespace {

using nlohmann::json;

const Terminal kZh(Language::kChinese, false);
const Terminal kEn(Language::kEnglish, false);
const Terminal kColoured(Language::kChinese, true);

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

json sent_notice() {
  return json::parse(R"({
    "box":"outbox","lane":"urgent","id":"01997402-5780-7abc-8def-0123456789ab","type":"thalweg.emergency.notice.v1",
    "subject":"LX-1","time":"2026-09-22T22:00:00Z","from":"500153","submitter":"person.wang","exercise":"drill-1",
    "stored_at":"2026-09-23T06:00:01+08:00","state":"accepted","accepted_at":"2026-09-23T06:00:02+08:00","block":12,"parcel":3,
    "grants":[{"agreement":"rc-lx-emergency","version":2,"fallback":false,"receivers":["510521","500111"]}],
    "progress":[
      {"party":"500111","name_zh":"大足区生态环境局","name_en":"","duty_phone":"023-1111","in_inbox":false,"taken":false,"signed":null,"receipts":[]},
      {"party":"510521","name_zh":"泸县生态环境局","name_en":"Luxian","duty_phone":"0830-2222","in_inbox":true,"taken":true,
       "signed":{"party":"510521","stage":"signed","officer":"李明","by":"phone","at":"2026-09-23T06:10:00+08:00"},
       "receipts":[{"party":"510521","stage":"signed","officer":"李明","by":"phone","at":"2026-09-23T06:10:00+08:00"},
                   {"party":"510521","stage":"measures","officer":"张华","by":"cli","at":"2026-09-23T07:00:00+08:00","measures":"已关闭取水口"}]}],
    "raw":"{\"data\":{\"kind\":\"warning\",\"incident\":\"LX-1\"}}"})");
}

TEST_CASE("Times are shown as Beijing time, and what is no time as it is") {
  CHECK(beijing("2026-09-22T22:00:00Z") == "2026-09-23 06:00:00");
  CHECK(beijing("2026-09-23T06:00:00.5+08:00") == "2026-09-23 06:00:00");
  CHECK(beijing("yesterday\033") == "yesterday\xEF\xBF\xBD");
  CHECK(beijing("") == "");
}

TEST_CASE("Urgent records and exercises are marked in front") {
  CHECK(marks(kZh, "urgent", "drill-1") == "【紧急】【演练】");
  CHECK(marks(kEn, "routine", "drill-1") == "[EXERCISE] ");
  CHECK(marks(kZh, "routine", "").empty());
  CHECK(has(marks(kColoured, "urgent", ""), "\033[31;1m"));
}

TEST_CASE("The sender sees every step of the ladder for every receiver") {
  const std::string text = show_at_gate(kZh, sent_notice());
  CHECK(text.starts_with("【紧急】【演练】突发环境事件通报  LX-1\n"));
  CHECK(has(text, "2026-09-23 06:00:00"));
  CHECK(has(text, "中枢已接收  2026-09-23 06:00:02，区块 12"));
  CHECK(has(text, "按协议 rc-lx-emergency（第 2 版），送：510521 500111"));
  CHECK(has(text, "已入对方收件箱"));
  CHECK(has(text, "已由适配器取走"));
  CHECK(has(text, "500111 大足区生态环境局  尚未"));
  CHECK(has(text, "未签收  大足区生态环境局  值班电话 023-1111"));
  CHECK(has(text, "已签收：李明 2026-09-23 06:10:00（电话）"));
  CHECK(has(text, "已报告措施：张华 2026-09-23 07:00:00（命令行）：已关闭取水口"));
  CHECK(has(text, "\"kind\": \"warning\""));
  CHECK_FALSE(has(text, "已送达"));
}

TEST_CASE("The ladder reads in English, names without an English form stay Chinese") {
  const std::string text = show_at_gate(kEn, sent_notice());
  CHECK(text.starts_with("[URGENT] [EXERCISE] emergency notice  LX-1\n"));
  CHECK(has(text, "NOT SIGNED FOR  大足区生态环境局  duty telephone 023-1111"));
  CHECK(has(text, "510521 Luxian"));
  CHECK(has(text, "signed for by 李明 2026-09-23 06:10:00 (by telephone)"));
  CHECK_FALSE(has(text, "delivered"));
}

TEST_CASE("A missing signature is red where one is owed, plain for readings") {
  json record = sent_notice();
  CHECK(has(show_at_gate(kColoured, record), "\033[31;1m未签收"));
  record["type"] = "thalweg.section.observation.v1";
  const std::string text = show_at_gate(kColoured, record);
  CHECK(has(text, "未签收"));
  CHECK_FALSE(has(text, "\033[31;1m未签收"));
}

TEST_CASE("A record that the hub has not answered for, or has refused, says so") {
  json record = sent_notice();
  record.erase("progress");
  record["state"] = "stored";
  CHECK(has(show_at_gate(kZh, record), "尚未到达中枢"));
  record["state"] = "refused";
  record["code"] = static_cast<int>(Code::kNoAgreement);
  record["text"] = "需要协议";
  const std::string text = show_at_gate(kZh, record);
  CHECK(has(text, "中枢拒收"));
  CHECK(has(text, std::to_string(static_cast<int>(Code::kNoAgreement))));
  CHECK(has(text, "需要协议"));
}

TEST_CASE("A receiver whose progress is not known is not said to lack the record") {
  json record = sent_notice();
  record["progress"][0]["in_inbox"] = nullptr;
  CHECK(has(show_at_gate(kZh, record), "500111 大足区生态环境局  不详"));
}

TEST_CASE("A received record shows from whom, by which agreement, and what was signed here") {
  json record = sent_notice();
  record["box"] = "inbox";
  record["state"] = "received";
  record["received_at"] = "2026-09-23T06:00:03+08:00";
  record["receipts"] = record["progress"][1]["receipts"];
  record.erase("progress");
  const std::string text = show_at_gate(kZh, record);
  CHECK(has(text, "已收到  2026-09-23 06:00:03"));
  record["grants"][0].erase("receivers");  // a receiver is not told who else receives
  CHECK(has(show_at_gate(kEn, record), "by agreement rc-lx-emergency, version 2\n"));
  CHECK(has(text, "已签收：李明"));
}

TEST_CASE("The hub names receivers and their duty telephones from its status") {
  const json record =
      json::parse(R"({"record":"r-1","party":"500153","type":"thalweg.emergency.notice.v1","subject":"LX-1",
    "time":"2026-09-23T06:00:00+08:00","lane":"urgent","gate":"gate-1","parcel":3,"block":12,"accepted":"2026-09-23T06:00:02+08:00",
    "grants":[{"agreement":"","fallback":true,"receivers":["510521"]}],
    "receivers":[{"receiver":"510521","in_inbox":true,"taken":false}],"content":{"data":{"kind":"warning"}}})");
  const json parties = json::parse(R"([{"party":"510521","name_zh":"泸县生态环境局","duty_phone":"0830-2222"}])");
  const std::string text = show_at_hub(kZh, record, parties);
  CHECK(has(text, "510521 泸县生态环境局"));
  CHECK(has(text, "0830-2222"));
  CHECK(has(text, "没有适用的协议"));
  CHECK(has(show_at_hub(kEn, record, json()), "510521"));
}

TEST_CASE("Lists show records of a gate and of the hub alike") {
  const json gate = json::array({sent_notice()});
  CHECK(has(record_table(kZh, gate), "【紧急】【演练】突发环境事件通报"));
  CHECK(has(record_table(kZh, gate), "500111，510521"));
  const json hub = json::parse(
      R"([{"record":"r-1","party":"500153","type":"thalweg.receipt.v1","time":"2026-09-23T06:00:00+08:00","code":0}])");
  CHECK(has(record_table(kEn, hub), "receipt"));
  CHECK(has(record_table(kEn, hub), "r-1"));
  CHECK(record_table(kEn, json::array()) == "no records\n");
}

json region() {
  return json::parse(R"({"parties":[{"code":"500153","name_zh":"荣昌区生态环境局","name_en":"Rongchang"},
    {"code":"510521","name_zh":"泸县生态环境局","name_en":"Luxian"}],
    "sections":[{"code":"laixi-gaodong","name_zh":"高洞电站","name_en":""}]})");
}

TEST_CASE("Lists name parties and sections behind their codes, and the columns stay in line") {
  const json records = json::parse(R"([
    {"record":"r-1","party":"500153","type":"t","subject":"laixi-gaodong","time":"2026-09-23T06:00:00+08:00","code":0,
     "grants":[{"receivers":["510521","999999"]}]},
    {"record":"r-2","party":"999999","type":"t","subject":"LX-1","time":"2026-09-23T06:00:00+08:00","code":0}])");
  const std::string zh = record_table(kZh, records, Names(kZh, region()));
  const auto line = [](const std::string& text, int number) {
    std::size_t from = 0;
    while (number-- > 0) from = text.find('\n', from) + 1;
    return text.substr(from, text.find('\n', from) - from);
  };
  CHECK(has(line(zh, 1),
            "500153 荣昌区生态环境局  t     laixi-gaodong 高洞电站  已接收  510521 泸县生态环境局，999999  r-1"));
  CHECK(has(line(zh, 2),
            "999999                   t     LX-1                    已接收                                 r-2"));
  CHECK(display_width(line(zh, 1)) == display_width(line(zh, 2)));
  CHECK(has(record_table(kEn, records, Names(kEn, region())), "510521 Luxian, 999999"));
  CHECK(Names(kZh, region()).subject("510521") == "510521 泸县生态环境局");  // what the hub says of a party
  // Without the region, as before a gate's first session, codes stand alone.
  CHECK(has(record_table(kEn, records), "2026-09-23 06:00:00  500153  t     laixi-gaodong"));
  for (const json& odd : {json(), json(7), json{{"parties", 3}, {"sections", {1, nullptr, {{"name_zh", "x"}}}}}})
    CHECK(Names(kZh, odd).party("500153") == "500153");
}

TEST_CASE("tail says in one line what a notice is about") {
  const json event = {
      {"lane", "urgent"},
      {"from", "500153"},
      {"id", "r-1"},
      {"state", "received"},
      {"raw",
       R"({"type":"thalweg.emergency.notice.v1","subject":"LX-1","time":"2026-09-23T06:00:00+08:00","exercise":"d",
                       "data":{"kind":"warning","river":"濑溪河","place":"高洞","contact":"王强","telephone":"023-1"}})"}};
  const std::string line = tail_line(kZh, event);
  CHECK(
      line ==
      "【紧急】【演练】2026-09-23 06:00:00  500153  突发环境事件通报  LX-1  预警通报，濑溪河，高洞，王强 023-1  r-1\n");
  CHECK(has(tail_line(kEn, event, Names(kEn, region())), "  500153 Rongchang  emergency notice  LX-1"));
}

TEST_CASE("Views stand answers that lack members or have others than expected") {
  for (const json& odd : {json(), json::array(), json(7),
                          json{{"grants", 3}, {"progress", {1, nullptr}}, {"raw", "{"}, {"block", "x"}}}) {
    for (const Terminal* t : {&kZh, &kEn}) {
      CHECK_FALSE(show_at_gate(*t, odd.is_object() ? odd : json::object()).empty());
      CHECK_FALSE(show_at_hub(*t, odd.is_object() ? odd : json::object(), odd).empty());
      CHECK_FALSE(record_table(*t, json::array({odd})).empty());
      CHECK_FALSE(tail_line(*t, odd).empty());
    }
  }
}

TEST_CASE("Texts of others reach the terminal without control characters") {
  json record = sent_notice();
  record["subject"] = "LX\033]0;x\a";
  record["progress"][1]["signed"]["officer"] = "李\033[2J明";
  record["raw"] = "{\"data\":{\"place\":\"\\u009b2J\"}}";
  const std::string text = show_at_gate(kZh, record);
  CHECK_FALSE(has(text, "\033"));
  CHECK_FALSE(has(text, "\a"));
  CHECK_FALSE(has(text, "\xC2\x9B"));
}

TEST_CASE("A part of an id stands for the records that begin or end with it, each once") {
  const json records = json::parse(R"([{"id":"aaaaaaaa-1"},{"record":"aaaaaaaa-2"},{"id":"aaaaaaaa-1"},{"id":"b"}])");
  CHECK(matching_ids(records, "aaaaaaaa").size() == 2);
  CHECK(matching_ids(records, "aaaa-2") == std::vector<std::string>{"aaaaaaaa-2"});
  CHECK(matching_ids(records, "c").empty());
}

TEST_CASE("Short names of types stand for whole ones") {
  CHECK(whole_type("notice") == "thalweg.emergency.notice.v1");
  CHECK(whole_type("org.example.x.v1") == "org.example.x.v1");
  CHECK(type_label(kZh, "thalweg.receipt.v1") == "签收回执");
  CHECK(type_label(kZh, "org.example.x.v1") == "org.example.x.v1");
}

}  // namespace
}  // namespace thalweg::app
