// sealed_segment.cc: a segment that no longer grows, opened for reading.
#include "ledger/sealed_segment.h"

#include "ledger/recovery.h"
#include "ledger/segment_file.h"

namespace thalweg::ledger {
namespace {

constexpr std::string_view kMagic = "TWIDXv1\n";

/// The offsets of a *.idx, or none when it does not fit.
std::vector<std::uint32_t> load_offsets(FileSystem& files, const Path& folder, std::uint64_t first_block,
                                        std::uint64_t count, std::uint64_t file_bytes) {
  const std::uint64_t expected = 8 + 8 + 8 + count * 4 + 4;
  auto bytes = read_file(files, folder / offsets_name(first_block), expected);
  if (!bytes || bytes->size() != expected) return {};
  ByteView covered = ByteView(*bytes).first(bytes->size() - 4);
  ByteReader tail(ByteView(*bytes).last(4));
  if (tail.u32() != crc32c(covered)) return {};
  ByteReader r(covered);
  if (as_text(r.raw(8)) != kMagic || r.u64() != first_block || r.u64() != count) return {};
  std::vector<std::uint32_t> offsets(count);
  std::uint64_t before = 0;
  for (std::uint32_t& offset : offsets) {
    offset = r.u32();
    if (offset <= before || offset + kBlockHeaderBytes > file_bytes) return {};
    before = offset;
  }
  return offsets;
}

}  // namespace

std::string offsets_name(std::uint64_t first_block) { return segment_name(first_block).replace(20, 4, ".idx"); }

void save_offsets(FileSystem& files, const Path& folder, std::uint64_t first_block,
                  std::span<const std::uint32_t> offsets) {
  Bytes out;
  out.reserve(28 + offsets.size() * 4);
  ByteWriter w(out);
  w.raw(as_bytes(kMagic));
  w.u64(first_block);
  w.u64(offsets.size());
  for (std::uint32_t offset : offsets) w.u32(offset);
  w.u32(crc32c(out));
  const Path path = folder / offsets_name(first_block);
  if (files.exists(path)) (void)files.remove(path).has_value();
  auto file = files.open(path, OpenMode::kCreate);
  if (file) (void)(*file)->write_at(0, out).has_value();
}

Result<std::shared_ptr<const SealedSegment>> open_sealed(FileSystem& files, const Path& folder, const SegmentKey& key,
                                                         KeepOffsets keep) {
  TW_ASSIGN(SegmentFile segment, open_segment(files, folder, key.header.first_block, OpenMode::kRead));
  std::unique_ptr<File>& file = segment.file;
  const std::string& name = segment.name;
  auto out = std::make_shared<SealedSegment>();
  out->name = name;
  out->salt = key.header.salt;
  out->first_block = key.header.first_block;
  const std::uint64_t count = key.last_block - key.header.first_block + 1;
  out->offsets = load_offsets(files, folder, key.header.first_block, count, key.bytes);
  if (out->offsets.empty() && count != 0) {
    auto found = scan_offsets(*file, key.bytes, key.header, key.last_block);
    if (!found) return Error(std::move(found).error()).in(name);
    out->offsets = *std::move(found);
    if (keep == KeepOffsets::kYes) save_offsets(files, folder, key.header.first_block, out->offsets);
  }
  out->end = key.bytes;
  out->file = std::move(file);
  return std::shared_ptr<const SealedSegment>(std::move(out));
}

Result<std::vector<BlockPtr>> parse_blocks(std::shared_ptr<const Bytes> bytes, std::uint64_t salt, std::uint64_t number,
                                           std::size_t count, std::string_view name, std::uint64_t offset) {
  std::vector<BlockPtr> blocks;
  blocks.reserve(count);
  ByteView rest(*bytes);
  for (std::size_t i = 0; i < count; ++i, ++number) {
    auto header = decode_block_header(rest, salt);
    auto block = std::make_shared<Block>();
    bool fits = header && header->info.number == number && header->info.bytes <= rest.size();
    if (fits) {
      const ByteView payload = rest.subspan(kBlockHeaderBytes, header->payload_bytes);
      block->info = header->info;
      block->entries = split_payload(payload, header->info.entries);
      fits = crc32c(payload) == header->payload_crc && !block->entries.empty();
    }
    if (!fits) {
      return Error{Code::kDamaged, std::string(name) + ", offset " + std::to_string(offset) + ": block " +
                                       std::to_string(number) + " does not read back"};
    }
    block->storage = bytes;
    rest = rest.subspan(static_cast<std::size_t>(header->info.bytes));
    offset += header->info.bytes;
    blocks.push_back(std::move(block));
  }
  return blocks;
}

}  // namespace thalweg::ledger
