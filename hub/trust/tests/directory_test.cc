#include "trust/directory.h"

#include <catch2/catch.hpp>
#include <string>

#include "trust/tests/made_keys.h"

using namespace thalweg;
using namespace thalweg::trust;

namespace {

constexpr std::int64_t kT = kJan2026_unix_ns + 10 * kDay_ns;  // the block in which most tests enrol
constexpr std::int64_t kEnd = kJan2026_unix_ns + 365 * kDay_ns;

template <class T>
Code code_of(const Result<T>& result) {
  return result ? Code::kOk : result.error().code;
}

struct Directory {
  SigningKey identity = made_key(1);
  KeyDirectory::Ptr keys = *KeyDirectory::empty()->with_pin("500153", identity.public_key().fingerprint());

  Code enrol(const GateCertificate& certificate, std::int64_t block_unix_ns, Unpinned unpinned = Unpinned::kRefuse) {
    return enrol(certificate, identity, block_unix_ns, unpinned);
  }
  Code enrol(const GateCertificate& certificate, const SigningKey& signer, std::int64_t block_unix_ns,
             Unpinned unpinned = Unpinned::kRefuse) {
    const auto made = sign(certificate, signer);
    REQUIRE(made);
    return take(keys->with(*made, block_unix_ns, unpinned));
  }
  Code revoke(const Revocation& revocation, const SigningKey& signer, std::int64_t block_unix_ns) {
    const auto made = sign(revocation, signer);
    REQUIRE(made);
    return take(keys->with(*made, block_unix_ns));
  }
  Code take(Result<KeyDirectory::Ptr> next) {
    if (!next) return next.error().code;
    keys = *std::move(next);
    return Code::kOk;
  }
  Code judge(std::int64_t unix_ns) const { return code_of(keys->judge("500153", "front", unix_ns)); }
  std::uint64_t serial_at(std::int64_t unix_ns) const {
    const auto entry = keys->judge("500153", "front", unix_ns);
    return entry ? (*entry)->certificate->serial : 0;
  }
  Code admit(std::uint8_t seed, std::int64_t unix_ns) const { return code_of(keys->admit(made_curve(seed), unix_ns)); }
};

}  // namespace

TEST_CASE("an enrolled gate's keys are found by name and by link key, while its certificate is valid", "[trust]") {
  Directory d;
  REQUIRE(d.enrol(made_certificate(d.identity, 1, 2), kT) == Code::kOk);
  const auto entry = d.keys->judge("500153", "front", kT);
  REQUIRE(entry);
  CHECK((*entry)->verifier.key() == made_key(2).public_key());
  CHECK(d.admit(2, kT) == Code::kOk);
  CHECK((*d.keys->admit(made_curve(2), kT))->certificate->party == "500153");

  CHECK(d.judge(kT - 1) == Code::kKeyUnknown);  // before its block
  CHECK(d.judge(kEnd - 1) == Code::kOk);
  CHECK(d.judge(kEnd) == Code::kKeyExpired);
  CHECK(d.admit(2, kEnd) == Code::kKeyExpired);
  CHECK(d.admit(3, kT) == Code::kKeyUnknown);
  CHECK(code_of(d.keys->judge("500153", "other", kT)) == Code::kKeyUnknown);
  CHECK(code_of(d.keys->judge("510521", "front", kT)) == Code::kKeyUnknown);
  CHECK(code_of(d.keys->judge("500153/front", "", kT)) == Code::kKeyUnknown);
}

TEST_CASE("a certificate that is recorded before it is valid opens nothing until then", "[trust]") {
  Directory d;
  const std::int64_t early = kJan2026_unix_ns - kDay_ns;
  REQUIRE(d.enrol(made_certificate(d.identity, 1, 2), early) == Code::kOk);
  CHECK(d.judge(early) == Code::kKeyExpired);
  CHECK(d.admit(2, early) == Code::kKeyExpired);
  CHECK(d.judge(kJan2026_unix_ns) == Code::kOk);
}

