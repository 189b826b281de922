// watcher.h: when does each record stand in an inbox? A person's `tail`, with a clock.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "storm/origin.h"

namespace thalweg::storm {

/// Follows one lane of a gate's inbox from its start on, until the gate stops or the watcher does.
/// Owns: its thread. Threads: any.
class Watcher {
 public:
  Watcher(Path socket, Lane lane, std::string party);
  ~Watcher() { join(); }
  /// The gate has stopped.
  void join();

  std::size_t count() const;
  /// When record `i` of the party, in the order of arrival, was seen: it was durable then.
  std::vector<SteadyClock::time_point> seen() const;

 private:
  mutable std::mutex mutex_;
  std::vector<SteadyClock::time_point> seen_;
  std::thread thread_;
};

}  // namespace thalweg::storm
