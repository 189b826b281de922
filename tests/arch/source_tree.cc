#include "source_tree.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace thalweg::arch {
namespace {

namespace fs = std::filesystem;

/// What lies beside the sources in the root: builds, and folders of tools. `.git` is a file in a worktree.
bool not_kept(const fs::directory_entry& entry, std::string_view name) {
  if (name == ".git") return true;
  return entry.is_directory() &&
         (name.starts_with("build") || name == "out" || (name.starts_with('.') && name != ".ci"));
}

std::vector<TreeFile> read_tree() {
  const fs::path root(THALWEG_SOURCE_DIR);
  std::vector<TreeFile> files;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator(); ++it) {
    const std::string name = it->path().filename().string();
    if (it.depth() == 0 && not_kept(*it, name)) {
      it.disable_recursion_pending();
      continue;
    }
    if (!it->is_regular_file() || name.ends_with(".swp")) continue;
    std::ifstream in(it->path(), std::ios::binary);
    files.push_back({it->path().lexically_relative(root).generic_string(),
                     std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>())});
  }
  std::sort(files.begin(), files.end(), [](const TreeFile& a, const TreeFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace

std::string_view TreeFile::name() const { return std::string_view(path).substr(path.rfind('/') + 1); }

std::string_view TreeFile::extension() const {
  const std::string_view file = name();
  const auto dot = file.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view() : file.substr(dot);
}

bool TreeFile::is_source() const { return extension() == ".h" || extension() == ".cc" || extension() == ".c"; }

bool TreeFile::is_under(std::string_view folder) const {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

std::string_view TreeFile::module() const {
  if (!is_under("hub")) return {};
  const std::string_view rest = std::string_view(path).substr(4);
  const auto slash = rest.find('/');
  return slash == std::string_view::npos ? std::string_view() : rest.substr(0, slash);
}

bool TreeFile::is_test_or_bench() const {
  return path.find("/tests/") != std::string::npos || path.find("/bench/") != std::string::npos ||
         path.starts_with("tests/");
}

const std::vector<TreeFile>& tree() {
  static const std::vector<TreeFile> files = read_tree();
  return files;
}

const TreeFile* find(std::string_view path) {
  const auto& all = tree();
  const auto it = std::find_if(all.begin(), all.end(), [&](const TreeFile& file) { return file.path == path; });
  return it == all.end() ? nullptr : &*it;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<Include> includes_of(const TreeFile& file) {
  std::vector<Include> found;
  int number = 0;
  for (std::string_view line : lines_of(file.text)) {
    ++number;
    const auto start = line.find_first_not_of(" \t");
    if (start == std::string_view::npos || line[start] != '#') continue;
    line.remove_prefix(start + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with("include")) continue;
    const auto open = line.find_first_of("\"<");
    if (open == std::string_view::npos) continue;
    const auto close = line.find_first_of("\">", open + 1);
    if (close == std::string_view::npos) continue;
    found.push_back({number, std::string(line.substr(open + 1, close - open - 1)), line[open] == '"'});
  }
  return found;
}

std::string finding(const TreeFile& file, int line, std::string_view what) {
  return file.path + ":" + std::to_string(line) + ": " + std::string(what);
}

std::string joined(const std::vector<std::string>& findings) {
  std::string text;
  for (const std::string& one : findings) text += "\n  " + one;
  return text;
}

}  // namespace thalweg::arch
