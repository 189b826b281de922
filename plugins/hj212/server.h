// server.h: listens for stations on TCP and feeds what they send to the intake. Bounded in every direction.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "intake.h"

namespace thalweg::hj212 {

/// Owns one thread, on which everything happens: sockets, timers, the intake.
/// Threads: [instance] for start() and stop(); any for the rest.
class Server {
 public:
  Server(Settings settings, const FactorTable& factors, Host host);
  ~Server();  ///< stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Listens, and begins the thread. Errors: kUnavailable (address in use or not here), kConfig (no IP address).
  Status start();
  /// Closes every line and ends the thread; the counters are logged.
  void stop();

  void settled(std::vector<Intake::Outcome> outcomes);
  void room();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace thalweg::hj212
