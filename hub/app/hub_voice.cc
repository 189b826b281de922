#include "app/hub_voice.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "base/invariant.h"
#include "model/record_builder.h"
#include "model/time.h"
#include "trust/seal.h"

namespace thalweg::app {
namespace {

using nlohmann::json;

constexpr std::string_view kType = "thalweg.hub.event.v1";
constexpr std::size_t kMostChanges = 256;
constexpr int kBeijing_minutes = 480;

SchemaSet builtin() {
  Result<SchemaSet> schemas = SchemaSet::load_builtin();
  THALWEG_INVARIANT(schemas.has_value());  // compiled in and tested
  return *std::move(schemas);
}

/// Seconds are enough for people, and the schema's times are easier to read so.
std::string time_text(std::int64_t unix_ns) {
  return format_rfc3339(unix_ns / 1'000'000'000 * 1'000'000'000, kBeijing_minutes);
}

json data_of(const HubEvent& event, const std::string& at) {
  json data{{"kind", event.kind}, {"at", at}, {"by", event.by.empty() ? "hub" : event.by}};
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) data[name] = value;
  };
  text("party", event.party);
  text("gate", event.gate);
  text("serial", event.serial);
  text("fingerprint", event.fingerprint);
  text("reason", event.reason);
  text("digest", event.digest);
  if (event.region_version != 0) data["region_version"] = event.region_version;
  if (event.epoch != 0) data["epoch"] = event.epoch;
  if (!event.changes.empty()) data["changes"] = event.changes;
  return data;
}

}  // namespace

HubVoice::HubVoice(const Clock& clock, Lane lane, std::string hub, const trust::SigningKey& key)
    : clock_(clock), lane_(lane), hub_(std::move(hub)), key_(key), schemas_(builtin()), checker_(schemas_) {}

// Incarnations are UUIDs of version 7: the newest is the greatest.
void HubVoice::resume(const intake::StreamBook& streams) {
  incarnation_ = {};
  streams.each([&](const StreamId& id, const intake::StreamHead&) {
    if (id.party == hub_ && id.gate == kGate && id.incarnation.bytes > incarnation_.bytes)
      incarnation_ = id.incarnation;
  });
  if (incarnation_.is_zero()) begin_anew();
}

void HubVoice::begin_anew() { incarnation_ = random_uuid_v7(clock_); }

Result<HubVoice::Spoken> HubVoice::say(const HubEvent& event, const intake::StreamBook& streams,
                                       const Hash256& ledger_id) {
  const std::string time = time_text(clock_.wall_unix_ns());
  const std::string data = data_of(event, time).dump(-1, ' ', false, json::error_handler_t::replace);
  Spoken out;
  out.record = random_uuid_v7(clock_);
  Draft draft;
  draft.id = out.record;
  draft.party = hub_;
  draft.type = kType;
  draft.subject = event.party.empty() ? std::string_view(hub_) : std::string_view(event.party);
  draft.time = time;
  draft.lane = lane_;
  draft.data_json = data;
  Bytes record;
  std::vector<Fault> faults;
  if (auto built = build_checked_record(draft, checker_, record, faults); !built) {
    Error error = built.error();
    for (const Fault& fault : faults) error.message += "; " + fault.path + ": " + fault.message;
    return error;
  }
  if (const auto refusal = refusal_of(faults))
    return Error{*refusal, faults.front().path + ": " + faults.front().message};

  out.header.lane = lane_;
  out.header.ledger_id = ledger_id;
  out.header.party = hub_;
  out.header.gate = kGate;
  out.header.incarnation = incarnation_;
  const intake::StreamHead head = streams.taken(out.header.stream());
  out.header.number = head.number + 1;
  out.header.previous_root = head.root;
  out.header.sent_unix_ns = clock_.wall_unix_ns();
  const ByteView records[] = {record};
  TW_ASSIGN(out.parcel, trust::seal_parcel(out.header, records, key_, Compression::kNone));
  return out;
}

