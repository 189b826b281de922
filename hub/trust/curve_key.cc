#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/invariant.h"
#include "trust/keys.h"
#include "trust/private_file.h"

namespace thalweg::trust {
namespace {

constexpr std::string_view kZ85Digits =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
constexpr std::size_t kZ85KeySize = 40;
constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> make_z85_values() {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = kNoDigit;
  for (std::uint8_t i = 0; i < 85; ++i) values[static_cast<std::uint8_t>(kZ85Digits[i])] = i;
  return values;
}
constexpr auto kZ85Values = make_z85_values();

bool decode_into(std::string_view text, std::uint8_t* out) {
  if (text.size() % 5 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 5) {
    std::uint64_t group = 0;
    for (std::size_t k = 0; k < 5; ++k) {
      const std::uint8_t value = kZ85Values[static_cast<std::uint8_t>(text[i + k])];
      if (value == kNoDigit) return false;
      group = group * 85 + value;
    }
    if (group > 0xffffffffU) return false;
    for (int shift = 24; shift >= 0; shift -= 8) *out++ = static_cast<std::uint8_t>(group >> shift);
  }
  return true;
}

/// Pair of a secret; the public key is Curve25519's base point times it.
CurveKeyPair pair_of(ByteView secret) {
  EVP_PKEY* key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), secret.size());
  std::array<std::uint8_t, 32> open{};
  std::size_t size = open.size();
  const bool made = key != nullptr && EVP_PKEY_get_raw_public_key(key, open.data(), &size) == 1;
  EVP_PKEY_free(key);
  THALWEG_INVARIANT(made);
  CurveKeyPair pair;
  pair.public_z85 = z85_encode(open);
  pair.secret_z85 = z85_encode(secret);
  return pair;
}

}  // namespace

CurveKeyPair::CurveKeyPair(CurveKeyPair&& other) noexcept
    : public_z85(std::move(other.public_z85)), secret_z85(std::move(other.secret_z85)) {
  cleanse(other.secret_z85);
}

CurveKeyPair& CurveKeyPair::operator=(CurveKeyPair&& other) noexcept {
  if (this != &other) {
    cleanse(secret_z85);
    public_z85 = std::move(other.public_z85);
    secret_z85 = std::move(other.secret_z85);
    cleanse(other.secret_z85);
  }
  return *this;
}

CurveKeyPair::~CurveKeyPair() { cleanse(secret_z85); }

CurveKeyPair CurveKeyPair::generate() {
  Secret secret(32);
  THALWEG_INVARIANT(RAND_priv_bytes(secret.data(), static_cast<int>(secret.size())) == 1);
  return pair_of(secret.view());
}

Result<CurveKeyPair> CurveKeyPair::load(const Path& path) {
  TW_ASSIGN(const Secret line, read_private_file(path, "curve"));
  Secret secret(32);
  if (line.size() != kZ85KeySize || !decode_into(line.text(), secret.data())) {
    return Error{Code::kKeyUnreadable, path.string() + ": the second line is not a key"};
  }
  return pair_of(secret.view());
}

Status CurveKeyPair::save(const Path& path) const { return write_private_file(path, "curve", secret_z85); }

std::string z85_encode(ByteView bytes) {
  THALWEG_INVARIANT(bytes.size() % 4 == 0);
  std::string text(bytes.size() / 4 * 5, '\0');
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 4, at += 5) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) group = group << 8 | bytes[i + k];
    for (std::size_t k = 5; k-- > 0; group /= 85) text[at + k] = kZ85Digits[group % 85];
  }
  return text;
}

Result<Bytes> z85_decode(std::string_view text) {
  Bytes bytes(text.size() / 5 * 4);
  if (!decode_into(text, bytes.data())) return Error{Code::kInvalid, "not Z85"};
  return bytes;
}

bool valid_curve_key(std::string_view z85) {
  std::array<std::uint8_t, 32> key;
  return z85.size() == kZ85KeySize && decode_into(z85, key.data());
}

}  // namespace thalweg::trust
