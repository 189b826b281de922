#include "sink_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "disk.h"
#include "encoding.h"

namespace thalweg::tabular {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kTailBytes = 1 << 20;  // far more than one batch: only what was not yet answered can come again
constexpr std::size_t kMaxKnownFiles = 1024;
constexpr std::size_t kMaxKnownIds = 2000;
constexpr std::size_t kIdBytes = 36;

Error unavailable(const std::string& what, int error) {
  return Error{Code::kUnavailable, what + ": " + std::strerror(error)};
}

Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t bytes, const std::string& name) {
  std::string text(bytes, '\0');
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = ::pread(fd, text.data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unavailable("reading " + name, errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  text.resize(done);
  return text;
}

/// The record id at the end of a line; empty if there is none, so that the line is not whole. With codes as text it may
/// be quoted.
std::string id_of(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.size() < kIdBytes) return {};
  const std::string_view id = line.substr(line.size() - kIdBytes);
  for (std::size_t i = 0; i < kIdBytes; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = id[i];
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return {};
  }
  return std::string(id);
}

}  // namespace

Result<std::string> SinkFiles::encoded(const std::string& text) const {
  if (settings_.encoding == Encoding::kGb18030) return to_gb18030(text);
  return text;
}

/// Reads the ids at the end of the file and mends a line that a crash cut short. The file is locked.
Status SinkFiles::take_tail(int fd, const fs::path& path, Known& known, Appended& done) {
  struct stat now {};
  if (::fstat(fd, &now) != 0) return unavailable("looking at " + path.string(), errno);
  auto size = static_cast<std::uint64_t>(now.st_size);
  if (known.inode == now.st_ino && known.size == size) return {};  // ours, as we left it
  known = {now.st_ino, size, {}};
  const std::uint64_t from = size > kTailBytes ? size - kTailBytes : 0;
  TW_ASSIGN(const std::string tail, read_at(fd, from, static_cast<std::size_t>(size - from), path.string()));
  std::size_t at = 0;
  if (from > 0) at = std::min(tail.find('\n'), tail.size() - 1) + 1;
  while (at < tail.size()) {
    const std::size_t end = tail.find('\n', at);
    const std::string_view line = std::string_view(tail).substr(at, end == std::string::npos ? end : end - at);
    const std::string id = id_of(line);
    if (!id.empty()) known.ids.insert(id);
    if (end != std::string::npos) {
      at = end + 1;
      continue;
    }
    // The last line has no end. With its record id it is whole; without, its record was never accepted and comes again.
    if (!id.empty()) {
      TW_TRY(write_all(fd, line.back() == '\r' ? "\n" : settings_.line_end(), path.string()));
    } else {
      done.torn = line;
      if (::ftruncate(fd, static_cast<off_t>(from + at)) != 0) return unavailable("mending " + path.string(), errno);
    }
    if (::fstat(fd, &now) != 0) return unavailable("looking at " + path.string(), errno);
    known.size = static_cast<std::uint64_t>(now.st_size);
    break;
  }
  return {};
}

Result<Appended> SinkFiles::append(const std::string& file, const std::string& header,
                                   const std::vector<Entry>& entries) {
  TW_ASSIGN(std::string first_line, encoded(header));
  first_line += settings_.line_end();
  if (settings_.encoding == Encoding::kUtf8) first_line.insert(0, kUtf8Bom);
  const fs::path wanted = fs::path(settings_.folder) / file;
  TW_TRY(make_folder(wanted.parent_path()));
  for (int i = 1; i < 100; ++i) {
    Appended done;
    done.path = i == 1 ? wanted
                       : wanted.parent_path() /
                             (wanted.stem().string() + "." + std::to_string(i) + wanted.extension().string());
    const std::string name = done.path.string();
    const Descriptor fd(::open(name.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!fd.open()) return unavailable("opening " + name, errno);
    if (::flock(fd.get(), LOCK_EX) != 0) return unavailable("locking " + name, errno);
    struct stat now {};
    if (::fstat(fd.get(), &now) != 0) return unavailable("looking at " + name, errno);
    const auto size = static_cast<std::uint64_t>(now.st_size);
    TW_ASSIGN(const std::string head, read_at(fd.get(), 0, std::min<std::uint64_t>(size, first_line.size()), name));
    const bool fresh = head.size() < first_line.size() && first_line.compare(0, head.size(), head) == 0;
    if (!fresh && head != first_line) continue;  // another header, perhaps of an older configuration
    if (known_.size() > kMaxKnownFiles) known_.clear();
    Known& known = known_[name];
    std::string bytes;
    if (fresh) {
      known = {};
      if (::ftruncate(fd.get(), 0) != 0) return unavailable("mending " + name, errno);
      bytes = first_line;
    } else {
      TW_TRY(take_tail(fd.get(), done.path, known, done));
    }
    std::set<std::string> added;
    for (const Entry& entry : entries) {
      if (known.ids.count(entry.id) != 0 || !added.insert(entry.id).second) {
        ++done.present;
        continue;
      }
      TW_ASSIGN(const std::string line, encoded(entry.text));
      bytes += line;
      bytes += settings_.line_end();
      ++done.written;
    }
    const Status written = write_all(fd.get(), bytes, name);
    if (!written || ::fdatasync(fd.get()) != 0) {
      const int why = errno;
      known_.erase(name);  // what stands there is looked at anew
      if (!written) return Error{written.error()};
      return unavailable("syncing " + name, why);
    }
    if (fresh) TW_TRY(sync_folder(done.path.parent_path()));
    if (::fstat(fd.get(), &now) != 0) return unavailable("looking at " + name, errno);
    known.inode = now.st_ino;
    known.size = static_cast<std::uint64_t>(now.st_size);
    if (known.ids.size() + added.size() > kMaxKnownIds) known.ids.clear();
    known.ids.insert(added.begin(), added.end());
    return done;
  }
  return Error{Code::kUnavailable, wanted.string() + ": a hundred files of this name have other headers"};
}

}  // namespace thalweg::tabular
