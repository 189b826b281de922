#include "storm/kills.h"

#include <algorithm>
#include <cstdio>
#include <random>
#include <thread>

namespace thalweg::storm {
namespace {

using std::chrono::milliseconds;

/// Kills at random moments; records are released evenly over the time. How often it killed.
int rage(Trial& trial, const KillPlan& plan) {
  std::mt19937 random(plan.seed);
  std::vector<milliseconds> pauses;
  milliseconds whole{0};
  for (int i = 0; i < plan.kills; ++i) {
    pauses.emplace_back(100 + random() % 2400);
    whole += pauses.back();
  }
  std::vector<Machine>& machines = trial.site().machines();
  const auto begin = SteadyClock::now();
  std::vector<std::pair<SteadyClock::time_point, std::size_t>> down;  // when to start which
  auto next = begin;
  int killed = 0;
  for (;;) {
    const auto now = SteadyClock::now();
    const auto share =
        static_cast<double>((now - begin) / milliseconds(1)) / static_cast<double>(whole / milliseconds(1) + 1);
    for (std::size_t i = 0; i < trial.origins(); ++i)
      trial.origin(i).release(
          static_cast<std::uint64_t>(std::min(1.0, share) * static_cast<double>(trial.origin(i).settings().records)));
    trial.watch();
    for (std::size_t d = down.size(); d-- > 0;) {
      if (down[d].first > now) continue;
      trial.start(machines[down[d].second]);
      down.erase(down.begin() + static_cast<std::ptrdiff_t>(d));
    }
    if (now >= next) {
      if (killed == plan.kills) break;
      next = now + pauses[static_cast<std::size_t>(killed)];
      const std::size_t victim = random() % machines.size();
      if (machines[victim].runs()) {  // who is down is not killed: another one next time
        machines[victim].kill();
        down.emplace_back(now + milliseconds(random() % 500), victim);
        ++killed;
      }
    }
    std::this_thread::sleep_for(milliseconds(2));
  }
  for (const auto& [when, machine] : down) trial.start(machines[machine]);
  return killed;
}

}  // namespace

int run_kills(Trial& trial, const KillPlan& plan) {
  const auto begin = SteadyClock::now();
  if (!trial.set_up()) return trial.conclude();
  for (const Flow& flow : both_ways()) trial.add(flow, flow.lane == Lane::kUrgent ? plan.records / 100 : plan.records);
  const int killed = rage(trial, plan);
  for (std::size_t i = 0; i < trial.origins(); ++i) trial.origin(i).release(trial.origin(i).wanted());
  trial.finish();
  std::printf("killed %d, %s, %lld s, seed %u\n", killed, trial.account().c_str(),
              static_cast<long long>((SteadyClock::now() - begin) / std::chrono::seconds(1)), plan.seed);
  return trial.conclude();
}

}  // namespace thalweg::storm
