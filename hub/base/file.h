// file.h: file operations as an interface: the seam at which tests cut the power.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace thalweg {

using Path = std::filesystem::path;

/// One open file. Closed by destruction, which does not sync.
///
/// Threads: one at a time, but for read_at, which may run beside anything.
class File {
 public:
  virtual ~File() = default;
  /// Reads up to `into.size()` bytes at `offset`; fewer at the end of the file. Errors: kIo.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const = 0;
  /// Writes all of `bytes` at `offset`. Not durable before sync(). On failure any part may be written.
  /// Errors: kDiskFull, kIo.
  virtual Status write_at(std::uint64_t offset, ByteView bytes) = 0;
  /// Makes all that was written durable (fdatasync). After a failure what was written since the last success is
  /// not to be trusted and a second sync() proves nothing: the caller stops writing to this file. Errors: kSyncFailed.
  virtual Status sync() = 0;
  /// Cuts or extends (with zeros) to `size`. Not durable before sync(). Errors: kDiskFull, kIo.
  virtual Status truncate(std::uint64_t size) = 0;
  /// Errors: kIo.
  virtual Result<std::uint64_t> size() const = 0;
};

enum class OpenMode {
  kRead,    ///< must exist
  kWrite,   ///< must exist; read and write
  kCreate,  ///< must not exist; read and write; mode 0600
};

/// The file system. Threads: any.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// Regular files only. Errors: kNotFound, kExists, kDenied, kIo, kDiskFull.
  virtual Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) = 0;
  /// Atomic; durable after sync_folder(). Replaces `to`. Errors: kNotFound, kDenied, kDiskFull, kIo.
  virtual Status rename(const Path& from, const Path& to) = 0;
  /// One file. Durable after sync_folder(). Errors: kNotFound, kDenied, kIo.
  virtual Status remove(const Path& path) = 0;
  /// Makes new, renamed and removed names in `folder` durable. Errors: kSyncFailed, kNotFound, kDenied, kIo.
  virtual Status sync_folder(const Path& folder) = 0;
  /// Creates the folder and its parents, mode 0700; fine when it is there. Errors: kDenied, kDiskFull, kExists (a file
  /// is in the way), kIo.
  virtual Status create_folders(const Path& folder) = 0;
  /// Names (not paths) in the folder, sorted. Errors: kNotFound, kDenied, kIo.
  virtual Result<std::vector<std::string>> list(const Path& folder) = 0;
  virtual bool exists(const Path& path) = 0;
  /// Bytes that may still be written below `path`, and the size of that disk.
  struct Space {
    std::uint64_t free_bytes = 0;
    std::uint64_t total_bytes = 0;
  };
  virtual Result<Space> space(const Path& path) = 0;
};

/// The machine's file system. Lives as long as the process.
FileSystem& real_files();

/// Reads a whole file of at most `limit` bytes. Errors: kNotFound, kIo, kInvalid when larger.
Result<Bytes> read_file(FileSystem& files, const Path& path, std::uint64_t limit_bytes);
/// Replaces a file so that after a crash either the old or the new content stands, whole (write `path`.new, sync,
/// rename, sync folder). New files are 0600. One writer per path at a time. Costs two syncs.
/// Errors: kDiskFull, kDenied, kSyncFailed, kIo.
Status write_file_atomically(FileSystem& files, const Path& path, ByteView bytes);

/// An exclusive lock on `folder`/lock, held until destruction or the end of the process, however it ends.
class FolderLock {
 public:
  /// Errors: kLedgerLocked with the holder's process id, kIo.
  static Result<FolderLock> take(const Path& folder);
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace thalweg
