// made_keys.h: keys and documents that are the same in every run, for the tests of trust.
#pragma once

#include <array>
#include <string>

#include "trust/certificate.h"
#include "trust/keys.h"

namespace thalweg::trust {

inline constexpr std::int64_t kSecond_ns = 1'000'000'000;
inline constexpr std::int64_t kDay_ns = 86'400 * kSecond_ns;
inline constexpr std::int64_t kJan2026_unix_ns = 1'767'196'800 * kSecond_ns;  // 2026-01-01T00:00:00+08:00

/// The key whose seed is 32 times `byte`.
inline SigningKey made_key(std::uint8_t byte) {
  std::array<std::uint8_t, 32> seed;
  seed.fill(byte);
  return SigningKey::from_seed(seed);
}

/// A CURVE public key, as text, that nobody has the secret of.
inline std::string made_curve(std::uint8_t byte) { return z85_encode(Bytes(32, byte)); }

/// Of gate "front" of 荣昌 500153 for the year 2026; signing key and CURVE key are made from `seed`.
inline GateCertificate made_certificate(const SigningKey& identity, std::uint64_t serial, std::uint8_t seed) {
  GateCertificate c;
  c.party = "500153";
  c.gate = "front";
  c.serial = serial;
  c.identity = identity.public_key();
  c.signing = made_key(seed).public_key();
  c.curve_z85 = made_curve(seed);
  c.valid_from_unix_ns = kJan2026_unix_ns;
  c.valid_to_unix_ns = kJan2026_unix_ns + 365 * kDay_ns;
  return c;
}

inline Revocation made_revocation(const SigningKey& signer, std::uint64_t serial) {
  Revocation r;
  r.party = "500153";
  r.gate = "front";
  r.serial = serial;
  r.revoked_at_unix_ns = kJan2026_unix_ns + 100 * kDay_ns;
  r.reason = "前置机被盗";
  r.signer = signer.public_key();
  return r;
}

inline HubCard made_hub_card(const SigningKey& hub) {
  HubCard h;
  h.hub = "laixi";
  h.ledger_id.fill(0x5a);
  h.signing = hub.public_key();
  h.curve_z85 = made_curve(9);
  h.addresses = {{"10.0.0.1:7401", "10.0.0.1:7402"}, {"hub.example.cn:7401", "[fd00::1]:7402"}};
  h.issued_unix_ns = kJan2026_unix_ns;
  return h;
}

inline Manifest made_manifest(const SigningKey& hub) {
  Manifest m;
  m.ledger_id.fill(0x5a);
  m.party = "500153";
  m.version = 3;
  m.region = R"({"code":"laixi","parties":[{"code":"510521","duty_phone":"0830-0000-521","name_en":"",)"
             R"("name_zh":"泸州市泸县生态环境局"}],"routes":[{"agreement":"section-rongchang-luxian","to":"510521",)"
             R"("type":"thalweg.section.observation.v1","version":1}],"sections":[]})";
  m.signing = hub.public_key();
  return m;
}

}  // namespace thalweg::trust
