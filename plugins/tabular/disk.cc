#include "disk.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace thalweg::tabular {

namespace fs = std::filesystem;

namespace {
Error unavailable(const std::string& what, int error) {
  return Error{Code::kUnavailable, what + ": " + std::strerror(error)};
}
}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Status make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Error{Code::kUnavailable, folder.string() + ": " + error.message()};
  return {};
}

Result<std::string> read_whole(const fs::path& path, std::uint64_t limit_bytes) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return unavailable("opening " + path.string(), errno);
  file.seekg(0, std::ios::end);
  if (static_cast<std::uint64_t>(file.tellg()) > limit_bytes)
    return Error{Code::kData, "the file is larger than " + std::to_string(limit_bytes) + " bytes"};
  file.seekg(0);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return unavailable("reading " + path.string(), errno);
  return content;
}

Status write_all(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return unavailable("writing " + name, errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Status sync_folder(const fs::path& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.open() || ::fsync(fd.get()) != 0) return unavailable("syncing " + folder.string(), errno);
  return {};
}

Status write_whole(const fs::path& path, std::string_view content) {
  {
    const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
    if (!fd.open()) return unavailable("creating " + path.string(), errno);
    Status written = write_all(fd.get(), content, path.string());
    if (written && ::fsync(fd.get()) != 0) written = unavailable("syncing " + path.string(), errno);
    if (!written) {  // a part of it would take the name from the next try
      (void)::unlink(path.c_str());
      return written;
    }
  }
  return sync_folder(path.parent_path());
}

Result<fs::path> free_name(const fs::path& folder, const std::string& name) {
  const fs::path given(name);
  for (int i = 1; i < 10'000; ++i) {
    const fs::path path =
        folder / (i == 1 ? name : given.stem().string() + "." + std::to_string(i) + given.extension().string());
    std::error_code error;
    if (!fs::exists(fs::symlink_status(path, error))) return path;
  }
  return Error{Code::kUnavailable, folder.string() + ": too many files named " + name};
}

Status move_durably(const fs::path& from, const fs::path& folder) {
  TW_ASSIGN(const fs::path to, free_name(folder, from.filename().string()));
  if (::rename(from.c_str(), to.c_str()) != 0)
    return unavailable("moving " + from.string() + " to " + to.string(), errno);
  TW_TRY(sync_folder(folder));
  return sync_folder(from.parent_path());
}

Result<std::string> content_key(std::string_view content) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(content.data(), content.size(), hash, &size, EVP_sha256(), nullptr) != 1 || size < 16)
    return Error{Code::kInternal, "SHA-256 is not available"};
  static constexpr char kHex[] = "0123456789abcdef";
  std::string key;
  for (int i = 0; i < 16; ++i) {
    key += kHex[hash[i] >> 4];
    key += kHex[hash[i] & 15];
  }
  return key;
}

}  // namespace thalweg::tabular
