// route_world.h: the example region and small questions, for the tests of routing.
#pragma once

#include <catch2/catch.hpp>

#include <algorithm>

#include "region/load.h"
#include "routing/explain.h"

namespace thalweg::routing {

inline constexpr std::int64_t kDay = 86'400'000'000'000;
inline constexpr std::int64_t kAutumn2026 = 1'790'000'000'000'000'000;

inline const std::string kSectionData = "thalweg.section.observation.v1";
inline const std::string kNotice = "thalweg.emergency.notice.v1";
inline const std::string kReport = "thalweg.emergency.report.v1";
inline const std::string kEnforcement = "thalweg.enforcement.record.v1";
inline const std::string kReceipt = "thalweg.receipt.v1";

inline region::Texts laixi_texts() {
  std::vector<region::Mistake> mistakes;
  auto texts = region::read_texts(real_files(), Path(THALWEG_SOURCE_DIR) / "examples/regions/laixi", mistakes);
  REQUIRE(mistakes.empty());
  return texts;
}

inline region::Texts changed(region::Texts texts, const std::string& file, std::string_view was, std::string_view now) {
  std::string& text = texts[file];
  const std::size_t at = text.find(was);
  REQUIRE(at != std::string::npos);
  text.replace(at, was.size(), now);
  return texts;
}

/// The Laixi with one agreement's text changed behind `id = "..."`.
inline region::Texts with_agreement(region::Texts texts, const std::string& id, std::string_view was,
                                    std::string_view now) {
  std::string& text = texts["agreements.toml"];
  const std::size_t begin = text.find("id = \"" + id + "\"");
  REQUIRE(begin != std::string::npos);
  const std::size_t at = text.find(was, begin);
  REQUIRE(at != std::string::npos);
  text.replace(at, was.size(), now);
  return texts;
}

inline RouteTable table_of(const region::Texts& texts, std::int64_t at = kAutumn2026) {
  std::vector<region::Mistake> mistakes;
  auto region = region::load(texts, mistakes);
  for (const region::Mistake& m : mistakes) UNSCOPED_INFO(m.text(region::Language::kEnglish));
  REQUIRE(region.has_value());
  return RouteTable(*region, at);
}

/// "agreement > code code; fallback > code": what a route is, as text.
inline std::string text_of(const RouteTable& table, const Route& route) {
  std::string text;
  for (const Hop& hop : route.hops) {
    if (!text.empty()) text += "; ";
    switch (hop.basis) {
      case Basis::kAgreement:
        text += table.region().agreement(hop.agreement).id;
        break;
      case Basis::kFallback:
        text += "fallback";
        break;
      case Basis::kHierarchy:
        text += "hierarchy";
        break;
      case Basis::kAnswer:
        text += "answer";
        break;
    }
    text += " >";
    for (const PartyIndex party : hop.receivers) text += " " + table.region().party(party).code;
  }
  return text;
}

inline Question section_data(std::string_view party, std::string_view section, Lane lane = Lane::kRoutine) {
  Question q;
  q.party = party;
  q.type = kSectionData;
  q.section = section;
  q.lane = lane;
  return q;
}

inline Question notice(std::string_view party, NoticeKind kind, std::string_view section = {},
                       std::string_view river = {}) {
  Question q;
  q.party = party;
  q.type = kNotice;
  q.lane = Lane::kUrgent;
  q.notice = kind;
  q.section = section;
  q.river = river;
  return q;
}

}  // namespace thalweg::routing
