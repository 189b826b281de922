// supervisor_test.cc: which ends of a runner are its own fault.
#include "gate/supervisor.h"

#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "support/fake_clock.h"

using namespace thalweg;
using namespace thalweg::gate;

namespace {

/// While it lives this process can open nothing.
class NoDescriptors {
 public:
  NoDescriptors() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit none{0, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~NoDescriptors() { (void)::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE(
    "a runner that the machine has no room to start is tried again for as long as that lasts, and not held back") {
  boost::asio::io_context io;
  FakeClock clock;
  GateConfig config;
  config.state = "/nowhere";
  AdapterConfig adapter;
  adapter.instance = "table";
  adapter.kind = "source";
  config.adapters = {adapter};
  Supervisor supervisor(io, clock, config, Lane::kRoutine, "/bin/cat", {});
  {
    const NoDescriptors none;
    supervisor.start_all();
    for (int i = 0; i < 100; ++i) {
      clock.advance_s(5);
      supervisor.tick();
      REQUIRE(supervisor.view()[0].state == RunnerState::kWaiting);
    }
    CHECK(supervisor.view()[0].starts > 50);
    CHECK(supervisor.view()[0].crashes == 0);
  }
  clock.advance_s(5);
  supervisor.tick();
  CHECK(supervisor.view()[0].pid != 0);
  CHECK(supervisor.stop_all(0) == false);
  clock.advance_s(1);
  supervisor.tick();
  while (!supervisor.stop_all(0)) io.run_one();
}
