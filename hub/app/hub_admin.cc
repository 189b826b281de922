// hub_admin.cc: what operators ask of the hub.
#include "app/hub_admin.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/hub_pages.h"
#include "base/log.h"
#include "intake/question.h"
#include "model/record.h"
#include "model/time.h"
#include "routing/explain.h"

namespace thalweg::app {
namespace {

using Json = nlohmann::json;

std::string user_name(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) return found->pw_name;
  return "uid:" + std::to_string(uid);
}

Json json_of(const std::vector<Grant>& grants) {
  Json list = Json::array();
  for (const Grant& grant : grants)
    list.push_back({{"agreement", grant.agreement},
                    {"version", grant.version},
                    {"fallback", (grant.flags & Grant::kFallback) != 0},
                    {"receivers", grant.receivers}});
  return list;
}

/// The grants that let record `index` through.
std::vector<Grant> grants_for(const Decision& decision, std::uint32_t index) {
  std::vector<Grant> out;
  for (const Grant& grant : decision.grants)
    if (std::any_of(grant.records.begin(), grant.records.end(),
                    [&](IndexRange r) { return index >= r.first && index < r.first + r.count; }))
      out.push_back(grant);
  return out;
}

Json envelope_json(const Envelope& envelope) {
  Json out{{"record", std::string(envelope.id)}, {"party", std::string(envelope.party)},
           {"type", std::string(envelope.type)}, {"subject", std::string(envelope.subject)},
           {"time", std::string(envelope.time)}, {"lane", std::string(envelope.lane)}};
  if (!envelope.exercise.empty()) out["exercise"] = std::string(envelope.exercise);
  if (!envelope.submitter.empty()) out["submitter"] = std::string(envelope.submitter);
  return out;
}

}  // namespace

