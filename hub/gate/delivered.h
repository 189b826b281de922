// delivered.h: a delivery opened: the records that it brings, whole parcel or part.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "model/delivery.h"
#include "model/parcel.h"
#include "model/parcel_part.h"

namespace thalweg::gate {

/// The records of one delivery. Owns what they point into. Immutable: any thread.
class Delivered {
 public:
  struct Record {
    std::uint32_t index = 0;  ///< in the parcel
    ByteView bytes;           ///< kRecordPadding bytes behind it are readable
  };

  /// Opens a delivery; `storage` keeps `bytes` alive. Nothing is believed yet: see GateTrust::judge().
  /// Errors: kParcelFormat, kParcelTooLarge, kAlgorithmUnknown.
  static Result<std::shared_ptr<const Delivered>> open(std::shared_ptr<const void> storage, ByteView bytes);

  const Delivery& delivery() const { return delivery_; }
  /// True when the permission was withdrawn on the way: no records, no header.
  bool withdrawn() const { return !part_ && !parcel_; }
  const ParcelHeader& header() const { return part_ ? part_->header : parcel_->header; }
  const std::vector<Record>& records() const { return records_; }
  const ParcelView* parcel() const { return parcel_ ? &*parcel_ : nullptr; }
  const PartView* part() const { return part_ ? &*part_ : nullptr; }
  const ParcelBody* body() const { return body_ ? &*body_ : nullptr; }
  const PartBody* part_body() const { return part_body_ ? &*part_body_ : nullptr; }
  /// Memory that it takes, with the bytes that it was opened from; about.
  std::size_t size_bytes() const { return size_bytes_; }
  /// The grant that let this record come here; nullptr when the hub named none.
  const Grant* grant_of(std::uint32_t index) const;

 private:
  Delivered() = default;
  std::shared_ptr<const void> storage_;
  Delivery delivery_;
  std::optional<ParcelView> parcel_;
  std::optional<PartView> part_;
  std::optional<ParcelBody> body_;
  std::optional<PartBody> part_body_;
  std::vector<Record> records_;
  std::size_t size_bytes_ = 0;
};

}  // namespace thalweg::gate
