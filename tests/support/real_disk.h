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

}  // namespace thalweg