namespace {

std::string list_of(const region::Region& region, const std::vector<region::PartyIndex>& parties) {
  std::string out;
  for (const region::PartyIndex party : parties) out += (out.empty() ? "" : ",") + region.party(party).code;
  return out;
}

/// Everything that decides what goes by an agreement, as one text to compare.
std::string fingerprint_of(const region::Region& region, const region::Agreement& a) {
  json all{{"version", a.version},
           {"status", static_cast<int>(a.status)},
           {"parties", list_of(region, a.parties)},
           {"from", list_of(region, a.from)},
           {"to", list_of(region, a.to)},
           {"topics", a.topics},
           {"urgent", a.urgent_topics},
           {"lanes", {a.routine, a.urgent}},
           {"dates", {a.from_unix_ns, a.to_unix_ns}},
           {"terms", {a.deadline_minutes, a.interval_minutes}},
           {"all", a.scope.all}};
  for (const region::RiverIndex river : a.scope.rivers) all["rivers"].push_back(region.river(river).code);
  for (const region::SectionIndex section : a.scope.sections) all["sections"].push_back(region.section(section).code);
  return all.dump();
}

std::string fingerprint_of(const region::Region& region, const region::Party& p) {
  const std::string superior = p.superior == region::kNone ? "" : region.party(p.superior).code;
  return json{p.name.zh, p.name.en, p.telephone, superior}.dump();
}

template <class List, class Key, class Concerned>
void compare(const region::Region& before, const region::Region& after, const List& was, const List& is,
             const std::string& what, Key key, Concerned concerned, RegionChanges& out, std::set<std::string>& who) {
  std::map<std::string, std::string> old;
  for (const auto& one : was) old[key(one)] = fingerprint_of(before, one);
  const auto note = [&](const region::Region& region, const auto& one, const char* how) {
    out.lines.push_back(what + " " + key(one) + ": " + how);
    concerned(region, one, who);
  };
  std::set<std::string> there;
  for (const auto& one : is) {
    there.insert(key(one));
    const auto at = old.find(key(one));
    if (at == old.end())
      note(after, one, "added");
    else if (at->second != fingerprint_of(after, one))
      note(after, one, "changed");
  }
  for (const auto& one : was)
    if (!there.contains(key(one))) note(before, one, "removed");
}

}  // namespace

RegionChanges changes_between(const region::Region& before, const region::Region& after) {
  RegionChanges out;
  std::set<std::string> who;
  compare(
      before, after, before.parties(), after.parties(), "party", [](const region::Party& p) { return p.code; },
      [](const region::Region&, const region::Party& p, std::set<std::string>& to) { to.insert(p.code); }, out, who);
  compare(
      before, after, before.agreements(), after.agreements(), "agreement",
      [](const region::Agreement& a) { return a.id; },
      [](const region::Region& region, const region::Agreement& a, std::set<std::string>& to) {
        for (const region::PartyIndex party : a.parties) to.insert(region.party(party).code);
      },
      out, who);
  if (out.lines.size() > kMostChanges) {
    const std::size_t more = out.lines.size() - kMostChanges + 1;
    out.lines.resize(kMostChanges - 1);
    out.lines.push_back("and " + std::to_string(more) + " more");
  }
  if (out.lines.empty()) out.lines.push_back("rivers, sections or texts");
  out.parties.assign(who.begin(), who.end());
  return out;
}

std::vector<std::string> partners_of(const region::Region& region, std::string_view party) {
  std::set<std::string> partners;
  const auto self = region.party_by_key(party);
  if (!self) return {};
  for (const region::Agreement& a : region.agreements())
    if (std::binary_search(a.parties.begin(), a.parties.end(), *self))
      for (const region::PartyIndex other : a.parties)
        if (other != *self) partners.insert(region.party(other).code);
  return {partners.begin(), partners.end()};
}

}  // namespace thalweg::app
