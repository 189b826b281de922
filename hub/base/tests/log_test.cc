#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "support/temp_folder.h"

namespace thalweg {
namespace {

/// What `work` writes to standard error.
template <class Work>
std::string errors_of(Work work) {
  TempFolder folder;
  const std::string path = (folder / "stderr").string();
  const int before = ::dup(STDERR_FILENO);
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  REQUIRE(file >= 0);
  ::dup2(file, STDERR_FILENO);
  work();
  ::dup2(before, STDERR_FILENO);
  ::close(file);
  ::close(before);
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the log is quiet below warnings unless asked", "[base]") {
  const std::string quiet = errors_of([] {
    log::debug("hub", "one");
    log::info("hub", "two");
    log::warning("hub", "three {}", 3);
  });
  CHECK(quiet.find("one") == std::string::npos);
  CHECK(quiet.find("two") == std::string::npos);
  CHECK(quiet.find("hub: three 3") != std::string::npos);
  log::set_level(log::Level::kInfo);
  const std::string asked = errors_of([] { log::info("hub", "two"); });
  log::set_level(log::Level::kWarning);
  CHECK(asked.find("hub: two") != std::string::npos);
}

TEST_CASE("one message is one line, whatever stands in it", "[base]") {
  const std::string text = errors_of([] { log::error("link", "{}", "bad\nhub: forged\x1b[2J\r荣昌"); });
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("荣昌") != std::string::npos);
}

}  // namespace thalweg
