#include "trust/keys.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sodium.h>

#include <algorithm>

#include "base/invariant.h"
#include "trust/private_file.h"

namespace thalweg::trust {
namespace {

constexpr std::string_view kKeyPrefix = "ed25519:";
constexpr std::string_view kFingerprintTag = "thalweg-fingerprint-v1";
constexpr std::string_view kSignatureTag{"thalweg-signature-v1\0", 21};

/// The bytes that are signed. Lengths stand before everything, so that no two different calls give the same bytes.
Bytes message_of(std::string_view domain, std::initializer_list<ByteView> parts) {
  std::size_t size = kSignatureTag.size() + 8 + domain.size();
  for (ByteView part : parts) size += 8 + part.size();
  Bytes message;
  message.reserve(size);
  ByteWriter out(message);
  out.raw(as_bytes(kSignatureTag));
  out.u64(domain.size());
  out.raw(as_bytes(domain));
  for (ByteView part : parts) {
    out.u64(part.size());
    out.raw(part);
  }
  return message;
}

/// True for encodings that no honest key has: y not below p, or a point of small order, with which a signature can be
/// made that fits every message.
bool weak(const std::array<std::uint8_t, 32>& key) {
  using Point = std::array<std::uint8_t, 32>;
  Point y = key;
  y[31] &= 0x7f;  // the sign of x
  Point prime{};
  prime.fill(0xff);
  prime[0] = 0xed;
  prime[31] = 0x7f;
  if (!std::lexicographical_compare(y.rbegin(), y.rend(), prime.rbegin(), prime.rend())) return true;
  static constexpr Point kZero{};
  static constexpr Point kOne{1};
  static constexpr Point kOrderEight{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
                                     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
                                     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05};
  static constexpr Point kOrderEightToo{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
                                        0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
                                        0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a};
  Point minus_one = prime;
  minus_one[0] = 0xec;
  return y == kZero || y == kOne || y == minus_one || y == kOrderEight || y == kOrderEightToo;
}

Status check_usable(const PublicKey& key) {
  if (key.algorithm != kAlgorithmEd25519) {
    return Error{Code::kAlgorithmUnknown, "signature algorithm " + std::to_string(key.algorithm) + " is not known"};
  }
  if (weak(key.bytes)) return Error{Code::kInvalid, "the public key is of small order or not canonical"};
  return {};
}

}  // namespace

Hash256 PublicKey::fingerprint() const {
  return sha256({as_bytes(kFingerprintTag), ByteView(&algorithm, 1), ByteView(bytes)});
}

std::string PublicKey::text() const { return std::string(kKeyPrefix) + to_base64(bytes); }

Result<PublicKey> PublicKey::parse(std::string_view text) {
  if (!text.starts_with(kKeyPrefix)) {
    const std::size_t colon = text.find(':');
    if (colon > 16) return Error{Code::kInvalid, "not a public key"};
    return Error{Code::kAlgorithmUnknown,
                 "the algorithm of a public key is not known; this version knows ed25519 only"};
  }
  TW_ASSIGN(const Bytes raw, from_base64(text.substr(kKeyPrefix.size())));
  PublicKey key;
  if (raw.size() != key.bytes.size()) return Error{Code::kInvalid, "a public key of ed25519 has 32 bytes"};
  std::copy(raw.begin(), raw.end(), key.bytes.begin());
  TW_TRY(check_usable(key));
  return key;
}

Result<Verifier> Verifier::make(const PublicKey& key) {
  TW_TRY(check_usable(key));
  return Verifier(key);
}

bool Verifier::verify(std::string_view domain, std::initializer_list<ByteView> parts,
                      const Signature& signature) const {
  return verify_raw(message_of(domain, parts), signature);
}

bool Verifier::verify_raw(ByteView message, const Signature& signature) const {
  return crypto_sign_ed25519_verify_detached(signature.data(), message.data(), message.size(), key_.bytes.data()) == 0;
}

bool verify(const PublicKey& key, std::string_view domain, std::initializer_list<ByteView> parts,
            const Signature& signature) {
  const Result<Verifier> verifier = Verifier::make(key);
  return verifier && verifier->verify(domain, parts, signature);
}

SigningKey SigningKey::generate() {
  Secret seed(32);
  THALWEG_INVARIANT(RAND_priv_bytes(seed.data(), static_cast<int>(seed.size())) == 1);
  return from_seed(std::span<const std::uint8_t, 32>(seed.view()));
}

SigningKey SigningKey::from_seed(std::span<const std::uint8_t, 32> seed) {
  static_assert(crypto_sign_ed25519_SECRETKEYBYTES == 64 && crypto_sign_ed25519_SEEDBYTES == 32);
  auto secret = std::make_shared<Secret>(64);
  PublicKey key;
  THALWEG_INVARIANT(crypto_sign_ed25519_seed_keypair(key.bytes.data(), secret->data(), seed.data()) == 0);
  return SigningKey(key, std::move(secret));
}

Result<SigningKey> SigningKey::load(const Path& path) {
  TW_ASSIGN(const Secret line, read_private_file(path, "ed25519"));
  Secret seed(33);
  int size = -1;
  // OpenSSL's decoder writes into memory that is cleansed; 44 characters with one '=' are 32 bytes.
  if (line.size() == 44 && line.text().ends_with('=') && !line.text().ends_with("==")) {
    size = EVP_DecodeBlock(seed.data(), line.view().data(), 44);
  }
  if (size != 33) return Error{Code::kKeyUnreadable, path.string() + ": the second line is not a key"};
  return from_seed(std::span<const std::uint8_t, 32>(seed.view().first(32)));
}

Status SigningKey::save(const Path& path) const {
  Secret line(45);  // with the terminating zero that OpenSSL writes
  EVP_EncodeBlock(line.data(), secret_->view().data(), 32);
  return write_private_file(path, "ed25519", line.text().substr(0, 44));
}

Signature SigningKey::sign(std::string_view domain, std::initializer_list<ByteView> parts) const {
  return sign_raw(message_of(domain, parts));
}

Signature SigningKey::sign_raw(ByteView message) const {
  Signature signature;
  THALWEG_INVARIANT(crypto_sign_ed25519_detached(signature.data(), nullptr, message.data(), message.size(),
                                                 secret_->view().data()) == 0);
  return signature;
}

}  // namespace thalweg::trust
