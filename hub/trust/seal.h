// seal.h: parcels with their signature: made by the origin, checked by the hub and by every receiver.
// The bytes are docs/formats/parcel.md; what is signed is docs/formats/trust.md.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/hash.h"

namespace thalweg {
struct ParcelHeader;
struct ParcelView;
class ParcelBody;
struct PartView;
class PartBody;
enum class Compression : std::uint8_t;
}  // namespace thalweg

namespace thalweg::trust {

class SigningKey;
class Verifier;
struct PublicKey;

/// Makes a whole parcel of `records` (not empty). Fills in `header.count` and `header.merkle_root` (the next
/// parcel's previous root) and the algorithms; everything else in the header is the caller's.
///
/// Costs one signature, and 0.8 µs per KB for hashing and 1 µs for kLz4. Errors: kParcelTooLarge, kInvalid (no records,
/// names that are no codes).
Result<Bytes> seal_parcel(ParcelHeader& header, std::span<const ByteView> records, const SigningKey& key,
                          Compression compression);

/// Checks the signature alone, of a parcel or a part: who vouches for this header. Cheap refusal before a body is
/// expanded. Errors: kAlgorithmUnknown, kParcelSignature.
Status check_signature(const ParcelView& parcel, const Verifier& key);
Status check_signature(const PartView& part, const Verifier& key);

/// Checks that `body` is what the signed root says. 0.7 µs per KB. Errors: kParcelRoot.
Status check_root(const ParcelView& parcel, const ParcelBody& body);

/// check_signature(), then check_root(). `key` is the gate's at the parcel's block (KeyDirectory::judge).
/// Errors: kAlgorithmUnknown, kParcelSignature, kParcelRoot.
Status check_parcel(const ParcelView& parcel, const ParcelBody& body, const Verifier& key);
Status check_parcel(const ParcelView& parcel, const ParcelBody& body, const PublicKey& key);

/// Makes a part of a parcel for a receiver who may see only the records `indexes` (ascending, each once): header and
/// signature unchanged, each record with its Merkle path.
/// Errors: kInvalid for indexes that do not ascend or lie beyond the parcel.
Result<Bytes> make_part(const ParcelView& parcel, const ParcelBody& body, std::span<const std::uint32_t> indexes,
                        Compression compression);

/// Checks a part: the signature, and every record's path to the signed root.
/// Errors: kAlgorithmUnknown, kParcelSignature, kProofInvalid (the message names the index).
Status check_part(const PartView& part, const PartBody& body, const Verifier& key);
Status check_part(const PartView& part, const PartBody& body, const PublicKey& key);

}  // namespace thalweg::trust
