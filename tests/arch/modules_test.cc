// modules_test.cc: who may include whom, as the modules' READMEs say, and which module owns which foreign library.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "source_tree.h"

namespace {

using namespace thalweg::arch;

/// What one README's "May include:" line allows.
struct Allowed {
  std::set<std::string> modules;
  std::set<std::string> headers;  ///< single headers, given in brackets behind a module's name
};

/// "base, sdk (thalweg/cpp/result.h). Foreign: ..." -> modules {base}, headers {thalweg/cpp/result.h}
Allowed parse_may_include(std::string_view text) {
  Allowed out;
  std::string word;
  const auto flush = [&] {
    if (!word.empty()) out.modules.insert(word);
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') break;
    if (c == '(') {
      const auto close = std::min(text.find(')', i), text.size());
      out.headers.insert(std::string(text.substr(i + 1, close - i - 1)));
      word.clear();
      i = close;
    } else if (c == ',') {
      flush();
    } else if (c != ' ') {
      word += c;
    }
  }
  flush();
  return out;
}

std::map<std::string, Allowed> rules() {
  std::map<std::string, Allowed> found;
  for (const TreeFile& file : tree()) {
    if (file.name() != "README.md" || file.module().empty() ||
        file.path != "hub/" + std::string(file.module()) + "/README.md")
      continue;
    constexpr std::string_view kMark = "May include:";
    for (const std::string_view line : lines_of(file.text)) {
      if (const auto at = line.find(kMark); at != std::string_view::npos)
        found[std::string(file.module())] = parse_may_include(line.substr(at + kMark.size()));
    }
  }
  return found;
}

/// The modules in the order in which hub/CMakeLists.txt builds them: lowest first.
std::vector<std::string> build_order() {
  std::vector<std::string> order;
  const TreeFile* file = find("hub/CMakeLists.txt");
  if (file == nullptr) return order;
  constexpr std::string_view kMark = "foreach(module ";
  const auto start = file->text.find(kMark);
  if (start == std::string::npos) return order;
  const auto end = file->text.find(')', start);
  std::string word;
  for (std::size_t i = start + kMark.size(); i <= end; ++i) {
    const char c = file->text[i];
    if (c == ' ' || c == ')' || c == '\n') {
      if (!word.empty()) order.push_back(word);
      word.clear();
    } else {
      word += c;
    }
  }
  return order;
}

/// A foreign library, by how its headers begin, and who may use it: modules, or single files.
struct Foreign {
  std::string_view prefix;
  std::vector<std::string_view> owners;
};

const std::vector<Foreign>& foreign_libraries() {
  static const std::vector<Foreign> list = {
      {"zmq", {"link"}},
      {"boost/beast", {"hub/app/http_endpoint.cc"}},
      {"boost/asio", {"base", "link", "delivery", "gate", "runner", "app"}},
      {"simdjson", {"model", "intake"}},
      {"toml++/", {"region", "gate", "app"}},
      // Not on the way of a record: never in base, ledger, link, delivery, intake.
      {"nlohmann/", {"model", "trust", "region", "routing", "gate", "runner", "app"}},
      {"spdlog/", {"base"}},
      {"openssl/", {"base", "trust", "gate"}},
      {"lz4", {"model", "ledger"}},
      {"CLI/", {"app"}},
      {"dlfcn.h", {"runner"}},  // the hub and the gate never load plugin code
      {"sqlite3.h", {}},
      {"catch2/", {}},
      {"valijson/", {}},
  };
  return list;
}

bool owns(const Foreign& library, const TreeFile& file) {
  return std::any_of(library.owners.begin(), library.owners.end(),
                     [&](std::string_view owner) { return owner == file.module() || owner == file.path; });
}

}  // namespace

TEST_CASE("every module has a README that says what it may include", "[arch]") {
  const auto may = rules();
  std::vector<std::string> wrong;
  for (const std::string& module : build_order()) {
    if (!may.contains(module)) wrong.push_back("hub/" + module + "/README.md has no line with 'May include:'");
  }
  for (const TreeFile& file : tree()) {
    const std::string module(file.module());
    const auto order = build_order();
    if (!module.empty() && std::find(order.begin(), order.end(), module) == order.end())
      wrong.push_back(file.path + ": its module is not built by hub/CMakeLists.txt");
  }
  INFO(joined(wrong));
  CHECK(build_order().size() >= 12);
  CHECK(wrong.empty());
}

