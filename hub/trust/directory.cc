#include "trust/directory.h"

#include <algorithm>
#include <limits>

namespace thalweg::trust {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// Codes hold no '/', so two gates never share a key of the table.
std::string key_of(std::string_view party, std::string_view gate) {
  std::string key;
  key.reserve(party.size() + 1 + gate.size());
  key.append(party).append("/").append(gate);
  return key;
}

std::string_view text_of(const PublicKey& key) { return as_text(key.bytes); }

bool revoke(GateKeys::Entry& entry, std::int64_t block_unix_ns) {
  if (entry.revoked_unix_ns <= block_unix_ns) return false;
  entry.revoked_unix_ns = block_unix_ns;
  return true;
}

}  // namespace

std::int64_t GateKeys::Entry::from_unix_ns() const {
  return std::max(recorded_unix_ns, certificate->valid_from_unix_ns);
}

KeyDirectory::Ptr KeyDirectory::empty() { return Ptr(new KeyDirectory()); }

Result<KeyDirectory::Ptr> KeyDirectory::with_pin(std::string_view party, const Hash256& identity_fingerprint) const {
  if (const Hash256* known = pin(party)) {
    if (*known == identity_fingerprint) return shared_from_this();
    return Error{Code::kPinMismatch, "party " + std::string(party) + " is pinned to the identity " +
                                         fingerprint_text(*known) + ", not to " +
                                         fingerprint_text(identity_fingerprint)};
  }
  auto next = copy();
  next->pins_.emplace(party, identity_fingerprint);
  return Ptr(std::move(next));
}

KeyDirectory::Ptr KeyDirectory::with_new_pin(std::string_view party, const Hash256& identity_fingerprint,
                                             std::int64_t block_unix_ns) const {
  auto next = copy();
  next->pins_.insert_or_assign(std::string(party), identity_fingerprint);
  for (const GateKeys* known : gates(party)) {
    GateKeys gate = *known;
    for (GateKeys::Entry& entry : gate.entries) {
      if (entry.certificate->identity.fingerprint() != identity_fingerprint) revoke(entry, block_unix_ns);
    }
    next->put(std::move(gate));
  }
  return next;
}

KeyDirectory::Ptr KeyDirectory::with_hub(const PublicKey& hub) const {
  auto next = copy();
  next->hub_ = hub;
  next->has_hub_ = true;
  return next;
}

Status KeyDirectory::check_keys_are_free(const GateCertificate& certificate) const {
  const std::string own = key_of(certificate.party, certificate.gate);
  const auto curve = by_curve_.find(certificate.curve_z85);
  const auto signing = by_signing_.find(text_of(certificate.signing));
  for (const std::string* holder : {curve != by_curve_.end() ? &curve->second : nullptr,
                                    signing != by_signing_.end() ? &signing->second : nullptr}) {
    if (holder != nullptr && *holder != own) {
      return Error{Code::kCertificateInvalid,
                   "a key of " + own + " is or was a key of gate " + *holder + "; make new keys for every gate"};
    }
  }
  return {};
}

Result<KeyDirectory::Ptr> KeyDirectory::with(const Signed<GateCertificate>& certificate, std::int64_t block_unix_ns,
                                             Unpinned unpinned) const {
  const GateCertificate& c = certificate.content();
  const Hash256 identity = c.identity.fingerprint();
  const Hash256* pinned = pin(c.party);
  if (pinned == nullptr && unpinned == Unpinned::kRefuse) {
    return Error{Code::kKeyUnknown, "no identity is known for party " + c.party + "; this certificate claims " +
                                        fingerprint_text(identity) + ": have it read out, then pin it"};
  }
  if (pinned != nullptr && *pinned != identity) {
    return Error{Code::kPinMismatch, "party " + c.party + " is pinned to the identity " + fingerprint_text(*pinned) +
                                         ", but this certificate is signed by " + fingerprint_text(identity)};
  }
  GateKeys gate{c.party, c.gate, {}, 0};
  if (const GateKeys* known = find(c.party, c.gate)) {
    gate = *known;
    const auto same = std::find_if(gate.entries.begin(), gate.entries.end(),
                                   [&](const GateKeys::Entry& entry) { return entry.certificate.content() == c; });
    if (same != gate.entries.end()) return shared_from_this();
    const std::string name = "certificate " + std::to_string(c.serial) + " of " + key_of(c.party, c.gate);
    if (c.serial <= gate.revoked_through) return Error{Code::kKeyRevoked, name + " was revoked before it came"};
    if (c.serial <= gate.newest().certificate->serial) {
      return Error{Code::kCertificateInvalid,
                   name + " is not newer than " + std::to_string(gate.newest().certificate->serial)};
    }
  }
  TW_TRY(check_keys_are_free(c));
  TW_ASSIGN(Verifier verifier, Verifier::make(c.signing));
  gate.entries.push_back({certificate, std::move(verifier), block_unix_ns, kNever});
  auto next = copy();
  next->pins_.emplace(c.party, identity);
  next->put(std::move(gate));
  return Ptr(std::move(next));
}

