#include "trust/private_file.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace thalweg::trust {
namespace {

constexpr std::string_view kMagic = "thalweg-private-key";
constexpr std::size_t kMaxFileBytes = 1024;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Error failed(Code code, const Path& path, std::string_view what) {
  return {code, path.string() + ": " + std::string(what) + ": " + std::strerror(errno)};
}

std::string user_name(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) return found->pw_name;
  return std::to_string(uid);
}

Status check_owner_and_mode(const Path& path, const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return Error{Code::kKeyUnreadable, path.string() + " is not a file"};
  if (info.st_uid != ::geteuid()) {
    return Error{Code::kKeyPermissions, path.string() + " belongs to user " + user_name(info.st_uid) +
                                            ", who could read or change this private key: chown " +
                                            user_name(::geteuid()) + " " + path.string()};
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(info.st_mode & 07777));
    return Error{Code::kKeyPermissions, path.string() + " has mode " + mode +
                                            ", so others than its owner may use this private key: chmod 600 " +
                                            path.string()};
  }
  return {};
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

/// The next line of `text`, without its end; `text` keeps the rest.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

Secret::~Secret() { OPENSSL_cleanse(bytes_.data(), bytes_.capacity()); }

void cleanse(std::string& text) {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

Result<Secret> read_private_file(const Path& path, std::string_view kind) {
  // O_NONBLOCK: a pipe in the file's place must not hang the program. The checks are made on what was opened.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.ok()) return failed(Code::kKeyUnreadable, path, "cannot be opened");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return failed(Code::kKeyUnreadable, path, "cannot be examined");
  TW_TRY(check_owner_and_mode(path, info));

  Secret content(kMaxFileBytes);
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(Code::kKeyUnreadable, path, "cannot be read");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size == content.size()) return Error{Code::kKeyUnreadable, path.string() + " is too large for a private key"};
  content.shrink(size);

  std::string_view rest = content.text();
  const std::string_view head = take_line(rest);
  const std::string_view line = take_line(rest);
  if (!head.starts_with(kMagic)) {
    return Error{Code::kKeyUnreadable, path.string() + " is not a private key of Thalweg"};
  }
  const std::string wanted = std::string(kMagic) + " " + std::string(kind) + " v1";
  if (head != wanted) {
    return Error{Code::kAlgorithmUnknown, path.string() + ": the first line must be \"" + wanted + "\""};
  }
  if (!rest.empty() || line.empty()) {
    return Error{Code::kKeyUnreadable, path.string() + " must have two lines"};
  }
  Secret secret(line.size());
  std::memcpy(secret.data(), line.data(), line.size());
  return secret;
}

Status write_private_file(const Path& path, std::string_view kind, std::string_view secret_line) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    return Error{Code::kExists, path.string() + " exists; a private key is never written over"};
  }
  const Path folder = path.has_parent_path() ? path.parent_path() : Path(".");
  Path beside = path;
  beside += ".new-" + std::to_string(::getpid());
  ::unlink(beside.c_str());  // left by a process of this id that was killed here
  const Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.ok()) return failed(Code::kIo, beside, "cannot be created");

  std::string content;
  content.reserve(kMaxFileBytes);  // no copy is left behind by growing
  content.append(kMagic).append(" ").append(kind).append(" v1\n").append(secret_line).append("\n");
  // fchmod: a umask may have taken bits that the owner needs.
  const bool written = ::fchmod(file.get(), 0600) == 0 && write_all(file.get(), content) && ::fsync(file.get()) == 0;
  cleanse(content);
  if (!written || ::renameat2(AT_FDCWD, beside.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
    const int why = errno;
    ::unlink(beside.c_str());
    errno = why;
    return failed(written && why == EEXIST ? Code::kExists : Code::kIo, path, "cannot be written");
  }
  const Descriptor parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.ok() || ::fsync(parent.get()) != 0) return failed(Code::kIo, folder, "cannot be synced");
  return {};
}

}  // namespace thalweg::trust
