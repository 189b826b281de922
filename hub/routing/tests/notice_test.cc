// notice_test.cc: notices go along the water, and are never stopped for want of an agreement.
#include "route_world.h"

namespace thalweg::routing {

using Catch::Contains;

namespace {
/// The Laixi where the statutory notice of 荣昌 and 泸县 begins only at `valid_from`: right as a region, but without
/// a route before that day.
region::Texts late_statutory(std::string_view valid_from) {
  return with_agreement(laixi_texts(), "statutory-rongchang-luxian", "valid_from = 2011-05-01",
                        "valid_from = " + std::string(valid_from));
}
}  // namespace

TEST_CASE("a warning and an information go downstream, a search goes upstream", "[routing][notice]") {
  const RouteTable table = table_of(laixi_texts());
  struct Row {
    std::string_view party;
    NoticeKind kind;
    std::string_view section, river;
    std::string goes;
  };
  const std::string to_luxian = "statutory-rongchang-luxian > 510521", to_dazu = "statutory-dazu-rongchang > 500111";
  const Row rows[] = {
      {"500153", NoticeKind::kWarning, "laixi-gaodong", "", to_luxian},
      {"500153", NoticeKind::kInformation, "laixi-gaodong", "", to_luxian},
      {"500153", NoticeKind::kNone, "laixi-gaodong", "", to_luxian},
      {"500153", NoticeKind::kSearch, "laixi-gaodong", "", to_dazu},
      {"500153", NoticeKind::kSearch, "高洞电站", "", to_dazu},
      {"500153", NoticeKind::kWarning, "", "濑溪河", to_luxian},
      // Where on the river is not known: the tributary from 泸县 may be the source as well.
      {"500153", NoticeKind::kSearch, "", "laixi", to_dazu + "; " + to_luxian},
      {"500153", NoticeKind::kSearch, "", "", to_dazu + "; " + to_luxian},
      {"500153", NoticeKind::kSearch, "", "luxian-tributary", to_luxian},
      {"500111", NoticeKind::kWarning, "laixi-yutan", "", "statutory-dazu-rongchang > 500153"},
      {"510521", NoticeKind::kSearch, "", "laixi", "statutory-rongchang-luxian > 500153"},
      {"510521", NoticeKind::kWarning, "", "luxian-tributary", "statutory-rongchang-luxian > 500153"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.party, static_cast<int>(row.kind), row.section, row.river);
    const Route route = table.route(notice(row.party, row.kind, row.section, row.river));
    CHECK(route.code == Code::kOk);
    CHECK(text_of(table, route) == row.goes);
  }
}

TEST_CASE("a notice may be urgent whatever the agreement's lanes are", "[routing][notice]") {
  const RouteTable table =
      table_of(with_agreement(laixi_texts(), "statutory-rongchang-luxian",
                              "lanes = [\"routine\", \"urgent\"]\nurgent_topics = [\"emergency_notice\"]\n", ""));
  CHECK(text_of(table, table.route(notice("500153", NoticeKind::kWarning, "laixi-gaodong"))) ==
        "statutory-rongchang-luxian > 510521");
}

TEST_CASE("without a route a notice falls back to the adjoining party and the superiors, marked", "[routing][notice]") {
  const RouteTable table = table_of(late_statutory("2030-01-01"));
  const Route route = table.route(notice("500153", NoticeKind::kWarning, "laixi-gaodong"));
  CHECK(route.code == Code::kFallbackRoute);
  CHECK(route.goes());
  // Two provinces have no common superior in this region, so the superiors of both are told.
  CHECK(text_of(table, route) == "fallback > 510521 500000 510500");
  const auto grants = grants_of(table.region(), route);
  REQUIRE(grants.size() == 1);
  CHECK(grants[0].flags == Grant::kFallback);
  CHECK(grants[0].agreement.empty());
}

TEST_CASE("parties of one city fall back with their common superior", "[routing][notice]") {
  const RouteTable table =
      table_of(with_agreement(laixi_texts(), "statutory-dazu-rongchang", "2011-05-01", "2030-01-01"));
  CHECK(text_of(table, table.route(notice("500111", NoticeKind::kWarning, "laixi-yutan"))) ==
        "fallback > 500153 500000");
}

TEST_CASE("only the adjoining party that no agreement covers is a fallback, the others go by theirs",
          "[routing][notice]") {
  const RouteTable table = table_of(late_statutory("2030-01-01"));
  const Route route = table.route(notice("500153", NoticeKind::kSearch, "", "laixi"));
  CHECK(route.code == Code::kFallbackRoute);
  CHECK(text_of(table, route) == "statutory-dazu-rongchang > 500111; fallback > 510521 500000 510500");
}

TEST_CASE("an agreement of another kind carries a notice as well", "[routing][notice]") {
  region::Texts texts = late_statutory("2030-01-01");
  texts["agreements.toml"] += R"(
[[agreement]]
id = "by-treaty"
title = "通报协议"
kind = "bilateral"
parties = ["500153", "510521"]
direction = "one_way"
from = ["500153"]
to = ["510521"]
topics = ["thalweg.emergency.notice.v1"]
scope = { rivers = ["laixi"] }
status = "in_force"
valid_from = 2024-01-01
)";
  const RouteTable table = table_of(texts);
  CHECK(text_of(table, table.route(notice("500153", NoticeKind::kWarning, "laixi-gaodong"))) == "by-treaty > 510521");
  // Not for the other river, and not the other way.
  CHECK(table.route(notice("500153", NoticeKind::kWarning, "", "luxian-tributary")).code == Code::kFallbackRoute);
  CHECK(table.route(notice("510521", NoticeKind::kSearch, "", "laixi")).code == Code::kFallbackRoute);
}

