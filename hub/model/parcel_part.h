// parcel_part.h: some records of a parcel with their Merkle paths, for receivers who may not see them all.
// See docs/formats/parcel.md. What the path bytes prove is for trust to check.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "model/parcel.h"

namespace thalweg {

inline constexpr std::size_t kMaxPartBytes = 6 << 20;  ///< as it travels: the records and paths of a full parcel
inline constexpr std::size_t kMaxPathBytes = 12 * sizeof(Hash256);  ///< a tree of kMaxParcelRecords leaves
inline constexpr std::size_t kMaxPartRawBytes =
    kMaxParcelRawBytes + kMaxParcelRecords * (kMaxPathBytes + 2 * sizeof(std::uint32_t));

/// One record of a part. `index` is its place in the whole parcel.
struct PartRecord {
  std::uint32_t index = 0;
  std::uint8_t kind = kWholeRecord;
  ByteView bytes;
  ByteView path;  ///< hashes from the leaf's neighbour up, 32 bytes each
};

/// A part taken apart. Views point into the bytes that were given to parse().
struct PartView {
  ParcelHeader header;    ///< of the parcel it was taken from
  ByteView signed_bytes;  ///< the parcel's header, unchanged
  ByteView signature;     ///< the origin's, unchanged
  ByteView body;
  ByteView whole;

  /// Errors: kParcelTooLarge, kAlgorithmUnknown, kParcelFormat.
  static Result<PartView> parse(ByteView whole);
};

/// The records of a part, expanded. Owns its bytes; moving it keeps views valid.
class PartBody {
 public:
  /// As ParcelBody::expand(). Indexes are ascending and below the parcel's count.
  /// Errors: kParcelTooLarge, kParcelFormat.
  static Result<PartBody> expand(const PartView& part, std::size_t max_raw_bytes = kMaxPartRawBytes);

  std::size_t count() const { return records_.size(); }
  /// kRecordPadding bytes behind `bytes` are readable. `index` < count(); it counts the part's own records.
  const PartRecord& record(std::size_t index) const { return records_[index]; }

 private:
  std::unique_ptr<std::uint8_t[]> raw_;
  std::vector<PartRecord> records_;
};

/// Appends the part of `parcel` that holds `records`: ascending indexes, at least one, kinds and bytes as in the
/// parcel.
void encode_part(const ParcelView& parcel, std::span<const PartRecord> records, Compression compression, Bytes& out);

/// True for bytes that begin like a part; parcels and parts travel in the same places.
bool is_part(ByteView bytes);

}  // namespace thalweg