Result<KeyDirectory::Ptr> KeyDirectory::with(const Signed<Revocation>& revocation, std::int64_t block_unix_ns) const {
  const Revocation& r = revocation.content();
  const GateKeys* known = find(r.party, r.gate);
  if (known == nullptr) return Error{Code::kKeyUnknown, "there is no gate " + key_of(r.party, r.gate) + " to revoke"};
  if (r.by == Revocation::By::kOperator) {
    if (!has_hub_ || r.signer != hub_) {
      return Error{Code::kPinMismatch, "a revocation by an operator must be signed by the hub's key"};
    }
  } else if (const Hash256* pinned = pin(r.party); pinned == nullptr || *pinned != r.signer.fingerprint()) {
    return Error{Code::kPinMismatch, "a revocation by party " + r.party + " must be signed by its pinned identity"};
  }
  GateKeys gate = *known;
  bool changed = r.serial > gate.revoked_through;
  gate.revoked_through = std::max(gate.revoked_through, r.serial);
  for (GateKeys::Entry& entry : gate.entries) {
    if (entry.certificate->serial <= r.serial) changed = revoke(entry, block_unix_ns) || changed;
  }
  if (!changed) return shared_from_this();
  auto next = copy();
  next->revocations_.emplace_back(revocation, block_unix_ns);
  next->put(std::move(gate));
  return Ptr(std::move(next));
}

Result<const GateKeys::Entry*> KeyDirectory::judge(std::string_view party, std::string_view gate,
                                                   std::int64_t unix_ns) const {
  const GateKeys* keys = find(party, gate);
  if (keys == nullptr) return Error{Code::kKeyUnknown, "gate " + key_of(party, gate) + " is not enrolled"};
  const GateKeys::Entry* in_force = nullptr;
  bool recorded = false;
  for (const GateKeys::Entry& entry : keys->entries) {
    recorded = recorded || entry.recorded_unix_ns <= unix_ns;
    if (entry.from_unix_ns() <= unix_ns) in_force = &entry;
  }
  if (in_force == nullptr && recorded) {
    return Error{Code::kKeyExpired, "the certificate of " + key_of(party, gate) + " is not valid yet at this time"};
  }
  if (in_force == nullptr) {
    return Error{Code::kKeyUnknown, "gate " + key_of(party, gate) + " was not enrolled at this time"};
  }
  const GateCertificate& certificate = in_force->certificate.content();
  if (in_force->revoked_unix_ns <= unix_ns) {
    return Error{Code::kKeyRevoked,
                 "certificate " + std::to_string(certificate.serial) + " of " + key_of(party, gate) + " is revoked"};
  }
  if (certificate.valid_to_unix_ns <= unix_ns) {
    return Error{Code::kKeyExpired,
                 "certificate " + std::to_string(certificate.serial) + " of " + key_of(party, gate) + " has expired"};
  }
  return in_force;
}

Result<const GateKeys::Entry*> KeyDirectory::admit(std::string_view curve_z85, std::int64_t now_unix_ns) const {
  const GateKeys* keys = find_by_curve(curve_z85);
  if (keys == nullptr) return Error{Code::kKeyUnknown, "this key belongs to no gate"};
  TW_ASSIGN(const GateKeys::Entry* entry, judge(keys->party, keys->gate, now_unix_ns));
  if (entry->certificate->curve_z85 == curve_z85) return entry;
  const auto own = std::find_if(keys->entries.rbegin(), keys->entries.rend(), [&](const GateKeys::Entry& other) {
    return other.certificate->curve_z85 == curve_z85;
  });
  const bool later = own != keys->entries.rend() && own->from_unix_ns() > now_unix_ns;
  return Error{later ? Code::kKeyExpired : Code::kKeyRevoked,
               "this key of " + key_of(keys->party, keys->gate) +
                   (later ? " is not valid yet" : " was replaced by certificate ") +
                   (later ? "" : std::to_string(entry->certificate->serial))};
}

const GateKeys* KeyDirectory::find(std::string_view party, std::string_view gate) const {
  const auto found = gates_.find(key_of(party, gate));
  return found == gates_.end() ? nullptr : found->second.get();
}

const GateKeys* KeyDirectory::find_by_curve(std::string_view curve_z85) const {
  const auto found = by_curve_.find(curve_z85);
  return found == by_curve_.end() ? nullptr : gates_.find(found->second)->second.get();
}

const Hash256* KeyDirectory::pin(std::string_view party) const {
  const auto found = pins_.find(party);
  return found == pins_.end() ? nullptr : &found->second;
}

std::vector<const GateKeys*> KeyDirectory::gates(std::string_view party) const {
  std::vector<const GateKeys*> sorted;
  for (const auto& [key, gate] : gates_) {
    if (party.empty() || gate->party == party) sorted.push_back(gate.get());
  }
  std::sort(sorted.begin(), sorted.end(), [](const GateKeys* a, const GateKeys* b) {
    return std::tie(a->party, a->gate) < std::tie(b->party, b->gate);
  });
  return sorted;
}

std::vector<std::pair<std::string, Hash256>> KeyDirectory::pins() const {
  std::vector<std::pair<std::string, Hash256>> sorted(pins_.begin(), pins_.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

void KeyDirectory::put(GateKeys gate) {
  std::string key = key_of(gate.party, gate.gate);
  for (const GateKeys::Entry& entry : gate.entries) {
    by_curve_.emplace(entry.certificate->curve_z85, key);
    by_signing_.emplace(text_of(entry.certificate->signing), key);
  }
  gates_.insert_or_assign(std::move(key), std::make_shared<const GateKeys>(std::move(gate)));
}

}  // namespace thalweg::trust
