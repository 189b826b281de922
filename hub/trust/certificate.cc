#include "trust/certificate.h"

#include <charconv>

#include "model/ids.h"
#include "model/time.h"
#include "trust/envelope.h"
#include "trust/strict_json.h"

namespace thalweg::trust {
namespace {

constexpr std::string_view kCertificateType = "application/vnd.thalweg.gate-certificate.v1+json";
constexpr std::string_view kRevocationType = "application/vnd.thalweg.revocation.v1+json";
constexpr std::string_view kHubCardType = "application/vnd.thalweg.hub-card.v1+json";
constexpr std::string_view kManifestType = "application/vnd.thalweg.manifest.v1+json";
constexpr std::size_t kMaxOfficerBytes = 200;
constexpr std::size_t kMaxReasonBytes = 2000;
constexpr std::size_t kMaxAddressBytes = 261;  // a DNS name of 253, brackets or colon, a port of five
constexpr std::size_t kMaxAddresses = 16;
constexpr std::string_view kHostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
constexpr std::int64_t kSecond = 1'000'000'000;

std::string code(Members& members, const char* name) {
  std::string text = members.text(name, 64);
  if (!valid_code(text)) members.fault(name, "is not a code of 1 to 64 letters, digits, '.', '_' and '-'");
  return text;
}

PublicKey key(Members& members, const char* name) {
  const Result<PublicKey> key = PublicKey::parse(members.text(name, 128));
  if (key) return *key;
  const bool foreign = key.error().code == Code::kAlgorithmUnknown;
  members.fault(name, key.error().message, foreign ? Code::kAlgorithmUnknown : Code::kCertificateInvalid);
  return {};
}

std::string curve(Members& members, const char* name) {
  std::string text = members.text(name, 40);
  if (!valid_curve_key(text)) members.fault(name, "is not a CURVE key in Z85");
  return text;
}

Hash256 ledger(Members& members, const char* name) {
  Hash256 id{};
  const std::string text = members.text(name, 64);
  const Result<Bytes> bytes = from_hex(text);
  if (!bytes || bytes->size() != id.size() || to_hex(*bytes) != text) {
    members.fault(name, "is not 64 lower-case hex digits");
  } else {
    std::copy(bytes->begin(), bytes->end(), id.begin());
  }
  return id;
}

std::int64_t time(Members& members, const char* name) {
  const Result<std::int64_t> time = parse_rfc3339(members.text(name, 40));
  if (!time || *time % kSecond != 0) {
    members.fault(name, "is not a time in whole seconds with an offset (RFC 3339)");
    return 0;
  }
  return *time;
}

std::string time_text(std::int64_t unix_ns) { return format_rfc3339(unix_ns); }

bool valid_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.size() > kMaxAddressBytes) return false;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || host.size() < 4) return false;
    host = host.substr(1, host.size() - 2);
    if (host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return false;
  } else if (host.starts_with('-') || host.find_first_not_of(kHostCharacters) != std::string_view::npos) {
    return false;
  }
  unsigned number = 0;
  const auto [end, fault] = std::from_chars(port.data(), port.data() + port.size(), number);
  return fault == std::errc() && end == port.data() + port.size() && number >= 1 && number <= 65535 &&
         port.front() != '0';
}

Error invalid(std::string_view what) { return {Code::kCertificateInvalid, std::string(what)}; }

/// Opens the envelope and gives its payload, which must be of `type`.
Result<nlohmann::json> payload_of(const Envelope& envelope, std::string_view type, std::size_t limit_bytes) {
  if (envelope.payload_type != type) return invalid("this is another kind of document: " + envelope.payload_type);
  return parse_object(envelope.payload, limit_bytes);
}

