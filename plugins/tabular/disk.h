// disk.h: the few file operations of the adapter, each durable when it returns.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "thalweg/cpp/result.h"

namespace thalweg::tabular {

/// Errors: kUnavailable, for all here unless said otherwise.
Status make_folder(const std::filesystem::path& folder);
/// Errors: kData if it is larger than `limit_bytes`.
Result<std::string> read_whole(const std::filesystem::path& path, std::uint64_t limit_bytes);
/// A new file with this content, synced, and its name in the folder too.
Status write_whole(const std::filesystem::path& path, std::string_view content);
/// A path in `folder` that is free: name, name.2, name.3 … before the ending.
Result<std::filesystem::path> free_name(const std::filesystem::path& folder, const std::string& name);
/// Moves a file into `folder` under a free name; both folders are synced.
Status move_durably(const std::filesystem::path& from, const std::filesystem::path& folder);
Status sync_folder(const std::filesystem::path& folder);
/// The first 128 bits of SHA-256, in hex.
Result<std::string> content_key(std::string_view content);

/// A file descriptor that is closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};
/// Writes all of it or says why not.
Status write_all(int fd, std::string_view bytes, const std::string& name);

}  // namespace thalweg::tabular
