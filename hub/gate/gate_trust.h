// gate_trust.h: whom this gate believes: identities pinned at first sight, certificates and the manifest from the hub.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "gate/delivered.h"
#include "trust/certificate.h"
#include "trust/checkpoint.h"
#include "trust/directory.h"

namespace thalweg::gate {

/// The key directory of a gate. Pins last in <state>/pins.json; certificates come anew with every session.
///
/// A pin that the configuration names is believed; another party is pinned by the first certificate seen, with a
/// warning: people should read the fingerprints out to each other.
/// Threads: any; a change takes a mutex, judging takes it for a pointer copy.
class GateTrust {
 public:
  /// `configured`: "PARTY FINGERPRINT" with the digits as read out. Errors: kConfig, kIo, kDamaged (pins.json).
  /// `hub`: whose checkpoints, records and manifest are believed; null: nobody's.
  static Result<std::unique_ptr<GateTrust>> open(FileSystem& files, const Path& pins_file, const Clock& clock,
                                                 const trust::HubCard* hub, const std::vector<std::string>& configured);

  /// The identity of the gate's own party, from the papers beside its keys: pinned without a warning, and in place of
  /// what was pinned before. So the hub cannot show another one for it. Errors: kIo.
  Status pin_own(const std::string& party, const Hash256& identity);
  /// A document of the hub: certificate or revocation. Errors: kCertificateInvalid, kPinMismatch, kKeyRevoked ...
  Status learn_certificate(ByteView document);
  Status learn_revocation(ByteView document);
  /// Checks a signed checkpoint with the hub's key. Errors: kProofInvalid, kInvalid, kKeyUnknown (no hub card).
  Status check_checkpoint(ByteView bytes) const;
  /// Believes and keeps a manifest that the hub has signed for `party` and for its ledger, and that is not older than
  /// the one held. Both lanes bring it; it is not kept over a restart, as every session brings it anew.
  /// Errors: kCertificateInvalid, kKeyUnknown (no hub card, or another key), kLedgerForeign, kDenied (another party's),
  /// kExists (older).
  Status learn_manifest(ByteView document, std::string_view party);
  /// What the newest manifest says of the region (JSON, docs/formats/trust.md); empty before the first.
  std::string manifest() const;
  /// Did the gate that it names sign this, and are these its records? Records of the hub itself are checked with the
  /// hub's key. Errors: kKeyUnknown, kKeyExpired, kKeyRevoked, kParcelSignature, kParcelRoot, kProofInvalid.
  Status judge(const Delivered& delivered) const;

  trust::KeyDirectory::Ptr directory() const;

 private:
  GateTrust(FileSystem& files, Path pins_file, const Clock& clock)
      : files_(files), pins_file_(std::move(pins_file)), clock_(clock) {}
  Status load_pins();
  Status save_pins(const trust::KeyDirectory& directory) const;

  FileSystem& files_;
  const Path pins_file_;
  const Clock& clock_;
  std::optional<trust::HubCard> card_;
  std::optional<trust::Verifier> hub_;
  struct Configured {
    std::string party;
    std::string digits;
  };
  std::vector<Configured> configured_;
  mutable std::mutex mutex_;  // guards what follows
  trust::KeyDirectory::Ptr directory_ = trust::KeyDirectory::empty();
  std::optional<trust::Signed<trust::Manifest>> manifest_;
};

}  // namespace thalweg::gate
