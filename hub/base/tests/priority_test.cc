#include "base/priority.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <thread>

using namespace thalweg;

namespace {
int nice_value() { return getpriority(PRIO_PROCESS, 0); }
}  // namespace

TEST_CASE("a thread that gives way, and those it starts, stand behind the rest of the process", "[base]") {
  const int before = nice_value();
  int own = 0, of_child = 0;
  std::thread([&] {
    give_way();
    own = nice_value();
    std::thread([&] { of_child = nice_value(); }).join();
  }).join();
  CHECK(own > before);
  CHECK(of_child == own);
  CHECK(nice_value() == before);
}
