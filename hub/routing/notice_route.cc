// notice_route.cc: notices to neighbours along the water, and reports upwards.
#include "routing/notice_route.h"

#include <fmt/format.h>

#include <algorithm>

#include "routing/notice_place.h"

namespace thalweg::routing {
namespace {

using region::Adjoining;
using region::Agreement;
using region::AlongWater;
using region::kNone;
using region::Region;
using region::Words;

/// Receivers by basis and agreement, each once, in the order in which they were added.
class Chosen {
 public:
  bool has(PartyIndex party) const {
    return std::ranges::any_of(all_, [&](const One& one) { return one.party == party; });
  }
  void add(PartyIndex party, Basis basis, AgreementIndex agreement = kNone) {
    if (party != kNone && !has(party)) all_.push_back({party, basis, agreement});
  }
  bool empty() const { return all_.empty(); }

  void into(Route& route) && {
    route.own_receivers.reserve(all_.size());  // spans into it are made while it grows
    while (!all_.empty()) {
      const One first = all_.front();
      const std::size_t begin = route.own_receivers.size();
      std::erase_if(all_, [&](const One& one) {
        const bool same = one.basis == first.basis && one.agreement == first.agreement;
        if (same) route.own_receivers.push_back(one.party);
        return same;
      });
      route.own_hops.push_back({first.basis, first.agreement, std::span(route.own_receivers).subspan(begin)});
    }
    route.hops = route.own_hops;
  }

 private:
  struct One {
    PartyIndex party;
    Basis basis;
    AgreementIndex agreement;
  };
  std::vector<One> all_;
};

class Notice {
 public:
  Notice(const RouteTable::Tables& tables, PartyIndex sender, const Question& question)
      : tables_(tables),
        region_(*tables.region),
        sender_(sender),
        question_(question),
        place_(notice_place(region_, sender, question)) {}

  Route route() {
    const std::vector<PartyIndex> wanted = by_kind();
    for (const PartyIndex party : wanted) {
      if (const AgreementIndex agreement = agreement_to(party); agreement != kNone)
        chosen_.add(party, Basis::kAgreement, agreement);
    }
    if (question_.notice != NoticeKind::kEnd) add_off_water();
    const bool fell_back = add_fallback(wanted);
    Route route;
    std::move(chosen_).into(route);
    if (fell_back) {
      route.code = Code::kFallbackRoute;
      route.text = wanted.empty()
                       ? Words{"区域内水流所及没有可通报的主体，已按应急兜底通报沿水相邻主体及其上级",
                               "the water reaches nobody in the region: adjoining parties and their superior were told"}
                       : Words{"没有生效协议覆盖的沿水相邻主体及其上级已按应急兜底通报",
                               "adjoining parties that no agreement in force covers, and their superior, were told"};
    } else if (!place_.unknown.empty()) {
      route.code = Code::kMarkedUnverified;
      route.text = {
          fmt::format("区域内没有“{}”，已按发送方所在水域送达，待核实", region::shortened(place_.unknown)),
          fmt::format("'{}' is not in the region: sent by the sender's own place on the water; to be verified",
                      region::shortened(place_.unknown))};
    }
    return route;
  }

 private:
  std::vector<PartyIndex> by_kind() const {
    std::vector<PartyIndex> parties;
    if (question_.notice == NoticeKind::kEnd && !question_.told_before.empty()) {
      for (const std::string_view code : question_.told_before)
        if (const auto party = region_.party_by_key(code); party && *party != sender_) parties.push_back(*party);
      return parties;
    }
    const std::vector<AlongWater> along = question_.notice == NoticeKind::kSearch
                                              ? region_.upstream(place_.water, sender_)
                                              : region_.downstream(place_.water, sender_);
    for (const AlongWater& at : along) parties.push_back(at.party);
    return parties;
  }

  /// The agreement by which the sender may notify `party` of this water; statutory ones first.
  AgreementIndex agreement_to(PartyIndex party) const {
    const auto &given = tables_.notices_from[sender_], &got = tables_.notices_to[party];
    for (const AgreementIndex i : given.size() <= got.size() ? given : got) {
      const Agreement& a = region_.agreement(i);
      const bool water = place_.river == kNone || a.scope.covers(place_.river, place_.section);
      if (water && a.lets(sender_, party) && a.covers(question_.type, question_.lane)) return i;
    }
    return kNone;
  }

  /// Parties without a place on the water (a river-chief office) that an agreement on notices names.
  void add_off_water() {
    for (const PartyIndex party : tables_.off_water[sender_])
      if (const AgreementIndex agreement = agreement_to(party); agreement != kNone)
        chosen_.add(party, Basis::kAgreement, agreement);
  }

  bool is_adjoining(PartyIndex party) const {
    return std::ranges::any_of(region_.adjoining(sender_), [&](const Adjoining& to) { return to.party == party; });
  }

  /// Rule 24. True when somebody was told in this way.
  bool add_fallback(const std::vector<PartyIndex>& wanted) {
    std::vector<PartyIndex> untold;
    const bool ends = question_.notice == NoticeKind::kEnd && !question_.told_before.empty();
    for (const PartyIndex party : wanted)
      if (!chosen_.has(party) && (ends || is_adjoining(party))) untold.push_back(party);
    if (chosen_.empty() && untold.empty()) {
      if (!wanted.empty()) untold.push_back(wanted.front());
      for (const Adjoining& to : region_.adjoining(sender_)) untold.push_back(to.party);
    }
    for (const PartyIndex party : untold) {
      const AgreementIndex agreement = agreement_to(party);
      chosen_.add(party, agreement == kNone ? Basis::kFallback : Basis::kAgreement, agreement);
    }
    if (!ends)
      for (const PartyIndex party : untold) add_superiors(party);
    if (!chosen_.empty()) return !untold.empty();
    chosen_.add(region_.party(sender_).superior, Basis::kFallback);
    return true;
  }

  /// Their common superior; where the region has none (two provinces), the superiors of both.
  void add_superiors(PartyIndex other) {
    const PartyIndex common = region_.common_superior(sender_, other);
    if (common != kNone) return chosen_.add(common, Basis::kFallback);
    chosen_.add(region_.party(sender_).superior, Basis::kFallback);
    chosen_.add(region_.party(other).superior, Basis::kFallback);
  }

  const RouteTable::Tables& tables_;
  const Region& region_;
  PartyIndex sender_;
  const Question& question_;
  NoticePlace place_;
  Chosen chosen_;
};

}  // namespace

Route route_notice(const RouteTable::Tables& tables, PartyIndex sender, const Question& question) {
  return Notice(tables, sender, question).route();
}

Route route_report(const RouteTable::Tables& tables, PartyIndex sender, const Question& question) {
  const Region& region = *tables.region;
  Chosen chosen;
  if (const auto* open = tables.find(sender, tables.topic_of(question.type, question.lane), kNone, kNone))
    for (const Hop& hop : *open)
      for (const PartyIndex party : hop.receivers)
        if (region.is_above(party, sender)) chosen.add(party, Basis::kAgreement, hop.agreement);
  chosen.add(region.party(sender).superior, Basis::kHierarchy);
  Route route;
  if (chosen.empty()) {
    route.code = Code::kNoAgreement;
    route.text = {
        fmt::format("“{}”在区域配置中没有上级，请在 parties.toml 中补上“superior”", region.party(sender).code),
        fmt::format("'{}' has no superior in the region: add 'superior' in parties.toml", region.party(sender).code)};
    return route;
  }
  std::move(chosen).into(route);
  return route;
}

}  // namespace thalweg::routing
