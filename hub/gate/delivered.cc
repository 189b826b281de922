// delivered.cc: see delivered.h.
#include "gate/delivered.h"

namespace thalweg::gate {

Result<std::shared_ptr<const Delivered>> Delivered::open(std::shared_ptr<const void> storage, ByteView bytes) {
  std::shared_ptr<Delivered> self(new Delivered);
  self->storage_ = std::move(storage);
  TW_ASSIGN(self->delivery_, Delivery::decode(bytes));
  if ((self->delivery_.flags & Delivery::kWithdrawn) != 0) return std::shared_ptr<const Delivered>(std::move(self));
  const bool part = (self->delivery_.flags & Delivery::kPart) != 0;
  if (part) {
    TW_ASSIGN(self->part_, PartView::parse(self->delivery_.parcel));
    TW_ASSIGN(self->part_body_, PartBody::expand(*self->part_));
    for (std::size_t i = 0; i < self->part_body_->count(); ++i) {
      const PartRecord& record = self->part_body_->record(i);
      self->records_.push_back({record.index, record.bytes});
      self->size_bytes_ += record.bytes.size();
    }
  } else {
    TW_ASSIGN(self->parcel_, ParcelView::parse(self->delivery_.parcel));
    TW_ASSIGN(self->body_, ParcelBody::expand(*self->parcel_));
    for (std::size_t i = 0; i < self->body_->count(); ++i) {
      self->records_.push_back({static_cast<std::uint32_t>(i), self->body_->record(i)});
      self->size_bytes_ += self->body_->record(i).size();
    }
  }
  // Records of one delivery alone are small beside what surrounds them.
  self->size_bytes_ += sizeof(Delivered) + bytes.size() + self->records_.size() * 2 * sizeof(Record) + 1024;
  return std::shared_ptr<const Delivered>(std::move(self));
}

const Grant* Delivered::grant_of(std::uint32_t index) const {
  for (const Grant& grant : delivery_.grants) {
    for (const IndexRange& range : grant.records) {
      if (index >= range.first && index - range.first < range.count) return &grant;
    }
  }
  return nullptr;
}

}  // namespace thalweg::gate
