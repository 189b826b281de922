// temp_folder.h: a folder of its own for one test, removed with all that is in it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace thalweg {

class TempFolder {
 public:
  TempFolder() {
    std::filesystem::path parent = std::filesystem::temp_directory_path();
    if (parent.native().size() > kLongestParent) parent = "/tmp";
    std::string name = (parent / "thalweg-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& below) const { return path_ / below; }

 private:
  static constexpr std::size_t kLongestParent = 60;  ///< tests have sockets below, whose paths end at 107 characters

  std::filesystem::path path_;
};

}  // namespace thalweg
