// hostile_ground.h: the hub that is attacked, the honest parties beside it, and what is measured of both.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chaos/hostile_attacks.h"
#include "storm/trial.h"

namespace thalweg::chaos {

using storm::SteadyClock;

/// One look.
struct Sample {
  SteadyClock::time_point at;
  std::uint64_t delivered = 0;  ///< routine records in the honest receiver's inbox
  std::uint64_t urgent = 0;
  double hub_mib = 0;         ///< VmRSS
  std::uint64_t hub_fds = 0;  ///< open descriptors
};
using Samples = std::vector<Sample>;

/// 荣昌 sends 泸县 readings and warnings. 大足's keys are the attacker's until the end; then its own gate comes back
/// and has to get everything too. Threads: one.
class Ground {
 public:
  struct Options {
    storm::Trial::Options trial;
    double rate = 2000;        ///< readings a second; 0: as many as go through
    bool urgent_port = false;  ///< what is attacked
  };
  explicit Ground(Options options);

  /// False: it could not be set up, and said why.
  bool set_up();
  Target target() const;
  storm::Trial& trial() { return trial_; }

  /// Looks every 50 ms until `seconds` have passed or `enough` says so, and keeps the honest parties busy.
  Samples watch(double seconds, const std::function<bool(const Samples&)>& enough = {});
  /// The hub's figures, summed over lanes; empty while it does not answer.
  std::map<std::string, double> hub_figures() const;
  double hub_cpu_seconds() const;

  /// Starts the hub anew with at most so many descriptors.
  void restart_hub(std::uint64_t descriptors);
  /// Waits until what was kept back is through.
  void settle_down();
  bool hub_log_has(const std::string& text) const;
  /// The insider's own gate comes back; waits for the rest and takes the account.
  void finish();

 private:
  Sample look() const;

  const Options options_;
  storm::Trial trial_;
};

/// Records a second between two looks.
double rate(const Sample& from, const Sample& to);
double rate(const Samples& samples);

}  // namespace thalweg::chaos
