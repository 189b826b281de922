#include "model/parcel.h"

#include "base/invariant.h"
#include "model/body_codec.h"

namespace thalweg {

void encode_header(const ParcelHeader& header, Bytes& out) {
  THALWEG_INVARIANT(valid_code(header.party) && valid_code(header.gate));
  THALWEG_INVARIANT(header.number != 0 && header.count != 0 && header.count <= kMaxParcelRecords);
  ByteWriter writer(out);
  writer.raw(as_bytes("TWP1"));
  writer.u8(1);
  writer.u8(header.signature_algorithm);
  writer.u8(header.hash_algorithm);
  writer.u8(static_cast<std::uint8_t>(header.lane));
  writer.u8(header.flags);
  writer.raw(header.ledger_id);
  writer.short_text(header.party);
  writer.short_text(header.gate);
  writer.raw(header.incarnation.bytes);
  writer.u64(header.number);
  writer.raw(header.previous_root);
  writer.u32(header.count);
  writer.raw(header.merkle_root);
  writer.i64(header.sent_unix_ns);
  writer.u64(header.checkpoint_block);
  writer.raw(header.checkpoint_hash);
}

Result<ParcelView> ParcelView::parse(ByteView whole) {
  if (whole.size() > kMaxParcelBytes) return Error{Code::kParcelTooLarge, "a parcel has at most 4 MiB"};
  ByteReader in(whole);
  TW_ASSIGN(body_codec::Head head, body_codec::read_head(in));
  const ByteView body = whole.last(in.left());
  TW_TRY(body_codec::read_body(in, kMaxParcelRawBytes));
  return ParcelView{std::move(head.header), head.signed_bytes, head.signature, body, whole};
}

Result<ParcelBody> ParcelBody::expand(const ParcelView& parcel, std::size_t max_raw_bytes) {
  ByteReader stored(parcel.body);
  TW_ASSIGN(const body_codec::Stored body, body_codec::read_body(stored, max_raw_bytes));
  const std::size_t count = parcel.header.count;
  if (body.raw_size < count * kLeafOverhead) return Error{Code::kParcelFormat, "the body is too small for its records"};
  ParcelBody expanded;
  TW_ASSIGN(expanded.raw_, body_codec::expand(body));
  expanded.leaves_.reserve(count);
  ByteReader in({expanded.raw_.get(), body.raw_size});
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t kind = in.u8();
    expanded.leaves_.push_back({in.blob(), kind});
    if (kind != kWholeRecord) return Error{Code::kParcelFormat, "a leaf has a kind that is not known"};
  }
  if (!in.done()) return Error{Code::kParcelFormat, "the body does not hold the records that the header counts"};
  return expanded;
}

std::size_t raw_body_size(std::span<const ByteView> records) {
  std::size_t size = records.size() * kLeafOverhead;
  for (ByteView record : records) size += record.size();
  return size;
}

Bytes pack_body(std::span<const ByteView> records, Compression compression) {
  const std::size_t size = raw_body_size(records);
  THALWEG_INVARIANT(!records.empty() && records.size() <= kMaxParcelRecords && size <= kMaxParcelRawBytes);
  // Kept from call to call: to take and give back a quarter of a megabyte each time costs more in page faults than
  // packing does.
  thread_local Bytes raw;
  raw.clear();
  raw.reserve(size);
  ByteWriter writer(raw);
  for (ByteView record : records) {
    writer.u8(kWholeRecord);
    writer.blob(record);
  }
  Bytes body;
  body_codec::append_body(raw, compression, body);
  return body;
}

}  // namespace thalweg
