// hub_admin_acts.cc: what operators do, and how it is recorded.
#include <nlohmann/json.hpp>

#include "app/hub_admin.h"

namespace thalweg::app {

using Json = nlohmann::json;

Result<SystemEntry> HubAdmin::act_entry(const std::string& who, const std::string& what, const Json& args) {
  ledger::Act act;
  act.who = who;
  act.what = what;
  act.time_unix_ns = hub_.clock_.wall_unix_ns();
  act.args_json = args.dump();
  if (act.args_json.size() > ledger::Act::kMostArgsBytes)
    return Error{Code::kInvalid, "what is to be recorded of it is longer than 64 KiB"};
  return SystemEntry{ledger::EntryType::kAct, ledger::encode(act)};
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
  TW_ASSIGN(
      const SystemEntry act,
      act_entry(who, "party.add", {{"party", party}, {"gate", certificate->gate}, {"serial", certificate->serial}}));
  TW_TRY(hub_.put_in_force(next, {{ledger::EntryType::kCertificate, Bytes(text.begin(), text.end())}, act}));
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
  if (party.empty()) return Error{Code::kInvalid, "say which party's gates"};
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
  TW_ASSIGN(SystemEntry act,
            act_entry(who, "party.revoke", {{"gates", revoked}, {"reason", text_of(request, "reason")}}));
  entries.push_back(std::move(act));
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
  TW_ASSIGN(const SystemEntry act, act_entry(who, std::string(kGiveUp), {{"receiver", party}, {"reason", reason}}));
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
  TW_ASSIGN(const SystemEntry act, act_entry(who, "clock.confirm", Json::object()));
  TW_TRY(hub_.append_to_both(act.type, act.bytes));
  hub_.follow_dates();
  HubEvent event;
  event.kind = "clock_confirmed";
  event.by = who;
  hub_.say(std::move(event));
  return Json::object();
}

}  // namespace thalweg::app
