// segment_format.cc: the bytes of segment files.
#include "ledger/segment_format.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace thalweg::ledger {
namespace {

constexpr std::string_view kSegmentMagic = "TWSEGv1\n";
constexpr std::string_view kBlockMagic = "TWBK";
constexpr std::uint16_t kFormat = 1;
constexpr std::uint8_t kSha256 = 1;
constexpr std::size_t kBlockChecked = 8;  // magic and checksum stand before what is checked

std::uint32_t header_crc(ByteView header, std::uint64_t salt) {
  std::array<std::uint8_t, 8 + kBlockHeaderBytes - kBlockChecked> covered;
  std::memcpy(covered.data(), &salt, 8);
  std::memcpy(covered.data() + 8, header.data() + kBlockChecked, kBlockHeaderBytes - kBlockChecked);
  return crc32c(covered);
}

template <class T>
void put(std::uint8_t* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

}  // namespace

void encode(const SegmentHeader& header, Bytes& out) {
  const std::size_t start = out.size();
  ByteWriter w(out);
  w.raw(as_bytes(kSegmentMagic));
  w.u16(kFormat);
  w.u8(kSha256);
  w.u8(header.flags);
  w.u32(0);
  w.u64(header.salt);
  w.u64(header.first_block);
  w.u64(header.previous_first_block);
  w.raw(header.previous);
  w.raw(header.ledger_id);
  w.u32(0);
  w.u32(crc32c(ByteView(out).subspan(start)));
}

Result<SegmentHeader> decode_segment_header(ByteView bytes) {
  if (bytes.size() < kSegmentHeaderBytes) return Error{Code::kDamaged, "the segment header is cut short"};
  bytes = bytes.first(kSegmentHeaderBytes);
  ByteReader r(bytes);
  if (as_text(r.raw(8)) != kSegmentMagic) return Error{Code::kLedgerFormat, "not a segment file"};
  const std::uint16_t format = r.u16();
  const std::uint8_t hash_alg = r.u8();
  SegmentHeader header;
  header.flags = r.u8();
  r.u32();
  header.salt = r.u64();
  header.first_block = r.u64();
  header.previous_first_block = r.u64();
  header.previous = r.array<32>();
  header.ledger_id = r.array<32>();
  r.u32();
  if (r.u32() != crc32c(bytes.first(kSegmentHeaderBytes - 4)))
    return Error{Code::kDamaged, "the checksum of the segment header does not fit"};
  if (format != kFormat || hash_alg != kSha256)
    return Error{Code::kLedgerFormat, "segment format " + std::to_string(format) + ", hash " +
                                          std::to_string(hash_alg) + ": written by a newer version"};
  if (header.first_block == 0 || header.previous_first_block >= header.first_block)
    return Error{Code::kDamaged, "the block numbers of the segment header do not fit"};
  return header;
}

std::uint64_t fresh_salt() {
  std::uint64_t salt = 0;
  // getentropy fails on no Linux that we run on; zero is a valid salt, only a known one.
  if (::getentropy(&salt, sizeof salt) != 0) salt = 0;
  return salt;
}

std::string segment_name(std::uint64_t first_block) {
  std::string digits = std::to_string(first_block);
  return std::string(20 - digits.size(), '0') + digits + ".seg";
}

std::optional<std::uint64_t> segment_number(std::string_view name) {
  if (name.size() != 24 || !name.ends_with(".seg")) return std::nullopt;
  std::uint64_t number = 0;
  auto [end, fault] = std::from_chars(name.data(), name.data() + 20, number);
  if (fault != std::errc() || end != name.data() + 20) return std::nullopt;
  return number;
}

Hash256 entry_hash(std::uint8_t type, ByteView bytes, ByteView more) {
  const std::uint8_t prefix[2] = {0x00, type};
  return sha256({ByteView(prefix), bytes, more});
}

Hash256 block_hash(const BlockInfo& info, std::span<const Hash256> entry_hashes) {
  Bytes fixed;
  fixed.reserve(1 + 8 * 3 + 1 + 4 + 32);
  ByteWriter w(fixed);
  w.u8(0x01);
  w.u64(info.number);
  w.i64(info.time_unix_ns);
  w.u64(info.epoch);
  w.u8(info.flags);
  w.u32(static_cast<std::uint32_t>(entry_hashes.size()));
  w.raw(info.previous);
  return sha256(
      {fixed, ByteView(reinterpret_cast<const std::uint8_t*>(entry_hashes.data()), entry_hashes.size() * 32)});
}

void encode_block(BlockInfo& info, std::span<const EntryRef> entries, std::uint64_t salt, Bytes& out) {
  std::size_t payload = 0;
  for (const EntryRef& e : entries) payload += kEntryHeaderBytes + e.bytes.size() + e.more.size();

  std::vector<Hash256> hashes;
  hashes.reserve(entries.size());
  for (const EntryRef& e : entries) hashes.push_back(entry_hash(e.type, e.bytes, e.more));
  info.entries = static_cast<std::uint32_t>(entries.size());
  info.bytes = kBlockHeaderBytes + payload;
  info.hash = block_hash(info, hashes);

  const std::size_t start = out.size();
  out.reserve(start + info.bytes);
  out.resize(start + kBlockHeaderBytes);
  ByteWriter w(out);
  for (const EntryRef& e : entries) {
    w.u8(e.type);
    w.u32(static_cast<std::uint32_t>(e.bytes.size() + e.more.size()));
    w.raw(e.bytes);
    w.raw(e.more);
  }
  std::uint8_t* h = out.data() + start;
  std::memcpy(h, kBlockMagic.data(), 4);
  put<std::uint32_t>(h + 8, crc32c(ByteView(out).subspan(start + kBlockHeaderBytes)));
  put<std::uint32_t>(h + 12, static_cast<std::uint32_t>(payload));
  put<std::uint32_t>(h + 16, info.entries);
  put<std::uint32_t>(h + 20, info.flags);
  put<std::uint64_t>(h + 24, info.number);
  put<std::int64_t>(h + 32, info.time_unix_ns);
  put<std::uint64_t>(h + 40, info.epoch);
  std::memcpy(h + 48, info.previous.data(), 32);
  std::memcpy(h + 80, info.hash.data(), 32);
  put<std::uint32_t>(h + 4, header_crc({h, kBlockHeaderBytes}, salt));
}

std::optional<BlockHeader> decode_block_header(ByteView bytes, std::uint64_t salt) {
  if (bytes.size() < kBlockHeaderBytes || as_text(bytes.first(4)) != kBlockMagic) return std::nullopt;
  ByteReader r(bytes.first(kBlockHeaderBytes));
  r.u32();
  if (r.u32() != header_crc(bytes, salt)) return std::nullopt;
  BlockHeader h;
  h.payload_crc = r.u32();
  h.payload_bytes = r.u32();
  h.info.entries = r.u32();
  h.info.flags = r.u8();
  const bool reserved_clear = r.u8() == 0 && r.u16() == 0;
  h.info.number = r.u64();
  h.info.time_unix_ns = r.i64();
  h.info.epoch = r.u64();
  h.info.previous = r.array<32>();
  h.info.hash = r.array<32>();
  h.info.bytes = kBlockHeaderBytes + std::uint64_t{h.payload_bytes};
  if (!reserved_clear || h.payload_bytes > kMaxPayloadBytes || h.info.entries == 0 ||
      std::uint64_t{h.info.entries} * kEntryHeaderBytes > h.payload_bytes)
    return std::nullopt;
  return h;
}

std::vector<EntryRef> split_payload(ByteView payload, std::uint32_t count) {
  std::vector<EntryRef> entries;
  entries.reserve(std::min<std::size_t>(count, payload.size() / kEntryHeaderBytes));
  ByteReader r(payload);
  for (std::uint32_t i = 0; i < count && r.ok(); ++i) {
    const std::uint8_t type = r.u8();
    ByteView bytes = r.blob();
    if (type == 0) r.fail();
    entries.push_back({type, bytes});
  }
  if (!r.done()) entries.clear();
  return entries;
}

Hash256 computed_hash(const BlockInfo& info, std::span<const EntryRef> entries) {
  std::vector<Hash256> hashes;
  hashes.reserve(entries.size());
  for (const EntryRef& e : entries) hashes.push_back(entry_hash(e.type, e.bytes, e.more));
  return block_hash(info, hashes);
}

Result<ByteView> FileWindow::at(std::uint64_t offset, std::size_t wanted) {
  if (offset >= size_) return ByteView{};
  wanted = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, size_ - offset));
  if (offset < start_ || offset + wanted > start_ + buffer_.size()) {
    const auto load = static_cast<std::size_t>(std::min<std::uint64_t>(std::max(wanted, ahead_), size_ - offset));
    // Invariant: on failure the buffer holds nothing, so that stale bytes are never served.
    buffer_.resize(load);
    start_ = offset;
    auto got = file_.read_at(offset, buffer_);
    if (!got) {
      buffer_.clear();
      return Error(std::move(got).error());
    }
    buffer_.resize(*got);
    wanted = std::min(wanted, buffer_.size());
  }
  return ByteView(buffer_).subspan(static_cast<std::size_t>(offset - start_), wanted);
}

}  // namespace thalweg::ledger
