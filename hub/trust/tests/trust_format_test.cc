// What docs/formats/trust.md and the signatures in docs/formats/parcel.md say, read from the pages themselves.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "model/parcel.h"
#include "model/parcel_part.h"
#include "trust/checkpoint.h"
#include "trust/envelope.h"
#include "trust/merkle.h"
#include "trust/seal.h"
#include "trust/tests/made_keys.h"

using namespace thalweg;
using namespace thalweg::trust;

namespace {

/// The fenced block that begins with the line "```<label>".
std::string block(const std::string& page, const std::string& label) {
  std::ifstream in(std::string(THALWEG_SOURCE_DIR) + "/docs/formats/" + page);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const std::string open = "\n```" + label + "\n";
  const std::size_t begin = text.find(open);
  INFO(page << ": " << label);
  REQUIRE(begin != std::string::npos);
  const std::size_t from = begin + open.size();
  return text.substr(from, text.find("\n```", from) - from);
}

/// The bytes of a block of hex digits with comments behind ';'.
Bytes hex_block(const std::string& page, const std::string& name) {
  std::string digits;
  bool comment = false;
  for (const char c : block(page, "hex " + name)) {
    comment = c == '\n' ? false : comment || c == ';';
    if (!comment && c != '\n' && c != ' ') digits += c;
  }
  return *from_hex(digits);
}

const SigningKey kIdentity = made_key(1);
const SigningKey kGate = made_key(2);
const SigningKey kHub = made_key(8);

}  // namespace

TEST_CASE("keys and fingerprints are those of the page", "[trust][format]") {
  CHECK(kIdentity.public_key().text() == block("trust.md", "text identity-key"));
  const Hash256 fingerprint = kIdentity.public_key().fingerprint();
  CHECK(to_hex(fingerprint) + "\n" + fingerprint_text(fingerprint) == block("trust.md", "text identity-fingerprint"));
}

TEST_CASE("signed bytes and signature are those of the page", "[trust][format]") {
  const Bytes message = hex_block("trust.md", "signed-bytes");
  const Signature signature = kGate.sign(domain::kParcel, {as_bytes("abc")});
  CHECK(Bytes(signature.begin(), signature.end()) == hex_block("trust.md", "signature"));
  CHECK(kGate.sign_raw(message) == signature);
}

TEST_CASE("the tree is that of the page", "[trust][format]") {
  std::vector<Hash256> leaves;
  Bytes bytes;
  for (const char* text : {"a", "b", "c"}) leaves.push_back(leaf_hash(kWholeRecord, as_bytes(text)));
  const Hash256 node = path(leaves, 2).at(0);
  for (const Hash256& hash : {leaves[0], leaves[1], leaves[2], node, root(leaves)}) {
    bytes.insert(bytes.end(), hash.begin(), hash.end());
  }
  CHECK(bytes == hex_block("trust.md", "tree"));
}

TEST_CASE("the documents of the page open, and are made the same again", "[trust][format]") {
  const std::string certificate = block("trust.md", "json certificate");
  CHECK(open_certificate(as_bytes(certificate))->content() == made_certificate(kIdentity, 1, 2));
  CHECK(sign(made_certificate(kIdentity, 1, 2), kIdentity)->document() == certificate);
  CHECK(parse_envelope(as_bytes(certificate))->payload == block("trust.md", "json certificate-payload"));

  const std::string revocation = block("trust.md", "json revocation");
  CHECK(open_revocation(as_bytes(revocation))->content() == made_revocation(kIdentity, 1));
  CHECK(sign(made_revocation(kIdentity, 1), kIdentity)->document() == revocation);
  CHECK(parse_envelope(as_bytes(revocation))->payload == block("trust.md", "json revocation-payload"));

  const std::string card = block("trust.md", "json hub-card");
  CHECK(open_hub_card(as_bytes(card))->content() == made_hub_card(kHub));
  CHECK(sign(made_hub_card(kHub), kHub)->document() == card);
  CHECK(parse_envelope(as_bytes(card))->payload == block("trust.md", "json hub-card-payload"));

  const std::string manifest = block("trust.md", "json manifest");
  CHECK(open_manifest(as_bytes(manifest))->content() == made_manifest(kHub));
  CHECK(sign(made_manifest(kHub), kHub)->document() == manifest);
  CHECK(parse_envelope(as_bytes(manifest))->payload == block("trust.md", "json manifest-payload"));
}

TEST_CASE("the checkpoint of the page opens, and is made the same again", "[trust][format]") {
  const Bytes bytes = hex_block("trust.md", "checkpoint");
  const Result<Checkpoint> checkpoint = open_checkpoint(bytes, *Verifier::make(kHub.public_key()));
  REQUIRE(checkpoint);
  CHECK(checkpoint->block == 1234);
  CHECK(checkpoint->epoch == 2);
  CHECK(checkpoint->lane == Lane::kUrgent);
  CHECK(checkpoint->time_unix_ns == kJan2026_unix_ns);
  CHECK(sign_checkpoint(*checkpoint, kHub) == bytes);
}

TEST_CASE("parcel and part of parcel.md are signed by the key that it names", "[trust][format]") {
  PublicKey key;  // RFC 8032, 7.1, test 1
  const Bytes raw = *from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  std::copy(raw.begin(), raw.end(), key.bytes.begin());

  const Bytes parcel = hex_block("parcel.md", "parcel");
  const Result<ParcelView> view = ParcelView::parse(parcel);
  REQUIRE(view);
  const ParcelBody body = *ParcelBody::expand(*view);
  CHECK(check_parcel(*view, body, key));

  const Bytes part = hex_block("parcel.md", "part");
  const Result<PartView> part_view = PartView::parse(part);
  REQUIRE(part_view);
  CHECK(check_part(*part_view, *PartBody::expand(*part_view), key));
  const std::uint32_t second[] = {1};
  CHECK(*make_part(*view, body, second, Compression::kNone) == part);
}