TEST_CASE("modules may include downwards only", "[arch]") {
  const auto order = build_order();
  const auto place = [&](const std::string& module) {
    return std::find(order.begin(), order.end(), module) - order.begin();
  };
  std::vector<std::string> wrong;
  for (const auto& [module, allowed] : rules()) {
    for (const std::string& other : allowed.modules) {
      if (other == "sdk") continue;
      if (place(other) >= place(module))
        wrong.push_back("hub/" + module + "/README.md: " + other + " does not lie below " + module);
    }
  }
  INFO(joined(wrong));
  CHECK(wrong.empty());
}

TEST_CASE("files include only what their module's README allows", "[arch]") {
  const auto may = rules();
  const auto order = build_order();
  std::vector<std::string> wrong;
  for (const TreeFile& file : tree()) {
    const std::string module(file.module());
    if (!file.is_source() || !may.contains(module) || file.is_test_or_bench()) continue;
    const Allowed& allowed = may.at(module);
    for (const Include& include : includes_of(file)) {
      if (!include.quoted) continue;
      const std::string first = include.target.substr(0, include.target.find('/'));
      if (first == "thalweg") {
        // Result and its codes are the language of all modules; they come with base.
        if (include.target == "thalweg/cpp/result.h" || include.target == "thalweg/errors.inc" ||
            allowed.modules.contains("sdk") || allowed.headers.contains(include.target))
          continue;
      } else if (std::find(order.begin(), order.end(), first) != order.end()) {
        if (first == module || allowed.modules.contains(first)) continue;
      } else if (first == include.target) {
        continue;  // a file beside it, or a generated one
      } else if (file.is_under("hub/app/station") && include.target == "hj212/packet.h") {
        continue;  // the simulated station speaks the adapter's protocol
      }
      wrong.push_back(finding(file, include.line, module + " may not include " + include.target));
    }
  }
  INFO(joined(wrong));
  CHECK(wrong.empty());
}

TEST_CASE("libraries are linked only to what the README allows", "[arch]") {
  const auto may = rules();
  std::vector<std::string> wrong;
  for (const auto& [module, allowed] : may) {
    const TreeFile* file = find("hub/" + module + "/CMakeLists.txt");
    if (file == nullptr) continue;
    bool in_uses = false;
    int number = 0;
    for (const std::string_view line : lines_of(file->text)) {
      ++number;
      std::string word;
      for (std::size_t i = 0; i <= line.size(); ++i) {
        const char c = i < line.size() ? line[i] : ' ';
        if (c != ' ' && c != '(' && c != ')') {
          word += c;
          continue;
        }
        if (word == "USES") {
          in_uses = true;
        } else if (word == "LIBS" || word == "TESTS" || word == "SOURCES") {
          in_uses = false;
        } else if (!word.empty() && in_uses && !allowed.modules.contains(word)) {
          wrong.push_back(finding(*file, number, module + " may not use " + word));
        }
        if (c == ')') in_uses = false;
        word.clear();
      }
    }
  }
  INFO(joined(wrong));
  CHECK(wrong.empty());
}

TEST_CASE("foreign libraries have owners", "[arch]") {
  std::vector<std::string> wrong;
  for (const TreeFile& file : tree()) {
    if (!file.is_source() || file.module().empty() || file.is_test_or_bench()) continue;
    for (const Include& include : includes_of(file)) {
      if (include.quoted) continue;
      for (const Foreign& library : foreign_libraries()) {
        if (include.target.starts_with(library.prefix) && !owns(library, file))
          wrong.push_back(finding(file, include.line, "<" + include.target + "> belongs to other modules"));
      }
    }
  }
  INFO(joined(wrong));
  CHECK(wrong.empty());
}

TEST_CASE("the SDK and the adapters know nothing of the hub", "[arch]") {
  const auto order = build_order();
  std::vector<std::string> wrong;
  for (const TreeFile& file : tree()) {
    if (!file.is_source() || file.path.starts_with("sdk/tests/")) continue;
    if (!file.is_under("sdk") && !file.is_under("plugins") && !file.is_under("examples/adapters")) continue;
    for (const Include& include : includes_of(file)) {
      const std::string first = include.target.substr(0, include.target.find('/'));
      if (include.quoted && first != include.target && std::find(order.begin(), order.end(), first) != order.end())
        wrong.push_back(finding(file, include.line, include.target + " is the hub's"));
    }
  }
  INFO(joined(wrong));
  CHECK(wrong.empty());
}
