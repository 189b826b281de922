#include "model/body_codec.h"

#include <lz4.h>

#include <bit>

#include "base/invariant.h"
#include "model/record.h"

namespace thalweg::body_codec {
namespace {

// The densest LZ4 block: one more byte of a length gives 255 bytes.
constexpr std::uint64_t kMaxLz4Ratio = 255;

Error malformed(const char* why) { return {Code::kParcelFormat, why}; }

}  // namespace

Result<Stored> read_body(ByteReader& in, std::size_t max_raw_bytes) {
  Stored body;
  const std::uint8_t compression = in.u8();
  body.raw_size = in.u32();
  const std::uint32_t stored_size = in.u32();
  if (!in.ok()) return malformed("the parcel ends before its body");
  if (stored_size != in.left()) return malformed("the body's stored size is not the size of what follows");
  body.bytes = in.raw(stored_size);
  if (body.raw_size > max_raw_bytes) return Error{Code::kParcelTooLarge, "the body would expand beyond its limit"};
  switch (compression) {
    case static_cast<std::uint8_t>(Compression::kNone):
      if (body.raw_size != stored_size) return malformed("the sizes of an uncompressed body differ");
      body.compression = Compression::kNone;
      return body;
    case static_cast<std::uint8_t>(Compression::kLz4):
      if (body.raw_size > stored_size * kMaxLz4Ratio) return malformed("the body cannot expand to the size it claims");
      body.compression = Compression::kLz4;
      return body;
    default:
      return malformed("the body's compression is not known");
  }
}

Result<std::unique_ptr<std::uint8_t[]>> expand(const Stored& body) {
  auto raw = std::make_unique_for_overwrite<std::uint8_t[]>(body.raw_size + kRecordPadding);
  if (body.compression == Compression::kNone) {
    if (body.raw_size != 0) std::memcpy(raw.get(), body.bytes.data(), body.raw_size);
  } else {
    const int size =
        LZ4_decompress_safe(reinterpret_cast<const char*>(body.bytes.data()), reinterpret_cast<char*>(raw.get()),
                            static_cast<int>(body.bytes.size()), static_cast<int>(body.raw_size));
    if (size < 0 || static_cast<std::uint32_t>(size) != body.raw_size) {
      return malformed("the compressed body does not give the size it claims");
    }
  }
  std::memset(raw.get() + body.raw_size, 0, kRecordPadding);
  return raw;
}

void append_body(ByteView raw, Compression compression, Bytes& out) {
  ByteWriter writer(out);
  if (compression == Compression::kLz4 && raw.size() > 1) {
    thread_local std::unique_ptr<char[]> packed;  // kept, see pack_body()
    thread_local std::size_t room = 0;
    if (room < raw.size()) {
      room = std::bit_ceil(raw.size());
      packed = std::make_unique_for_overwrite<char[]>(room);
    }
    const int size = LZ4_compress_default(reinterpret_cast<const char*>(raw.data()), packed.get(),
                                          static_cast<int>(raw.size()), static_cast<int>(raw.size() - 1));
    if (size > 0) {
      out.reserve(out.size() + 9 + static_cast<std::size_t>(size));
      writer.u8(static_cast<std::uint8_t>(Compression::kLz4));
      writer.u32(static_cast<std::uint32_t>(raw.size()));
      writer.blob(as_bytes({packed.get(), static_cast<std::size_t>(size)}));
      return;
    }
  }
  out.reserve(out.size() + 9 + raw.size());
  writer.u8(static_cast<std::uint8_t>(Compression::kNone));
  writer.u32(static_cast<std::uint32_t>(raw.size()));
  writer.blob(raw);
}

Result<Head> read_head(ByteReader& in) {
  // A copy of the reader measures how far the header goes.
  ByteReader whole = in;
  Head head;
  ParcelHeader& h = head.header;
  if (as_text(in.raw(4)) != "TWP1") return malformed("the header does not begin with TWP1");
  if (in.u8() != 1) return malformed("the header's format is not 1");
  h.signature_algorithm = in.u8();
  h.hash_algorithm = in.u8();
  const std::uint8_t lane = in.u8();
  h.flags = in.u8();
  h.ledger_id = in.array<32>();
  h.party = in.short_text();
  h.gate = in.short_text();
  h.incarnation.bytes = in.array<16>();
  h.number = in.u64();
  h.previous_root = in.array<32>();
  h.count = in.u32();
  h.merkle_root = in.array<32>();
  h.sent_unix_ns = in.i64();
  h.checkpoint_block = in.u64();
  h.checkpoint_hash = in.array<32>();
  head.signed_bytes = whole.raw(whole.left() - in.left());
  if (!in.ok()) return malformed("the header is cut short");
  if (h.signature_algorithm != kEd25519) return Error{Code::kAlgorithmUnknown, "the signature algorithm is not known"};
  if (h.hash_algorithm != kSha256) return Error{Code::kAlgorithmUnknown, "the hash algorithm is not known"};
  if (lane > static_cast<std::uint8_t>(Lane::kUrgent)) return malformed("no lane has this number");
  h.lane = static_cast<Lane>(lane);
  if ((h.flags & ~ParcelHeader::kResubmission) != 0) return malformed("a flag is set that has no meaning");
  if (!valid_code(h.party)) return malformed("the party is no code");
  if (!valid_code(h.gate)) return malformed("the gate is no name");
  if (h.number == 0) return malformed("parcels are numbered from 1");
  if (h.count == 0) return malformed("a parcel holds at least one record");
  if (h.count > kMaxParcelRecords) return Error{Code::kParcelTooLarge, "a parcel holds at most 4,096 records"};
  head.signature = in.raw(kSignatureBytes);
  if (!in.ok()) return malformed("the parcel ends before its signature");
  return head;
}

}  // namespace thalweg::body_codec
