// route_test.cc: section data, enforcement records, reports and receipts go where agreements and the law let them.
#include "route_world.h"

namespace thalweg::routing {

using Catch::Contains;

TEST_CASE("section data goes by the agreement that covers its water, each way by its own", "[routing]") {
  const RouteTable table = table_of(laixi_texts());
  struct Row {
    std::string_view party, section;
    std::string goes;
  };
  const Row rows[] = {
      {"500153", "laixi-gaodong", "section-dazu-rongchang > 500111; section-rongchang-luxian > 510521"},
      {"500153", "A500226_0002", "section-dazu-rongchang > 500111; section-rongchang-luxian > 510521"},
      {"500226", "laixi-gaodong", "section-dazu-rongchang > 500111; section-rongchang-luxian > 510521"},
      {"500111", "laixi-yutan", "section-dazu-rongchang > 500153"},
      {"510521", "laixi-gaodong", "section-luxian-rongchang > 500153"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.party, row.section);
    const Route route = table.route(section_data(row.party, row.section));
    CHECK(route.code == Code::kOk);
    CHECK(text_of(table, route) == row.goes);
  }
}

TEST_CASE("a scope of one section opens that section and no other", "[routing]") {
  const RouteTable table = table_of(with_agreement(laixi_texts(), "section-rongchang-luxian", "rivers = [\"laixi\"]",
                                                   "sections = [\"laixi-gaodong\"]"));
  CHECK_THAT(text_of(table, table.route(section_data("500153", "laixi-gaodong"))), Contains("> 510521"));
  CHECK_THAT(text_of(table, table.route(section_data("500153", "laixi-yutan"))), !Contains("510521"));
}

TEST_CASE("a scope of another river opens nothing here", "[routing]") {
  const RouteTable table = table_of(with_agreement(laixi_texts(), "section-rongchang-luxian", "rivers = [\"laixi\"]",
                                                   "rivers = [\"luxian-tributary\"]"));
  CHECK(text_of(table, table.route(section_data("500153", "laixi-gaodong"))) == "section-dazu-rongchang > 500111");
}

TEST_CASE("of several agreements for one receiver the closest is named, and the receiver stands once", "[routing]") {
  region::Texts texts = laixi_texts();
  texts["agreements.toml"] += R"(
[[agreement]]
id = "a-wide"
title = "全部"
kind = "bilateral"
parties = ["500153", "510521"]
direction = "mutual"
topics = ["section_data"]
scope = "all"
status = "in_force"
valid_from = 2024-01-01
[[agreement]]
id = "z-close"
title = "一个断面"
kind = "bilateral"
parties = ["500153", "510521"]
direction = "mutual"
topics = ["thalweg.section.observation.v1"]
scope = { sections = ["laixi-gaodong"] }
status = "in_force"
valid_from = 2024-01-01
)";
  const RouteTable table = table_of(texts);
  CHECK(text_of(table, table.route(section_data("500153", "laixi-gaodong"))) ==
        "z-close > 510521; section-dazu-rongchang > 500111");
  CHECK(text_of(table, table.route(section_data("510521", "laixi-yutan"))) == "section-luxian-rongchang > 500153");
  // A type that an agreement names by itself still goes by agreements on its family, and the family's other types too.
  Question other = section_data("510521", "laixi-yutan");
  other.type = "thalweg.section.sample.v1";
  CHECK(text_of(table, table.route(other)) == "section-luxian-rongchang > 500153");
}

