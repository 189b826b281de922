#include "base/loop.h"

#include <catch2/catch.hpp>
#include <vector>

namespace thalweg {

TEST_CASE("a loop runs what is posted in order, on its own thread", "[base]") {
  Loop loop("test-loop");
  loop.start();
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) loop.post([&order, i] { order.push_back(i); });
  CHECK(loop.run([&] { return loop.on_loop(); }));
  CHECK_FALSE(loop.on_loop());
  loop.run([&] {
    for (int i = 0; i < 100; ++i) {
      if (order[static_cast<std::size_t>(i)] != i) order.clear();
    }
  });
  CHECK(order.size() == 100);
}

TEST_CASE("what run() throws is thrown to the caller", "[base]") {
  Loop loop("test-loop");
  loop.start();
  CHECK_THROWS_AS(loop.run([]() -> int { throw std::runtime_error("x"); }), std::runtime_error);
}

TEST_CASE("a loop that was never started or is stopped twice ends cleanly", "[base]") {
  { Loop never("never"); }
  Loop loop("test-loop");
  loop.start();
  loop.stop();
  loop.stop();
  loop.join();
  loop.join();
}

TEST_CASE("after stop() nothing posted runs", "[base]") {
  Loop loop("test-loop");
  loop.start();
  loop.stop();
  loop.join();
  bool ran = false;
  loop.post([&] { ran = true; });
  CHECK_FALSE(ran);
}

}  // namespace thalweg
