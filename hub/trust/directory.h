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

/// One gate and all certificates that it ever had here.
struct GateKeys {
  struct Entry {
    Signed<GateCertificate> certificate;
    Verifier verifier;              ///< of its signing key
    std::int64_t recorded_unix_ns;  ///< time of the block that recorded it
    std::int64_t revoked_unix_ns;   ///< time of the block that revoked it; INT64_MAX: never

    /// From when on it replaces the older ones: a renewal may be recorded before it becomes valid.
    std::int64_t from_unix_ns() const;
  };
  std::string party;
  std::string gate;
  std::vector<Entry> entries;         ///< at least one; serials ascend
  std::uint64_t revoked_through = 0;  ///< the highest serial that was ever revoked

  const Entry& newest() const { return entries.back(); }
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
class KeyDirectory : public std::enable_shared_from_this<KeyDirectory> {
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

  /// Enrols, renews or replaces. From `block_unix_ns`, or from its valid_from if that is later, the newest serial of a
  /// gate replaces the older. A document that is here already changes nothing and is no error.
  /// Errors: kPinMismatch, kKeyUnknown (no pin, kRefuse), kKeyRevoked (the serial is withdrawn already),
  /// kCertificateInvalid (the serial is not newer; a key in it serves another gate). Copies the tables: 0.2 ms for
  /// 1,000 gates.
  Result<Ptr> with(const Signed<GateCertificate>& certificate, std::int64_t block_unix_ns,
                   Unpinned unpinned = Unpinned::kRefuse) const;
  /// Revokes from `block_unix_ns` on; what is revoked already keeps its earlier time.
  /// Errors: kKeyUnknown (no such gate), kPinMismatch (not signed by the party's identity, or, in the operator's form,
  /// not by the hub).
  Result<Ptr> with(const Signed<Revocation>& revocation, std::int64_t block_unix_ns) const;

  /// The gate's certificate in force at `unix_ns`. The pointer lives as long as this snapshot. O(1).
  /// Errors: kKeyUnknown (no gate, or none at that time), kKeyExpired (also: not yet valid), kKeyRevoked.
  Result<const GateKeys::Entry*> judge(std::string_view party, std::string_view gate, std::int64_t unix_ns) const;

  /// Who opens a link with this key now. A key that was replaced is as good as revoked. O(1).
  /// Errors: kKeyUnknown, kKeyExpired, kKeyRevoked.
  Result<const GateKeys::Entry*> admit(std::string_view curve_z85, std::int64_t now_unix_ns) const;

  /// nullptr when there is none. The second: the gate that has this key, or had it.
  const GateKeys* find(std::string_view party, std::string_view gate) const;
  const GateKeys* find_by_curve(std::string_view curve_z85) const;
  /// nullptr when the party is not pinned.
  const Hash256* pin(std::string_view party) const;
  /// Sorted by party and gate; of one party when `party` is not empty.
  std::vector<const GateKeys*> gates(std::string_view party = {}) const;
  std::vector<std::pair<std::string, Hash256>> pins() const;  ///< sorted by party
  /// All revocations that changed something, oldest first, with their block times.
  const std::vector<std::pair<Signed<Revocation>, std::int64_t>>& revocations() const { return revocations_; }

  /// All of it as bytes, for a snapshot of derived state; the form may change between versions.
  Bytes encode() const;
  /// Signatures are checked again: 0.1 ms per certificate. Errors: kDamaged.
  static Result<Ptr> decode(ByteView bytes);

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class Value>
  using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;
  using GatePtr = std::shared_ptr<const GateKeys>;

  KeyDirectory() = default;
  std::shared_ptr<KeyDirectory> copy() const { return std::shared_ptr<KeyDirectory>(new KeyDirectory(*this)); }
  Status check_keys_are_free(const GateCertificate& certificate) const;
  void put(GateKeys gate);

  TextMap<GatePtr> gates_;           // by "party/gate"
  TextMap<std::string> by_curve_;    // every key that ever served, to "party/gate"
  TextMap<std::string> by_signing_;  // the same for signing keys, by their 32 bytes
  TextMap<Hash256> pins_;            // by party
  std::vector<std::pair<Signed<Revocation>, std::int64_t>> revocations_;
  PublicKey hub_;
  bool has_hub_ = false;
};

}  // namespace thalweg::trust
