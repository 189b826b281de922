// small_region.h: a small, right region as texts, for tests to make wrong in one place.
#pragma once

#include <catch2/catch.hpp>

#include "region/load.h"

namespace thalweg::region {

/// Three counties on one river, one above the other (up, mid, low), their city, and a river-chief office of mid's.
/// A tributary from low enters mid. Sections: mid-out near the border to low (MN A100).
inline Texts small_region() {
  return {
      {"region.toml", R"(format = 1
code = "small"
name = "小区域"
[hub]
code = "small-hub"
name = "中枢"
)"},
      {"parties.toml", R"([[party]]
code = "city"
name = "市局"
kind = "environment"
level = "city"

[[party]]
code = "up"
old_codes = ["up-old"]
aliases = ["上县"]
name = "上县局"
name_en = "Upper"
kind = "environment"
level = "county"
superior = "city"
telephone = "1"

[[party]]
code = "mid"
name = "中县局"
kind = "environment"
level = "county"
superior = "city"

[[party]]
code = "low"
name = "下县局"
kind = "environment"
level = "county"
superior = "city"

[[party]]
code = "chief"
name = "中县河长办"
kind = "river_chief"
level = "county"
)"},
      {"rivers.toml", R"([[basin]]
code = "basin"
name = "流域"

[[river]]
code = "main"
name = "干河"
basin = "basin"
[[river.reach]]
code = "main-1"
order = 1
length_km = 10
velocity_m_s = 0.5
party = "up"
[[river.reach]]
code = "main-2"
order = 2
length_km = 20
velocity_m_s = 0.5
party = "mid"
[[river.reach]]
code = "main-3"
order = 3
length_km = 30
velocity_m_s = 0.5
party = "low"
[[river.dam]]
name = "坝"
kind = "gate"
reach = "main-2"
km = 3

[[river]]
code = "side"
name = "支河"
aliases = ["小支河"]
joins = { reach = "main-2", km = 15 }
[[river.reach]]
code = "side-1"
order = 1
length_km = 5
party = "low"
)"},
      {"sections.toml", R"([[section]]
code = "mid-out"
name = "出境"
river = "main"
reach = "main-2"
km = 10
party = "mid"
monitored_by = "national"
kind = "river"
target_class = "III"
[[section.station]]
mn = "A100"
)"},
      {"agreements.toml", R"([[agreement]]
id = "law"
title = "法定通报"
kind = "statutory"
citation = "第八条"
parties = ["up", "mid", "low"]
direction = "mutual"
topics = ["emergency_notice"]
scope = "all"
status = "in_force"
valid_from = 2011-05-01

[[agreement]]
id = "data"
version = 3
title = "断面数据"
kind = "bilateral"
parties = ["mid", "low"]
direction = "one_way"
from = ["mid"]
to = ["low"]
topics = ["section_data"]
scope = { rivers = ["main"] }
status = "in_force"
valid_from = 2024-01-01
)"},
  };
}

/// `texts` with the first `was` of `file` replaced; the test fails when it is not there.
inline Texts changed(Texts texts, const std::string& file, std::string_view was, std::string_view now) {
  std::string& text = texts[file];
  const std::size_t at = text.find(was);
  REQUIRE(at != std::string::npos);
  text.replace(at, was.size(), now);
  return texts;
}

inline Texts appended(Texts texts, const std::string& file, std::string_view more) {
  texts[file] += more;
  return texts;
}

inline std::vector<Mistake> mistakes_of(const Texts& texts) {
  std::vector<Mistake> mistakes;
  const auto region = load(texts, mistakes);
  CHECK(region.has_value() == mistakes.empty());
  return mistakes;
}

/// The region of texts that are right.
inline std::shared_ptr<const Region> region_of(const Texts& texts) {
  std::vector<Mistake> mistakes;
  auto region = load(texts, mistakes);
  for (const Mistake& mistake : mistakes) UNSCOPED_INFO(mistake.text(Language::kEnglish));
  REQUIRE(region.has_value());
  return *region;
}

}  // namespace thalweg::region
