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

std::string text_of(const Json& request, const char* key) {
  const auto at = request.find(key);
  return at != request.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::string time_text(std::int64_t unix_ns) { return format_rfc3339(unix_ns, 480); }

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

Result<Json> HubAdmin::dispatch(const Json& request, const std::string& who) {
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
  const std::size_t limit = std::min<std::size_t>(request.value("limit", 20), 1000);
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
    origin = hub_.origin_of(asked.answered);
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

SystemEntry HubAdmin::act_entry(const std::string& who, const std::string& what, const Json& args) {
  ledger::Act act;
  act.who = who;
  act.what = what;
  act.time_unix_ns = hub_.clock_.wall_unix_ns();
  act.args_json = args.dump();
  return {ledger::EntryType::kAct, ledger::encode(act)};
}

// Enrols, renews or replaces: the newest certificate of a gate is the one in force.
Result<Json> HubAdmin::party_add(const Json& request, const std::string& who) {
  const std::string document = text_of(request, "document");
  TW_ASSIGN(const auto certificate, trust::open_certificate(as_bytes(document)));
  const std::lock_guard change(hub_.change_mutex_);
  const intake::Policy policy = hub_.policy_snapshot();
  const std::string& party = certificate->party;
  if (!policy.region->party_by_key(party))
    return Error{Code::kNotFound, "the region names no party " + party + ": add it to parties.toml and reload first"};
  if (party == policy.region->hub().code) return Error{Code::kDenied, "the hub's own party has no gates"};
  const Hash256 fingerprint = certificate->identity.fingerprint();
  trust::KeyDirectory::Ptr keys = policy.keys;
  if (keys->pin(party) == nullptr) {
    if (!trust::fingerprint_equals(text_of(request, "fingerprint"), fingerprint))
      // The file's own digits are not said: a careless operator would type them.
      return Error{Code::kPinMismatch, "the fingerprint that was read out is not that of the file"};
    TW_ASSIGN(keys, keys->with_pin(party, fingerprint));
  }
  const std::int64_t now = hub_.now_unix_ns();
  intake::Policy next = policy;
  TW_ASSIGN(next.keys, keys->with(certificate, now));
  const std::string& text = certificate.document();
  TW_TRY(hub_.put_in_force(
      next,
      {{ledger::EntryType::kCertificate, Bytes(text.begin(), text.end())},
       act_entry(who, "party.add", {{"party", party}, {"gate", certificate->gate}, {"serial", certificate->serial}})}));
  HubEvent event;
  const bool replaced = policy.keys->find(party, certificate->gate) != nullptr;
  event.kind = replaced ? "gate_replaced" : "certificate_added";
  event.by = who;
  event.party = party;
  event.gate = certificate->gate;
  event.serial = std::to_string(certificate->serial);
  event.fingerprint = trust::fingerprint_text(fingerprint);
  // A first gate is no news: its partners get its certificate, and no agreement changes by it.
  if (replaced) event.receivers = partners_of(*policy.region, party);
  hub_.say(std::move(event));
  const std::string user = party + "/" + certificate->gate;
  for (auto& lane : hub_.lanes_)
    lane->loop().run([&] {
      lane->close_user(user, Code::kLinkReplaced, "the gate has a new certificate");
      lane->broadcast({link::Document::Kind::kCertificate, Bytes(text.begin(), text.end())});
    });
  return Json{{"party", party},
              {"gate", certificate->gate},
              {"serial", certificate->serial},
              {"fingerprint", trust::fingerprint_text(fingerprint)},
              {"valid_to", time_text(certificate->valid_to_unix_ns)}};
}

Result<Json> HubAdmin::party_revoke(const Json& request, const std::string& who) {
  const std::lock_guard change(hub_.change_mutex_);
  intake::Policy policy = hub_.policy_snapshot();
  const std::string party = text_of(request, "party"), gate = text_of(request, "gate");
  Json revoked = Json::array();
  std::vector<SystemEntry> entries;
  const std::vector<const trust::GateKeys*> known_gates = policy.keys->gates(party);
  const trust::KeyDirectory::Ptr before = policy.keys;  // holds what known_gates points at
  for (const trust::GateKeys* known : known_gates) {
    if (!gate.empty() && known->gate != gate) continue;
    trust::Revocation content;
    content.party = known->party;
    content.gate = known->gate;
    content.serial = known->newest().certificate->serial;
    // In whole seconds, and behind the blocks of what is being written: receivers judge by it what was accepted before.
    content.revoked_at_unix_ns = (hub_.now_unix_ns() / 1'000'000'000 + 2) * 1'000'000'000;
    content.by = trust::Revocation::By::kOperator;
    content.officer = who;
    content.reason = text_of(request, "reason");
    content.signer = hub_.signing_->public_key();
    TW_ASSIGN(const auto document, trust::sign(content, *hub_.signing_));
    TW_ASSIGN(policy.keys, policy.keys->with(document, hub_.now_unix_ns()));
    entries.push_back({ledger::EntryType::kRevocation, Bytes(document.document().begin(), document.document().end())});
    revoked.push_back(known->party + "/" + known->gate);
  }
  if (revoked.empty()) return Error{Code::kNotFound, "no gate of " + party + (gate.empty() ? "" : " named " + gate)};
  const std::vector<SystemEntry> documents = entries;
  entries.push_back(act_entry(who, "party.revoke", {{"gates", revoked}, {"reason", text_of(request, "reason")}}));
  TW_TRY(hub_.put_in_force(policy, entries));
  for (auto& lane : hub_.lanes_)
    lane->loop().run([&] {
      for (const Json& user : revoked)
        lane->close_user(user.get<std::string>(), Code::kKeyRevoked, "the key was revoked");
      for (const SystemEntry& document : documents)
        lane->broadcast({link::Document::Kind::kRevocation, document.bytes});
    });
  for (const Json& user : revoked) {
    HubEvent event;
    event.kind = "key_revoked";
    event.by = who;
    event.party = party;
    event.gate = user.get<std::string>().substr(party.size() + 1);
    event.reason = text_of(request, "reason").empty() ? "not given" : text_of(request, "reason");
    event.receivers = partners_of(*policy.region, party);
    hub_.say(std::move(event));
  }
  return Json{{"revoked", revoked}};
}

// What it was sent is not kept for it any longer: only by such a decision, which stays in the ledger with who took it.
Result<Json> HubAdmin::receiver_give_up(const Json& request, const std::string& who) {
  const std::lock_guard change(hub_.change_mutex_);
  const std::string party = text_of(request, "party"), reason = text_of(request, "reason");
  if (reason.empty()) return Error{Code::kInvalid, "say why: the decision is recorded"};
  std::uint64_t waiting = 0;
  bool known = false;
  for (auto& lane : hub_.lanes_) {
    const auto all = lane->loop().run([&] { return lane->store().receivers.all(); });
    const auto at = all.find(party);
    if (at == all.end()) continue;
    known = true;
    waiting += at->second.durable - at->second.done();
  }
  if (!known) return Error{Code::kNotFound, "nothing was ever sent to " + party};
  const SystemEntry act = act_entry(who, std::string(kGiveUp), {{"receiver", party}, {"reason", reason}});
  TW_TRY(hub_.append_to_both(act.type, act.bytes));
  HubEvent event;
  event.kind = "receiver_given_up";
  event.by = who;
  event.party = party;
  event.reason = reason;
  hub_.say(std::move(event));
  return Json{{"party", party}, {"given_up", waiting}};
}

Result<Json> HubAdmin::clock_confirm(const std::string& who) {
  for (auto& lane : hub_.lanes_) lane->store().commit().confirm_clock();
  const SystemEntry act = act_entry(who, "clock.confirm", Json::object());
  TW_TRY(hub_.append_to_both(act.type, act.bytes));
  HubEvent event;
  event.kind = "clock_confirmed";
  event.by = who;
  hub_.say(std::move(event));
  return Json::object();
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
