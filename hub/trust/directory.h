// directory.h: whose key it is: certificates and revocations in force, at any time of the ledger.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "trust/certificate.h"

namespace thalweg::trust {

/// One gate and all certificates it ever had here, oldest first.
struct GateKeys {
  struct Entry {
    Signed<GateCertificate> certificate;
    Verifier verifier;
    std::int64_t from_unix_ns = 0;             ///< time of the block that recorded it
    std::int64_t revoked_unix_ns = INT64_MAX;  ///< time of the block that recorded the revocation
  };
  std::string party;
  std::string gate;
  std::vector<Entry> entries;  ///< at least one; the last is the current

  const GateCertificate& current() const { return entries.back().certificate.content(); }
  const Entry& entry() const { return entries.back(); }
};

/// What a directory does with a certificate of a party that has no pin yet.
enum class Unpinned {
  kRefuse,    ///< the hub: an operator pins after the fingerprint was read out
  kPinFirst,  ///< a gate: pins what it sees first, and notices every change
};

/// An immutable snapshot: each change makes a new one, readers keep the one they have.
///
/// Times are block times of the ledger: a signature is judged by what was in force at its block, so that neither a
/// later revocation nor a later replacement voids what was accepted before. Threads: any, concurrently.
class KeyDirectory {
 public:
  using Ptr = std::shared_ptr<const KeyDirectory>;

  static Ptr empty();

  /// Believes this identity for the party. Errors: kPinMismatch when it has another pin.
  Result<Ptr> with_pin(std::string_view party, const Hash256& identity_fingerprint) const;
  /// Replaces the pin (the identity key was lost or stolen); certificates by the former identity are revoked from
  /// `block_unix_ns` on.
  Ptr with_new_pin(std::string_view party, const Hash256& identity_fingerprint, std::int64_t block_unix_ns) const;
  /// The hub whose operator may revoke.
  Ptr with_hub(const PublicKey& hub) const;

  /// Enrols, renews or replaces. The newest serial of a gate is in force from `block_unix_ns`. A document that is here
  /// already changes nothing and is no error.
  /// Errors: kPinMismatch, kKeyUnknown (no pin, kRefuse), kKeyRevoked (serial is withdrawn already),
  /// kCertificateInvalid (serial is not newer; a key in it serves another gate).
  Result<Ptr> with(const Signed<GateCertificate>& certificate, std::int64_t block_unix_ns,
                   Unpinned unpinned = Unpinned::kRefuse) const;
  /// Revokes from `block_unix_ns` on; a certificate that is revoked already keeps its earlier time.
  /// Errors: kKeyUnknown (no such gate), kPinMismatch (not signed by the party's identity, or, for the operator's
  /// form, not by the hub).
  Result<Ptr> with(const Signed<Revocation>& revocation, std::int64_t block_unix_ns) const;

  /// The gate's certificate in force at `unix_ns`. The pointer lives as long as this snapshot.
  /// Errors: kKeyUnknown, kKeyExpired (also: not yet valid), kKeyRevoked. O(1).
  Result<const GateKeys::Entry*> judge(std::string_view party, std::string_view gate, std::int64_t unix_ns) const;

  /// Who opens a link with this key, now: of a gate's certificates only the current one opens links.
  /// Errors: kKeyUnknown, kKeyExpired, kKeyRevoked. O(1).
  Result<const GateKeys*> admit(std::string_view curve_z85, std::int64_t now_unix_ns) const;

  /// nullptr when there is none.
  const GateKeys* find(std::string_view party, std::string_view gate) const;
  const GateKeys* find_by_curve(std::string_view curve_z85) const;
  const Hash256* pin(std::string_view party) const;
  /// Sorted by party and gate; of one party when `party` is not empty.
  std::vector<const GateKeys*> gates(std::string_view party = {}) const;
  std::vector<std::pair<std::string, Hash256>> pins() const;  ///< sorted by party
  /// All revocations that were recorded, oldest first, with their block times.
  const std::vector<std::pair<Signed<Revocation>, std::int64_t>>& revocations() const { return revocations_; }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class Value>
  using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

  KeyDirectory() = default;
  std::shared_ptr<KeyDirectory> copy() const;

  TextMap<std::shared_ptr<const GateKeys>> gates_;     // "party/gate"
  TextMap<std::shared_ptr<const GateKeys>> by_curve_;  // current certificates only
  TextMap<Hash256> pins_;                              // by party
  std::vector<std::pair<Signed<Revocation>, std::int64_t>> revocations_;
  PublicKey hub_;
  bool has_hub_ = false;
};

}  // namespace thalweg::trust
