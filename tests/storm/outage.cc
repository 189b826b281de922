#include "storm/outage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <thread>

namespace thalweg::storm {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kGate = 1;                   // 荣昌
constexpr std::uint64_t kEndless = 1'000'000'000;  // until close()
constexpr int kSteady_s = 5;                       // before the outage, and again after it
constexpr double kLeastAcknowledged = 0.98;        // of what fell due at gates that run while the hub is away
constexpr int kNoticeMost_s = 45;  // three heartbeats of 5 s, once the kernel of a hung program takes no more

double seconds(SteadyClock::duration time) { return std::chrono::duration<double>(time).count(); }

class Outage {
 public:
  Outage(Trial& trial, const OutagePlan& plan)
      : trial_(trial), plan_(plan), victim_(trial.site().machines()[plan.of_hub ? 0 : kGate + 1]) {}

  int run() {
    pass(kSteady_s, [] {});
    const auto before = take_longest_waits();
    go_away();
    const auto due_before = due();
    const auto accepted_before = accepted();
    const auto gone = SteadyClock::now();
    pass(plan_.seconds, [&] {
      if (noticed_s_ < 0 && line_is_down()) noticed_s_ = seconds(SteadyClock::now() - gone);
    });
    const auto accepted_by_now = accepted();
    const auto waiting = due();
    const auto meanwhile = take_longest_waits();
    come_back();
    const auto back = SteadyClock::now();
    const bool drained = trial_.wait_until([&] { return trial_.arrived([&](std::size_t i) { return waiting[i]; }); },
                                           "what waited during the outage has arrived", plan_.drain_most_s);
    const double drained_s = seconds(SteadyClock::now() - back);
    pass(kSteady_s, [] {});
    const auto after = take_longest_waits();
    for (std::size_t i = 0; i < trial_.origins(); ++i) trial_.origin(i).close();
    trial_.finish();

    judge(due_before, accepted_before, waiting, accepted_by_now);
    const std::string who = plan_.of_hub ? "hub" : Site::gates()[kGate].name;
    const std::string noticed =
        noticed_s_ < 0 ? "not seen as down" : fmt::format("seen as down after {:.1f} s", noticed_s_);
    std::printf("%s %s for %d s: %s; %s in %.1f s; line %s\n", who.c_str(), plan_.hung ? "hung" : "killed",
                plan_.seconds, trial_.account().c_str(), drained ? "drained" : "NOT drained", drained_s,
                noticed.c_str());
    for (std::size_t i = 0; i < trial_.origins(); ++i)
      std::printf("  %-18s longest wait for an acknowledgement: before %.0f ms, during %s, after %.0f ms\n",
                  trial_.origin(i).settings().name.c_str(), before[i] * 1e3,
                  cut_off(i) ? "(its own gate is away)" : fmt::format("{:.0f} ms", meanwhile[i] * 1e3).c_str(),
                  after[i] * 1e3);
    return trial_.conclude();
  }

 private:
  void go_away() {
    if (plan_.hung)
      victim_.hang();
    else
      victim_.kill();
  }
  void come_back() {
    if (plan_.hung)
      victim_.go_on();
    else
      trial_.start(victim_);
  }

  /// Is the origin's own gate the one that is away?
  bool cut_off(std::size_t i) const { return !plan_.of_hub && trial_.flow(i).from == kGate; }

  template <class Look>
  void pass(int seconds, Look look) {
    const auto end = SteadyClock::now() + std::chrono::seconds(seconds);
    while (SteadyClock::now() < end) {
      trial_.watch();
      look();
      std::this_thread::sleep_for(milliseconds(100));
    }
  }

  bool line_is_down() {
    Site& site = trial_.site();
    if (!plan_.of_hub) return site.hub_sees(kGate) == 0;
    for (std::size_t gate = 0; gate < Site::gates().size(); ++gate)
      if (site.open_lines(gate) != 0) return false;
    return true;
  }

  std::vector<std::uint64_t> due() const {
    std::vector<std::uint64_t> all;
    for (std::size_t i = 0; i < trial_.origins(); ++i) all.push_back(trial_.origin(i).due_count());
    return all;
  }
  std::vector<std::uint64_t> accepted() const {
    std::vector<std::uint64_t> all;
    for (std::size_t i = 0; i < trial_.origins(); ++i) all.push_back(trial_.origin(i).accepted_count());
    return all;
  }
  std::vector<double> take_longest_waits() {
    std::vector<double> all;
    for (std::size_t i = 0; i < trial_.origins(); ++i) all.push_back(seconds(trial_.origin(i).take_longest_wait()));
    return all;
  }

  /// Whoever's gate runs was acknowledged all the time, and nobody went on talking to a line that was dead.
  void judge(const std::vector<std::uint64_t>& due_before, const std::vector<std::uint64_t>& accepted_before,
             const std::vector<std::uint64_t>& due_then, const std::vector<std::uint64_t>& accepted_then) {
    for (std::size_t i = 0; i < trial_.origins(); ++i) {
      if (cut_off(i)) continue;
      const auto fell_due = static_cast<double>(due_then[i] - due_before[i]);
      const auto answered = static_cast<double>(accepted_then[i] - accepted_before[i]);
      if (answered < kLeastAcknowledged * fell_due - 1)
        trial_.complain(fmt::format("{}: {} records fell due during the outage, only {} were acknowledged",
                                    trial_.origin(i).settings().name, fell_due, answered));
    }
    if (plan_.seconds > kNoticeMost_s && (noticed_s_ < 0 || noticed_s_ > kNoticeMost_s))
      trial_.complain(fmt::format("the line was not seen as down within {} s", kNoticeMost_s));
  }

  Trial& trial_;
  const OutagePlan plan_;
  Machine& victim_;
  double noticed_s_ = -1;
};

}  // namespace

int run_outage(Trial& trial, const OutagePlan& plan) {
  if (!trial.set_up()) return trial.conclude();
  for (const Flow& flow : both_ways())
    trial.add(flow, kEndless, flow.lane == Lane::kUrgent ? plan.rate / 100 : plan.rate);
  return Outage(trial, plan).run();
}

}  // namespace thalweg::storm
