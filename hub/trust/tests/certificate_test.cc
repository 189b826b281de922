#include "trust/certificate.h"

#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "trust/envelope.h"
#include "trust/tests/made_keys.h"

using namespace thalweg;
using namespace thalweg::trust;

namespace {

constexpr std::string_view kCertificateType = "application/vnd.thalweg.gate-certificate.v1+json";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

template <class T>
Code code_of(const Result<T>& result) {
  return result ? Code::kOk : result.error().code;
}

/// The payload of a good certificate, changed by the test and signed anew: what a faulty or hostile party could sign.
Code with_payload(std::string_view from, std::string_view to) {
  const SigningKey identity = made_key(1);
  const std::string good =
      parse_envelope(as_bytes(sign(made_certificate(identity, 1, 2), identity)->document()))->payload;
  return code_of(open_certificate(as_bytes(seal_envelope(kCertificateType, replaced(good, from, to), identity))));
}

}  // namespace

TEST_CASE("a certificate, a revocation, a hub card and a manifest come back as they were signed", "[trust]") {
  const SigningKey identity = made_key(1);
  GateCertificate certificate = made_certificate(identity, 7, 2);
  certificate.receives = false;
  CHECK(open_certificate(as_bytes(sign(certificate, identity)->document()))->content() == certificate);

  Revocation revocation = made_revocation(identity, 7);
  CHECK(open_revocation(as_bytes(sign(revocation, identity)->document()))->content() == revocation);
  const SigningKey hub = made_key(8);
  revocation = made_revocation(hub, 7);
  revocation.by = Revocation::By::kOperator;
  revocation.officer = "张三";
  CHECK(open_revocation(as_bytes(sign(revocation, hub)->document()))->content() == revocation);

  const HubCard card = made_hub_card(hub);
  CHECK(open_hub_card(as_bytes(sign(card, hub)->document()))->content() == card);
  const Manifest manifest = made_manifest(hub);
  CHECK(open_manifest(as_bytes(sign(manifest, hub)->document()))->content() == manifest);
}

TEST_CASE("a manifest may be as large as the link carries, and not nested without end", "[trust]") {
  const SigningKey hub = made_key(8);
  Manifest manifest = made_manifest(hub);
  manifest.region = R"({"names":")" + std::string(700'000, 'x') + R"("})";
  CHECK(open_manifest(as_bytes(sign(manifest, hub)->document()))->content() == manifest);
  manifest.region = R"({"names":")" + std::string(kMaxManifestBytes, 'x') + R"("})";
  CHECK(code_of(sign(manifest, hub)) == Code::kCertificateInvalid);
  const Envelope good = *parse_envelope(as_bytes(sign(made_manifest(hub), hub)->document()));
  const std::string deep = replaced(good.payload, R"("sections":[])",
                                    R"("sections":)" + std::string(100'000, '[') + std::string(100'000, ']'));
  CHECK(code_of(open_manifest(as_bytes(seal_envelope(good.payload_type, deep, hub)))) == Code::kCertificateInvalid);
}

TEST_CASE("each kind of document is told by its type and opens as no other", "[trust]") {
  const SigningKey key = made_key(1);
  const std::string certificate = sign(made_certificate(key, 1, 2), key)->document();
  const std::string revocation = sign(made_revocation(key, 1), key)->document();
  const std::string card = sign(made_hub_card(key), key)->document();
  CHECK(*document_kind(as_bytes(certificate)) == DocumentKind::kCertificate);
  CHECK(*document_kind(as_bytes(revocation)) == DocumentKind::kRevocation);
  CHECK(*document_kind(as_bytes(card)) == DocumentKind::kHubCard);
  CHECK(code_of(open_certificate(as_bytes(revocation))) == Code::kCertificateInvalid);
  CHECK(code_of(open_revocation(as_bytes(card))) == Code::kCertificateInvalid);
  CHECK(code_of(open_hub_card(as_bytes(certificate))) == Code::kCertificateInvalid);
  CHECK(code_of(open_manifest(as_bytes(card))) == Code::kCertificateInvalid);
  const std::string other = seal_envelope("text/plain", "{}", key);
  CHECK(code_of(document_kind(as_bytes(other))) == Code::kCertificateInvalid);
}

TEST_CASE("a certificate with any bit changed is refused", "[trust]") {
  const SigningKey identity = made_key(1);
  const std::string good = sign(made_certificate(identity, 1, 2), identity)->document();
  REQUIRE(open_certificate(as_bytes(good)));
  std::size_t accepted = 0;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    if (open_certificate(as_bytes(bad))) ++accepted;
  }
  CHECK(accepted == 0);
}

TEST_CASE("a certificate that is cut off, or has anything behind it, is refused", "[trust]") {
  const SigningKey identity = made_key(1);
  const std::string good = sign(made_certificate(identity, 1, 2), identity)->document();
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(open_certificate(as_bytes(std::string_view(good).substr(0, size))));
  }
  CHECK(open_certificate(as_bytes(good + "\n")));  // as it stands in a file
  CHECK_FALSE(open_certificate(as_bytes(good + good)));
  CHECK_FALSE(open_certificate(as_bytes(good + "x")));
}

