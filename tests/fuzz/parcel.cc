// parcel.cc: parcels, parts and verdicts as they come over the link: parsed and expanded within their bounds.
#include "model/parcel.h"
#include "base/invariant.h"
#include "model/delivery.h"
#include "model/parcel_part.h"
#include "model/verdict.h"
#include "trust/seal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace thalweg;
  const ByteView bytes(data, size);
  if (const auto parcel = ParcelView::parse(bytes)) {
    if (const auto body = ParcelBody::expand(*parcel)) {
      THALWEG_INVARIANT(body->count() == parcel->header.count && body->count() <= kMaxParcelRecords);
      (void)trust::check_root(*parcel, *body);
    }
  }
  if (const auto part = PartView::parse(bytes)) {
    if (const auto body = PartBody::expand(*part)) THALWEG_INVARIANT(body->count() <= kMaxParcelRecords);
  }
  (void)ParcelVerdicts::decode(bytes);
  (void)Delivery::decode(bytes);
  return 0;
}
