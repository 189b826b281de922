#include "base/prompt_threads.h"

#include <catch2/catch.hpp>
#include <future>

namespace thalweg {
namespace {

std::uint64_t turn_of_new_thread() { return std::async(std::launch::async, PromptThreads::turn_ns).get(); }

}  // namespace

TEST_CASE("threads that are started meanwhile have shorter turns, others have not", "[base]") {
  const std::uint64_t ordinary = PromptThreads::turn_ns();
  if (ordinary == 0) {
    WARN("this kernel gives every thread the same turns (Linux 6.12 is the first that does not)");
    return;
  }
  REQUIRE(turn_of_new_thread() == ordinary);
  {
    const PromptThreads prompt(true);
    CHECK(turn_of_new_thread() < ordinary);
  }
  CHECK(turn_of_new_thread() == ordinary);
  {
    const PromptThreads prompt(false);
    CHECK(turn_of_new_thread() == ordinary);
  }
}

}  // namespace thalweg
