// snapshot.cc: what was derived from a ledger up to a block.
#include "ledger/snapshot.h"

#include <algorithm>
#include <charconv>

namespace thalweg::ledger {
namespace {

constexpr std::string_view kMagic = "TWSNPv1\n";
constexpr std::string_view kEnding = ".snapshot";
constexpr std::uint64_t kMaxBytes = 1u << 30;
constexpr std::size_t kKept = 2;

std::string snapshot_name(std::uint64_t block) {
  const std::string digits = std::to_string(block);
  return std::string(20 - digits.size(), '0') + digits + std::string(kEnding);
}

bool is_snapshot(std::string_view name) { return name.size() == 20 + kEnding.size() && name.ends_with(kEnding); }

std::optional<Snapshot> decode(ByteView bytes) {
  if (bytes.size() < 32) return std::nullopt;
  ByteReader r(bytes.first(bytes.size() - 32));
  Snapshot out;
  if (as_text(r.raw(8)) != kMagic) return std::nullopt;
  out.block = r.u64();
  out.block_hash = r.array<32>();
  const ByteView state = r.raw(r.left());
  const Hash256 hash = sha256(bytes.first(bytes.size() - 32));
  if (!r.ok() || !std::equal(hash.begin(), hash.end(), bytes.end() - 32)) return std::nullopt;
  out.state.assign(state.begin(), state.end());
  return out;
}

}  // namespace

Result<std::optional<Snapshot>> SnapshotStore::load(const Ledger& ledger) {
  if (!files_.exists(folder_)) return std::optional<Snapshot>();
  TW_ASSIGN(std::vector<std::string> names, files_.list(folder_));
  std::sort(names.rbegin(), names.rend());
  for (const std::string& entry : names) {
    if (!is_snapshot(entry)) continue;
    auto bytes = read_file(files_, folder_ / entry, kMaxBytes);
    if (!bytes) {
      if (bytes.error().code == Code::kIo) return Error(std::move(bytes).error());
      continue;
    }
    auto snapshot = decode(*bytes);
    if (!snapshot || snapshot->block > ledger.head().number) continue;
    // A snapshot of another history (the ledger was restored from an older copy) has another hash there. At the very
    // front the block itself may be dropped; the one behind it names its hash.
    if (snapshot->block == ledger.head().number) {
      if (snapshot->block_hash == ledger.head().hash) return snapshot;
      continue;
    }
    auto next = ledger.read(snapshot->block + 1);
    if (!next) {
      if (next.error().code == Code::kNotFound) continue;
      return Error(std::move(next).error());
    }
    if ((*next)->info.previous == snapshot->block_hash) return snapshot;
  }
  return std::optional<Snapshot>();
}

Status SnapshotStore::save(const Snapshot& snapshot) {
  TW_TRY(files_.create_folders(folder_));
  Bytes out;
  out.reserve(48 + snapshot.state.size() + 32);
  ByteWriter w(out);
  w.raw(as_bytes(kMagic));
  w.u64(snapshot.block);
  w.raw(snapshot.block_hash);
  w.raw(snapshot.state);
  w.raw(sha256(out));
  TW_TRY(write_file_atomically(files_, folder_ / snapshot_name(snapshot.block), out));
  TW_ASSIGN(std::vector<std::string> names, files_.list(folder_));
  std::erase_if(names, [](const std::string& entry) { return !is_snapshot(entry); });
  // Newest last. One of a lost future (higher number, other history) goes too once two newer ones were saved.
  std::sort(names.begin(), names.end());
  const std::string saved = snapshot_name(snapshot.block);
  std::erase_if(names, [&](const std::string& entry) {
    if (entry <= saved) return false;
    (void)files_.remove(folder_ / entry).has_value();
    return true;
  });
  for (std::size_t i = 0; i + kKept < names.size(); ++i) (void)files_.remove(folder_ / names[i]).has_value();
  return {};
}

}  // namespace thalweg::ledger
