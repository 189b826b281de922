// show.cc: a region as people read it.
#include "region/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "model/time.h"
#include "region/vocabulary.h"

namespace thalweg::region {
namespace {

using nlohmann::ordered_json;

/// What stands or enters along a reach, in flow order.
struct Mark {
  enum class What { kInflow, kSection, kDam } what;
  double km;
  std::uint32_t index;  ///< of the river that enters, the section, or the dam in its river
};

std::vector<Mark> marks_of(const Region& region, ReachIndex reach) {
  std::vector<Mark> marks;
  const Reach& r = region.reach(reach);
  for (const Inflow& inflow : r.inflows)
    if (region.reach(inflow.from).river != r.river)
      marks.push_back({Mark::What::kInflow, inflow.km, region.reach(inflow.from).river});
  for (SectionIndex i = 0; i < region.sections().size(); ++i)
    if (region.section(i).reach == reach) marks.push_back({Mark::What::kSection, region.section(i).km, i});
  const River& river = region.river(r.river);
  for (std::uint32_t i = 0; i < river.dams.size(); ++i)
    if (river.dams[i].reach == reach) marks.push_back({Mark::What::kDam, river.dams[i].km, i});
  std::ranges::stable_sort(marks, {}, &Mark::km);
  return marks;
}

constexpr std::string_view kClasses[] = {"", "Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ"};

/// A day in Beijing time; empty for "always" and "never".
std::string day(std::int64_t unix_ns) {
  if (unix_ns == std::numeric_limits<std::int64_t>::min() || unix_ns == std::numeric_limits<std::int64_t>::max())
    return "";
  return format_rfc3339(unix_ns).substr(0, 10);
}

class Page {
 public:
  Page(const Region& region, Language language, std::int64_t at) : region_(region), language_(language), at_(at) {}

  std::string text() && {
    line("{}  {} ({})", say("区域", "Region"), region_.name().in(language_), region_.code());
    line("  {}: {} ({})   {}: {}", say("交换中枢", "hub"), region_.hub().name.in(language_), region_.hub().code,
         say("版本摘要", "digest"), to_hex(region_.digest()).substr(0, 16));
    if (!region_.note().empty()) line("  {}", region_.note());
    line("\n{}", say("河流（按水流方向）", "Rivers, in flow order"));
    for (const River& river : region_.rivers()) show_river(river);
    line("\n{}", say("主体", "Parties"));
    for (PartyIndex i = 0; i < region_.parties().size(); ++i)
      if (!region_.party(i).is_hub()) show_party(i);
    line("\n{}", say("协议", "Agreements"));
    for (const Agreement& agreement : region_.agreements()) show_agreement(agreement);
    return std::move(out_);
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }
  std::string_view say(std::string_view zh, std::string_view en) const {
    return language_ == Language::kEnglish ? en : zh;
  }
  std::string name(PartyIndex i) const {
    if (i == kNone) return std::string(say("区域外", "outside of the region"));
    return fmt::format("{} {}", region_.party(i).code, region_.party(i).name.in(language_));
  }
  template <class E>
  std::string_view term_of(E value) const {
    return language_ == Language::kEnglish ? term(value).en : term(value).zh;
  }

  void show_river(const River& river) {
    const std::string basin =
        river.basin == kNone ? std::string() : "  " + region_.basins()[river.basin].name.in(language_);
    line("  {} ({}){}", river.name.in(language_), river.code, basin);
    for (const ReachIndex index : river.reaches) {
      const Reach& reach = region_.reach(index);
      const std::string banks = reach.left == reach.right
                                    ? name(reach.left)
                                    : fmt::format("{} {} / {} {}", say("左岸", "left bank"), name(reach.left),
                                                  say("右岸", "right bank"), name(reach.right));
      const std::string velocity =
          reach.velocity_m_s > 0 ? fmt::format(", {} m/s, ≈{:.0f} h", reach.velocity_m_s, reach.hours(reach.length_km))
                                 : "";
      line("   │ {}  {} km{}  {}", reach.code, reach.length_km, velocity, banks);
      for (const Mark& mark : marks_of(region_, index)) show_mark(river, mark);
    }
    if (river.joins == kNone) {
      line("   ▼ {}", say("流出本区域", "leaves the region"));
    } else {
      const Reach& into = region_.reach(river.joins);
      line("   ▼ {} {} ({} {} km)", say("汇入", "joins"), region_.river(into.river).name.in(language_), into.code,
           river.joins_km);
    }
  }

