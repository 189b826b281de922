#include "trust/seal.h"

#include <algorithm>
#include <vector>

#include "model/parcel.h"
#include "model/parcel_part.h"
#include "trust/keys.h"
#include "trust/merkle.h"

namespace thalweg::trust {
namespace {

std::string place(const ParcelHeader& header) {
  return "parcel " + std::to_string(header.number) + " of " + header.stream().text();
}

Status check(const ParcelHeader& header, ByteView signed_bytes, ByteView signature, const Verifier& key) {
  if (header.signature_algorithm != key.key().algorithm || header.hash_algorithm != kSha256) {
    return Error{Code::kAlgorithmUnknown, place(header) + " uses algorithms that this key or version does not"};
  }
  Signature bytes;
  if (signature.size() != bytes.size()) return Error{Code::kParcelSignature, place(header) + " has no signature"};
  std::copy(signature.begin(), signature.end(), bytes.begin());
  if (!key.verify(domain::kParcel, {signed_bytes}, bytes)) {
    return Error{Code::kParcelSignature, place(header) + " is not signed by the key of this gate"};
  }
  return {};
}

std::vector<Hash256> leaves_of(const ParcelBody& body) {
  std::vector<Hash256> leaves;
  leaves.reserve(body.count());
  for (std::size_t i = 0; i < body.count(); ++i) leaves.push_back(leaf_hash(body.kind(i), body.record(i)));
  return leaves;
}

}  // namespace

Result<Bytes> seal_parcel(ParcelHeader& header, std::span<const ByteView> records, const SigningKey& key,
                          Compression compression) {
  if (records.empty() || header.number == 0 || !valid_code(header.party) || !valid_code(header.gate)) {
    return Error{Code::kInvalid, "a parcel needs records, a number, and codes of party and gate"};
  }
  if (records.size() > kMaxParcelRecords || raw_body_size(records) > kMaxParcelRawBytes) {
    return Error{Code::kParcelTooLarge, "the records do not fit into one parcel"};
  }
  RootBuilder tree;
  for (const ByteView record : records) tree.add(leaf_hash(kWholeRecord, record));
  header.signature_algorithm = key.public_key().algorithm;
  header.hash_algorithm = kSha256;
  header.count = static_cast<std::uint32_t>(records.size());
  header.merkle_root = tree.root();

  const Bytes body = pack_body(records, compression);
  Bytes parcel;
  parcel.reserve(512 + kSignatureBytes + body.size());
  encode_header(header, parcel);
  const Signature signature = key.sign(domain::kParcel, {parcel});
  parcel.insert(parcel.end(), signature.begin(), signature.end());
  parcel.insert(parcel.end(), body.begin(), body.end());
  return parcel;
}

Status check_signature(const ParcelView& parcel, const Verifier& key) {
  return check(parcel.header, parcel.signed_bytes, parcel.signature, key);
}

Status check_signature(const PartView& part, const Verifier& key) {
  return check(part.header, part.signed_bytes, part.signature, key);
}

Status check_root(const ParcelView& parcel, const ParcelBody& body) {
  RootBuilder tree;
  for (std::size_t i = 0; i < body.count(); ++i) tree.add(leaf_hash(body.kind(i), body.record(i)));
  if (body.count() != parcel.header.count || tree.root() != parcel.header.merkle_root) {
    return Error{Code::kParcelRoot, place(parcel.header) + ": its records are not the ones that were signed"};
  }
  return {};
}

Status check_parcel(const ParcelView& parcel, const ParcelBody& body, const Verifier& key) {
  TW_TRY(check_signature(parcel, key));
  return check_root(parcel, body);
}

Status check_parcel(const ParcelView& parcel, const ParcelBody& body, const PublicKey& key) {
  TW_ASSIGN(const Verifier verifier, Verifier::make(key));
  return check_parcel(parcel, body, verifier);
}

Result<Bytes> make_part(const ParcelView& parcel, const ParcelBody& body, std::span<const std::uint32_t> indexes,
                        Compression compression) {
  const bool ascending = std::adjacent_find(indexes.begin(), indexes.end(), std::greater_equal<>()) == indexes.end();
  if (indexes.empty() || !ascending || indexes.back() >= body.count()) {
    return Error{Code::kInvalid, "the indexes of a part ascend and lie within its parcel"};
  }
  const Tree tree(leaves_of(body));
  std::vector<Bytes> paths;  // before the records, which point into them
  paths.reserve(indexes.size());
  std::vector<PartRecord> records;
  records.reserve(indexes.size());
  for (const std::uint32_t index : indexes) {
    Bytes& bytes = paths.emplace_back();
    for (const Hash256& hash : tree.path(index)) bytes.insert(bytes.end(), hash.begin(), hash.end());
    records.push_back({index, body.kind(index), body.record(index), bytes});
  }
  Bytes part;
  encode_part(parcel, records, compression, part);
  return part;
}

Status check_part(const PartView& part, const PartBody& body, const Verifier& key) {
  TW_TRY(check_signature(part, key));
  std::vector<Hash256> path;
  for (std::size_t i = 0; i < body.count(); ++i) {
    const PartRecord& record = body.record(i);
    path.resize(record.path.size() / sizeof(Hash256));
    for (std::size_t k = 0; k < path.size(); ++k) {
      std::copy_n(record.path.begin() + static_cast<std::ptrdiff_t>(k * sizeof(Hash256)), sizeof(Hash256),
                  path[k].begin());
    }
    if (record.path.size() % sizeof(Hash256) != 0 || !verify_path(leaf_hash(record.kind, record.bytes), record.index,
                                                                  part.header.count, path, part.header.merkle_root)) {
      return Error{Code::kProofInvalid,
                   place(part.header) + ": record " + std::to_string(record.index) + " is not proved by its path"};
    }
  }
  return {};
}

Status check_part(const PartView& part, const PartBody& body, const PublicKey& key) {
  TW_ASSIGN(const Verifier verifier, Verifier::make(key));
  return check_part(part, body, verifier);
}

}  // namespace thalweg::trust
