// gate.h: a gate: both lanes and what they share. Start here.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "gate/gate_shared.h"

namespace thalweg::gate {

class GateLane;

/// The front-end machine of one district, whole. thalweg-gate is this and signals; tests and benchmarks start several
/// in one process.
///
/// Owns: the state folder (by the logs' locks), its threads and its runners.
/// Threads: one at a time, unless said otherwise.
class Gate {
 public:
  struct Options {
    std::string program = "thalweg-gate";
    Path runner;  ///< thalweg-runner; needed when the configuration has adapters
    GateTuning tuning;
    std::function<void()> on_stop_asked;         ///< `stop` over the socket; any thread
    std::function<void(const Error&)> on_fatal;  ///< the process should end and be started anew; any thread
  };
  /// Loads papers, opens both lanes, connects. Errors: what is wrong with papers, folders or sockets.
  static Result<std::unique_ptr<Gate>> start(FileSystem& files, const Clock& clock, GateConfig config, Options options);
  /// Ends runners and lines, then writes what waits.
  ~Gate();

  const GateConfig& config() const;
  /// As the request `status` gives it. Any thread but the lanes'.
  nlohmann::json status() const;
  /// Empty when all is well, else what is not. Any thread but the lanes'.
  std::string unhealthy_because() const;
  GateLane& lane(Lane lane);

 private:
  explicit Gate(std::unique_ptr<GateShared> shared);
  std::unique_ptr<GateShared> shared_;
  std::unique_ptr<GateLane> lanes_[2];
};

}  // namespace thalweg::gate
