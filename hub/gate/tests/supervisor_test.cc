// supervisor_test.cc: which ends of a runner are its own fault.
#include "gate/supervisor.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <vector>

#include "support/fake_clock.h"

using namespace thalweg;
using namespace thalweg::gate;

namespace {

/// While it lives this process can open two descriptors more, which sanitizers need for themselves; a runner needs
/// several pipes.
class FewDescriptors {
 public:
  FewDescriptors() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit few{std::min<rlim_t>(256, before_.rlim_max), before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0; fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC))
      held_.push_back(fd);
    for (int i = 0; i < 2 && !held_.empty(); ++i) release();
    REQUIRE_FALSE(held_.empty());
  }
  ~FewDescriptors() {
    while (!held_.empty()) release();
    (void)::setrlimit(RLIMIT_NOFILE, &before_);
  }
  FewDescriptors(const FewDescriptors&) = delete;

 private:
  void release() {
    ::close(held_.back());
    held_.pop_back();
  }

  rlimit before_{};
  std::vector<int> held_;
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
    const FewDescriptors few;
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