TEST_CASE("a document signed by another key than it names is refused", "[trust]") {
  const SigningKey identity = made_key(1);
  const SigningKey thief = made_key(66);
  const GateCertificate certificate = made_certificate(identity, 1, 2);
  CHECK(code_of(sign(certificate, thief)) == Code::kCertificateInvalid);

  const Envelope good = *parse_envelope(as_bytes(sign(certificate, identity)->document()));
  const std::string forged = seal_envelope(kCertificateType, good.payload, thief);
  CHECK(code_of(open_certificate(as_bytes(forged))) == Code::kCertificateInvalid);
  // The thief's signature under the name of the identity.
  const std::string named = replaced(forged, to_hex(thief.public_key().fingerprint()), good.signer_fingerprint);
  CHECK(code_of(open_certificate(as_bytes(named))) == Code::kCertificateInvalid);
  // A signature over the payload under another type.
  const std::string typed =
      replaced(seal_envelope("text/plain", good.payload, identity), "text/plain", kCertificateType);
  CHECK(code_of(open_certificate(as_bytes(typed))) == Code::kCertificateInvalid);
}

TEST_CASE("a payload that was signed as one kind of document is not taken for another", "[trust]") {
  const SigningKey identity = made_key(1);
  const std::string document = sign(made_certificate(identity, 1, 2), identity)->document();
  const std::string payload = parse_envelope(as_bytes(document))->payload;
  const std::string other = seal_envelope("application/vnd.thalweg.revocation.v1+json", payload, identity);
  CHECK(code_of(open_certificate(as_bytes(other))) == Code::kCertificateInvalid);
}

TEST_CASE("an algorithm that is not known is named as such", "[trust]") {
  const SigningKey identity = made_key(1);
  const std::string good = sign(made_certificate(identity, 1, 2), identity)->document();
  CHECK(code_of(open_certificate(as_bytes(replaced(good, R"("alg":"ed25519")", R"("alg":"sm2")")))) ==
        Code::kAlgorithmUnknown);
  CHECK(with_payload(R"("signing":"ed25519:)", R"("signing":"sm2:)") == Code::kAlgorithmUnknown);
}

