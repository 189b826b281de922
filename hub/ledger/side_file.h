// side_file.h: a file of derived data beside one sealed segment, bound to that segment's content.
#pragma once

#include <optional>

#include "ledger/segment_log.h"

namespace thalweg::ledger {

/// Which segment, or which blocks of one, the data was derived from. After a restore of the ledger from an older copy
/// the hash differs where the numbers do not.
struct SideKey {
  std::uint64_t first_block = 0;
  std::uint64_t last_block = 0;
  Hash256 last_hash{};
  bool operator==(const SideKey&) const = default;
  static SideKey of(const SegmentInfo& s) { return {s.first_block, s.last_block, s.last_hash}; }
};

inline constexpr std::size_t kSideHeaderBytes = 72;

/// `folder`/<20 digits><ending>.
Path side_path(const Path& folder, std::uint64_t first_block, std::string_view ending);
/// Written whole or not at all. `magic` has eight characters. Errors: as write_file_atomically().
Status save_side(FileSystem& files, const Path& path, std::string_view magic, const SideKey& key, ByteView payload);
/// Bytes of payload of an open file, and into `key` which blocks it is of; nothing when it is not whole or another
/// kind. Reads the header only.
std::optional<std::uint64_t> read_side_header(const File& file, std::string_view magic, SideKey& key);
/// Bytes of payload when the header fits the segment, else nothing. Reads the header only.
std::optional<std::uint64_t> side_fits(FileSystem& files, const Path& path, std::string_view magic, const SideKey& key);
/// The payload when all of it fits.
std::optional<Bytes> load_side(FileSystem& files, const Path& path, std::string_view magic, const SideKey& key);
/// Removes files with that ending that belong to none of these segments.
void remove_strangers(FileSystem& files, const Path& folder, std::string_view ending,
                      std::span<const SegmentInfo> segments);

/// Calls `on_block` for blocks `first` to `last`. Errors: as Ledger::read_run(), and those of `on_block`.
Status for_blocks(const Ledger& log, std::uint64_t first, std::uint64_t last,
                  const std::function<Status(const Block&)>& on_block);

}  // namespace thalweg::ledger