/// Members stand in the payload in the order in which they are put in here.
std::string dump(const nlohmann::ordered_json& payload) {
  return payload.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

/// The one place where Signed<> documents come from.
struct SignedMaker {
  template <class Content>
  static Result<Signed<Content>> open(ByteView document, std::string_view type,
                                      Result<Content> (*read)(const nlohmann::json&), PublicKey Content::*signer,
                                      std::size_t limit_bytes = kMaxDocumentBytes) {
    TW_ASSIGN(const Envelope envelope, parse_envelope(document, limit_bytes));
    TW_ASSIGN(const nlohmann::json payload, payload_of(envelope, type, limit_bytes));
    TW_ASSIGN(Content content, read(payload));
    if (!signed_by(envelope, content.*signer))
      return invalid("the signature is not by the key that the document names");
    return Signed<Content>(std::move(content), std::string(as_text(document)));
  }

  /// What was signed is read back, so that nobody signs what nobody would accept.
  template <class Content>
  static Result<Signed<Content>> sign(const Content& content, std::string_view type, std::string_view payload,
                                      const SigningKey& key, Result<Signed<Content>> (*open_it)(ByteView),
                                      PublicKey Content::*signer) {
    if (content.*signer != key.public_key()) return invalid("the document names another signer than this key");
    TW_ASSIGN(Signed<Content> made, open_it(as_bytes(seal_envelope(type, payload, key))));
    if (made.content() != content) return invalid("a text or time in the document cannot be kept as it is");
    return made;
  }
};

namespace {

Result<GateCertificate> read_certificate(const nlohmann::json& payload) {
  Members members(payload, "certificate");
  GateCertificate c;
  c.party = code(members, "party");
  c.gate = code(members, "gate");
  c.serial = members.number("serial");
  if (c.serial == 0) members.fault("serial", "counts from 1");
  c.identity = key(members, "identity");
  c.signing = key(members, "signing");
  if (c.signing == c.identity) members.fault("signing", "is the identity key, which stays offline");
  c.curve_z85 = curve(members, "curve");
  c.valid_from_unix_ns = time(members, "valid_from");
  c.valid_to_unix_ns = time(members, "valid_to");
  if (c.valid_to_unix_ns <= c.valid_from_unix_ns) members.fault("valid_to", "is not after valid_from");
  c.receives = members.flag("receives");
  TW_TRY(members.done());
  return c;
}

Result<Revocation> read_revocation(const nlohmann::json& payload) {
  Members members(payload, "revocation");
  Revocation r;
  r.party = code(members, "party");
  r.gate = code(members, "gate");
  r.serial = members.number("serial");
  if (r.serial == 0) members.fault("serial", "counts from 1");
  r.revoked_at_unix_ns = time(members, "revoked_at");
  const std::string by = members.text("by", 16);
  if (by != "party" && by != "operator") members.fault("by", "is neither party nor operator");
  r.by = by == "operator" ? Revocation::By::kOperator : Revocation::By::kParty;
  r.officer = members.text("officer", kMaxOfficerBytes);
  if (r.by == Revocation::By::kOperator && r.officer.empty()) members.fault("officer", "names nobody");
  r.reason = members.text("reason", kMaxReasonBytes);
  r.signer = key(members, "signer");
  TW_TRY(members.done());
  return r;
}

Result<HubCard> read_hub_card(const nlohmann::json& payload) {
  Members members(payload, "hub card");
  HubCard h;
  h.hub = code(members, "hub");
  h.ledger_id = ledger(members, "ledger");
  h.signing = key(members, "signing");
  h.curve_z85 = curve(members, "curve");
  const nlohmann::json& addresses = members.any("addresses");
  h.issued_unix_ns = time(members, "issued");
  if (!addresses.is_array() || addresses.empty() || addresses.size() > kMaxAddresses) {
    members.fault("addresses", "is not a list of 1 to 16 addresses");
  }
  TW_TRY(members.done());
  for (const nlohmann::json& item : addresses) {
    Members address(item, "address");
    h.addresses.push_back({address.text("routine", kMaxAddressBytes), address.text("urgent", kMaxAddressBytes)});
    if (!valid_address(h.addresses.back().routine)) address.fault("routine", "is not HOST:PORT");
    if (!valid_address(h.addresses.back().urgent)) address.fault("urgent", "is not HOST:PORT");
    TW_TRY(address.done());
  }
  return h;
}

Result<Manifest> read_manifest(const nlohmann::json& payload) {
  Members members(payload, "manifest");
  Manifest m;
  m.ledger_id = ledger(members, "ledger");
  m.signing = key(members, "signing");
  m.party = code(members, "party");
  m.epoch = members.number("epoch");
  m.version = members.number("version");
  if (m.version == 0) members.fault("version", "counts from 1");
  const nlohmann::json& region = members.any("region");
  if (!region.is_object()) members.fault("region", "is not an object");
  TW_TRY(members.done());
  m.region = region.dump();
  return m;
}

}  // namespace

Result<Signed<GateCertificate>> open_certificate(ByteView document) {
  return SignedMaker::open(document, kCertificateType, read_certificate, &GateCertificate::identity);
}

Result<Signed<Revocation>> open_revocation(ByteView document) {
  return SignedMaker::open(document, kRevocationType, read_revocation, &Revocation::signer);
}

Result<Signed<HubCard>> open_hub_card(ByteView document) {
  return SignedMaker::open(document, kHubCardType, read_hub_card, &HubCard::signing);
}

Result<Signed<Manifest>> open_manifest(ByteView document) {
  return SignedMaker::open(document, kManifestType, read_manifest, &Manifest::signing, kMaxManifestBytes);
}

Result<Signed<GateCertificate>> sign(const GateCertificate& c, const SigningKey& identity) {
  nlohmann::ordered_json payload = {{"party", c.party},
                                    {"gate", c.gate},
                                    {"serial", c.serial},
                                    {"identity", c.identity.text()},
                                    {"signing", c.signing.text()},
                                    {"curve", c.curve_z85},
                                    {"valid_from", time_text(c.valid_from_unix_ns)},
                                    {"valid_to", time_text(c.valid_to_unix_ns)},
                                    {"receives", c.receives}};
  return SignedMaker::sign(c, kCertificateType, dump(payload), identity, open_certificate, &GateCertificate::identity);
}

Result<Signed<Revocation>> sign(const Revocation& r, const SigningKey& signer) {
  nlohmann::ordered_json payload = {{"party", r.party},
                                    {"gate", r.gate},
                                    {"serial", r.serial},
                                    {"revoked_at", time_text(r.revoked_at_unix_ns)},
                                    {"by", r.by == Revocation::By::kOperator ? "operator" : "party"},
                                    {"officer", r.officer},
                                    {"reason", r.reason},
                                    {"signer", r.signer.text()}};
  return SignedMaker::sign(r, kRevocationType, dump(payload), signer, open_revocation, &Revocation::signer);
}

Result<Signed<HubCard>> sign(const HubCard& h, const SigningKey& hub) {
  nlohmann::ordered_json addresses = nlohmann::ordered_json::array();
  for (const HubAddress& address : h.addresses) {
    addresses.push_back({{"routine", address.routine}, {"urgent", address.urgent}});
  }
  nlohmann::ordered_json payload = {
      {"hub", h.hub},         {"ledger", to_hex(h.ledger_id)}, {"signing", h.signing.text()},
      {"curve", h.curve_z85}, {"addresses", addresses},        {"issued", time_text(h.issued_unix_ns)}};
  return SignedMaker::sign(h, kHubCardType, dump(payload), hub, open_hub_card, &HubCard::signing);
}

Result<Signed<Manifest>> sign(const Manifest& m, const SigningKey& hub) {
  auto region = nlohmann::ordered_json::parse(m.region, nullptr, false);
  if (!region.is_object()) return invalid("manifest: \"region\" is not an object");
  nlohmann::ordered_json payload = {
      {"ledger", to_hex(m.ledger_id)}, {"signing", m.signing.text()}, {"party", m.party}, {"epoch", m.epoch},
      {"version", m.version},          {"region", std::move(region)}};
  return SignedMaker::sign(m, kManifestType, dump(payload), hub, open_manifest, &Manifest::signing);
}

Result<DocumentKind> document_kind(ByteView document) {
  TW_ASSIGN(const Envelope envelope, parse_envelope(document));
  if (envelope.payload_type == kCertificateType) return DocumentKind::kCertificate;
  if (envelope.payload_type == kRevocationType) return DocumentKind::kRevocation;
  if (envelope.payload_type == kHubCardType) return DocumentKind::kHubCard;
  return invalid("a kind of document that is not known: " + envelope.payload_type);
}

}  // namespace thalweg::trust