TEST_CASE("a party without a pin, or with another, is not enrolled", "[trust]") {
  Directory d;
  GateCertificate certificate = made_certificate(d.identity, 1, 2);
  certificate.party = "510521";
  CHECK(d.enrol(certificate, kT) == Code::kKeyUnknown);
  CHECK(d.enrol(certificate, kT, Unpinned::kPinFirst) == Code::kOk);
  REQUIRE(d.keys->pin("510521") != nullptr);
  CHECK(*d.keys->pin("510521") == d.identity.public_key().fingerprint());

  const SigningKey thief = made_key(66);
  CHECK(d.enrol(made_certificate(thief, 1, 2), thief, kT) == Code::kPinMismatch);
  CHECK(d.enrol(made_certificate(thief, 9, 3), thief, kT, Unpinned::kPinFirst) == Code::kPinMismatch);
  CHECK(code_of(d.keys->with_pin("500153", thief.public_key().fingerprint())) == Code::kPinMismatch);
  CHECK(code_of(d.keys->with_pin("500153", d.identity.public_key().fingerprint())) == Code::kOk);
  CHECK(d.keys->pin("500112") == nullptr);
}

TEST_CASE("a newer serial replaces the older from its block on, and the past is judged as it was", "[trust]") {
  Directory d;
  REQUIRE(d.enrol(made_certificate(d.identity, 1, 2), kT) == Code::kOk);
  REQUIRE(d.enrol(made_certificate(d.identity, 5, 3), kT + kDay_ns) == Code::kOk);
  CHECK(d.serial_at(kT) == 1);
  CHECK(d.serial_at(kT + kDay_ns - 1) == 1);
  CHECK(d.serial_at(kT + kDay_ns) == 5);
  CHECK(d.admit(2, kT + kDay_ns) == Code::kKeyRevoked);
  CHECK(d.admit(3, kT + kDay_ns) == Code::kOk);

  CHECK(d.enrol(made_certificate(d.identity, 4, 4), kT + 2 * kDay_ns) == Code::kCertificateInvalid);
  GateCertificate other = made_certificate(d.identity, 5, 4);
  CHECK(d.enrol(other, kT + 2 * kDay_ns) == Code::kCertificateInvalid);
  CHECK(d.enrol(made_certificate(d.identity, 5, 3), kT + 2 * kDay_ns) == Code::kOk);  // the same again
  CHECK(d.enrol(made_certificate(d.identity, 1, 2), kT + 2 * kDay_ns) == Code::kOk);
  CHECK(d.serial_at(kT + 2 * kDay_ns) == 5);
  CHECK(d.keys->find("500153", "front")->entries.size() == 2);
}

TEST_CASE("a renewal that is not valid yet leaves the older certificate in force", "[trust]") {
  Directory d;
  REQUIRE(d.enrol(made_certificate(d.identity, 1, 2), kT) == Code::kOk);
  GateCertificate renewal = made_certificate(d.identity, 2, 3);
  renewal.valid_from_unix_ns = kEnd - 30 * kDay_ns;
  renewal.valid_to_unix_ns = kEnd + 300 * kDay_ns;
  REQUIRE(d.enrol(renewal, kT + kDay_ns) == Code::kOk);
  CHECK(d.serial_at(kT + 2 * kDay_ns) == 1);
  CHECK(d.admit(2, kT + 2 * kDay_ns) == Code::kOk);
  CHECK(d.admit(3, kT + 2 * kDay_ns) == Code::kKeyExpired);
  CHECK(d.serial_at(kEnd - 30 * kDay_ns) == 2);
  CHECK(d.admit(2, kEnd - 30 * kDay_ns) == Code::kKeyRevoked);
  CHECK(d.serial_at(kEnd + kDay_ns) == 2);
}

TEST_CASE("a renewal may keep the gate's keys", "[trust]") {
  Directory d;
  REQUIRE(d.enrol(made_certificate(d.identity, 1, 2), kT) == Code::kOk);
  REQUIRE(d.enrol(made_certificate(d.identity, 2, 2), kT + kDay_ns) == Code::kOk);
  CHECK(d.admit(2, kT + kDay_ns) == Code::kOk);
}

