// pages_test.cc: what pages and comments point at is there: tests, files, rules.
#include <algorithm>
#include <catch2/catch.hpp>
#include <regex>
#include <set>

#include "source_tree.h"

namespace {

using namespace thalweg::arch;

/// The file or folder that a link of the page leads to, from the root.
std::string target_of(const TreeFile& page, const std::string& link) {
  const auto folder = std::filesystem::path(page.path).parent_path();
  std::string out = (folder / link).lexically_normal().generic_string();
  if (out.ends_with('/')) out.pop_back();
  return out;
}

bool is_there(const std::string& path) {
  const auto& all = tree();
  return path.empty() || path == "." || std::any_of(all.begin(), all.end(), [&](const TreeFile& file) {
           return file.path == path || file.path.starts_with(path + "/");
         });
}

}  // namespace

TEST_CASE("every link of a page leads to a file", "[arch]") {
  const std::regex link(R"(\]\(([^)#: ]+)(#[^)]*)?\))");
  std::vector<std::string> wrong;
  std::size_t links = 0;
  for (const TreeFile& page : tree()) {
    if (page.extension() != ".md") continue;
    for (std::sregex_iterator at(page.text.begin(), page.text.end(), link), end; at != end; ++at) {
      ++links;
      if (!is_there(target_of(page, (*at)[1].str()))) wrong.push_back(page.path + ": " + (*at)[1].str());
    }
  }
  INFO(joined(wrong));
  CHECK(links > 50);
  CHECK(wrong.empty());
}

TEST_CASE("every rule that is named by its number stands in docs/rules.md", "[arch]") {
  const TreeFile* page = find("docs/rules.md");
  REQUIRE(page != nullptr);
  std::set<std::string> known;
  const std::regex item(R"(^([0-9]+)\. )");
  for (const std::string_view line : lines_of(page->text)) {
    std::cmatch found;
    if (std::regex_search(line.begin(), line.end(), found, item)) known.insert(found[1].str());
  }
  CHECK(known.size() == 29);
  const std::regex named(R"(\b[Rr]ules? ([0-9]+)((?:, [0-9]+)*)(?: and ([0-9]+))?)");
  const std::regex number("[0-9]+");
  std::vector<std::string> wrong;
  for (const TreeFile& file : tree()) {
    if (!file.is_source() && file.extension() != ".md") continue;
    for (std::sregex_iterator at(file.text.begin(), file.text.end(), named), end; at != end; ++at) {
      const std::string words = at->str();
      for (std::sregex_iterator n(words.begin(), words.end(), number); n != end; ++n)
        if (!known.contains(n->str())) wrong.push_back(file.path + ": " + words);
    }
  }
  INFO(joined(wrong));
  CHECK(wrong.empty());
}

TEST_CASE("every test that a page names as a proof exists", "[arch]") {
  std::string all;
  for (const TreeFile& file : tree()) {
    if (file.is_test_or_bench() && file.extension() == ".cc") all += file.text;
  }
  const std::regex named("`test_[a-z0-9_]+:([^`]+)`");
  std::vector<std::string> wrong;
  for (const TreeFile& file : tree()) {
    if (file.extension() != ".md") continue;
    for (std::sregex_iterator at(file.text.begin(), file.text.end(), named), end; at != end; ++at) {
      if (all.find("TEST_CASE(\"" + (*at)[1].str() + "\"") == std::string::npos) {
        wrong.push_back(file.path + ": no test \"" + (*at)[1].str() + "\"");
      }
    }
  }
  INFO(joined(wrong));
  CHECK(wrong.empty());
}
