// machine.h: one program of a site in a process of its own, that can be killed and started again.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"

namespace thalweg::storm {

/// Owns: the process. It ends with this one, however this one ends. Threads: one.
class Machine {
 public:
  /// `name` is also the log file's, beside the folder.
  Machine(std::string name, Path program, Path folder);
  ~Machine();
  Machine(Machine&& other) noexcept;
  Machine(const Machine&) = delete;

  Status start();
  /// From the next start on: it has only what nobody else wants of the processors (SCHED_IDLE).
  void set_modest(bool modest) { modest_ = modest; }
  /// From the next start on: NAME=VALUE, beside this process's own.
  void set_environment(std::vector<std::string> more) { environment_ = std::move(more); }
  /// From the next start on: another machine takes its place. Does not run now.
  void set_folder(Path folder) { folder_ = std::move(folder); }
  /// SIGKILL, and waits until it is gone.
  void kill();
  /// SIGSTOP: from outside like a hung program or a frozen machine: connections stay open, nobody answers. Until
  /// go_on().
  void hang();
  void go_on();
  /// SIGTERM; SIGKILL after `seconds`. Exit status, or nothing when it had to be killed.
  std::optional<int> stop(int seconds);
  /// True once after it ended without having been told to. `how` says with what status.
  bool ended_by_itself(std::string& how);
  bool runs() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }

  const std::string& name() const { return name_; }
  const Path& folder() const { return folder_; }
  Path log() const { return folder_.parent_path() / (name_ + ".log"); }

 private:
  std::string name_;
  Path program_, folder_;
  std::vector<std::string> environment_;
  pid_t pid_ = -1;
  bool modest_ = false;
};

}  // namespace thalweg::storm
