#include "model/decision.h"

#include "model/delivery.h"

namespace thalweg {
namespace {

constexpr std::uint32_t kMost = 4096;
constexpr std::uint32_t kDeliveryMagic = 0x31445754;  // "TWD1", little-endian

void encode_grants(const std::vector<Grant>& grants, ByteWriter& w) {
  w.u16(static_cast<std::uint16_t>(grants.size()));
  for (const Grant& g : grants) {
    w.short_text(g.agreement);
    w.u32(g.version);
    w.u8(g.flags);
    w.u16(static_cast<std::uint16_t>(g.records.size()));
    for (IndexRange r : g.records) {
      w.u16(static_cast<std::uint16_t>(r.first));
      w.u16(static_cast<std::uint16_t>(r.count));
    }
    w.u16(static_cast<std::uint16_t>(g.receivers.size()));
    for (const std::string& receiver : g.receivers) w.short_text(receiver);
  }
}

std::vector<Grant> decode_grants(ByteReader& in) {
  std::vector<Grant> grants;
  const std::uint32_t count = in.u16();
  if (count > kMost) in.fail();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    Grant g;
    g.agreement = in.short_text();
    g.version = in.u32();
    g.flags = in.u8();
    const std::uint32_t ranges = in.u16();
    if (ranges > kMost) in.fail();
    std::uint32_t end = 0;
    for (std::uint32_t r = 0; r < ranges && in.ok(); ++r) {
      IndexRange range{in.u16(), in.u16()};
      if (range.count == 0 || (r > 0 && range.first < end) || range.first + range.count > kMost) in.fail();
      end = range.first + range.count;
      g.records.push_back(range);
    }
    const std::uint32_t receivers = in.u16();
    if (receivers > kMost) in.fail();
    for (std::uint32_t r = 0; r < receivers && in.ok(); ++r) g.receivers.emplace_back(in.short_text());
    grants.push_back(std::move(g));
  }
  return grants;
}

}  // namespace

void Decision::encode(Bytes& out) const {
  ByteWriter w(out);
  encode_grants(grants, w);
  w.u16(static_cast<std::uint16_t>(sequences.size()));
  for (const ReceiverSequence& s : sequences) {
    w.short_text(s.receiver);
    w.u64(s.sequence);
  }
}

Result<Decision> Decision::decode(ByteReader& in) {
  Decision d;
  d.grants = decode_grants(in);
  const std::uint32_t count = in.u16();
  if (count > kMost) in.fail();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    std::string receiver(in.short_text());
    d.sequences.push_back({std::move(receiver), in.u64()});
  }
  if (!in.ok()) return Error{Code::kParcelFormat, "a routing decision is cut short or out of bounds"};
  return d;
}

void Delivery::encode(Bytes& out) const {
  ByteWriter w(out);
  w.u32(kDeliveryMagic);
  w.u64(epoch);
  w.u64(sequence);
  w.u8(flags);
  w.u64(block);
  w.i64(block_unix_ns);
  encode_grants(grants, w);
  w.raw(parcel);
}

Result<Delivery> Delivery::decode(ByteView bytes) {
  ByteReader in(bytes);
  Delivery d;
  if (in.u32() != kDeliveryMagic) in.fail();
  d.epoch = in.u64();
  d.sequence = in.u64();
  d.flags = in.u8();
  d.block = in.u64();
  d.block_unix_ns = in.i64();
  d.grants = decode_grants(in);
  d.parcel = in.raw(in.left());
  if (!in.ok() || d.parcel.empty() != ((d.flags & Delivery::kWithdrawn) != 0))
    return Error{Code::kParcelFormat, "a delivery is cut short or out of bounds"};
  return d;
}

}  // namespace thalweg
