// parcel.h: the unit of transport, signature and durability: the same bytes in the outbox, on the link, in the ledger
// and in a ferry file. See docs/formats/parcel.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "model/ids.h"
#include "model/lane.h"

namespace thalweg {

inline constexpr std::size_t kMaxParcelBytes = 4 << 20;  ///< all of it, as it travels
inline constexpr std::size_t kMaxParcelRecords = 4096;
inline constexpr std::size_t kMaxParcelRawBytes = kMaxParcelBytes - 1024;  ///< leaves; whatever packs also travels
inline constexpr std::size_t kLeafOverhead = 5;  ///< bytes of the raw body per record, beside its own
inline constexpr std::size_t kSignatureBytes = 64;

inline constexpr std::uint8_t kEd25519 = 1;      ///< signature algorithm; 2 is kept for SM2 with SM3
inline constexpr std::uint8_t kSha256 = 1;       ///< hash algorithm; 2 is kept for SM3
inline constexpr std::uint8_t kWholeRecord = 0;  ///< leaf kind; 1 is kept for disclosure in part

enum class Compression : std::uint8_t { kNone = 0, kLz4 = 1 };

/// What is signed of a parcel (rule 5).
struct ParcelHeader {
  static constexpr std::uint8_t kResubmission = 1;  ///< flag: records of an older incarnation, told by their ids

  std::uint8_t signature_algorithm = kEd25519;
  std::uint8_t hash_algorithm = kSha256;
  Lane lane = Lane::kRoutine;
  std::uint8_t flags = 0;
  Hash256 ledger_id{};
  std::string party;
  std::string gate;
  Uuid incarnation;
  std::uint64_t number = 0;  ///< from 1
  Hash256 previous_root{};   ///< Merkle root of parcel number - 1; zero for number 1
  std::uint32_t count = 0;
  Hash256 merkle_root{};
  std::int64_t sent_unix_ns = 0;
  std::uint64_t checkpoint_block = 0;  ///< newest checkpoint of the hub that the gate has seen; 0 and zero: none yet
  Hash256 checkpoint_hash{};

  StreamId stream() const { return {party, gate, incarnation, lane}; }
  bool operator==(const ParcelHeader&) const = default;
};

/// Appends the header: the bytes that are signed. Party and gate are valid codes, count and number are in bounds:
/// anything else is a broken invariant of the caller.
void encode_header(const ParcelHeader& header, Bytes& out);

/// A parcel taken apart. Views point into the bytes that were given to parse().
struct ParcelView {
  ParcelHeader header;
  ByteView signed_bytes;  ///< the header as it came
  ByteView signature;     ///< kSignatureBytes
  ByteView body;          ///< compression, sizes and stored bytes, as they came
  ByteView whole;

  /// Checks the form: sizes, bounds, known algorithms, nothing behind the body. Neither signature nor body is examined.
  /// Errors: kParcelTooLarge, kAlgorithmUnknown, kParcelFormat.
  static Result<ParcelView> parse(ByteView whole);
};

/// The records of a parcel, expanded. Owns its bytes; moving it keeps views valid.
class ParcelBody {
 public:
  /// Expands the body, never to more than `max_raw_bytes`, and finds its leaves: as many as the header says, of known
  /// kinds, and nothing behind them. Memory is taken only for what the stored bytes can really give. That the records
  /// are the signed ones is for trust to check.
  /// Errors: kParcelTooLarge, kParcelFormat. 0.1 µs per KB.
  static Result<ParcelBody> expand(const ParcelView& parcel, std::size_t max_raw_bytes = kMaxParcelRawBytes);

  std::size_t count() const { return leaves_.size(); }
  /// The record's bytes; kRecordPadding bytes behind it are readable. `index` < count().
  ByteView record(std::size_t index) const { return leaves_[index].bytes; }
  std::uint8_t kind(std::size_t index) const { return leaves_[index].kind; }

 private:
  struct Leaf {
    ByteView bytes;
    std::uint8_t kind;
  };
  std::unique_ptr<std::uint8_t[]> raw_;
  std::vector<Leaf> leaves_;
};

/// The body of a parcel: what stands behind its signature. kLz4 stores uncompressed what would not shrink.
/// 1 to kMaxParcelRecords records whose raw body (raw_body_size) is within kMaxParcelRawBytes: anything else is a
/// broken invariant of the caller. 0.2 µs per KB with kLz4.
Bytes pack_body(std::span<const ByteView> records, Compression compression);
std::size_t raw_body_size(std::span<const ByteView> records);

}  // namespace thalweg