TEST_CASE("a key that serves one gate is not enrolled for another", "[trust]") {
  Directory d;
  REQUIRE(d.enrol(made_certificate(d.identity, 1, 2), kT) == Code::kOk);
  const SigningKey other = made_key(20);
  REQUIRE(d.take(d.keys->with_pin("510521", other.public_key().fingerprint())) == Code::kOk);
  GateCertificate certificate = made_certificate(other, 1, 3);
  certificate.party = "510521";
  certificate.curve_z85 = made_curve(2);
  CHECK(d.enrol(certificate, other, kT) == Code::kCertificateInvalid);
  certificate = made_certificate(other, 1, 2);
  certificate.party = "510521";
  certificate.curve_z85 = made_curve(3);
  CHECK(d.enrol(certificate, other, kT) == Code::kCertificateInvalid);
  certificate = made_certificate(other, 1, 3);
  certificate.party = "510521";
  CHECK(d.enrol(certificate, other, kT) == Code::kOk);
}

TEST_CASE("a revocation holds from its block on and voids nothing that came before", "[trust]") {
  Directory d;
  REQUIRE(d.enrol(made_certificate(d.identity, 1, 2), kT) == Code::kOk);
  const std::int64_t revoked = kT + 5 * kDay_ns;
  Revocation revocation = made_revocation(d.identity, 1);
  revocation.revoked_at_unix_ns = kJan2026_unix_ns;  // a claim that lies before the certificate's first parcel
  REQUIRE(d.revoke(revocation, d.identity, revoked) == Code::kOk);
  CHECK(d.judge(revoked - 1) == Code::kOk);
  CHECK(d.judge(revoked) == Code::kKeyRevoked);
  CHECK(d.judge(kEnd) == Code::kKeyRevoked);
  CHECK(d.admit(2, revoked) == Code::kKeyRevoked);

  SECTION("a second revocation does not move the moment") {
    REQUIRE(d.revoke(made_revocation(d.identity, 1), d.identity, revoked + kDay_ns) == Code::kOk);
    CHECK(d.judge(revoked) == Code::kKeyRevoked);
    CHECK(d.keys->revocations().size() == 1);
  }
  SECTION("a new certificate with a higher serial brings the gate back") {
    REQUIRE(d.enrol(made_certificate(d.identity, 2, 3), revoked + kDay_ns) == Code::kOk);
    CHECK(d.judge(revoked + kDay_ns - 1) == Code::kKeyRevoked);
    CHECK(d.judge(revoked + kDay_ns) == Code::kOk);
    CHECK(d.admit(2, revoked + kDay_ns) == Code::kKeyRevoked);
  }
}

TEST_CASE("a serial that was revoked before it came is refused", "[trust]") {
  Directory d;
  REQUIRE(d.enrol(made_certificate(d.identity, 1, 2), kT) == Code::kOk);
  REQUIRE(d.revoke(made_revocation(d.identity, 5), d.identity, kT + kDay_ns) == Code::kOk);
  CHECK(d.enrol(made_certificate(d.identity, 5, 3), kT + 2 * kDay_ns) == Code::kKeyRevoked);
  CHECK(d.enrol(made_certificate(d.identity, 6, 3), kT + 2 * kDay_ns) == Code::kOk);
}

TEST_CASE("only the party's identity and the hub's operator revoke", "[trust]") {
  Directory d;
  const SigningKey hub = made_key(8);
  const SigningKey thief = made_key(66);
  REQUIRE(d.enrol(made_certificate(d.identity, 1, 2), kT) == Code::kOk);
  CHECK(d.revoke(made_revocation(thief, 1), thief, kT) == Code::kPinMismatch);
  CHECK(d.revoke(made_revocation(made_key(2), 1), made_key(2), kT) == Code::kPinMismatch);  // the gate's own key

  Revocation by_operator = made_revocation(hub, 1);
  by_operator.by = Revocation::By::kOperator;
  by_operator.officer = "李四";
  CHECK(d.revoke(by_operator, hub, kT) == Code::kPinMismatch);  // no hub is known here
  d.keys = d.keys->with_hub(hub.public_key());
  CHECK(d.revoke(made_revocation(hub, 1), hub, kT) == Code::kPinMismatch);  // in the party's form
  Revocation by_thief = by_operator;
  by_thief.signer = thief.public_key();
  CHECK(d.revoke(by_thief, thief, kT) == Code::kPinMismatch);
  CHECK(d.judge(kT) == Code::kOk);
  CHECK(d.revoke(by_operator, hub, kT + 1) == Code::kOk);
  CHECK(d.judge(kT + 1) == Code::kKeyRevoked);

  Revocation unknown = made_revocation(d.identity, 1);
  unknown.gate = "other";
  CHECK(d.revoke(unknown, d.identity, kT) == Code::kKeyUnknown);
}

