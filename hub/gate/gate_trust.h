// gate_trust.h: whom this gate believes: identities pinned at first sight, certificates from the hub.
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
  static Result<std::unique_ptr<GateTrust>> open(FileSystem& files, const Path& pins_file, const Clock& clock,
                                                 const trust::PublicKey* hub,
                                                 const std::vector<std::string>& configured);

  /// The identity of the gate's own party, from the papers beside its keys: pinned without a warning, and in place of
  /// what was pinned before. So the hub cannot show another one for it. Errors: kIo.
  Status pin_own(const std::string& party, const Hash256& identity);
  /// A document of the hub: certificate or revocation. Errors: kCertificateInvalid, kPinMismatch, kKeyRevoked ...
  Status learn_certificate(ByteView document);
  Status learn_revocation(ByteView document);
  /// Checks a signed checkpoint with the hub's key. Errors: kProofInvalid, kInvalid, kKeyUnknown (no hub card).
  Status check_checkpoint(ByteView bytes) const;
  /// Did the gate that it names sign this, and are these its records? Records of the hub itself are checked with the
  /// hub's key. Errors: kKeyUnknown, kKeyExpired, kKeyRevoked, kParcelSignature, kParcelRoot, kProofInvalid.
  Status judge(const Delivered& delivered) const;

  trust::KeyDirectory::Ptr directory() const;
  /// The code of the hub as a party, once its card is known; its records have no certificate.
  void set_hub(std::string hub_code) { hub_code_ = std::move(hub_code); }

 private:
  GateTrust(FileSystem& files, Path pins_file, const Clock& clock)
      : files_(files), pins_file_(std::move(pins_file)), clock_(clock) {}
  Status load_pins();
  Status save_pins(const trust::KeyDirectory& directory) const;

  FileSystem& files_;
  const Path pins_file_;
  const Clock& clock_;
  std::string hub_code_;
  std::optional<trust::Verifier> hub_;
  struct Configured {
    std::string party;
    std::string digits;
  };
  std::vector<Configured> configured_;
  mutable std::mutex mutex_;  // guards what follows
  trust::KeyDirectory::Ptr directory_ = trust::KeyDirectory::empty();
};

}  // namespace thalweg::gate
