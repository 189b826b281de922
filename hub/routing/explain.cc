// explain.cc: a routing decision in words.
#include "routing/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/time.h"
#include "region/vocabulary.h"
#include "routing/notice_place.h"

namespace thalweg::routing {
namespace {

using nlohmann::ordered_json;
using region::Agreement;
using region::AlongWater;
using region::Family;
using region::kNone;
using region::Language;
using region::Region;
using region::Words;

Words named(const Region& region, std::string_view code) {
  const auto party = region.party_by_key(code);
  if (!party) return {std::string(code), std::string(code)};
  const Words& name = region.party(*party).name;
  return {fmt::format("{}（{}）", name.zh, code), fmt::format("{} ({})", name.in(Language::kEnglish), code)};
}

Words joined(const Words& separator, const std::vector<Words>& parts) {
  Words all;
  for (const Words& part : parts) {
    all.zh += (all.zh.empty() ? "" : separator.zh) + part.zh;
    all.en += (all.en.empty() ? "" : separator.en) + part.in(Language::kEnglish);
  }
  return all;
}

class Explanation {
 public:
  Explanation(const Region& region, const Question& question) : region_(region), question_(question) {
    const auto sender = region.party_by_key(question.party);
    sender_ = sender ? *sender : kNone;
    family_ = region::family_of(question.type);
    if (family_ != Family::kEmergencyNotice || sender_ == kNone) return;
    place_ = notice_place(region, sender_, question);
    above_ = region.upstream(place_.water, sender_);
    below_ = region.downstream(place_.water, sender_);
  }

  /// What the record is and whom it comes from.
  Words record() const {
    const auto& topic = region::term(family_);
    const auto& lane = region::term(question_.lane);
    const Words from = named(region_, question_.party);
    Words text{fmt::format("{}（{}），来自{}，{}通道", notice_zh(topic.zh), question_.type, from.zh, lane.zh),
               fmt::format("{} ({}) from {}, {} lane", notice_en(topic.en), question_.type, from.en, lane.en)};
    if (const Words place = place_words(); !place.zh.empty()) {
      text.zh += "，" + place.zh;
      text.en += ", " + place.in(Language::kEnglish);
    }
    return text;
  }

  Words basis(const Grant& grant) const {
    if (!grant.agreement.empty()) return agreement_words(grant);
    if (grant.flags & Grant::kFallback)
      return {
          "没有覆盖的生效协议：突发事件通报是法定义务，按应急兜底送达沿水相邻主体及其共同上级",
          "no agreement in force covers it: telling neighbours is a duty by law, so it goes to the adjoining parties "
          "along the water and their common superior (fallback)"};
    if (family_ == Family::kEmergencyReport)
      return {"信息报告逐级上报，不需要协议", "a report goes upwards by law and needs no agreement"};
    if (family_ == Family::kReceipt)
      return {"回执答复原记录的来源，不需要协议", "a receipt answers the origin of a record and needs no agreement"};
    return {"决定中未记录依据", "the decision does not say by what"};
  }

  Words reason(const Grant& grant, std::string_view receiver) const {
    const auto party = region_.party_by_key(receiver);
    if (!party) return {"该主体已不在此版本的区域配置中", "this version of the region does not have this party"};
    if (family_ == Family::kEmergencyNotice) return notice_reason(grant, *party);
    if (family_ == Family::kEmergencyReport) return {"发送方的上级", "above the sender"};
    if (family_ == Family::kReceipt) return {"原记录的来源", "origin of the record that is answered"};
    if (family_ == Family::kEnforcement)
      return {"记录列明的案件当事主体，且协议允许",
              "named by the record as a party of the case, and allowed by the agreement"};
    return {"协议规定的接收方", "receiver by the agreement"};
  }

 private:
  std::string notice_zh(std::string_view topic) const {
    if (family_ != Family::kEmergencyNotice) return std::string(topic);
    switch (question_.notice) {
      case NoticeKind::kWarning:
        return "预警通报";
      case NoticeKind::kInformation:
        return "情况通报";
      case NoticeKind::kSearch:
        return "溯源协查";
      case NoticeKind::kEnd:
        return "解除通报";
      case NoticeKind::kNone:
        break;
    }
    return std::string(topic);
  }
  std::string notice_en(std::string_view topic) const {
    if (family_ != Family::kEmergencyNotice) return std::string(topic);
    switch (question_.notice) {
      case NoticeKind::kWarning:
        return "warning";
      case NoticeKind::kInformation:
        return "information";
      case NoticeKind::kSearch:
        return "search for the source";
      case NoticeKind::kEnd:
        return "end of alert";
      case NoticeKind::kNone:
        break;
    }
    return std::string(topic);
  }

