// runner_main.cc: thalweg-runner: one adapter instance in one process. Started by thalweg-gate, not by people.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "app/exit_code.h"
#include "runner/runner.h"

int main(int argc, char** argv) {
  using namespace thalweg;
  CLI::App cli{"thalweg-runner: runs one adapter instance. thalweg-gate starts it; by hand it can do nothing."};
  runner::RunnerOptions options;
  std::string socket;
  std::string lane = "routine";
  int token_fd = -1;
  cli.add_option("--socket", socket, "The gate's socket")->required();
  cli.add_option("--lane", lane, "routine or urgent")->required();
  cli.add_option("--instance", options.instance, "Name of the instance in gate.toml")->required();
  cli.add_option("--token-fd", token_fd, "Descriptor that holds the one-time token")->required();
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? app::kExitOk : app::kExitUsage;
  }
  const auto parsed = lane_from(lane);
  if (!parsed) return app::kExitUsage;
  options.socket = socket;
  options.lane = *parsed;
  char token[256];
  const ssize_t size = ::read(token_fd, token, sizeof token);
  ::close(token_fd);
  if (size <= 0) {
    std::cerr << "thalweg-runner: there is no token: thalweg-gate starts this program\n";
    return app::kExitUsage;
  }
  options.token.assign(token, static_cast<std::size_t>(size));
  return runner::run(options, system_clock());
}
