// certificate.h: signed documents: certificate of a gate, revocation, hub card, manifest.
//
// All are DSSE envelopes in JSON (docs/formats/trust.md). They are public: an enrolment file is the document.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "trust/keys.h"

namespace thalweg::trust {

inline constexpr std::size_t kMaxDocumentBytes = 64 * 1024;
inline constexpr std::size_t kMaxManifestBytes = 1024 * 1024;  ///< what a DOCUMENT of the link holds

/// What a party's identity key says about one gate: the two keys that speak for it, and for how long.
struct GateCertificate {
  std::string party;
  std::string gate;
  std::uint64_t serial = 0;             ///< from 1, counts up per gate: the newest replaces the older
  PublicKey identity;                   ///< the party's; also the signer
  PublicKey signing;                    ///< signs parcels and settlements
  std::string curve_z85;                ///< opens the link
  std::int64_t valid_from_unix_ns = 0;  ///< whole seconds
  std::int64_t valid_to_unix_ns = 0;    ///< whole seconds; not valid any more at this moment
  bool receives = true;                 ///< what is sent to the party is delivered to this gate

  bool operator==(const GateCertificate&) const = default;
};

/// Withdraws every certificate of one gate up to and including `serial`. Signed by the party's identity, or by the hub
/// for its operator. It holds from the ledger block that records it; `revoked_at` is what people say.
struct Revocation {
  enum class By { kParty, kOperator };
  std::string party;
  std::string gate;
  std::uint64_t serial = 0;
  std::int64_t revoked_at_unix_ns = 0;
  By by = By::kParty;
  std::string officer;  ///< who decided, as text; may be empty for kParty
  std::string reason;
  PublicKey signer;  ///< the party's identity or the hub's key

  bool operator==(const Revocation&) const = default;
};

/// Where a hub is reached: "host:port" per lane.
struct HubAddress {
  std::string routine;
  std::string urgent;
  bool operator==(const HubAddress&) const = default;
};

/// What a gate needs to know of its hub. Signed by the hub's own key; believed after its fingerprint was read out.
struct HubCard {
  std::string hub;
  Hash256 ledger_id{};
  PublicKey signing;  ///< also the signer: checkpoints, records of the hub, revocations by its operator
  std::string curve_z85;
  std::vector<HubAddress> addresses;  ///< 1 to 16, in order of preference
  std::int64_t issued_unix_ns = 0;

  bool operator==(const HubCard&) const = default;
};

/// What a hub tells the gates of one party about the region. Signed by the hub's own key.
struct Manifest {
  Hash256 ledger_id{};
  std::string party;          ///< whom it is for
  std::uint64_t epoch = 0;    ///< of the ledger: a restored hub may count versions anew
  std::uint64_t version = 0;  ///< of the region, from 1
  std::string region;         ///< an object in JSON, sorted and without blanks: names, telephones, routes
  PublicKey signing;          ///< also the signer

  bool operator==(const Manifest&) const = default;
};

/// A document whose signature was checked: there is no other way to come by one than sign() and open_...().
template <class Content>
class Signed {
 public:
  const Content& content() const { return content_; }
  const Content* operator->() const { return &content_; }
  /// The envelope, as it was given or made: for the ledger, for relaying, for a file.
  const std::string& document() const { return document_; }

 private:
  friend struct SignedMaker;
  Signed(Content content, std::string document) : content_(std::move(content)), document_(std::move(document)) {}
  Content content_;
  std::string document_;
};

/// Signs. The key must be the one that the content names (identity, signer, signing).
/// Errors: kCertificateInvalid for a content that open_...() would refuse.
Result<Signed<GateCertificate>> sign(const GateCertificate& content, const SigningKey& identity);
Result<Signed<Revocation>> sign(const Revocation& content, const SigningKey& signer);
Result<Signed<HubCard>> sign(const HubCard& content, const SigningKey& hub);
Result<Signed<Manifest>> sign(const Manifest& content, const SigningKey& hub);

/// Reads a document from anywhere and checks form and signature, and that the key named inside is the signer. Says
/// nothing about whether that key may be believed, nor about the time: see KeyDirectory.
/// Errors: kCertificateInvalid (the message names the member), kAlgorithmUnknown.
Result<Signed<GateCertificate>> open_certificate(ByteView document);
Result<Signed<Revocation>> open_revocation(ByteView document);
Result<Signed<HubCard>> open_hub_card(ByteView document);
Result<Signed<Manifest>> open_manifest(ByteView document);

enum class DocumentKind { kCertificate, kRevocation, kHubCard };
/// By its payloadType alone; nothing is checked. A manifest is in no file, and none of these. Errors:
/// kCertificateInvalid.
Result<DocumentKind> document_kind(ByteView document);

}  // namespace thalweg::trust