  Words place_words() const {
    std::optional<region::SectionIndex> section;
    if (!question_.section.empty()) section = region_.section_by_key(question_.section);
    if (!section && place_.section != kNone) section = place_.section;
    if (section) {
      const region::Section& s = region_.section(*section);
      const Words& river = region_.river(s.river).name;
      return {fmt::format("断面{}（{}，{}）", s.name.zh, s.code, river.zh),
              fmt::format("section {} ({}, {})", s.name.in(Language::kEnglish), s.code, river.in(Language::kEnglish))};
    }
    if (!place_.unknown.empty())
      return {fmt::format("地点“{}”不在区域配置中，按发送方所在水域", place_.unknown),
              fmt::format("the place '{}' is not in the region, so by the sender's own water", place_.unknown)};
    const auto river = question_.river.empty() ? std::nullopt : region_.river_by_key(question_.river);
    if (river) return region_.river(*river).name;
    return {};
  }

  Words agreement_words(const Grant& grant) const {
    const auto index = region_.agreement_by_id(grant.agreement);
    if (!index)
      return {
          fmt::format("协议 {} 第{}版（此版本区域配置中已无）", grant.agreement, grant.version),
          fmt::format("agreement {} version {} (not in this version of the region)", grant.agreement, grant.version)};
    const Agreement& a = region_.agreement(*index);
    const auto& kind = region::term(a.kind);
    const std::string since = a.from_unix_ns == std::numeric_limits<std::int64_t>::min()
                                  ? std::string()
                                  : format_rfc3339(a.from_unix_ns).substr(0, 10);
    const Words scope = scope_words(a.scope);
    Words text{fmt::format("协议 {} 第{}版《{}》，{}{}；范围：{}；方向：{}；{}", a.id, grant.version, a.title.zh,
                           kind.zh, since.empty() ? "" : fmt::format("，自 {} 起生效", since), scope.zh,
                           direction(a).zh, assertion(a).zh),
               fmt::format("agreement {} version {} \"{}\", {}{}; scope: {}; direction: {}; {}", a.id, grant.version,
                           a.title.in(Language::kEnglish), kind.en,
                           since.empty() ? "" : fmt::format(", in force since {}", since), scope.en, direction(a).en,
                           assertion(a).en)};
    if (!a.citation.empty()) {
      text.zh += "；依据：" + a.citation;
      text.en += "; by " + a.citation;
    }
    return text;
  }

  Words scope_words(const region::Scope& scope) const {
    if (scope.all) return {"全部水体", "all waters"};
    std::vector<Words> parts;
    for (const region::RiverIndex r : scope.rivers) parts.push_back(region_.river(r).name);
    for (const region::SectionIndex s : scope.sections) parts.push_back(region_.section(s).name);
    return joined({"、", ", "}, parts);
  }
  Words direction(const Agreement& a) const {
    const auto codes = [&](const std::vector<PartyIndex>& list) {
      std::string text;
      for (std::size_t i = 0; i < list.size() && i < 10; ++i) text += (i ? ", " : "") + region_.party(list[i]).code;
      return list.size() > 10 ? text + ", …" : text;
    };
    if (a.direction == region::Direction::kMutual) return {codes(a.parties) + " 双向", "mutual, " + codes(a.parties)};
    const std::string way = codes(a.from) + " → " + codes(a.to);
    return {way, way};
  }
  static Words assertion(const Agreement& a) {
    if (a.asserted_by_operator())
      return {"由运维方声明（未附各方签名）", "asserted by the operator (not signed by the parties)"};
    return {"附有各方签名（未在此核验）", "signed by the parties (not verified here)"};
  }