TEST_CASE("an envelope has its members, each once and of the right form, and no others", "[trust]") {
  const SigningKey identity = made_key(1);
  const std::string good = sign(made_certificate(identity, 1, 2), identity)->document();
  const auto outcome = [&](std::string_view from, std::string_view to) {
    return code_of(open_certificate(as_bytes(replaced(good, from, to))));
  };
  CHECK(outcome(R"("payloadType")", R"( "payloadType")") == Code::kOk);
  CHECK(outcome(R"({"payloadType")", R"({"x":1,"payloadType")") == Code::kCertificateInvalid);
  CHECK(outcome(R"({"alg")", R"({"x":1,"alg")") == Code::kCertificateInvalid);
  CHECK(outcome(R"({"alg":"ed25519")", R"({"alg":"ed25519","alg":"ed25519")") == Code::kCertificateInvalid);
  CHECK(outcome(R"("alg":"ed25519",)", "") == Code::kCertificateInvalid);
  CHECK(outcome(R"([{"alg")", R"([{},{"alg")") == Code::kCertificateInvalid);
  CHECK(outcome(R"([{"alg")", R"([7,{"alg")") == Code::kCertificateInvalid);
  CHECK(outcome(R"("payload":")", R"("payload":" )") == Code::kCertificateInvalid);
  CHECK(outcome(R"("sig":")", R"("sig":"AAAA)") == Code::kCertificateInvalid);
  for (const char* text :
       {"", "null", "[]", "7", "\"\"", "{}", "{", R"({"payloadType":1,"payload":2,"signatures":3})",
        R"({"payloadType":"a","payload":"","signatures":[]})", R"({"payloadType":"a","payload":"","signatures":[1]})",
        R"({"payloadType":"a","payload":"","signatures":[[]]})", "\xff\xfe", "{\"\xff\":1}"}) {
    INFO(text);
    CHECK(code_of(open_certificate(as_bytes(text))) == Code::kCertificateInvalid);
  }
  std::string deep = R"({"payloadType":)" + std::string(30'000, '[');
  CHECK(code_of(open_certificate(as_bytes(deep))) == Code::kCertificateInvalid);
  deep += std::string(30'000, ']') + "}";
  CHECK(code_of(open_certificate(as_bytes(deep))) == Code::kCertificateInvalid);
  CHECK(code_of(open_certificate(as_bytes(good + std::string(kMaxDocumentBytes, ' ')))) == Code::kCertificateInvalid);
}

TEST_CASE("a certificate whose signed payload is faulty is refused, with the member's name", "[trust]") {
  REQUIRE(with_payload("\"party\"", "\"party\"") == Code::kOk);
  const std::pair<const char*, const char*> changes[] = {
      {R"("party":"500153")", R"("party":"../etc")"},
      {R"("party":"500153")", R"("party":"")"},
      {R"("party":"500153")", R"("party":500153)"},
      {R"("party":"500153",)", ""},
      {R"("party":"500153")", R"("party":"500153","party":"510521")"},
      {R"("gate":"front")", R"("gate":"fr/ont")"},
      {R"("serial":1)", R"("serial":0)"},
      {R"("serial":1)", R"("serial":-1)"},
      {R"("serial":1)", R"("serial":1.0)"},
      {R"("serial":1)", R"("serial":9007199254740992)"},
      {R"("serial":1)", R"("serial":"1")"},
      {R"("identity":"ed25519:)", R"("identity":"ed25519:A)"},
      {R"("signing":"ed25519:)", R"("signing":")"},
      {R"("curve":")", R"("curve":"~)"},
      {R"("valid_from":"2026-01-01T00:00:00+08:00")", R"("valid_from":"2026-01-01T00:00:00")"},
      {R"("valid_from":"2026-01-01T00:00:00+08:00")", R"("valid_from":"2026-01-01T00:00:00.5+08:00")"},
      {R"("valid_from":"2026-01-01T00:00:00+08:00")", R"("valid_from":"2027-01-01T00:00:00+08:00")"},
      {R"("valid_from":"2026-01-01T00:00:00+08:00")", R"("valid_from":1767196800)"},
      {R"("receives":true)", R"("receives":1)"},
      {R"("receives":true)", R"("receives":true,"admin":true)"},
  };
  for (const auto& [from, to] : changes) {
    INFO(to);
    CHECK(with_payload(from, to) == Code::kCertificateInvalid);
  }
  const SigningKey identity = made_key(1);
  GateCertificate certificate = made_certificate(identity, 1, 2);
  certificate.gate = "a b";
  const auto refused = sign(certificate, identity);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("\"gate\"") != std::string::npos);
}

TEST_CASE("nobody signs a content that nobody would accept", "[trust]") {
  const SigningKey identity = made_key(1);
  const auto outcome = [&](const std::function<void(GateCertificate&)>& change) {
    GateCertificate certificate = made_certificate(identity, 1, 2);
    change(certificate);
    return code_of(sign(certificate, identity));
  };
  CHECK(outcome([](GateCertificate&) {}) == Code::kOk);
  CHECK(outcome([](GateCertificate& c) { c.valid_from_unix_ns += 1; }) == Code::kCertificateInvalid);
  CHECK(outcome([](GateCertificate& c) { c.valid_to_unix_ns = c.valid_from_unix_ns; }) == Code::kCertificateInvalid);
  CHECK(outcome([](GateCertificate& c) { c.signing = c.identity; }) == Code::kCertificateInvalid);
  CHECK(outcome([](GateCertificate& c) { c.curve_z85 = ""; }) == Code::kCertificateInvalid);
  CHECK(outcome([](GateCertificate& c) { c.signing = PublicKey{}; }) == Code::kCertificateInvalid);
  CHECK(outcome([](GateCertificate& c) { c.party = "\xff"; }) == Code::kCertificateInvalid);

  Revocation revocation = made_revocation(identity, 1);
  revocation.reason = "\xff";
  CHECK(code_of(sign(revocation, identity)) == Code::kCertificateInvalid);
  revocation.reason = "a\nb";
  CHECK(code_of(sign(revocation, identity)) == Code::kCertificateInvalid);
  revocation.reason = std::string(2001, 'a');
  CHECK(code_of(sign(revocation, identity)) == Code::kCertificateInvalid);
  revocation = made_revocation(identity, 1);
  revocation.by = Revocation::By::kOperator;  // without an officer
  CHECK(code_of(sign(revocation, identity)) == Code::kCertificateInvalid);
}

TEST_CASE("the addresses of a hub card are host and port", "[trust]") {
  const SigningKey hub = made_key(8);
  const auto outcome = [&](const std::string& address) {
    HubCard card = made_hub_card(hub);
    card.addresses = {{address, "10.0.0.1:7402"}};
    return code_of(sign(card, hub));
  };
  CHECK(outcome("10.0.0.1:1") == Code::kOk);
  CHECK(outcome("hub-1.example.cn:65535") == Code::kOk);
  CHECK(outcome("[fd00::1]:7401") == Code::kOk);
  for (const char* bad : {"", ":", ":7401", "host", "host:", "host:0", "host:65536", "host:99999999999", "host:+1",
                          "host:07401", "ho st:7401", "-v:7401", "tcp://host:7401", "[]:7401", "[host]:7401",
                          "[fd00::1:7401", "a;b:7401", "fd00::1:7401"}) {
    INFO(bad);
    CHECK(outcome(bad) == Code::kCertificateInvalid);
  }
  HubCard card = made_hub_card(hub);
  card.addresses.clear();
  CHECK(code_of(sign(card, hub)) == Code::kCertificateInvalid);
  card.addresses.assign(17, {"10.0.0.1:7401", "10.0.0.1:7402"});
  CHECK(code_of(sign(card, hub)) == Code::kCertificateInvalid);
}
