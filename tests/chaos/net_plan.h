// net_plan.h: what goes wrong when, as a list made from a seed: the same seed gives the same trial.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "chaos/net_line.h"

namespace thalweg::chaos {

struct Step {
  enum class What : std::uint8_t {
    kWeather,         ///< of one line, or of all
    kCutReset,        ///< of one line
    kCutEnd,          ///< of one line
    kKill,            ///< a program: SIGKILL
    kStart,           ///< a program that is down
    kKillRunner,      ///< the adapter's process at the receiver that has one
    kClock,           ///< of a program: so many seconds off
    kCopy,            ///< of a program's state, while it is stopped for that moment
    kRestore,         ///< a program set back to that copy, as after the loss of its disk
    kRevokeSender,    ///< the gate that sends alone
    kReplaceSender,   ///< by a new machine
    kRevokeReceiver,  ///< 泸县's
    kReplaceReceiver,
  };
  static constexpr std::size_t kAll = 1000;

  std::chrono::milliseconds at{0};
  What what = What::kWeather;
  std::size_t who = 0;  ///< kWeather, kCut…: a line (a gate's number) or kAll; else a program: 0 is the hub
  Weather weather;
  std::int64_t off_s = 0;

  /// For people; `programs` are the names: the hub's first, then the gates'.
  std::string text(const std::vector<std::string>& programs) const;
};

struct PlanOptions {
  std::uint32_t seed = 0;
  std::chrono::seconds length{60};
  std::size_t gates = 4;
  /// Gates whose state may be set back; 0 stands for none at all, also of the hub.
  std::size_t restorable = 2;
  bool kills = true, clocks = true, revocations = true;
  bool mild = false;  ///< delays, throttles of 1 Mbit/s and more, and short cuts alone: a line that stays of use
};

/// In the order of time; everything is fair, runs and tells the right time again at the end.
std::vector<Step> make_plan(const PlanOptions& options);

}  // namespace thalweg::chaos
