// origin_keys.h: which records of a source the gate has taken already (rule 11).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <future>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"

namespace thalweg::gate {

/// Where the files of an OriginKeys are; without `files` it keeps all in memory.
struct KeyFolder {
  FileSystem* files = nullptr;
  Path folder;
};

/// Remembers hashes of origin keys for some days, so that a station that re-sends makes no second record.
///
/// The newest are in a table; each time that is full, its keys become a sorted file that never changes. A filter in
/// memory knows of nearly every key that a file does not hold it; the others cost one read of 4 KB.
/// When more keys come within the time than it may hold, the oldest file is forgotten early and forgotten_early()
/// counts its keys.
///
/// Memory: 33 to 67 bytes for each of at most kInTable keys, 2.6 bytes for each in a file; 19 without a folder.
/// Threads: one; files are written on a thread of its own.
class OriginKeys {
 public:
  using Key = std::array<std::uint8_t, 16>;
  static constexpr std::size_t kInTable = 1u << 18;

  OriginKeys(std::uint64_t at_most, std::int64_t keep_ns, KeyFolder disk = {});

  /// SHA-256 over instance and key, cut to 16 bytes: no two keys of real sources meet.
  static Key of(std::string_view instance, std::string_view origin_key);

  /// Says that holds() or add() is to come: meanwhile memory fetches the place, which no cache holds among millions.
  void expect(const Key& key) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[first_place_of(key)]);
  }
  /// Errors: kIo, kDamaged: it is not known whether it does. None without a folder.
  Result<bool> holds(const Key& key) const;
  /// Remembers the key as seen at `time_unix_ns`. Seen again: the later time holds.
  void add(const Key& key, std::int64_t time_unix_ns);
  /// Forgets what is too old at this time of the gate; of a file all at once, when its newest key is. Costs one pass
  /// over the table: call it hourly.
  void expire(std::int64_t now_unix_ns);

  /// The same bounds and folder, nothing remembered.
  OriginKeys emptied() const { return {at_most_, keep_ns_, disk_}; }
  std::size_t size() const { return count_ + in_files_; }
  std::uint64_t forgotten_early() const { return forgotten_early_; }

  /// The table, the names of the files, and the keys of those that are not written yet.
  void encode(Bytes& out) const;
  /// False when the bytes are none of encode(), or a file is missing or damaged. Files that are not named go.
  /// `with_files` is off for what versions before files wrote.
  bool decode(ByteReader& in, bool with_files = true);
  /// What the last encode() gave is on disk, and will be there at the next start: forgotten files may go.
  void saved();

 private:
  struct Slot {
    Key key{};
    std::uint32_t hour = 0;  // since 1970, plus one: zero is an empty slot
  };
  using Keys = std::vector<Key>;  // ascending
  /// Keys that came one after the other.
  struct Run {
    std::uint64_t name = 0;  // random, so that no two lives of the gate give it to different keys
    std::uint32_t count = 0, newest_hour = 0, crc = 0;
    std::vector<std::uint64_t> filter;
    Keys fence;                        // every kFence-th key
    std::shared_ptr<const Keys> keys;  // until the file is written

    Run(std::uint64_t name, std::uint32_t newest_hour, Keys sorted);
    std::size_t word_of(const Key& key) const;
  };

  Result<bool> in_run(const Run& run, const Key& key) const;
  std::size_t first_place_of(const Key& key) const {
    std::uint64_t hash;
    std::memcpy(&hash, key.data(), sizeof hash);
    return hash & (slots_.size() - 1);
  }
  std::size_t place_of(const Key& key) const;
  void rebuild(std::size_t slots, std::uint32_t first_hour);
  void close_table();
  void forget(std::size_t runs);
  void write_next();
  Path path_of(std::uint64_t name) const;
  bool load(Run& run) const;

  std::uint64_t at_most_;
  std::int64_t keep_ns_;
  KeyFolder disk_;
  std::size_t in_table_;     // at most
  std::vector<Slot> slots_;  // open addressing, a power of two, at most 60 % full
  std::size_t count_ = 0;
  std::vector<Run> runs_;  // oldest first
  std::size_t in_files_ = 0;
  std::uint64_t forgotten_early_ = 0;
  std::uint64_t writing_ = 0;  // the run of that name
  std::future<Status> written_;
  std::vector<std::uint64_t> forgotten_;      // files that the last saved state may still name
  mutable std::size_t forgotten_before_ = 0;  // of them, when encode() was called last
};

}  // namespace thalweg::gate
