// child_process.h: one program started by the gate: its lines, its end.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace thalweg::gate {

/// What a child ended with.
struct ChildExit {
  bool signalled = false;
  int code = 0;  ///< exit code, or the signal's number
  std::string text() const;
};

struct ChildOptions {
  Path program;
  std::vector<std::string> arguments;
  std::string secret;  ///< the child reads it from descriptor 3; neither ps nor /proc/environ shows it
  std::function<void(std::string_view line)> on_line;  ///< of its standard error
  std::function<void(const ChildExit&)> on_exit;       ///< once; the object may be destroyed from here
};

/// Owns: the process: destroying this kills and reaps it. The child has a process group of its own, no descriptors but
/// 0 to 3, and default signals.
/// Threads: the loop of `io`.
class ChildProcess {
 public:
  /// Errors: kNotFound, kDenied, kBusy (descriptors, processes or memory are short), kIo.
  static Result<std::unique_ptr<ChildProcess>> start(boost::asio::io_context& io, ChildOptions options);
  ~ChildProcess();

  pid_t pid() const;
  void signal(int number);

 private:
  struct Impl;
  explicit ChildProcess(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace thalweg::gate
