// supervisor.h: keeps one runner process per adapter instance of a lane: start, back-off, quarantine, stop.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "gate/child_process.h"
#include "gate/gate_config.h"

namespace thalweg::gate {

/// What a person is told of an adapter instance. Names are documented in docs/formats/gate.md.
enum class RunnerState {
  kStarting,    ///< the process runs, the plugin has not started yet
  kConnecting,  ///< the plugin cannot reach its far side; it tries again
  kRunning,
  kWaiting,      ///< ended unexpectedly; starts again soon
  kQuarantined,  ///< ended too often, or can never start: waits for `adapter restart`
  kStopped,
};
std::string_view name(RunnerState state);

/// Runners of one lane. A token is good for one connection of the process it was given to.
///
/// Borrows: all references, which outlive it. Threads: the loop.
class Supervisor {
 public:
  struct Events {
    /// The process has gone. `crashed`: not because it was told to stop.
    std::function<void(const AdapterConfig&, bool crashed, std::string_view why)> on_gone;
  };
  Supervisor(boost::asio::io_context& io, const Clock& clock, const GateConfig& config, Lane lane, Path runner,
             Events events);
  ~Supervisor();

  void start_all();
  /// Starts what is due. Every 100 ms or so.
  void tick();
  /// Is this the process that holds this token? Used up by the first success. nullptr: no.
  const AdapterConfig* admit(std::string_view token, pid_t pid);
  void on_state(std::string_view instance, RunnerState state, std::string_view why);
  /// It will not get better by itself: quarantine when it ends.
  void on_final(std::string_view instance, std::string_view why);
  /// Ends it, by force after `grace_ms`, and starts it anew, also out of quarantine. Errors: kNotFound.
  Status restart(std::string_view instance);
  /// It hangs: ends it at once; this counts as a crash.
  void kill(std::string_view instance, std::string_view why);
  /// Nothing is started any more; what runs gets `grace_ms` to end. True when all have ended.
  bool stop_all(std::int64_t grace_ms);

  struct View {
    std::string instance;
    RunnerState state = RunnerState::kStopped;
    pid_t pid = 0;
    std::uint64_t starts = 0;
    std::uint64_t crashes = 0;
    std::string why;
  };
  std::vector<View> view() const;

 private:
  struct Runner;
  void start(Runner& runner);
  void ended(Runner& runner, const ChildExit& exit);
  Runner* find(std::string_view instance);

  boost::asio::io_context& io_;
  const Clock& clock_;
  const GateConfig& config_;
  const Lane lane_;
  const Path runner_;
  Events events_;
  bool stopping_ = false;
  std::map<std::string, std::unique_ptr<Runner>, std::less<>> runners_;
};

}  // namespace thalweg::gate
