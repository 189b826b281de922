// route_table.cc: from a record to its receivers, by agreements in force and, for notices, along the water.
#include "routing/route_table.h"

#include <algorithm>

#include "routing/notice_route.h"
#include "routing/refusal.h"
#include "routing/tables.h"

namespace thalweg::routing {

using region::Agreement;
using region::kNone;

NoticeKind notice_kind_from(std::string_view word) {
  if (word == "warning") return NoticeKind::kWarning;
  if (word == "information") return NoticeKind::kInformation;
  if (word == "search") return NoticeKind::kSearch;
  if (word == "end") return NoticeKind::kEnd;
  return NoticeKind::kNone;
}

RouteTable::RouteTable(std::shared_ptr<const region::Region> region, std::int64_t at_unix_ns)
    : tables_(std::make_unique<Tables>(std::move(region), at_unix_ns)) {}
RouteTable::~RouteTable() = default;
RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;

const region::Region& RouteTable::region() const { return *tables_->region; }
std::shared_ptr<const region::Region> RouteTable::shared_region() const { return tables_->region; }
std::int64_t RouteTable::at_unix_ns() const { return tables_->at_unix_ns; }
std::int64_t RouteTable::next_change_unix_ns() const { return tables_->next_change_unix_ns; }

bool RouteTable::still_allows(std::string_view agreement, std::string_view sender, std::string_view receiver) const {
  if (agreement.empty()) return true;
  const auto index = region().agreement_by_id(agreement);
  const auto from = region().party_by_key(sender), to = region().party_by_key(receiver);
  if (!index || !from || !to) return false;
  const Agreement& a = region().agreement(*index);
  return a.in_force(tables_->at_unix_ns) && a.lets(*from, *to);
}

namespace {

Route refused(Code code, region::Words text) {
  Route route;
  route.code = code;
  route.text = std::move(text);
  return route;
}

/// Keeps of each hop the receivers that the case names.
Route for_case(const region::Region& region, PartyIndex sender, const Question& question, std::span<const Hop> open) {
  Route route;
  std::vector<PartyIndex> named;
  for (const std::string_view code : question.case_parties) {
    const auto party = region.party_by_key(code);
    if (party && (*party == sender || std::ranges::find(named, *party) != named.end())) continue;
    const bool allowed = party && std::ranges::any_of(open, [&](const Hop& hop) {
                           return std::ranges::find(hop.receivers, *party) != hop.receivers.end();
                         });
    if (allowed)
      named.push_back(*party);
    else
      route.not_reached.emplace_back(code);
  }
  route.own_receivers.reserve(named.size());  // spans into it are made while it grows
  for (const Hop& hop : open) {
    const std::size_t begin = route.own_receivers.size();
    for (const PartyIndex party : hop.receivers)
      if (std::ranges::find(named, party) != named.end()) route.own_receivers.push_back(party);
    if (route.own_receivers.size() > begin)
      route.own_hops.push_back({hop.basis, hop.agreement, std::span(route.own_receivers).subspan(begin)});
  }
  route.hops = route.own_hops;
  return route;
}

}  // namespace

Route RouteTable::route(const Question& question) const {
  const region::Region& region = *tables_->region;
  const auto sender = region.party_by_key(question.party);
  if (!sender) return refused(Code::kRecordSourceMismatch, unknown_sender(question));
  const Family family = region::family_of(question.type);
  if (family == Family::kReceipt) {
    const auto origin = region.party_by_key(question.answers_to);
    if (!origin) return refused(Code::kNoAgreement, unknown_origin(question));
    Route route;
    route.hops = std::span(&tables_->answers[*origin], 1);
    return route;
  }
  if (family == Family::kEmergencyNotice) return route_notice(*tables_, *sender, question);
  if (family == Family::kEmergencyReport) return route_report(*tables_, *sender, question);

  RiverIndex river = kNone;
  SectionIndex section = kNone;
  region::Words unverified;
  if (!question.section.empty()) {
    if (const auto found = region.section_by_key(question.section)) {
      section = *found;
      river = region.section(section).river;
    } else {
      unverified = unknown_section(region, *sender, question);
      if (question.lane == Lane::kRoutine) return refused(Code::kSectionUnknown, std::move(unverified));
    }
  }
  if (river == kNone && !question.river.empty())
    if (const auto found = region.river_by_key(question.river)) river = *found;

  const std::span<const Hop>* open =
      tables_->find(*sender, tables_->topic_of(question.type, question.lane), river, section);
  if (!open && question.lane == Lane::kUrgent &&
      tables_->find(*sender, tables_->topic_of(question.type, Lane::kRoutine), river, section))
    return refused(Code::kLaneNotAllowed, lane_not_allowed(question));
  Route route;
  if (family == Family::kEnforcement) {
    route = for_case(region, *sender, question, open ? *open : std::span<const Hop>());
  } else if (open) {
    route.hops = *open;
  }
  if (route.hops.empty()) {
    route.code = Code::kNoAgreement;
    route.text = no_agreement(*tables_, *sender, question, river, section);
  } else if (!unverified.zh.empty()) {
    route.code = Code::kMarkedUnverified;
    route.text = std::move(unverified);
  }
  return route;
}

std::vector<Grant> grants_of(const region::Region& region, const Route& route) {
  std::vector<Grant> grants;
  for (const Hop& hop : route.hops) {
    Grant grant;
    if (hop.basis == Basis::kAgreement) {
      grant.agreement = region.agreement(hop.agreement).id;
      grant.version = region.agreement(hop.agreement).version;
    }
    if (hop.basis == Basis::kFallback) grant.flags = Grant::kFallback;
    for (const PartyIndex party : hop.receivers) grant.receivers.push_back(region.party(party).code);
    grants.push_back(std::move(grant));
  }
  return grants;
}

}  // namespace thalweg::routing
