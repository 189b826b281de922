// faulty_files.h: a file system in memory that loses what was not synced, tears and reorders writes, and fails on
// order.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"

namespace thalweg {

/// What a power cut leaves of writes that were not synced. What was synced always stays.
enum class Loss {
  kAll,      ///< nothing of them
  kNone,     ///< all of them: the process was killed, the machine ran on
  kTorn,     ///< in order up to some sector, nothing behind it
  kShuffled  ///< any of their sectors of 512 bytes, in any combination; sizes and names too
};

enum class FileOp { kOpen, kRead, kWrite, kSync, kTruncate, kRename, kRemove, kSyncFolder };

/// A FileSystem with a disk that can be pulled out.
///
/// Every operation that changes something is one step. cut_at(n) lets the power fail in step n: that step takes effect
/// as if it had not been synced, it and all later ones report kIo, and so do all files that are open. restart() gives
/// the disk back with what survived. As on real systems, data that a failed sync was for is never written any more,
/// although it can be read until the restart.
///
/// Threads: any.
class FaultyFiles final : public FileSystem {
 public:
  FaultyFiles();
  ~FaultyFiles() override;

  Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override;
  Status rename(const Path& from, const Path& to) override;
  Status remove(const Path& path) override;
  Status sync_folder(const Path& folder) override;
  Status create_folders(const Path& folder) override;
  Result<std::vector<std::string>> list(const Path& folder) override;
  bool exists(const Path& path) override;
  Result<Space> space(const Path& path) override;

  /// Steps taken so far.
  std::uint64_t steps() const;
  /// Cuts the power in step `step` (the first is 1); 0: never.
  void cut_at(std::uint64_t step);
  void cut_now();
  bool power_is_off() const;
  /// The machine starts again. `seed` decides what kTorn and kShuffled leave. Faults that were set are gone.
  void restart(Loss loss, std::uint64_t seed = 0);

  /// The next `times` operations of that kind after `skip` others fail with `code`. A write leaves the first half of
  /// its bytes. With `name_part` only on files whose path contains it.
  void fail(FileOp op, Code code, std::uint64_t skip = 0, std::uint64_t times = 1, std::string name_part = {});
  void clear_faults();
  /// Size of the disk. What would not fit is written as far as it fits and fails with kDiskFull.
  void set_capacity(std::uint64_t bytes);
  std::uint64_t used_bytes() const;

  std::uint64_t writes() const;
  std::uint64_t syncs() const;
  std::uint64_t written_bytes() const;

  /// The content as a program sees it, for looking and for damaging. On a missing file: empty, and nothing happens.
  Bytes content(const Path& path) const;
  void flip_byte(const Path& path, std::uint64_t offset, std::uint8_t mask = 0x01);
  void cut_file(const Path& path, std::uint64_t size);
  void put(const Path& path, Bytes content);
  /// All paths of files, sorted.
  std::vector<Path> all_files() const;
  /// A disk with the same durable and volatile state; faults, cuts and counts are not taken along.
  std::unique_ptr<FaultyFiles> copy() const;

  struct Disk;  ///< of the .cc

 private:
  std::shared_ptr<Disk> disk_;
};

}  // namespace thalweg