  void show_mark(const River& river, const Mark& mark) {
    switch (mark.what) {
      case Mark::What::kInflow:
        line("   │   {:>6.1f} km  ← {} ({})", mark.km, region_.river(mark.index).name.in(language_),
             region_.river(mark.index).code);
        break;
      case Mark::What::kDam:
        line("   │   {:>6.1f} km  ▬ {} {}", mark.km, term_of(river.dams[mark.index].kind),
             river.dams[mark.index].name.in(language_));
        break;
      case Mark::What::kSection: {
        const Section& s = region_.section(mark.index);
        std::string more;
        for (const Station& station : s.stations) more += " MN " + station.mn;
        if (s.target_class) more += fmt::format("  {} {}", say("目标", "target"), kClasses[s.target_class]);
        line("   │   {:>6.1f} km  ● {} ({})  {}{}  {} {}", mark.km, s.name.in(language_), s.code, term_of(s.kind), more,
             say("责任主体", "responsible"), s.party == kNone ? "" : region_.party(s.party).code);
      }
    }
  }

  void show_party(PartyIndex index) {
    const Party& party = region_.party(index);
    std::string more;
    for (const std::string& old_code : party.old_codes)
      more += fmt::format("  {} {}", say("曾用", "formerly"), old_code);
    if (party.superior != kNone)
      more += fmt::format("  {} {}", say("上级", "superior"), region_.party(party.superior).code);
    if (!party.telephone.empty()) more += fmt::format("  {} {}", say("值班电话", "duty telephone"), party.telephone);
    line("  {} {}{}", party.code, party.name.in(language_), more);
    for (const Adjoining& to : region_.adjoining(index)) {
      std::string how;
      if (to.upstream) how += say("上游 ", "upstream ");
      if (to.downstream) how += say("下游 ", "downstream ");
      if (to.opposite) how += say("对岸 ", "opposite bank ");
      std::string rivers;
      for (const RiverIndex river : to.rivers)
        rivers += (rivers.empty() ? "" : ", ") + region_.river(river).name.in(language_);
      line("      {}{} ({})", how, name(to.party), rivers);
    }
  }

  void show_agreement(const Agreement& a) {
    const std::string from = day(a.from_unix_ns), to = day(a.to_unix_ns);
    const bool open = a.in_force(at_);
    std::string topics, who;
    for (const std::string& topic : a.topics) {
      const auto family = family_from_topic(topic);
      topics += (topics.empty() ? "" : ", ") + (family ? std::string(term_of(*family)) : topic);
    }
    const auto codes = [&](const std::vector<PartyIndex>& list) {
      std::string text;
      for (const PartyIndex p : list) text += (text.empty() ? "" : ", ") + region_.party(p).code;
      return text;
    };
    who = a.direction == Direction::kMutual ? codes(a.parties) + " ⇄" : codes(a.from) + " → " + codes(a.to);
    line("  {} {} v{}  {}", open ? "●" : "○", a.id, a.version, a.title.in(language_));
    line("      {}, {}{}{}; {}; {}; {}{}", term_of(a.kind), term_of(a.status),
         from.empty() ? "" : fmt::format("{}{}", say("，自 ", " from "), from),
         to.empty() ? "" : fmt::format("{}{}", say(" 至 ", " to "), day(a.to_unix_ns - 1)), who, topics, scope(a.scope),
         a.asserted_by_operator() ? say("；由运维方声明", "; asserted by the operator")
                                  : say("；附签名（未核验）", "; signatures attached, not verified"));
  }
  std::string scope(const Scope& s) const {
    if (s.all) return std::string(say("全部水体", "all waters"));
    std::string text;
    for (const RiverIndex r : s.rivers) text += (text.empty() ? "" : ", ") + region_.river(r).name.in(language_);
    for (const SectionIndex i : s.sections) text += (text.empty() ? "" : ", ") + region_.section(i).name.in(language_);
    return text;
  }

