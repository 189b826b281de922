// tables.cc: what RouteTable works out once: who may send what to whom, per party, topic, lane and scope.
#include "routing/tables.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace thalweg::routing {
namespace {

using region::Agreement;
using region::AgreementKind;
using region::kNone;
using region::Region;

constexpr std::uint32_t kFirstType = 16;  ///< topic numbers below are families

std::uint32_t numbered(std::uint32_t topic, Lane lane) { return topic << 1 | (lane == Lane::kUrgent ? 1 : 0); }

/// How closely an agreement is about just this water: the closest is named in the decision.
int closeness(const Agreement& a, RiverIndex river, SectionIndex section) {
  if (a.scope.all) return 0;
  return section != kNone && a.scope.covers(kNone, section) ? 2 : river != kNone ? 1 : 0;
}

}  // namespace

RouteTable::Tables::Tables(std::shared_ptr<const Region> of, std::int64_t at)
    : region(std::move(of)), at_unix_ns(at), stamps_(region->parties().size(), 0) {
  every_party_.resize(region->parties().size());
  std::iota(every_party_.begin(), every_party_.end(), 0);
  answers.resize(every_party_.size());
  for (PartyIndex i = 0; i < answers.size(); ++i) answers[i] = {Basis::kAnswer, kNone, std::span(&every_party_[i], 1)};
  sort_out_dates();
  number_types();
  for (const auto& [key, candidates] : collect()) emit(key, candidates);
  // The vectors stand still from here on: ranges become spans.
  for (std::size_t i = 0; i < hops_.size(); ++i)
    hops_[i].receivers = std::span(receivers_).subspan(receiver_ranges_[i].first, receiver_ranges_[i].second);
  entries_.reserve(places_.size());
  for (const auto& [key, range] : places_)
    entries_.emplace(key, std::span<const Hop>(hops_).subspan(range.first, range.second));
  places_ = {};
  receiver_ranges_ = {};
  stamps_ = {};
}

void RouteTable::Tables::sort_out_dates() {
  next_change_unix_ns = std::numeric_limits<std::int64_t>::max();
  for (auto* lists : {&notices_from, &notices_to}) lists->resize(every_party_.size());
  off_water.resize(every_party_.size());
  dormant.resize(every_party_.size());
  for (AgreementIndex i = 0; i < region->agreements().size(); ++i) {
    const Agreement& a = region->agreement(i);
    if (a.status == region::AgreementStatus::kInForce)
      for (const std::int64_t edge : {a.from_unix_ns, a.to_unix_ns})
        if (edge > at_unix_ns) next_change_unix_ns = std::min(next_change_unix_ns, edge);
    const bool open = a.in_force(at_unix_ns);
    const bool about_notices = std::ranges::any_of(a.topics, [](const std::string& topic) {
      return topic == region::topic_word(Family::kEmergencyNotice) ||
             region::family_of(topic) == Family::kEmergencyNotice;
    });
    for (const PartyIndex party : a.from) {
      if (!open) dormant[party].push_back(i);
      if (open && about_notices) notices_from[party].push_back(i);
    }
    if (open && about_notices)
      for (const PartyIndex party : a.to) notices_to[party].push_back(i);
  }
  for (auto* lists : {&notices_from, &notices_to})
    for (auto& list : *lists)
      std::ranges::stable_sort(
          list, {}, [this](AgreementIndex i) { return region->agreement(i).kind != AgreementKind::kStatutory; });
  for (PartyIndex from = 0; from < every_party_.size(); ++from) {
    stamps_[from] = ++stamp_;
    for (const AgreementIndex i : notices_from[from])
      for (const PartyIndex to : region->agreement(i).to)
        if (region->party(to).reaches.empty() && std::exchange(stamps_[to], stamp_) != stamp_)
          off_water[from].push_back(to);
  }
}

void RouteTable::Tables::number_types() {
  for (const Agreement& a : region->agreements())
    for (const std::string& topic : a.topics)
      if (!region::family_from_topic(topic))
        types_.try_emplace(topic, kFirstType + static_cast<std::uint32_t>(types_.size()));
}

std::uint32_t RouteTable::Tables::topic_of(std::string_view type, Lane lane) const {
  if (!types_.empty())
    if (const auto exact = types_.find(type); exact != types_.end()) return numbered(exact->second, lane);
  return numbered(static_cast<std::uint32_t>(region::family_of(type)), lane);
}