TEST_CASE("a party that gets a new identity loses what the former one certified, from that block on", "[trust]") {
  Directory d;
  REQUIRE(d.enrol(made_certificate(d.identity, 1, 2), kT) == Code::kOk);
  const SigningKey fresh = made_key(30);
  d.keys = d.keys->with_new_pin("500153", fresh.public_key().fingerprint(), kT + kDay_ns);
  CHECK(d.judge(kT) == Code::kOk);
  CHECK(d.judge(kT + kDay_ns) == Code::kKeyRevoked);
  CHECK(d.enrol(made_certificate(d.identity, 2, 3), kT + kDay_ns) == Code::kPinMismatch);
  CHECK(d.enrol(made_certificate(fresh, 2, 3), fresh, kT + kDay_ns) == Code::kOk);
  CHECK(d.serial_at(kT + kDay_ns) == 2);
}

TEST_CASE("a snapshot that a reader holds does not change", "[trust]") {
  Directory d;
  REQUIRE(d.enrol(made_certificate(d.identity, 1, 2), kT) == Code::kOk);
  const KeyDirectory::Ptr before = d.keys;
  REQUIRE(d.revoke(made_revocation(d.identity, 1), d.identity, kT + 1) == Code::kOk);
  CHECK(code_of(before->judge("500153", "front", kT + 2)) == Code::kOk);
  CHECK(d.judge(kT + 2) == Code::kKeyRevoked);
}

TEST_CASE("a directory comes back whole from its bytes, and damaged bytes are refused", "[trust]") {
  Directory d;
  d.keys = d.keys->with_hub(made_key(8).public_key());
  REQUIRE(d.enrol(made_certificate(d.identity, 1, 2), kT) == Code::kOk);
  REQUIRE(d.enrol(made_certificate(d.identity, 2, 3), kT + kDay_ns) == Code::kOk);
  REQUIRE(d.revoke(made_revocation(d.identity, 2), d.identity, kT + 2 * kDay_ns) == Code::kOk);
  GateCertificate second = made_certificate(d.identity, 1, 5);
  second.gate = "back";
  REQUIRE(d.enrol(second, kT) == Code::kOk);
  const SigningKey fresh = made_key(30);
  d.keys = d.keys->with_new_pin("500153", fresh.public_key().fingerprint(), kT + 3 * kDay_ns);

  const Bytes bytes = d.keys->encode();
  const auto again = KeyDirectory::decode(bytes);
  REQUIRE(again);
  CHECK((*again)->encode() == bytes);
  CHECK((*again)->pins() == d.keys->pins());
  CHECK((*again)->gates().size() == 2);
  CHECK((*again)->gates("500153")[0]->gate == "back");
  CHECK((*again)->gates("510521").empty());
  for (const std::int64_t at : {kT - 1, kT, kT + kDay_ns, kT + 2 * kDay_ns, kT + 3 * kDay_ns, kEnd}) {
    CHECK(code_of((*again)->judge("500153", "front", at)) == d.judge(at));
    CHECK(code_of((*again)->judge("500153", "back", at)) == code_of(d.keys->judge("500153", "back", at)));
    CHECK(code_of((*again)->admit(made_curve(3), at)) == d.admit(3, at));
  }
  CHECK((*again)->with(*sign(made_certificate(fresh, 3, 6), fresh), kT + 4 * kDay_ns));

  for (std::size_t size = 0; size < bytes.size(); size += 3) {
    CHECK(code_of(KeyDirectory::decode(ByteView(bytes).first(size))) == Code::kDamaged);
  }
}
