// keys.h: signing and link keys: making, keeping, using, and reading them out over the telephone.
// See docs/formats/trust.md.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/file.h"
#include "base/hash.h"

namespace thalweg::trust {

class Secret;

/// Signature algorithm 1 of every format. 2 is kept for SM2 with SM3.
inline constexpr std::uint8_t kAlgorithmEd25519 = 1;

/// What a signature is for. A signature made for one domain is void in every other.
namespace domain {
inline constexpr std::string_view kParcel = "parcel";
inline constexpr std::string_view kCheckpoint = "checkpoint";
inline constexpr std::string_view kSettlement = "settlement";
}  // namespace domain

using Signature = std::array<std::uint8_t, 64>;

/// A public signing key as it stands in documents. A value; says nothing about whose it is.
struct PublicKey {
  std::uint8_t algorithm = kAlgorithmEd25519;
  std::array<std::uint8_t, 32> bytes{};

  auto operator<=>(const PublicKey&) const = default;

  /// SHA-256 over "thalweg-fingerprint-v1", the algorithm and the key. What is pinned.
  Hash256 fingerprint() const;
  /// "ed25519:" and base64, as in certificates.
  std::string text() const;
  /// Errors: kAlgorithmUnknown; kInvalid for anything else that is not such a text or is a key of small order, with
  /// which anybody could sign.
  static Result<PublicKey> parse(std::string_view text);
};

/// A fingerprint as two people read it out: eight groups of five digits (132 bits), the digits of the fingerprint
/// taken as a number modulo 10^40. The same in every language.
std::string fingerprint_text(const Hash256& fingerprint);
/// True when `typed` is that fingerprint; blanks, hyphens and line ends in it do not matter, and full-width digits
/// count.
bool fingerprint_equals(std::string_view typed, const Hash256& fingerprint);

/// A public key that was found fit to check signatures with. A value.
///
/// Threads: any, concurrently.
class Verifier {
 public:
  /// Errors: kAlgorithmUnknown, kInvalid (small order).
  static Result<Verifier> make(const PublicKey& key);

  const PublicKey& key() const { return key_; }
  /// True when `signature` was made with this key for this domain over exactly these parts, divided in this way.
  /// Costs 30 to 60 µs, by machine (docs/adr/0013).
  [[nodiscard]] bool verify(std::string_view domain, std::initializer_list<ByteView> parts,
                            const Signature& signature) const;
  /// The same over bytes that carry their own domain (documents, see certificate.h).
  [[nodiscard]] bool verify_raw(ByteView message, const Signature& signature) const;

 private:
  explicit Verifier(const PublicKey& key) : key_(key) {}
  PublicKey key_;
};

/// One check with a key that is not kept: Verifier::make() and verify(); false for a key that cannot be used.
[[nodiscard]] bool verify(const PublicKey& key, std::string_view domain, std::initializer_list<ByteView> parts,
                          const Signature& signature);

/// A private signing key: a party's identity, a gate's or the hub's. Copies share one secret.
///
/// Memory that held the private part is cleansed when the last copy goes; it is never logged and has no text form
/// but the file's. Threads: any, concurrently.
class SigningKey {
 public:
  /// From the system's random numbers. Stops the process when they fail: a guessable key is worse than no program.
  static SigningKey generate();
  /// The key with this seed (RFC 8032), for tests and examples.
  static SigningKey from_seed(std::span<const std::uint8_t, 32> seed);
  /// Reads a private key file.
  /// Errors: kKeyPermissions when group or others may do anything with it or another user owns it (the message says
  /// what to type), kKeyUnreadable, kAlgorithmUnknown.
  static Result<SigningKey> load(const Path& path);
  /// Writes a new private key file, mode 0600 whatever the umask, durable when this returns. Never replaces a file.
  /// Errors: kExists, kIo.
  Status save(const Path& path) const;

  const PublicKey& public_key() const { return public_; }
  /// Costs 12 to 25 µs.
  Signature sign(std::string_view domain, std::initializer_list<ByteView> parts) const;
  /// The same over bytes that carry their own domain (documents, see certificate.h).
  Signature sign_raw(ByteView message) const;

 private:
  SigningKey(PublicKey key, std::shared_ptr<const Secret> secret) : public_(key), secret_(std::move(secret)) {}
  PublicKey public_;
  std::shared_ptr<const Secret> secret_;  ///< seed and public key, as libsodium signs with them
};

/// The key pair of one end of a link (CURVE, Curve25519), in ZeroMQ's text form of 40 characters each.
///
/// The secret is cleansed on destruction. Cannot be copied, so that it stays in one place.
struct CurveKeyPair {
  std::string public_z85;
  std::string secret_z85;

  CurveKeyPair() = default;
  CurveKeyPair(CurveKeyPair&&) noexcept;
  CurveKeyPair& operator=(CurveKeyPair&&) noexcept;
  ~CurveKeyPair();

  /// As SigningKey::generate().
  static CurveKeyPair generate();
  /// The file holds the secret; the public key is computed. Errors: as SigningKey::load().
  static Result<CurveKeyPair> load(const Path& path);
  /// As SigningKey::save().
  Status save(const Path& path) const;
};

/// ZeroMQ's Z85 (RFC 32). `bytes` has a size divisible by four.
std::string z85_encode(ByteView bytes);
/// Errors: kInvalid for a length not divisible by five, a foreign character, or a group beyond 32 bits.
Result<Bytes> z85_decode(std::string_view text);
/// True for the Z85 text of a 32-byte key.
bool valid_curve_key(std::string_view z85);

}  // namespace thalweg::trust
