#include "trust/envelope.h"

#include "trust/strict_json.h"

namespace thalweg::trust {
namespace {

constexpr std::size_t kMaxTypeBytes = 128;

/// DSSE's pre-authentication encoding: what is signed.
Bytes encode_for_signing(std::string_view type, std::string_view payload) {
  std::string message = "DSSEv1 ";
  message.append(std::to_string(type.size())).append(" ").append(type).append(" ");
  message.append(std::to_string(payload.size())).append(" ").append(payload);
  return {message.begin(), message.end()};
}

bool lower_hex(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string seal_envelope(std::string_view payload_type, std::string_view payload, const SigningKey& key) {
  // Every part is plain ASCII without characters that JSON escapes, so it is put together as text, in DSSE's order.
  std::string document = R"({"payloadType":")";
  document.append(payload_type).append(R"(","payload":")").append(to_base64(as_bytes(payload)));
  document.append(R"(","signatures":[{"alg":"ed25519","key":")").append(to_hex(key.public_key().fingerprint()));
  document.append(R"(","sig":")").append(to_base64(key.sign_raw(encode_for_signing(payload_type, payload))));
  document.append(R"("}]})");
  return document;
}

Result<Envelope> parse_envelope(ByteView document, std::size_t limit_bytes) {
  TW_ASSIGN(const nlohmann::json object, parse_object(as_text(document), limit_bytes));
  Envelope envelope;
  Members members(object, "envelope");
  envelope.payload_type = members.text("payloadType", kMaxTypeBytes);
  const Result<Bytes> payload = from_base64(members.text("payload", limit_bytes));
  if (!payload) members.fault("payload", "is not base64");
  const nlohmann::json& signatures = members.any("signatures");
  if (!signatures.is_array() || signatures.size() != 1) members.fault("signatures", "is not a list of one signature");
  TW_TRY(members.done());
  envelope.payload = std::string(as_text(*payload));

  Members one(signatures.front(), "signature");
  if (one.text("alg", 32) != "ed25519") {
    one.fault("alg", "is an algorithm that is not known; this version knows ed25519 only", Code::kAlgorithmUnknown);
  }
  envelope.signer_fingerprint = one.text("key", 64);
  if (!lower_hex(envelope.signer_fingerprint)) one.fault("key", "is not a fingerprint of 64 lower-case hex digits");
  const Result<Bytes> signature = from_base64(one.text("sig", 128));
  if (!signature || signature->size() != envelope.signature.size()) one.fault("sig", "is not 64 bytes in base64");
  TW_TRY(one.done());
  std::copy(signature->begin(), signature->end(), envelope.signature.begin());
  return envelope;
}

bool signed_by(const Envelope& envelope, const PublicKey& key) {
  if (envelope.signer_fingerprint != to_hex(key.fingerprint())) return false;
  const Result<Verifier> verifier = Verifier::make(key);
  return verifier &&
         verifier->verify_raw(encode_for_signing(envelope.payload_type, envelope.payload), envelope.signature);
}

}  // namespace thalweg::trust
