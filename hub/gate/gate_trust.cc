// gate_trust.cc: see gate_trust.h.
#include "gate/gate_trust.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "trust/seal.h"

namespace thalweg::gate {

using nlohmann::json;

Result<std::unique_ptr<GateTrust>> GateTrust::open(FileSystem& files, const Path& pins_file, const Clock& clock,
                                                   const trust::HubCard* hub,
                                                   const std::vector<std::string>& configured) {
  std::unique_ptr<GateTrust> self(new GateTrust(files, pins_file, clock));
  if (hub != nullptr) {
    self->card_ = *hub;
    TW_ASSIGN(self->hub_, trust::Verifier::make(hub->signing));
    self->directory_ = self->directory_->with_hub(hub->signing);
  }
  for (const std::string& line : configured) {
    const auto blank = line.find(' ');
    if (blank == std::string::npos) return Error{Code::kConfig, "pins: '" + line + "' is not PARTY FINGERPRINT"};
    self->configured_.push_back({line.substr(0, blank), line.substr(blank + 1)});
  }
  TW_TRY(self->load_pins());
  return self;
}

Status GateTrust::load_pins() {
  if (!files_.exists(pins_file_)) return {};
  TW_ASSIGN(const Bytes bytes, read_file(files_, pins_file_, 4u << 20));
  const json pins = json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (!pins.is_object()) return Error{Code::kDamaged, pins_file_.string() + " is not a list of pins"};
  for (const auto& [party, value] : pins.items()) {
    auto raw = from_hex(value.is_string() ? value.get<std::string>() : std::string());
    if (!raw || raw->size() != 32) return Error{Code::kDamaged, pins_file_.string() + ": " + party};
    Hash256 fingerprint;
    std::copy(raw->begin(), raw->end(), fingerprint.begin());
    TW_ASSIGN(directory_, directory_->with_pin(party, fingerprint));
  }
  return {};
}

Status GateTrust::save_pins(const trust::KeyDirectory& directory) const {
  json pins = json::object();
  for (const auto& [party, fingerprint] : directory.pins()) pins[party] = to_hex(fingerprint);
  return write_file_atomically(files_, pins_file_, as_bytes(pins.dump(2) + "\n"));
}

Status GateTrust::pin_own(const std::string& party, const Hash256& identity) {
  const std::lock_guard lock(mutex_);
  const Hash256* known = directory_->pin(party);
  if (known != nullptr && *known == identity) return {};
  auto next = directory_->with_new_pin(party, identity, clock_.wall_unix_ns());
  TW_TRY(save_pins(*next));
  directory_ = std::move(next);
  return {};
}

Status GateTrust::learn_certificate(ByteView document) {
  TW_ASSIGN(const auto certificate, trust::open_certificate(document));
  const Hash256 fingerprint = certificate->identity.fingerprint();
  const std::lock_guard lock(mutex_);
  bool vouched = false;
  for (const Configured& pin : configured_) {
    if (pin.party != certificate->party) continue;
    if (!trust::fingerprint_equals(pin.digits, fingerprint)) {
      return Error{Code::kPinMismatch, certificate->party + " shows an identity that is not the one in gate.toml"};
    }
    vouched = true;
  }
  const bool is_new = directory_->pin(certificate->party) == nullptr;
  // The hub's block time of the certificate is not known here; it was valid from its own first day.
  TW_ASSIGN(auto next, directory_->with(certificate, certificate->valid_from_unix_ns, trust::Unpinned::kPinFirst));
  if (is_new) {
    TW_TRY(save_pins(*next));
    if (!vouched) {
      log::warning("gate",
                   "the identity of party {} is seen for the first time and believed: read the fingerprint out "
                   "to each other: {}",
                   certificate->party, trust::fingerprint_text(fingerprint));
    }
  }
  directory_ = std::move(next);
  return {};
}

Status GateTrust::learn_revocation(ByteView document) {
  TW_ASSIGN(const auto revocation, trust::open_revocation(document));
  const std::lock_guard lock(mutex_);
  TW_ASSIGN(directory_, directory_->with(revocation, revocation->revoked_at_unix_ns));
  return {};
}

Status GateTrust::check_checkpoint(ByteView bytes) const {
  if (!hub_) return Error{Code::kKeyUnknown, "no hub card"};
  auto checkpoint = trust::open_checkpoint(bytes, *hub_);
  if (!checkpoint) return Error(std::move(checkpoint).error());
  return {};
}

Status GateTrust::learn_manifest(ByteView document, std::string_view party) {
  if (!card_) return Error{Code::kKeyUnknown, "no hub card"};
  TW_ASSIGN(auto manifest, trust::open_manifest(document));
  if (manifest->signing != card_->signing) return Error{Code::kKeyUnknown, "the manifest is not signed by this hub"};
  if (manifest->ledger_id != card_->ledger_id)
    return Error{Code::kLedgerForeign, "the manifest is of another ledger: " + to_hex(manifest->ledger_id)};
  if (manifest->party != party) return Error{Code::kDenied, "the manifest is for party " + manifest->party};
  const std::lock_guard lock(mutex_);
  const auto age = [](const trust::Manifest& one) { return std::pair(one.epoch, one.version); };
  if (manifest_ && age(manifest.content()) < age(manifest_->content())) {
    const auto text = [](const trust::Manifest& one) {
      return "epoch " + std::to_string(one.epoch) + ", region version " + std::to_string(one.version);
    };
    return Error{Code::kExists, "the manifest of " + text(manifest.content()) + " is older than that of " +
                                    text(manifest_->content())};
  }
  manifest_ = std::move(manifest);
  return {};
}

std::string GateTrust::manifest() const {
  const std::lock_guard lock(mutex_);
  return manifest_ ? (*manifest_)->region : std::string();
}

trust::KeyDirectory::Ptr GateTrust::directory() const {
  const std::lock_guard lock(mutex_);
  return directory_;
}

Status GateTrust::judge(const Delivered& delivered) const {
  const ParcelHeader& header = delivered.header();
  const auto fits = [&](const trust::Verifier& key) -> Status {
    if (delivered.part() != nullptr) return trust::check_part(*delivered.part(), *delivered.part_body(), key);
    return trust::check_parcel(*delivered.parcel(), *delivered.body(), key);
  };
  if (card_ && header.party == card_->hub) return fits(*hub_);
  const auto snapshot = directory();
  const std::int64_t time = delivered.delivery().block_unix_ns;
  TW_ASSIGN(const trust::GateKeys::Entry* const newest, snapshot->judge(header.party, header.gate, time));
  Status judged = fits(newest->verifier);
  if (judged || judged.error().code != Code::kParcelSignature) return judged;
  // A certificate is made some time before the hub takes it, and only the hub's ledger knows when that was: what came
  // between is signed by the one before, which holds as long as nobody revoked it.
  for (const trust::GateKeys::Entry& entry : snapshot->find(header.party, header.gate)->entries) {
    const bool held = entry.from_unix_ns() <= time && time < entry.certificate->valid_to_unix_ns;
    if (&entry != newest && held && time < entry.revoked_unix_ns && fits(entry.verifier)) return {};
  }
  return judged;
}

}  // namespace thalweg::gate