  const Region& region_;
  Language language_;
  std::int64_t at_;
  std::string out_;
};

ordered_json json_of(const Words& words) {
  ordered_json json{{"zh", words.zh}};
  if (!words.en.empty()) json["en"] = words.en;
  return json;
}

ordered_json codes(const auto& all, const auto& indexes) {
  ordered_json list = ordered_json::array();
  for (const auto i : indexes) {
    if constexpr (requires { all[i].code; })
      list.push_back(all[i].code);
    else
      list.push_back(all[i].id);
  }
  return list;
}

ordered_json code_or_null(const auto& all, std::uint32_t index) {
  return index == kNone ? ordered_json() : ordered_json(all[index].code);
}

ordered_json rivers_json(const Region& region) {
  ordered_json list = ordered_json::array();
  for (const River& river : region.rivers()) {
    ordered_json reaches = ordered_json::array();
    for (const ReachIndex index : river.reaches) {
      const Reach& r = region.reach(index);
      ordered_json along = ordered_json::array();
      for (const Mark& mark : marks_of(region, index)) {
        if (mark.what == Mark::What::kInflow)
          along.push_back({{"km", mark.km}, {"inflow", region.river(mark.index).code}});
        else if (mark.what == Mark::What::kSection)
          along.push_back({{"km", mark.km}, {"section", region.section(mark.index).code}});
        else
          along.push_back({{"km", mark.km}, {"dam", json_of(river.dams[mark.index].name)}});
      }
      reaches.push_back({{"code", r.code},
                         {"length_km", r.length_km},
                         {"velocity_m_s", r.velocity_m_s > 0 ? ordered_json(r.velocity_m_s) : ordered_json()},
                         {"left_bank", code_or_null(region.parties(), r.left)},
                         {"right_bank", code_or_null(region.parties(), r.right)},
                         {"along", along}});
    }
    ordered_json joins;
    if (river.joins != kNone) joins = {{"reach", region.reach(river.joins).code}, {"km", river.joins_km}};
    list.push_back({{"code", river.code},
                    {"name", json_of(river.name)},
                    {"basin", code_or_null(region.basins(), river.basin)},
                    {"reaches", reaches},
                    {"joins", joins}});
  }
  return list;
}

ordered_json sections_json(const Region& region) {
  ordered_json list = ordered_json::array();
  for (const Section& s : region.sections()) {
    ordered_json numbers = ordered_json::array();
    for (const Station& station : s.stations) numbers.push_back(station.mn);
    list.push_back({{"code", s.code},
                    {"name", json_of(s.name)},
                    {"mn", numbers},
                    {"river", code_or_null(region.rivers(), s.river)},
                    {"reach", code_or_null(region.reaches(), s.reach)},
                    {"km", s.km},
                    {"party", code_or_null(region.parties(), s.party)},
                    {"kind", term(s.kind).word},
                    {"target_class", s.target_class ? ordered_json(s.target_class) : ordered_json()}});
  }
  return list;
}

ordered_json parties_json(const Region& region) {
  ordered_json list = ordered_json::array();
  for (PartyIndex i = 0; i < region.parties().size(); ++i) {
    const Party& p = region.party(i);
    ordered_json adjoining = ordered_json::array();
    for (const Adjoining& to : region.adjoining(i))
      adjoining.push_back({{"party", region.party(to.party).code},
                           {"upstream", to.upstream},
                           {"downstream", to.downstream},
                           {"opposite_bank", to.opposite},
                           {"rivers", codes(region.rivers(), to.rivers)}});
    list.push_back({{"code", p.code},
                    {"name", json_of(p.name)},
                    {"kind", p.is_hub() ? "hub" : term(p.kind).word},
                    {"old_codes", p.old_codes},
                    {"superior", code_or_null(region.parties(), p.superior)},
                    {"telephone", p.telephone},
                    {"adjoining", adjoining}});
  }
  return list;
}

ordered_json agreements_json(const Region& region, std::int64_t at) {
  ordered_json list = ordered_json::array();
  for (const Agreement& a : region.agreements()) {
    ordered_json scope = "all";
    if (!a.scope.all)
      scope = {{"rivers", codes(region.rivers(), a.scope.rivers)},
               {"sections", codes(region.sections(), a.scope.sections)}};
    list.push_back({{"id", a.id},
                    {"version", a.version},
                    {"title", json_of(a.title)},
                    {"kind", term(a.kind).word},
                    {"status", term(a.status).word},
                    {"in_force", a.in_force(at)},
                    {"valid_from", day(a.from_unix_ns)},
                    {"from", codes(region.parties(), a.from)},
                    {"to", codes(region.parties(), a.to)},
                    {"topics", a.topics},
                    {"scope", scope},
                    {"asserted_by_operator", a.asserted_by_operator()}});
  }
  return list;
}

}  // namespace

std::string show(const Region& region, Language language, std::int64_t at_unix_ns) {
  return Page(region, language, at_unix_ns).text();
}

std::string show_json(const Region& region, std::int64_t at_unix_ns) {
  const ordered_json page{{"code", region.code()},
                          {"name", json_of(region.name())},
                          {"digest", to_hex(region.digest())},
                          {"hub", region.hub().code},
                          {"rivers", rivers_json(region)},
                          {"sections", sections_json(region)},
                          {"parties", parties_json(region)},
                          {"agreements", agreements_json(region, at_unix_ns)}};
  return page.dump(2);
}

}  // namespace thalweg::region
