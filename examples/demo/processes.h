// processes.h: starts and ends programs, and waits for what they do.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"

namespace thalweg::demo {

/// A program that runs. Ended (SIGTERM, then SIGKILL) when the object goes, unless let go.
class Program {
 public:
  Program() = default;
  /// Output goes to `log`, which is appended to. Errors: kUnavailable.
  static Result<Program> start(const std::vector<std::string>& command, const Path& log);
  Program(Program&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Program& operator=(Program&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~Program() { stop(); }

  pid_t pid() const { return pid_; }
  void stop();
  /// SIGKILL: as a crash or a power switch would.
  void kill();
  void let_go() { pid_ = -1; }
  /// Waits for its end. The exit code, or -1.
  int wait();

 private:
  pid_t pid_ = -1;
};

/// Looks every few milliseconds until `yes`; false after `most`.
bool wait_until(const std::function<bool()>& yes, std::chrono::milliseconds most);
/// A TCP port of 127.0.0.1 that was free a moment ago, and the next one too.
std::uint16_t free_port_pair();

}  // namespace thalweg::demo