TEST_CASE("an agreement opens nothing before it is in force, while it is suspended, or after it", "[routing]") {
  const region::Texts texts = laixi_texts();
  const std::string id = "section-dazu-rongchang";
  const auto goes = [](const RouteTable& table) {
    return table.route(section_data("500111", "laixi-yutan")).code == Code::kOk;
  };
  CHECK(goes(table_of(texts)));
  for (const std::string_view status : {"proposed", "signed", "suspended"}) {
    CAPTURE(status);
    CHECK_FALSE(goes(table_of(with_agreement(texts, id, "in_force", status))));
  }
  CHECK_FALSE(
      goes(table_of(with_agreement(texts, id, "status = \"in_force\"", "status = \"ended\"\nvalid_to = 2099-01-01"))));
  const region::Texts dated =
      with_agreement(texts, id, "valid_from = 2024-01-01", "valid_from = 2024-01-01\nvalid_to = 2025-12-31");
  const std::int64_t begins = 1'704'038'400'000'000'000, ends = 1'767'196'800'000'000'000;
  CHECK_FALSE(goes(table_of(dated, begins - 1)));
  CHECK(goes(table_of(dated, begins)));
  CHECK(goes(table_of(dated, ends - 1)));
  CHECK_FALSE(goes(table_of(dated, ends)));
  CHECK(table_of(dated, begins - 1).next_change_unix_ns() == begins);
  CHECK(table_of(dated, begins).next_change_unix_ns() == ends);
  CHECK(table_of(dated, ends).next_change_unix_ns() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("without an agreement the refusal says which one would be needed, and which one sleeps", "[routing]") {
  const RouteTable table = table_of(with_agreement(laixi_texts(), "section-dazu-rongchang", "in_force", "suspended"));
  const Route route = table.route(section_data("500111", "laixi-yutan"));
  CHECK(route.code == Code::kNoAgreement);
  CHECK_FALSE(route.goes());
  CHECK_THAT(route.text.en, Contains("from = 500111") && Contains("to = 500153") && Contains("topic = section_data") &&
                                Contains("section laixi-yutan"));
  CHECK_THAT(route.text.en, Contains("'section-dazu-rongchang'") && Contains("suspended"));
  CHECK_THAT(route.text.zh, Contains("section-dazu-rongchang") && Contains("中止"));
}

TEST_CASE("the urgent lane is open only to what an agreement names as urgent", "[routing]") {
  const region::Texts texts = laixi_texts();
  CHECK(table_of(texts).route(section_data("500111", "laixi-yutan", Lane::kUrgent)).code == Code::kLaneNotAllowed);
  const RouteTable open =
      table_of(with_agreement(texts, "section-dazu-rongchang", "topics = [\"section_data\"]",
                              "topics = [\"section_data\"]\nlanes = [\"urgent\"]\nurgent_topics = [\"section_data\"]"));
  CHECK(open.route(section_data("500111", "laixi-yutan", Lane::kUrgent)).code == Code::kOk);
  CHECK(open.route(section_data("500111", "laixi-yutan", Lane::kRoutine)).code == Code::kNoAgreement);
}

TEST_CASE("an unknown section is refused on the routine lane with the nearest, and marked on the urgent one",
          "[routing]") {
  const Route routine = table_of(laixi_texts()).route(section_data("500153", "laixi-gaodon"));
  CHECK(routine.code == Code::kSectionUnknown);
  CHECK_FALSE(routine.goes());
  CHECK_THAT(routine.text.en, Contains("laixi-gaodong"));
  const RouteTable open = table_of(with_agreement(
      with_agreement(laixi_texts(), "section-dazu-rongchang", "scope = { rivers = [\"laixi\"] }", "scope = \"all\""),
      "section-dazu-rongchang", "topics = [\"section_data\"]",
      "topics = [\"section_data\"]\nlanes = [\"routine\", \"urgent\"]\nurgent_topics = [\"section_data\"]"));
  const Route urgent = open.route(section_data("500153", "laixi-gaodon", Lane::kUrgent));
  CHECK(urgent.code == Code::kMarkedUnverified);
  CHECK(urgent.goes());
  CHECK(text_of(open, urgent) == "section-dazu-rongchang > 500111");
}

TEST_CASE("the name of a section in place of its code is refused with the code to write", "[routing]") {
  const Route route = table_of(laixi_texts()).route(section_data("500153", "高洞电站"));
  CHECK(route.code == Code::kSectionUnknown);
  CHECK_THAT(route.text.zh, Contains("laixi-gaodong"));
}

TEST_CASE("an enforcement record goes to the parties of the case that an agreement allows, and to nobody else",
          "[routing]") {
  const RouteTable table = table_of(laixi_texts());
  Question q;
  q.party = "510521";
  q.type = kEnforcement;
  const std::string_view both[] = {"500153", "510521"}, three[] = {"500153", "500111", "510521", "nobody"};
  q.case_parties = both;
  Route route = table.route(q);
  CHECK(text_of(table, route) == "enforcement-rongchang-luxian > 500153");
  CHECK(route.not_reached.empty());
  q.case_parties = three;  // 大足 is no party to the agreement
  route = table.route(q);
  CHECK(route.code == Code::kOk);
  CHECK(text_of(table, route) == "enforcement-rongchang-luxian > 500153");
  CHECK(route.not_reached == std::vector<std::string>{"500111", "nobody"});
  const std::string_view others[] = {"500111"};
  q.case_parties = others;
  route = table.route(q);
  CHECK(route.code == Code::kNoAgreement);
  CHECK_THAT(route.text.en, Contains("to = 500111") && Contains("topic = enforcement"));
  q.case_parties = {};
  CHECK(table.route(q).code == Code::kNoAgreement);
  q.party = "500111";
  q.case_parties = three;
  CHECK(table.route(q).code == Code::kNoAgreement);
}

TEST_CASE("a case party that is named twice, or by its old code, gets the record once", "[routing]") {
  const RouteTable table = table_of(laixi_texts());
  Question q;
  q.party = "510521";
  q.type = kEnforcement;
  const std::string_view twice[] = {"500153", "500226", "500153"};
  q.case_parties = twice;
  CHECK(text_of(table, table.route(q)) == "enforcement-rongchang-luxian > 500153");
}

TEST_CASE("a report goes to the superior and never sideways", "[routing]") {
  region::Texts texts = laixi_texts();
  texts["agreements.toml"] += R"(
[[agreement]]
id = "reports"
title = "信息报告"
kind = "multilateral"
parties = ["510521", "510500", "510000", "500153"]
direction = "one_way"
from = ["510521"]
to = ["510000", "500153"]
topics = ["emergency_report"]
scope = "all"
status = "in_force"
valid_from = 2024-01-01
)";
  const RouteTable table = table_of(texts);
  Question q;
  q.party = "500111";
  q.type = kReport;
  CHECK(text_of(table, table.route(q)) == "hierarchy > 500000");
  q.party = "510521";  // the agreement's 500153 is no superior, so it gets nothing
  CHECK(text_of(table, table.route(q)) == "reports > 510000; hierarchy > 510500");
  q.party = "510000";
  const Route none = table.route(q);
  CHECK(none.code == Code::kNoAgreement);
  CHECK_THAT(none.text.en, Contains("no superior"));
}

TEST_CASE("a receipt goes to the origin of what it answers, without any agreement", "[routing]") {
  const RouteTable table = table_of(laixi_texts());
  Question q;
  q.party = "500111";
  q.type = kReceipt;
  q.answers_to = "510521";
  CHECK(text_of(table, table.route(q)) == "answer > 510521");
  q.party = "laixi-hub";
  CHECK(text_of(table, table.route(q)) == "answer > 510521");
  q.answers_to = "";
  CHECK(table.route(q).code == Code::kNoAgreement);
}

TEST_CASE("a type of others goes only by an agreement that names it", "[routing]") {
  Question q = section_data("500153", "");
  q.type = "org.example.siltation.v1";
  CHECK(table_of(laixi_texts()).route(q).code == Code::kNoAgreement);
  const RouteTable table = table_of(with_agreement(laixi_texts(), "enforcement-rongchang-luxian", "[\"enforcement\"]",
                                                   "[\"enforcement\", \"org.example.siltation.v1\"]"));
  CHECK(text_of(table, table.route(q)) == "enforcement-rongchang-luxian > 510521");
}

TEST_CASE("a party that is not in the region sends nothing", "[routing]") {
  CHECK(table_of(laixi_texts()).route(section_data("999999", "laixi-gaodong")).code == Code::kRecordSourceMismatch);
  CHECK(table_of(laixi_texts()).route(Question{}).code == Code::kRecordSourceMismatch);
}

TEST_CASE("a permission that was withdrawn no longer allows what waits", "[routing]") {
  const RouteTable before = table_of(laixi_texts());
  CHECK(before.still_allows("section-dazu-rongchang", "500111", "500153"));
  CHECK_FALSE(before.still_allows("section-rongchang-luxian", "510521", "500153"));
  CHECK(before.still_allows("", "500111", "510521"));
  const RouteTable after = table_of(with_agreement(laixi_texts(), "section-dazu-rongchang", "in_force", "suspended"));
  CHECK_FALSE(after.still_allows("section-dazu-rongchang", "500111", "500153"));
  CHECK_FALSE(after.still_allows("gone", "500111", "500153"));
}

TEST_CASE("the stored decision names agreement, version and receivers", "[routing]") {
  const RouteTable table = table_of(laixi_texts());
  const auto grants = grants_of(table.region(), table.route(section_data("500111", "laixi-yutan")));
  REQUIRE(grants.size() == 1);
  CHECK(grants[0].agreement == "section-dazu-rongchang");
  CHECK(grants[0].version == 1);
  CHECK(grants[0].flags == 0);
  CHECK(grants[0].receivers == std::vector<std::string>{"500153"});
}

TEST_CASE("a route stays whole when it is moved", "[routing]") {
  const RouteTable table = table_of(laixi_texts());
  Route first = table.route(notice("500153", NoticeKind::kWarning, "laixi-gaodong"));
  const std::string before = text_of(table, first);
  Route second = std::move(first);
  CHECK(text_of(table, second) == before);
}

}  // namespace thalweg::routing