  Words notice_reason(const Grant& grant, PartyIndex party) const {
    if (question_.notice == NoticeKind::kEnd) return {"曾收到本事件的通报", "was told of this incident before"};
    const bool search = question_.notice == NoticeKind::kSearch;
    const std::vector<AlongWater>& along = search ? above_ : below_;
    const auto at = std::ranges::find(along, party, &AlongWater::party);
    if (at != along.end()) return search ? above(*at) : below(*at);
    if (sender_ != kNone) {
      if (region_.is_above(party, sender_)) return {"发送方的上级", "above the sender"};
      for (const region::Adjoining& to : region_.adjoining(sender_)) {
        if (to.party == party) return {"与发送方沿水相邻", "adjoins the sender along the water"};
        if (region_.is_above(party, to.party)) return {"相邻主体的上级", "above an adjoining party"};
      }
    }
    if (grant.agreement.empty()) return {"应急兜底", "fallback"};
    return {"协议列明的接收方，不在水边", "named by the agreement; has no place on the water"};
  }
  /// Does the incident's own water have this party on a bank?
  bool on_its_bank(const AlongWater& at) const {
    return std::ranges::find(place_.water, at.reach, &region::Stretch::reach) != place_.water.end();
  }
  Words below(const AlongWater& at) const {
    if (on_its_bank(at)) return {"所在河段即在其岸", "has this very reach on its bank"};
    if (at.km == 0) return {"紧邻下游", "directly downstream"};
    if (!at.hours_known)
      return {fmt::format("在下游，沿水 {:.1f} 公里", at.km),
              fmt::format("downstream, {:.1f} km along the water", at.km)};
    return {
        fmt::format("在下游，沿水 {:.1f} 公里，水流预计约 {:.0f} 小时后到达（按河段长度与流速估算）", at.km, at.hours),
        fmt::format("downstream, {:.1f} km along the water, which needs about {:.0f} h (estimate from reach lengths "
                    "and flow velocities)",
                    at.km, at.hours)};
  }
  Words above(const AlongWater& at) const {
    if (on_its_bank(at)) return {"所在河段即在其岸", "has this very reach on its bank"};
    if (at.km == 0) return {"紧邻上游", "directly upstream"};
    return {fmt::format("在上游，沿水 {:.1f} 公里", at.km), fmt::format("upstream, {:.1f} km along the water", at.km)};
  }

  const Region& region_;
  const Question& question_;
  PartyIndex sender_ = kNone;
  Family family_ = Family::kOther;
  NoticePlace place_;
  std::vector<AlongWater> above_, below_;
};

ordered_json json_of(const Words& words) { return {{"zh", words.zh}, {"en", words.in(Language::kEnglish)}}; }

}  // namespace

std::string explain(const Region& region, const Question& question, std::span<const Grant> grants, Language language) {
  const Explanation why(region, question);
  const bool english = language == Language::kEnglish;
  std::string text = why.record().in(language) + "\n";
  if (grants.empty()) text += english ? "It went to nobody.\n" : "未发送给任何主体。\n";
  for (const Grant& grant : grants) {
    text += fmt::format("{}{}\n", english ? "- by: " : "- 依据：", why.basis(grant).in(language));
    for (const std::string& receiver : grant.receivers)
      text += fmt::format("  → {}{}{}\n", named(region, receiver).in(language), english ? ": " : "：",
                          why.reason(grant, receiver).in(language));
  }
  return text;
}

std::string explain_json(const Region& region, const Question& question, std::span<const Grant> grants) {
  const Explanation why(region, question);
  ordered_json list = ordered_json::array();
  for (const Grant& grant : grants) {
    ordered_json receivers = ordered_json::array();
    for (const std::string& receiver : grant.receivers)
      receivers.push_back({{"party", receiver}, {"why", json_of(why.reason(grant, receiver))}});
    list.push_back({{"agreement", grant.agreement.empty() ? ordered_json() : ordered_json(grant.agreement)},
                    {"version", grant.version},
                    {"fallback", (grant.flags & Grant::kFallback) != 0},
                    {"by", json_of(why.basis(grant))},
                    {"receivers", receivers}});
  }
  return ordered_json{{"record", json_of(why.record())}, {"grants", list}}.dump(2, ' ', false,
                                                                                ordered_json::error_handler_t::replace);
}

}  // namespace thalweg::routing
