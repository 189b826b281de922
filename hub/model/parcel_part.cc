#include "model/parcel_part.h"

#include "base/invariant.h"
#include "model/body_codec.h"

namespace thalweg {
namespace {

constexpr std::string_view kMagic = "TWPP";
constexpr std::size_t kHashBytes = sizeof(Hash256);
// index, kind, size of the record, count of hashes
constexpr std::size_t kEntryOverhead = 4 + 1 + 4 + 1;

}  // namespace

Result<PartView> PartView::parse(ByteView whole) {
  if (whole.size() > kMaxPartBytes) return Error{Code::kParcelTooLarge, "a part has at most 6 MiB"};
  ByteReader in(whole);
  if (as_text(in.raw(kMagic.size())) != kMagic || in.u8() != 1) {
    return Error{Code::kParcelFormat, "the part does not begin with TWPP and format 1"};
  }
  TW_ASSIGN(body_codec::Head head, body_codec::read_head(in));
  const ByteView body = whole.last(in.left());
  TW_TRY(body_codec::read_body(in, kMaxPartRawBytes));
  return PartView{std::move(head.header), head.signed_bytes, head.signature, body, whole};
}

Result<PartBody> PartBody::expand(const PartView& part, std::size_t max_raw_bytes) {
  const Error malformed{Code::kParcelFormat, "the body of a part does not hold the records that it counts"};
  ByteReader stored(part.body);
  TW_ASSIGN(const body_codec::Stored body, body_codec::read_body(stored, max_raw_bytes));
  PartBody expanded;
  TW_ASSIGN(expanded.raw_, body_codec::expand(body));
  ByteReader in({expanded.raw_.get(), body.raw_size});
  const std::size_t count = in.u32();
  if (count == 0 || count > part.header.count || count * kEntryOverhead > in.left()) return malformed;
  expanded.records_.reserve(count);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    PartRecord record;
    record.index = in.u32();
    record.kind = in.u8();
    record.bytes = in.blob();
    record.path = in.raw(in.u8() * kHashBytes);
    const bool ascending = i == 0 || record.index > expanded.records_.back().index;
    if (!ascending || record.index >= part.header.count || record.path.size() > kMaxPathBytes) return malformed;
    if (record.kind != kWholeRecord) return Error{Code::kParcelFormat, "a leaf has a kind that is not known"};
    expanded.records_.push_back(record);
  }
  if (!in.done()) return malformed;
  return expanded;
}

void encode_part(const ParcelView& parcel, std::span<const PartRecord> records, Compression compression, Bytes& out) {
  THALWEG_INVARIANT(!records.empty() && records.size() <= parcel.header.count);
  Bytes raw;
  ByteWriter leaves(raw);
  leaves.u32(static_cast<std::uint32_t>(records.size()));
  for (std::size_t i = 0; i < records.size(); ++i) {
    const PartRecord& record = records[i];
    THALWEG_INVARIANT(record.index < parcel.header.count && (i == 0 || record.index > records[i - 1].index));
    THALWEG_INVARIANT(record.path.size() % kHashBytes == 0 && record.path.size() <= kMaxPathBytes);
    leaves.u32(record.index);
    leaves.u8(record.kind);
    leaves.blob(record.bytes);
    leaves.u8(static_cast<std::uint8_t>(record.path.size() / kHashBytes));
    leaves.raw(record.path);
  }
  ByteWriter writer(out);
  writer.raw(as_bytes(kMagic));
  writer.u8(1);
  writer.raw(parcel.signed_bytes);
  writer.raw(parcel.signature);
  body_codec::append_body(raw, compression, out);
}

bool is_part(ByteView bytes) { return as_text(bytes.first(std::min(bytes.size(), kMagic.size()))) == kMagic; }

}  // namespace thalweg
