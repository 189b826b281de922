// side_file.cc: a file of derived data beside one sealed segment.
#include "ledger/side_file.h"

#include <set>
#include <string>

namespace thalweg::ledger {
namespace {

constexpr std::uint64_t kMaxSideBytes = 1u << 30;

struct SideHeader {
  SideKey key;
  std::uint64_t payload_bytes = 0;
  std::uint32_t payload_crc = 0;
};

std::optional<SideHeader> decode(ByteView bytes, std::string_view magic) {
  if (bytes.size() < kSideHeaderBytes) return std::nullopt;
  ByteReader r(bytes.first(kSideHeaderBytes));
  const bool fits = as_text(r.raw(8)) == magic;
  SideHeader h;
  h.key.first_block = r.u64();
  h.key.last_block = r.u64();
  h.key.last_hash = r.array<32>();
  h.payload_bytes = r.u64();
  h.payload_crc = r.u32();
  if (!fits || r.u32() != crc32c(bytes.first(kSideHeaderBytes - 4)) || h.payload_bytes > kMaxSideBytes)
    return std::nullopt;
  return h;
}

}  // namespace

Path side_path(const Path& folder, std::uint64_t first_block, std::string_view ending) {
  const std::string digits = std::to_string(first_block);
  return folder / (std::string(20 - digits.size(), '0') + digits + std::string(ending));
}

Status save_side(FileSystem& files, const Path& path, std::string_view magic, const SideKey& key, ByteView payload) {
  Bytes out;
  out.reserve(kSideHeaderBytes + payload.size());
  ByteWriter w(out);
  w.raw(as_bytes(magic));
  w.u64(key.first_block);
  w.u64(key.last_block);
  w.raw(key.last_hash);
  w.u64(payload.size());
  w.u32(crc32c(payload));
  w.u32(crc32c(out));
  w.raw(payload);
  return write_file_atomically(files, path, out);
}

std::optional<std::uint64_t> read_side_header(const File& file, std::string_view magic, SideKey& key) {
  Bytes bytes(kSideHeaderBytes);
  auto got = file.read_at(0, bytes);
  auto size = file.size();
  if (!got || *got != bytes.size() || !size) return std::nullopt;
  auto header = decode(bytes, magic);
  if (!header || *size != kSideHeaderBytes + header->payload_bytes) return std::nullopt;
  key = header->key;
  return header->payload_bytes;
}

std::optional<std::uint64_t> side_fits(FileSystem& files, const Path& path, std::string_view magic,
                                       const SideKey& key) {
  auto file = files.open(path, OpenMode::kRead);
  if (!file) return std::nullopt;
  SideKey found;
  const auto bytes = read_side_header(**file, magic, found);
  return found == key ? bytes : std::nullopt;
}

std::optional<Bytes> load_side(FileSystem& files, const Path& path, std::string_view magic, const SideKey& key) {
  auto bytes = read_file(files, path, kSideHeaderBytes + kMaxSideBytes);
  if (!bytes) return std::nullopt;
  auto header = decode(*bytes, magic);
  if (!header || !(header->key == key) || bytes->size() != kSideHeaderBytes + header->payload_bytes)
    return std::nullopt;
  bytes->erase(bytes->begin(), bytes->begin() + static_cast<std::ptrdiff_t>(kSideHeaderBytes));
  if (crc32c(*bytes) != header->payload_crc) return std::nullopt;
  return *std::move(bytes);
}

void remove_strangers(FileSystem& files, const Path& folder, std::string_view ending,
                      std::span<const SegmentInfo> segments) {
  auto names = files.list(folder);
  if (!names) return;
  std::set<std::string> known;
  for (const SegmentInfo& s : segments)
    if (s.sealed) known.insert(side_path(folder, s.first_block, ending).filename());
  for (const std::string& entry : *names)
    if (entry.ends_with(ending) && !known.contains(entry)) (void)files.remove(folder / entry).has_value();
}

Status for_blocks(const Ledger& log, std::uint64_t first, std::uint64_t last,
                  const std::function<Status(const Block&)>& on_block) {
  constexpr std::size_t kRun = 1u << 20;
  while (first <= last) {
    TW_ASSIGN(const std::vector<BlockPtr> run, log.read_run(first, kRun));
    if (run.empty()) return Error{Code::kDamaged, "block " + std::to_string(first) + " is missing"};
    for (const BlockPtr& block : run) {
      if (block->info.number > last) break;
      TW_TRY(on_block(*block));
    }
    first = run.back()->info.number + 1;
  }
  return {};
}

}  // namespace thalweg::ledger
