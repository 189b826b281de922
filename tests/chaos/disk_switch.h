// disk_switch.h: lets the disk of one running program fail (disk_faults.c is preloaded into it).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/file.h"

namespace thalweg::chaos {

/// What fails: errno values, 0 for nothing.
struct DiskFault {
  int on_write = 0;  ///< also cutting, renaming, removing
  int on_sync = 0;
  int on_read = 0;
  int on_open = 0;
};

/// Owns: the shared memory and its file. Threads: one.
class DiskSwitch {
 public:
  explicit DiskSwitch(Path file);
  ~DiskSwitch();
  DiskSwitch(DiskSwitch&& other) noexcept
      : file_(std::move(other.file_)), order_(std::exchange(other.order_, nullptr)) {}
  DiskSwitch(const DiskSwitch&) = delete;

  /// What the program has to be started with.
  std::vector<std::string> variables(const Path& library) const;
  /// From now on, on files below `folder`.
  void fail(const DiskFault& fault, const Path& folder);
  void mend() { fail({}, "-"); }
  /// Calls that have failed since fail().
  int hits() const;

 private:
  struct Order;  // as disk_faults.c has it
  Path file_;
  Order* order_ = nullptr;
};

}  // namespace thalweg::chaos