TEST_CASE("an unknown section never stops a notice: the party's own water is taken, marked", "[routing][notice]") {
  const RouteTable table = table_of(laixi_texts());
  const Route route = table.route(notice("500153", NoticeKind::kWarning, "不知道的断面"));
  CHECK(route.code == Code::kMarkedUnverified);
  CHECK(route.goes());
  CHECK(text_of(table, route) == "statutory-rongchang-luxian > 510521");
  CHECK_THAT(route.text.zh, Contains("不知道的断面"));
  const Route river = table.route(notice("500153", NoticeKind::kWarning, "", "无名河"));
  CHECK(river.code == Code::kMarkedUnverified);
  // A river that is known helps out where the section is not.
  CHECK(table.route(notice("500153", NoticeKind::kSearch, "x", "luxian-tributary")).own_receivers.size() == 1);
}

TEST_CASE("where the water reaches nobody, the adjoining parties are told all the same", "[routing][notice]") {
  const RouteTable table = table_of(laixi_texts());
  const Route route = table.route(notice("500111", NoticeKind::kSearch, "laixi-yutan"));
  CHECK(route.code == Code::kFallbackRoute);
  CHECK(text_of(table, route) == "statutory-dazu-rongchang > 500153; fallback > 500000");
}

TEST_CASE("a party without water that warns of a section reaches whom the water reaches there", "[routing][notice]") {
  const RouteTable table = table_of(laixi_texts());
  const Route route = table.route(notice("500000", NoticeKind::kWarning, "laixi-yutan"));
  CHECK(route.code == Code::kFallbackRoute);
  CHECK_THAT(text_of(table, route), Contains("500111"));
  // And one that says nothing at all of the place is told of, not refused.
  const Route nowhere = table.route(notice("510500", NoticeKind::kWarning));
  CHECK(nowhere.code == Code::kFallbackRoute);
  CHECK(text_of(table, nowhere) == "fallback > 510000");
}

TEST_CASE("a notice that nobody can be told of is still no refusal", "[routing][notice]") {
  const RouteTable table = table_of(laixi_texts());
  const Route route = table.route(notice("500000", NoticeKind::kWarning));
  CHECK(route.code == Code::kFallbackRoute);
  CHECK(route.goes());
  CHECK(route.hops.empty());
}

TEST_CASE("the end of an alert goes to all who were told, also upstream and by fallback", "[routing][notice]") {
  const RouteTable table = table_of(late_statutory("2030-01-01"));
  Question q = notice("500153", NoticeKind::kEnd, "laixi-gaodong");
  const std::string_view told[] = {"500111", "510521", "500000", "500153"};
  q.told_before = told;
  const Route route = table.route(q);
  CHECK(text_of(table, route) == "statutory-dazu-rongchang > 500111; fallback > 510521 500000");
  CHECK(route.code == Code::kFallbackRoute);
  const RouteTable whole = table_of(laixi_texts());
  const std::string_view neighbours[] = {"500111", "510521"};
  q.told_before = neighbours;
  const Route all = whole.route(q);
  CHECK(all.code == Code::kOk);
  CHECK(text_of(whole, all) == "statutory-dazu-rongchang > 500111; statutory-rongchang-luxian > 510521");
}

TEST_CASE("an end of alert of which nobody was told goes like an information", "[routing][notice]") {
  const RouteTable table = table_of(laixi_texts());
  CHECK(text_of(table, table.route(notice("500153", NoticeKind::kEnd, "laixi-gaodong"))) ==
        "statutory-rongchang-luxian > 510521");
}

TEST_CASE("an office that has no water gets the notices that an agreement names it for", "[routing][notice]") {
  region::Texts texts = laixi_texts();
  texts["parties.toml"] +=
      "\n[[party]]\ncode = \"rc-chief\"\nname = \"荣昌区河长办\"\nkind = \"river_chief\"\nlevel = \"county\"\n";
  texts["agreements.toml"] += R"(
[[agreement]]
id = "chief"
title = "抄送河长办"
kind = "internal"
parties = ["500153", "rc-chief"]
direction = "one_way"
from = ["500153"]
to = ["rc-chief"]
topics = ["emergency_notice"]
scope = "all"
status = "in_force"
valid_from = 2024-01-01
)";
  const RouteTable table = table_of(texts);
  const Route route = table.route(notice("500153", NoticeKind::kWarning, "laixi-gaodong"));
  CHECK(route.code == Code::kOk);
  CHECK(text_of(table, route) == "statutory-rongchang-luxian > 510521; chief > rc-chief");
}

TEST_CASE("words of notices are read, and an unknown one is no obstacle", "[routing][notice]") {
  CHECK(notice_kind_from("warning") == NoticeKind::kWarning);
  CHECK(notice_kind_from("information") == NoticeKind::kInformation);
  CHECK(notice_kind_from("search") == NoticeKind::kSearch);
  CHECK(notice_kind_from("end") == NoticeKind::kEnd);
  CHECK(notice_kind_from("WARNING") == NoticeKind::kNone);
}

}  // namespace thalweg::routing