RouteTable::Tables::Candidates RouteTable::Tables::collect() {
  Candidates all;
  const auto add = [&](const Agreement& a, AgreementIndex index, const std::string& topic, Lane lane) {
    // Notices are routed by the lists above: hops of their own would be many where hundreds share one agreement.
    if (region::family_of(topic) == Family::kEmergencyNotice ||
        region::family_from_topic(topic) == Family::kEmergencyNotice)
      return;
    std::vector<std::uint32_t> topics;
    if (const auto family = region::family_from_topic(topic)) {
      // Whoever may send the family may send each type of it that has a number of its own.
      topics.push_back(static_cast<std::uint32_t>(*family));
      for (const auto& [type, number] : types_)
        if (region::family_of(type) == *family) topics.push_back(number);
    } else if (const auto type = types_.find(topic); type != types_.end()) {
      topics.push_back(type->second);
    }
    for (const std::uint32_t number : topics) {
      for (const PartyIndex party : a.from) {
        auto& list = all[{party, numbered(number, lane), 0}];
        if (list.empty() || list.back() != index) list.push_back(index);
      }
    }
  };
  for (AgreementIndex i = 0; i < region->agreements().size(); ++i) {
    const Agreement& a = region->agreement(i);
    if (!a.in_force(at_unix_ns)) continue;
    if (a.routine)
      for (const std::string& topic : a.topics) add(a, i, topic, Lane::kRoutine);
    if (a.urgent)
      for (const std::string& topic : a.urgent_topics) add(a, i, topic, Lane::kUrgent);
  }
  return all;
}

void RouteTable::Tables::emit(const Key& key, std::span<const AgreementIndex> candidates) {
  std::vector<RiverIndex> rivers;
  std::vector<SectionIndex> sections;
  for (const AgreementIndex i : candidates) {
    const region::Scope& scope = region->agreement(i).scope;
    rivers.insert(rivers.end(), scope.rivers.begin(), scope.rivers.end());
    sections.insert(sections.end(), scope.sections.begin(), scope.sections.end());
  }
  const auto once = [](auto& list) {
    std::ranges::sort(list);
    list.erase(std::unique(list.begin(), list.end()), list.end());
  };
  once(rivers);
  once(sections);
  emit_scope(key, candidates, kNone, kNone);
  for (const RiverIndex river : rivers) emit_scope({key.party, key.topic, 1 + 2 * river}, candidates, river, kNone);
  for (const SectionIndex section : sections)
    emit_scope({key.party, key.topic, 2 + 2 * section}, candidates, region->section(section).river, section);
}

void RouteTable::Tables::emit_scope(const Key& key, std::span<const AgreementIndex> candidates, RiverIndex river,
                                    SectionIndex section) {
  std::vector<AgreementIndex> covering;
  for (const AgreementIndex i : candidates)
    if (region->agreement(i).scope.covers(river, section)) covering.push_back(i);
  if (covering.empty()) return;
  std::ranges::stable_sort(covering, [&](AgreementIndex a, AgreementIndex b) {
    const Agreement &one = region->agreement(a), &other = region->agreement(b);
    const auto rank = [&](const Agreement& x) {
      return std::pair(-closeness(x, river, section), x.kind != AgreementKind::kStatutory);
    };
    return rank(one) != rank(other) ? rank(one) < rank(other) : one.id < other.id;
  });
  const std::size_t first = hops_.size();
  ++stamp_;
  stamps_[key.party] = stamp_;
  for (const AgreementIndex i : covering) {
    const std::size_t begin = receivers_.size();
    for (const PartyIndex to : region->agreement(i).to) {
      if (stamps_[to] == stamp_) continue;
      stamps_[to] = stamp_;
      receivers_.push_back(to);
    }
    if (receivers_.size() == begin) continue;
    hops_.push_back({Basis::kAgreement, i, {}});
    receiver_ranges_.emplace_back(begin, receivers_.size() - begin);
  }
  if (hops_.size() > first) places_.emplace_back(key, std::pair(first, hops_.size() - first));
}

const std::span<const Hop>* RouteTable::Tables::find(PartyIndex party, std::uint32_t topic, RiverIndex river,
                                                     SectionIndex section) const {
  // The closest scope that has an entry holds what the wider ones give, too.
  if (section != kNone)
    if (const auto found = entries_.find({party, topic, 2 + 2 * section}); found != entries_.end())
      return &found->second;
  if (river != kNone)
    if (const auto found = entries_.find({party, topic, 1 + 2 * river}); found != entries_.end()) return &found->second;
  const auto found = entries_.find({party, topic, 0});
  return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace thalweg::routing
