// envelope.h: DSSE envelopes in JSON: a payload, its type, one signature. Used by certificate.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "trust/certificate.h"
#include "trust/keys.h"

namespace thalweg::trust {

struct Envelope {
  std::string payload_type;
  std::string payload;
  std::string signer_fingerprint;  ///< 64 lower-case hex digits
  Signature signature{};
};

/// The envelope as JSON on one line, without a line end.
std::string seal_envelope(std::string_view payload_type, std::string_view payload, const SigningKey& key);
/// Reads the form; the signature is not checked. Errors: kCertificateInvalid, kAlgorithmUnknown.
Result<Envelope> parse_envelope(ByteView document, std::size_t limit_bytes = kMaxDocumentBytes);
/// True when `key` is the named signer and has signed type and payload.
bool signed_by(const Envelope& envelope, const PublicKey& key);

}  // namespace thalweg::trust
