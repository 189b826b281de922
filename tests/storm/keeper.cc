#include "storm/keeper.h"

#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

namespace thalweg::storm {

using SteadyClock = std::chrono::steady_clock;

Path trial_folder(const std::string& named, const std::string& program, const Path& below) {
  if (!named.empty()) return named;
  // mkdtemp's own sign for its letters
  std::string made = (below / ("thalweg-" + program + "-" + std::string(6, 'X'))).string();
  return ::mkdtemp(made.data()) == nullptr ? Path() : Path(made);
}

Path memory_folder() {
  constexpr std::uintmax_t kLeast_bytes = std::uintmax_t{2} << 30;  // far more than any trial sends
  const Path memory = "/dev/shm";
  std::error_code none;
  const auto space = std::filesystem::space(memory, none);
  return !none && space.available >= kLeast_bytes && space.available > space.capacity / 4 &&
                 ::access(memory.c_str(), W_OK | X_OK) == 0
             ? memory
             : Path();
}

bool Keeper::set_up(const Path& folder, const Path& programs, Site::Layout layout) {
  auto site = Site::set_up(folder, programs, std::move(layout));
  if (!site) {
    complain("setting up: " + site.error().message);
    return false;
  }
  site_ = *std::move(site);
  return true;
}

void Keeper::complain(const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", program_.c_str(), what.c_str());
  complaints_.push_back(what);
}

void Keeper::start(Machine& machine) {
  if (machine.runs()) return;
  if (Status started = machine.start(); !started) complain(machine.name() + ": " + started.error().message);
}

void Keeper::watch() {
  std::string how;
  for (Machine& machine : site_->machines()) {
    if (!machine.ended_by_itself(how)) continue;
    complain(machine.name() + " ended by itself: " + how + "; see " + machine.log().string());
    start(machine);
  }
}

bool Keeper::wait_until(const std::function<bool()>& yes, const std::string& what, int seconds) {
  const auto end = SteadyClock::now() + std::chrono::seconds(seconds);
  while (!yes()) {
    watch();
    if (SteadyClock::now() > end) {
      complain(what + ": not within " + std::to_string(seconds) + " s");
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

void Keeper::stop_all() {
  constexpr int kSeconds = 30;
  for (Machine& machine : site_->machines()) {
    const auto status = machine.stop(kSeconds);
    if (!status || *status != 0)
      complain(machine.name() +
               (status ? " ended with status " + std::to_string(*status) : " did not end when told to"));
  }
}

}  // namespace thalweg::storm
