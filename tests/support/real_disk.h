// real_disk.h: the real disk as something to be changed in one point: what a test does not override goes through.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"

namespace thalweg {

class RealDisk : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override { return real_.open(path, mode); }
  Status rename(const Path& from, const Path& to) override { return real_.rename(from, to); }
  Status remove(const Path& path) override { return real_.remove(path); }
  Status sync_folder(const Path& folder) override { return real_.sync_folder(folder); }
  Status create_folders(const Path& folder) override { return real_.create_folders(folder); }
  Result<std::vector<std::string>> list(const Path& folder) override { return real_.list(folder); }
  bool exists(const Path& path) override { return real_.exists(path); }
  Result<Space> space(const Path& path) override { return real_.space(path); }

 private:
  FileSystem& real_ = real_files();
};

/// A file of it, likewise.
class RealFile : public File {
 public:
  explicit RealFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const override {
    return file_->read_at(offset, into);
  }
  Status write_at(std::uint64_t offset, ByteView bytes) override { return file_->write_at(offset, bytes); }
  Status sync() override { return file_->sync(); }
  Status truncate(std::uint64_t size) override { return file_->truncate(size); }
  Result<std::uint64_t> size() const override { return file_->size(); }

 private:
  std::unique_ptr<File> file_;
};

/// Half of it is free, however full the real one is.
class RoomyDisk : public RealDisk {
 public:
  Result<Space> space(const Path&) override { return Space{.free_bytes = 50ull << 30, .total_bytes = 100ull << 30}; }
};

}  // namespace thalweg
