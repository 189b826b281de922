#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace thalweg {
namespace {

Error os_error(int number, std::string_view doing, const Path& path) {
  Code code = Code::kIo;
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      code = Code::kNotFound;
      break;
    case EEXIST:
      code = Code::kExists;
      break;
    case EACCES:
    case EPERM:
    case ELOOP:
      code = Code::kDenied;
      break;
    case ENOSPC:
    case EDQUOT:
      code = Code::kDiskFull;
      break;
    default:  // also EROFS: a file system that turned read-only has failed, and nobody's rights are in question
      break;
  }
  return {code, std::string(doing) + " " + path.string() + ": " + std::generic_category().message(number)};
}

int open_retrying(const Path& path, int flags, mode_t mode = 0) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

class RealFile final : public File {
 public:
  RealFile(int fd, Path path) : fd_(fd), path_(std::move(path)) {}
  ~RealFile() override { ::close(fd_); }
  RealFile(const RealFile&) = delete;
  RealFile& operator=(const RealFile&) = delete;

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t n = ::pread(fd_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (n == 0) break;
      if (n < 0) {
        if (errno == EINTR) continue;
        return Error{Code::kIo, os_error(errno, "reading", path_).message};
      }
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  Status write_at(std::uint64_t offset, ByteView bytes) override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = ::pwrite(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
      if (n < 0) {
        if (errno == EINTR) continue;
        return os_error(errno, "writing", path_);
      }
      done += static_cast<std::size_t>(n);
    }
    return {};
  }

  Status sync() override {
    // Not retried, even for EINTR: after a failure the kernel may have dropped the dirty pages.
    if (::fdatasync(fd_) == 0) return {};
    return Error{Code::kSyncFailed, os_error(errno, "syncing", path_).message};
  }

  Status truncate(std::uint64_t size) override {
    int failed;
    do {
      failed = ::ftruncate(fd_, static_cast<off_t>(size));
    } while (failed != 0 && errno == EINTR);
    if (failed != 0) return os_error(errno, "truncating", path_);
    return {};
  }

  Result<std::uint64_t> size() const override {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return os_error(errno, "asking the size of", path_);
    return static_cast<std::uint64_t>(info.st_size);
  }

 private:
  int fd_;
  Path path_;
};

class RealFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override {
    int flags = O_RDONLY;
    if (mode == OpenMode::kWrite) flags = O_RDWR;
    if (mode == OpenMode::kCreate) flags = O_RDWR | O_CREAT | O_EXCL;
    const int fd = open_retrying(path, flags, S_IRUSR | S_IWUSR);
    if (fd < 0) return os_error(errno, "opening", path);
    auto file = std::make_unique<RealFile>(fd, path);
    struct stat info {};
    if (::fstat(fd, &info) != 0) return os_error(errno, "opening", path);
    if (!S_ISREG(info.st_mode)) return Error{Code::kIo, "opening " + path.string() + ": not a regular file"};
    return std::unique_ptr<File>(std::move(file));
  }

  Status rename(const Path& from, const Path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return os_error(errno, "renaming", from);
    return {};
  }

  Status remove(const Path& path) override {
    if (::unlink(path.c_str()) != 0) return os_error(errno, "removing", path);
    return {};
  }

  Status sync_folder(const Path& folder) override {
    const int fd = open_retrying(folder.empty() ? Path(".") : folder, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return os_error(errno, "opening", folder);
    const int failed = ::fsync(fd);
    const int number = errno;
    ::close(fd);
    if (failed != 0) return Error{Code::kSyncFailed, os_error(number, "syncing", folder).message};
    return {};
  }

  Status create_folders(const Path& folder) override {
    Path so_far;
    for (const Path& part : folder) {
      so_far /= part;
      if (::mkdir(so_far.c_str(), S_IRWXU) == 0) continue;
      if (const int number = errno; number != EEXIST) {
        // A parent that exists may refuse mkdir for other reasons (read-only, no rights) before it says EEXIST.
        std::error_code ignored;
        if (!std::filesystem::is_directory(so_far, ignored)) return os_error(number, "creating", so_far);
      }
    }
    std::error_code ignored;
    if (!folder.empty() && !std::filesystem::is_directory(folder, ignored)) return os_error(EEXIST, "creating", folder);
    return {};
  }

  Result<std::vector<std::string>> list(const Path& folder) override {
    std::vector<std::string> names;
    std::error_code error;
    std::filesystem::directory_iterator at(folder, error);
    for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
      names.push_back(at->path().filename().string());
    }
    if (error) return os_error(error.value(), "listing", folder);
    std::sort(names.begin(), names.end());
    return names;
  }

  bool exists(const Path& path) override {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
  }

  Result<Space> space(const Path& path) override {
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) != 0) return os_error(errno, "asking the space of", path);
    return Space{static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize,
                 static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize};
  }
};

}  // namespace

FileSystem& real_files() {
  static RealFileSystem files;
  return files;
}

Result<Bytes> read_file(FileSystem& files, const Path& path, std::uint64_t limit_bytes) {
  TW_ASSIGN(const auto file, files.open(path, OpenMode::kRead));
  TW_ASSIGN(const std::uint64_t size, file->size());
  if (size > limit_bytes) {
    return Error{Code::kInvalid, path.string() + ": larger than " + std::to_string(limit_bytes) + " bytes"};
  }
  Bytes bytes(size);
  TW_ASSIGN(const std::size_t got, file->read_at(0, bytes));
  bytes.resize(got);
  return bytes;
}

Status write_file_atomically(FileSystem& files, const Path& path, ByteView bytes) {
  Path beside = path;
  beside += ".new";
  // Left over from a crash between creating and renaming; never the valid content.
  if (files.exists(beside)) TW_TRY(files.remove(beside));
  const auto write_beside = [&]() -> Status {
    TW_ASSIGN(const auto file, files.open(beside, OpenMode::kCreate));
    TW_TRY(file->write_at(0, bytes));
    return file->sync();
  };
  Status written = write_beside();
  if (written) written = files.rename(beside, path);
  if (!written) {
    (void)files.remove(beside).has_value();  // the first error is the one to report
    return written;
  }
  return files.sync_folder(path.parent_path());
}

Result<FolderLock> FolderLock::take(const Path& folder) {
  const Path path = folder / "lock";
  const int fd = open_retrying(path, O_RDWR | O_CREAT, S_IRUSR | S_IWUSR);
  if (fd < 0) return os_error(errno, "opening", path);
  FolderLock lock(fd);
  int failed;
  do {
    failed = ::flock(fd, LOCK_EX | LOCK_NB);
  } while (failed != 0 && errno == EINTR);
  if (failed != 0) {
    if (errno != EWOULDBLOCK) return os_error(errno, "locking", path);
    char holder[21] = {};
    const ssize_t n = ::pread(fd, holder, sizeof holder - 1, 0);
    std::string process = "unknown";
    if (n > 0 && std::all_of(holder, holder + n, [](char c) { return c >= '0' && c <= '9'; })) process = holder;
    return Error{Code::kLedgerLocked, folder.string() + " is in use by process " + process};
  }
  const std::string process = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, process.data(), process.size(), 0) < 0) {
    // The number is only for people; the lock holds without it (a full disk must not stop a start).
  }
  return lock;
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace thalweg