std::string HubAdmin::text_of(const Json& request, const char* key) {
  const auto at = request.find(key);
  return at != request.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::string HubAdmin::time_text(std::int64_t unix_ns) { return format_rfc3339(unix_ns, 480); }

Result<std::unique_ptr<link::LocalServer>> HubAdmin::listen(Hub& hub, Loop& desk) {
  link::LocalEvents events;
  events.on_open = [&hub](const link::LocalConnectionRef& connection) {
    const uid_t uid = connection->peer().uid;
    const auto& allowed = hub.config_.operators;
    if (uid == 0 || uid == geteuid() || std::find(allowed.begin(), allowed.end(), user_name(uid)) != allowed.end())
      return;
    log::warning("hub", "{} may not use the admin socket", user_name(uid));
    connection->close();
  };
  events.on_frame = [&hub](const link::LocalConnectionRef& connection, link::LocalType type, ByteView body) {
    if (type == link::LocalType::kHello) return;
    const auto request = link::LocalRequest::decode(body);
    if (type != link::LocalType::kRequest || !request) return connection->close();
    const std::string answer = hub.request(request->json, user_name(connection->peer().uid));
    Bytes frame;
    link::LocalReply{request->id, true, answer}.encode(frame);
    connection->send(std::move(frame));
  };
  const mode_t mode = hub.config_.operators.empty() ? 0600 : 0666;  // the kernel says who it is
  return link::LocalServer::listen(desk.io(), hub.config_.admin_socket(), mode, {}, std::move(events));
}

std::string HubAdmin::answer(std::string_view request, const std::string& who) {
  const Json parsed = Json::parse(request, nullptr, false);
  Result<Json> result =
      parsed.is_object() ? dispatch(parsed, who) : Result<Json>(Error{Code::kInvalid, "the request is no JSON object"});
  if (result) {
    (*result)["ok"] = true;
    return result->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  const Error& error = result.error();
  return Json{{"ok", false}, {"code", static_cast<int>(error.code)}, {"error", error.message}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

// A member of another kind is not one that is missing: `party_revoke` without a gate is for all of them.
Status HubAdmin::check_kinds(const Json& request) {
  for (const char* key : {"cmd", "record", "party", "gate", "type", "reason", "document", "fingerprint"})
    if (request.contains(key) && !request[key].is_string())
      return Error{Code::kInvalid, std::string(key) + ": must be a text"};
  if (request.contains("limit") && !request["limit"].is_number_unsigned())
    return Error{Code::kInvalid, "limit: must be a whole number"};
  return {};
}

Result<Json> HubAdmin::dispatch(const Json& request, const std::string& who) {
  TW_TRY(check_kinds(request));
  const std::string command = text_of(request, "cmd");
  if (command == "status") return status();
  if (command == "records") return records(request);
  if (command == "show") return show(request);
  if (command == "why") return why(request);
  if (command == "party_add") return party_add(request, who);
  if (command == "party_revoke") return party_revoke(request, who);
  if (command == "receiver_give_up") return receiver_give_up(request, who);
  if (command == "clock_confirm") return clock_confirm(who);
  if (command == "reload") return reload(who);
  if (command == "card") return card();
  if (command == "region") {  // names, for listings
    const intake::Policy policy = hub_.policy_snapshot();
    return Json{{"region", Json::parse(manifest_json(policy, policy.region->hub().code))}};
  }
  return Error{Code::kUnsupported, "the hub knows no command '" + command + "'"};
}

Result<Json> HubAdmin::status() {
  const intake::Policy policy = hub_.policy_snapshot();
  Json out;
  out["hub"] = policy.region->hub().code;
  out["region"] = {{"code", policy.region->code()},
                   {"name_zh", policy.region->name().zh},
                   {"name_en", policy.region->name().en},
                   {"version", policy.region_version}};
  if (const auto failed = hub_.failed()) out["failed"] = failed->message;
  Json lanes = Json::object();
  Json parties = Json::array();
  std::map<std::string, Json> by_party;
  for (const region::Party& party : policy.region->parties()) {
    if (party.is_hub()) continue;
    by_party[party.code] = {{"party", party.code},
                            {"name_zh", party.name.zh},
                            {"name_en", party.name.en},
                            {"duty_phone", party.telephone},
                            {"enrolled", !policy.keys->gates(party.code).empty()},
                            {"sessions", Json::array()},
                            {"lanes", Json::object()}};
  }
  for (auto& lane : hub_.lanes_) {
    const std::string which(name(lane->lane()));
    struct Look {
      std::vector<SessionView> sessions;
      std::map<std::string, delivery::ReceiverState> receivers;
      HubLaneCounters counters;
      std::size_t streams;
    };
    const Look look = lane->loop().run([&lane] {
      return Look{lane->sessions(), lane->store().receivers.all(), lane->counters(), lane->store().streams.size()};
    });
    const ledger::BlockInfo head = lane->store().log().head();
    lanes[which] = {{"endpoint", lane->endpoint()},
                    {"ledger", to_hex(lane->store().log().id())},
                    {"block", head.number},
                    {"block_time", time_text(head.time_unix_ns)},
                    {"epoch", head.epoch},
                    {"first_block", lane->store().log().first_block()},
                    {"bytes", lane->store().log().total_bytes()},
                    {"streams", look.streams},
                    {"parcels", look.counters.parcels},
                    {"records", look.counters.records},
                    {"refused_records", look.counters.refused_records},
                    {"clock_doubtful", lane->store().commit().clock_doubtful()}};
    const auto& retention = hub_.retention_[static_cast<std::size_t>(lane->lane())];
    if (const std::string who = retention->held_back_by(); !who.empty()) lanes[which]["held_back_by"] = who;
    for (const SessionView& session : look.sessions) {
      Json view{{"gate", session.user}, {"lane", which}, {"address", session.address}, {"program", session.program}};
      if (session.clock_offset_ns) view["clock_offset_ms"] = *session.clock_offset_ns / 1e6;
      if (const auto at = by_party.find(session.user.substr(0, session.user.find('/'))); at != by_party.end())
        at->second["sessions"].push_back(std::move(view));
    }
    for (const auto& [receiver, state] : look.receivers)
      if (const auto at = by_party.find(receiver); at != by_party.end())
        at->second["lanes"][which] = {{"sent_to", state.durable},
                                      {"in_inbox", state.settled},
                                      {"taken", state.taken},
                                      {"lag", state.durable - state.settled},
                                      {"dead_letters", state.dead}};
  }
  for (auto& [code, party] : by_party) parties.push_back(std::move(party));
  out["lanes"] = std::move(lanes);
  out["parties"] = std::move(parties);
  return out;
}

Result<Json> HubAdmin::records(const Json& request) {
  const std::size_t limit = std::min<std::uint64_t>(request.value("limit", std::uint64_t{20}), 1000);
  const std::string party = text_of(request, "party"), type = text_of(request, "type");
  Json list = Json::array();
  RecordReader reader;
  // Newest first: block by block from the head of each lane, until there are enough.
  for (auto& lane : hub_.lanes_) {
    std::size_t found = 0;
    const ledger::SegmentLog& log = lane->store().log();
    for (std::uint64_t number = log.head().number; number >= log.first_block() && found < limit; --number) {
      TW_ASSIGN(const ledger::BlockPtr block, log.read(number));
      for (std::uint32_t e = static_cast<std::uint32_t>(block->entries.size()); e-- > 0 && found < limit;) {
        if (block->entries[e].type != static_cast<std::uint8_t>(ledger::EntryType::kParcel)) continue;
        TW_ASSIGN(const auto held, lane->store().read_parcel({number, e}));
        if (!party.empty() && held.parcel.header.party != party) continue;
        TW_ASSIGN(const ParcelBody body, ParcelBody::expand(held.parcel));
        for (std::uint32_t r = static_cast<std::uint32_t>(body.count()); r-- > 0 && found < limit;) {
          const auto envelope = reader.read(body.record(r));
          if (!envelope || (!type.empty() && envelope->type.find(type) == std::string_view::npos)) continue;
          Json one = envelope_json(*envelope);
          one["block"] = number;
          one["accepted"] = time_text(block->info.time_unix_ns);
          const RecordVerdict* verdict = held.entry.verdicts.find(r);
          one["code"] = verdict ? static_cast<int>(verdict->code) : 0;
          if (verdict) one["reason"] = verdict->text;
          one["grants"] = json_of(grants_for(held.entry.decision, r));
          list.push_back(std::move(one));
          ++found;
        }
      }
    }
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Json& a, const Json& b) { return a["accepted"] > b["accepted"]; });
  if (list.size() > limit) list.erase(list.begin() + static_cast<std::ptrdiff_t>(limit), list.end());
  return Json{{"records", std::move(list)}};
}

Result<HubAdmin::FoundRecord> HubAdmin::find(const Json& request) {
  TW_ASSIGN(const RecordId id, Uuid::parse(text_of(request, "record")));
  for (auto& lane : hub_.lanes_) {
    TW_ASSIGN(const auto place, lane->store().find_record(id));
    if (!place) continue;
    FoundRecord found;
    found.lane = lane.get();
    found.place = *place;
    TW_ASSIGN(found.held, lane->store().read_parcel(place->place));
    TW_ASSIGN(const ParcelBody body, ParcelBody::expand(found.held.parcel));
    if (place->index >= body.count()) return Error{Code::kLedgerFormat, "the index names a record beyond its parcel"};
    found.record = std::string(as_text(body.record(place->index)));
    return found;
  }
  return Error{Code::kNotFound, "the ledger holds no record " + id.text()};
}

Result<Json> HubAdmin::show(const Json& request) {
  TW_ASSIGN(const FoundRecord found, find(request));
  RecordReader reader;
  TW_ASSIGN(const Envelope envelope, reader.read_copy(as_bytes(found.record)));
  Json out = envelope_json(envelope);
  const ParcelHeader& header = found.held.parcel.header;
  out["content"] = Json::parse(found.record, nullptr, false);
  out["gate"] = header.gate;
  out["parcel"] = header.number;
  out["block"] = found.held.block->info.number;
  out["accepted"] = time_text(found.held.block->info.time_unix_ns);
  if (const RecordVerdict* verdict = found.held.entry.verdicts.find(found.place.index)) {
    out["code"] = static_cast<int>(verdict->code);
    out["reason"] = verdict->text;
  }
  const std::vector<Grant> grants = grants_for(found.held.entry.decision, found.place.index);
  out["grants"] = json_of(grants);
  const auto receivers = found.lane->loop().run([&] { return found.lane->store().receivers.all(); });
  Json progress = Json::array();
  for (const Grant& grant : grants)
    for (const std::string& receiver : grant.receivers) {
      std::uint64_t sequence = 0;
      for (const ReceiverSequence& s : found.held.entry.decision.sequences)
        if (s.receiver == receiver) sequence = s.sequence;
      const auto at = receivers.find(receiver);
      const delivery::ReceiverState state = at == receivers.end() ? delivery::ReceiverState{} : at->second;
      progress.push_back({{"receiver", receiver},
                          {"in_inbox", sequence != 0 && sequence <= state.settled},
                          {"taken", sequence != 0 && sequence <= state.taken}});
    }
  out["receivers"] = std::move(progress);
  return out;
}

Result<std::shared_ptr<const region::Region>> HubAdmin::region_at(HubLane& lane, std::uint64_t block) {
  const auto places = lane.loop().run([&lane] { return lane.store().region_places; });
  std::optional<ledger::Place> held;
  for (const HubStore::RegionPlace& one : places)
    if (one.since_block <= block) held = one.place;
  if (!held) return Error{Code::kNotFound, "the region of that time is not in the ledger any more"};
  TW_ASSIGN(const ledger::BlockPtr at, lane.store().log().read(held->block));
  const ledger::EntryRef& entry = at->entries[held->entry];
  ledger::RegionVersion version;
  if (static_cast<ledger::EntryType>(entry.type) == ledger::EntryType::kSummary) {
    TW_ASSIGN(ledger::Summary summary, ledger::decode_summary(entry.bytes));
    version = std::move(summary.region);
  } else {
    TW_ASSIGN(version, ledger::decode_region_version(entry.bytes));
  }
  std::vector<region::Mistake> mistakes;
  return region::load(region::Texts(version.files.begin(), version.files.end()), mistakes);
}

Result<Json> HubAdmin::why(const Json& request) {
  TW_ASSIGN(const FoundRecord found, find(request));
  std::string padded = found.record;
  padded.append(kRecordPadding, ' ');
  RecordReader reader;
  TW_ASSIGN(const Envelope envelope, reader.read(as_bytes(std::string_view(padded).substr(0, found.record.size()))));
  TW_ASSIGN(const auto region, region_at(*found.lane, found.held.block->info.number));
  intake::QuestionReader questions;
  intake::RecordQuestion asked = questions.read(envelope);
  std::optional<std::string> origin;
  if (!asked.answered.is_zero()) {
    TW_ASSIGN(origin, hub_.origin_of(asked.answered));
    if (origin) asked.question.answers_to = *origin;
  }
  const std::vector<Grant> grants = grants_for(found.held.entry.decision, found.place.index);
  Json out = envelope_json(envelope);
  out["accepted"] = time_text(found.held.block->info.time_unix_ns);
  out["block"] = found.held.block->info.number;
  out["grants"] = json_of(grants);
  if (const RecordVerdict* verdict = found.held.entry.verdicts.find(found.place.index)) {
    out["code"] = static_cast<int>(verdict->code);
    out["reason"] = verdict->text;
  }
  if (envelope.party == region->hub().code) {
    out["text_zh"] = "交换中枢自己的事件：记入账本，并送达所涉及的主体。";
    out["text_en"] = "An event of the hub itself: kept in the ledger, and sent to the parties that it concerns.";
    return out;
  }
  out["text_zh"] = routing::explain(*region, asked.question, grants, region::Language::kChinese);
  out["text_en"] = routing::explain(*region, asked.question, grants, region::Language::kEnglish);
  return out;
}

Result<Json> HubAdmin::reload(const std::string& who) {
  std::vector<region::Mistake> mistakes;
  const Status done = hub_.reload(who, mistakes);
  if (!done) {
    std::string text = done.error().message;
    for (const region::Mistake& mistake : mistakes) text += "\n" + mistake.text(region::Language::kEnglish);
    return Error{done.error().code, text};
  }
  return Json{{"version", hub_.policy_snapshot().region_version}};
}

Result<Json> HubAdmin::card() {
  TW_ASSIGN(const Bytes bytes, read_file(hub_.files_, hub_.config_.folder / "hub.card", 1 << 16));
  return Json{{"document", std::string(as_text(bytes))}};
}

}  // namespace thalweg::app
