// files_test.cc: what holds for every file: it is built, its name is its own, it is not too long, it is finished.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <regex>

#include "source_tree.h"

namespace {

using namespace thalweg::arch;

/// True where a CMakeLists.txt in the file's folder or above names the file by its path from there. What tests share is
/// named by those who share it.
bool is_named_in_a_cmake_list(const TreeFile& file) {
  if (file.is_under("tests/support")) {
    const auto& all = tree();
    return std::any_of(all.begin(), all.end(), [&](const TreeFile& list) {
      return list.name() == "CMakeLists.txt" &&
             list.text.find("support/" + std::string(file.name())) != std::string::npos;
    });
  }
  std::size_t slash = file.path.rfind('/');
  while (true) {
    const std::string folder = slash == std::string::npos ? "" : file.path.substr(0, slash + 1);
    const std::string from_there = file.path.substr(folder.size());
    if (const TreeFile* list = find(folder + "CMakeLists.txt"); list != nullptr) {
      for (auto at = list->text.find(from_there); at != std::string::npos; at = list->text.find(from_there, at + 1)) {
        const char before = at == 0 ? ' ' : list->text[at - 1];
        const std::size_t end = at + from_there.size();
        const char after = end < list->text.size() ? list->text[end] : ' ';
        // After a '/' it is the same file named from elsewhere, e.g. from the root.
        if (std::string_view(" \n(\"/").find(before) != std::string_view::npos &&
            std::string_view(" \n)\"").find(after) != std::string_view::npos)
          return true;
      }
    }
    if (slash == std::string::npos) return false;
    slash = slash == 0 ? std::string::npos : file.path.rfind('/', slash - 1);
  }
}

bool is_text(const TreeFile& file) {
  static constexpr std::string_view kTexts[] = {".h",  ".cc", ".c",   ".cmake", ".txt", ".md", ".toml", ".json",
                                                ".sh", ".py", ".inc", ".supp",  ".yml", ".in", ".map",  ".service"};
  return file.name() == "run" || file.name() == ".clang-tidy" || file.name() == ".clang-format" ||
         std::find(std::begin(kTexts), std::end(kTexts), file.extension()) != std::end(kTexts);
}

/// Every line of a text file that matches.
std::vector<std::string> lines_that_match(const std::regex& pattern, const std::string& what) {
  std::vector<std::string> found;
  for (const TreeFile& file : tree()) {
    if (!is_text(file)) continue;
    int number = 0;
    for (const std::string_view line : lines_of(file.text)) {
      ++number;
      if (std::regex_search(line.begin(), line.end(), pattern)) found.push_back(finding(file, number, what));
    }
  }
  return found;
}

}  // namespace

TEST_CASE("every source file is in a CMakeLists.txt, tests above all", "[arch]") {
  std::vector<std::string> wrong;
  for (const TreeFile& file : tree()) {
    if (file.extension() != ".cc" && file.extension() != ".c") continue;
    if (!is_named_in_a_cmake_list(file)) wrong.push_back(file.path + " is not built");
  }
  INFO(joined(wrong));
  CHECK(wrong.empty());
}

TEST_CASE("every suite of tests is built", "[arch]") {
  const TreeFile* list = find("tests/CMakeLists.txt");
  REQUIRE(list != nullptr);
  std::vector<std::string> wrong;
  for (const TreeFile& file : tree()) {
    if (file.name() != "CMakeLists.txt" || !file.is_under("tests") || file.path == list->path) continue;
    const std::string rest = file.path.substr(std::string_view("tests/").size());
    const std::string suite = rest.substr(0, rest.find('/'));
    if (rest != suite + "/CMakeLists.txt") continue;
    if (!std::regex_search(list->text, std::regex("[ (\\n]" + suite + "[ )\\n]")))
      wrong.push_back("tests/" + suite + " is not a suite of tests/CMakeLists.txt");
  }
  INFO(joined(wrong));
  CHECK(wrong.empty());
}

TEST_CASE("file names are unique across the hub", "[arch]") {
  std::map<std::string, std::vector<std::string>> by_name;
  for (const TreeFile& file : tree()) {
    if (file.module().empty() || !file.is_source() || file.is_test_or_bench()) continue;
    by_name[std::string(file.name())].push_back(file.path);
  }
  std::vector<std::string> wrong;
  for (const auto& [name, paths] : by_name) {
    if (paths.size() > 1) wrong.push_back(name + ": " + paths[0] + ", " + paths[1]);
  }
  INFO(joined(wrong));
  CHECK(by_name.size() > 100);
  CHECK(wrong.empty());
}

TEST_CASE("no source file passes a thousand lines", "[arch]") {
  std::vector<std::string> wrong;
  for (const TreeFile& file : tree()) {
    if (!file.is_source()) continue;
    const auto lines = lines_of(file.text).size();
    if (lines > 1000) wrong.push_back(file.path + " has " + std::to_string(lines) + " lines");
    if (lines > 500) WARN(file.path << " has " << lines << " lines: time to find its second purpose");
  }
  INFO(joined(wrong));
  CHECK(wrong.empty());
}

TEST_CASE("work that is left over is in an issue, not in a comment", "[arch]") {
  // Put together here, so that this file does not hold the words itself.
  const std::string words = std::string("\\b(TO") + "DO|FIX" + "ME|X" + "XX)\\b";
  const auto wrong = lines_that_match(std::regex(words), "unfinished");
  INFO(joined(wrong));
  CHECK(wrong.empty());
}

TEST_CASE("no path of one machine is in the repository", "[arch]") {
  const std::string folders = std::string("(^|[^A-Za-z0-9_.}/-])/(wo") + "rk|ho" + "me|ro" + "ot|Us" + "ers)/";
  const auto wrong = lines_that_match(std::regex(folders), "an absolute path of a machine");
  INFO(joined(wrong));
  CHECK(wrong.empty());
}

TEST_CASE("a gate is never called a sluice in Chinese", "[arch]") {
  // The character stands for water works only. Names of real ones are the region files' own.
  static constexpr std::string_view kSluice = "\u95f8";
  static constexpr std::string_view kWords[] = {"水\u95f8",   "\u95f8坝", "网\u95f8", "\u95f8门",
                                                "节制\u95f8", "船\u95f8", "\u95f8站", "泄洪\u95f8"};
  std::vector<std::string> wrong;
  for (const TreeFile& file : tree()) {
    if (!is_text(file) || file.path == "docs/glossary.md" || file.is_under("examples/regions")) continue;
    int number = 0;
    for (const std::string_view line : lines_of(file.text)) {
      ++number;
      for (auto at = line.find(kSluice); at != std::string_view::npos; at = line.find(kSluice, at + 1)) {
        const bool water = std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view word) {
          const std::size_t lead = word.find(kSluice);
          return at >= lead && line.substr(at - lead, word.size()) == word;
        });
        if (!water) wrong.push_back(finding(file, number, "a gate is 前置端 (docs/glossary.md)"));
      }
    }
  }
  INFO(joined(wrong));
  CHECK(wrong.empty());
}
