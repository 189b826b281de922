// source_tree.h: the files of the repository, as the architecture tests see them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace thalweg::arch {

/// One file of the working tree. `path` is relative to the root, with '/'.
struct TreeFile {
  std::string path;
  std::string text;

  std::string_view name() const;
  std::string_view extension() const;  ///< with the dot; empty without one
  bool is_source() const;              ///< .h .cc .c
  bool is_under(std::string_view folder) const;
  /// The second folder of hub/<module>/...; empty elsewhere.
  std::string_view module() const;
  /// Below a folder named `tests` or `bench`, which may use more than their module.
  bool is_test_or_bench() const;
};

/// One #include line of a file.
struct Include {
  int line = 0;
  std::string target;
  bool quoted = false;
};

/// All files but those that git does not keep (build/, out/, .git/), sorted by path. Read once.
const std::vector<TreeFile>& tree();
const TreeFile* find(std::string_view path);

std::vector<Include> includes_of(const TreeFile& file);
/// The lines, without their ends.
std::vector<std::string_view> lines_of(std::string_view text);
/// "PATH:LINE: what", for a list of findings.
std::string finding(const TreeFile& file, int line, std::string_view what);
/// One a line, so that a failing test prints all of them.
std::string joined(const std::vector<std::string>& findings);

}  // namespace thalweg::arch
