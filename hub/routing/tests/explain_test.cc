// explain_test.cc: a decision says in both languages by what it was taken, and why each receiver.
#include "route_world.h"

namespace thalweg::routing {

using Catch::Contains;
using region::Language;

namespace {
std::string why(const RouteTable& table, const Question& question, Language language) {
  const auto grants = grants_of(table.region(), table.route(question));
  return explain(table.region(), question, grants, language);
}
}  // namespace

TEST_CASE("section data is explained by its agreement, in both languages", "[routing][explain]") {
  const RouteTable table = table_of(laixi_texts());
  const Question q = section_data("500153", "laixi-gaodong");
  CHECK_THAT(why(table, q, Language::kEnglish), Contains("agreement section-rongchang-luxian version 1") &&
                                                    Contains("bilateral") && Contains("in force since 2024-01-01") &&
                                                    Contains("scope: Laixi River") && Contains("500153 → 510521") &&
                                                    Contains("asserted by the operator") && Contains("Luxian County") &&
                                                    Contains("section Gaodong"));
  CHECK_THAT(why(table, q, Language::kChinese), Contains("协议 section-rongchang-luxian 第1版") && Contains("双边") &&
                                                    Contains("自 2024-01-01 起生效") && Contains("范围：濑溪河") &&
                                                    Contains("由运维方声明") && Contains("高洞电站"));
}

TEST_CASE("a warning is explained by distance and estimated arrival", "[routing][explain]") {
  const RouteTable table = table_of(laixi_texts());
  const Question q = notice("500153", NoticeKind::kWarning, "laixi-gaodong");
  // 6 km at 0.3 m/s are 5.6 hours.
  CHECK_THAT(why(table, q, Language::kEnglish), Contains("warning") && Contains("6.0 km") && Contains("about 6 h") &&
                                                    Contains("estimate") && Contains("第八条"));
  CHECK_THAT(why(table, q, Language::kChinese),
             Contains("预警通报") && Contains("在下游，沿水 6.0 公里") && Contains("约 6 小时") && Contains("估算"));
}

TEST_CASE("a search is explained by how far above the receiver ends", "[routing][explain]") {
  const RouteTable table = table_of(laixi_texts());
  CHECK_THAT(why(table, notice("500153", NoticeKind::kSearch, "laixi-gaodong"), Language::kChinese),
             Contains("溯源协查") && Contains("在上游，沿水 44.0 公里"));
  CHECK_THAT(why(table, notice("500153", NoticeKind::kSearch), Language::kEnglish), Contains("directly upstream"));
}

TEST_CASE("a fallback is called one, with why each receiver", "[routing][explain]") {
  const RouteTable table =
      table_of(with_agreement(laixi_texts(), "statutory-rongchang-luxian", "2011-05-01", "2030-01-01"));
  const std::string text = why(table, notice("500153", NoticeKind::kWarning, "laixi-gaodong"), Language::kEnglish);
  CHECK_THAT(text, Contains("fallback") && Contains("above the sender") && Contains("above an adjoining party"));
}

TEST_CASE("reports, receipts and cases are explained by what they are", "[routing][explain]") {
  const RouteTable table = table_of(laixi_texts());
  Question q;
  q.party = "500111";
  q.type = kReport;
  CHECK_THAT(why(table, q, Language::kChinese), Contains("逐级上报") && Contains("发送方的上级"));
  q.type = kReceipt;
  q.answers_to = "510521";
  CHECK_THAT(why(table, q, Language::kEnglish), Contains("origin of the record"));
  q.type = kEnforcement;
  q.party = "510521";
  const std::string_view parties[] = {"500153"};
  q.case_parties = parties;
  CHECK_THAT(why(table, q, Language::kEnglish), Contains("party of the case"));
}

TEST_CASE("a decision by an agreement that the region no longer has is still told", "[routing][explain]") {
  const RouteTable table = table_of(laixi_texts());
  const Grant grant{"gone", 7, 0, {}, {"500153", "nobody"}};
  const std::string text =
      explain(table.region(), section_data("500111", "laixi-yutan"), std::span(&grant, 1), Language::kEnglish);
  CHECK_THAT(text, Contains("agreement gone version 7") && Contains("nobody"));
}

TEST_CASE("the decision as JSON holds both languages", "[routing][explain]") {
  const RouteTable table = table_of(laixi_texts());
  const Question q = section_data("500111", "laixi-yutan");
  const auto grants = grants_of(table.region(), table.route(q));
  CHECK_THAT(explain_json(table.region(), q, grants), Contains("\"agreement\": \"section-dazu-rongchang\"") &&
                                                          Contains("\"zh\"") && Contains("\"en\"") &&
                                                          Contains("\"party\": \"500153\""));
}

}  // namespace thalweg::routing
