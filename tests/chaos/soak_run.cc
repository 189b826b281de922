#include "chaos/soak_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "chaos/soak_samples.h"

namespace thalweg::chaos {
namespace {

using nlohmann::json;
using storm::Origin;
using storm::SteadyClock;

constexpr double kStations = 2.52;    // of World: 1, 1, a half and 2 % of its rate
constexpr double kWarmUpShare = 0.2;  // of the time: buffers fill, pages of programs are touched
// Before that caches and tables fill up to their bounds, and latency grows and falls with the machine's other work.
constexpr std::chrono::seconds kGrowthJudged{600};
constexpr std::size_t kWaitsLeast = 20;  // of which a quantile says something; fewer wait for the next measurement
constexpr double kMemoryShare = 0.10, kMemorySlack_kib = 4 * 1024, kDescriptorSlack = 4;
// Sealed segments stay open, 12 of each log of a hub and 4 of a gate's: until then one more with each that fills.
constexpr double kDescriptorSlackEarly = 16;
constexpr double kLatencyShare = 0.5, kLatencySlack_ms = 2;
// What waits behind a slow line takes memory, up to a bound, and comes and goes with the line: that is no growth. A
// gate's memory counts when no more parcels wait there; often enough, or nothing was seen.
constexpr double kCalm_parcels = 1000, kCalmLeast = 1.0 / 3;

struct Series {
  std::vector<double> at, values;
  void add(double at_s, double value) {
    at.push_back(at_s);
    values.push_back(value);
  }
};

json status_of(World& world, std::size_t gate) {
  const auto answer = world.site().ask_gate(gate, R"({"cmd":"status"})");
  return answer ? json::parse(*answer, nullptr, false) : json();
}

/// Parcels that wait in a gate's outbox; none: it does not answer.
std::optional<double> waiting_at(World& world, std::size_t gate) {
  const json status = status_of(world, gate);
  if (!status.is_object()) return std::nullopt;
  double waiting = 0;
  for (const json& lane : status["lanes"]) waiting += lane["outbox"].value("waiting", 0.0);
  return waiting;
}

class Soak {
 public:
  Soak(World& world, const SoakOptions& options) : world_(world), options_(options) {}

  void measure(double at_s) {
    if (at_s < kWarmUpShare * static_cast<double>(options_.plan.length.count())) {
      for (Origin* origin : world_.origins()) (void)origin->take_waits_ms();
      std::printf("%7.1f s  -- warming up: %s\n", at_s, world_.progress().c_str());
      std::fflush(stdout);
      return;
    }
    std::string line;
    const auto look = [&](const std::string& name, pid_t pid, bool calm = true) {
      const auto sample = sample_process(pid);
      if (!sample) return;
      ++looks_[name];
      // A runner that was killed and started again is another process: its descriptors may grow, its memory begins
      // anew.
      if (calm) {
        memory_[name].add(at_s, sample->rss_kib);
        anonymous_[name].add(at_s, sample->anon_kib);
      }
      descriptors_[name].add(at_s, sample->descriptors);
      line += fmt::format(" {} {:.1f} MiB{} {:.0f} fd;", name, sample->rss_kib / 1024, calm ? "" : " (parcels wait)",
                          sample->descriptors);
    };
    const auto names = world_.programs();
    for (std::size_t i = 0; i < names.size(); ++i)
      if (storm::Machine& machine = world_.site().machines()[i]; machine.runs()) {
        const auto waiting = i == 0 ? std::optional(0.0) : waiting_at(world_, i - 1);
        look(names[i], machine.pid(), waiting && *waiting <= kCalm_parcels);
      }
    if (const auto pid = world_.runner()) look("runner", *pid);
    for (Origin* origin : world_.origins()) {
      const std::string& name = origin->settings().name;
      std::vector<double>& waits = waits_[name];
      for (const double wait : origin->take_waits_ms()) waits.push_back(wait);
      if (waits.size() < kWaitsLeast) continue;
      p50_[name].add(at_s, quantile(waits, 0.5));
      p99_[name].add(at_s, quantile(waits, 0.99));
      line += fmt::format(" {} {:.1f}/{:.1f} ms;", name, p50_[name].values.back(), p99_[name].values.back());
      waits.clear();
    }
    std::printf("%7.1f s  --%s\n", at_s, line.c_str());
    std::fflush(stdout);
  }

  /// Every series on a line, judged. False: one of them grew.
  bool report() {
    const bool zh = options_.chinese;
    std::printf("%s\n", zh ? "增长（去掉预热；Theil–Sen 斜率乘以时长）"
                           : "growth (after warming up; Theil–Sen slope times the time)");
    bool all = true;
    const bool long_enough = options_.plan.length >= kGrowthJudged;
    all &= rows(memory_, zh ? "内存 VmRSS, KiB" : "memory VmRSS, KiB", kMemoryShare, kMemorySlack_kib, long_enough);
    for (const auto& [name, looks] : looks_) {
      const double calm = static_cast<double>(memory_[name].values.size()) / static_cast<double>(looks);
      std::printf(zh ? "  %s：%zu 次观测中 %zu 次计入内存（积压不多于 %.0f 个数据包）\n"
                     : "  %s: of %zu looks %zu count for memory (no more than %.0f parcels waited)\n",
                  name.c_str(), looks, memory_[name].values.size(), kCalm_parcels);
      all &= !long_enough || calm >= kCalmLeast;
    }
    all &= rows(anonymous_, zh ? "其中匿名, KiB" : "of it anonymous, KiB", 0, 0, false);
    all &= rows(descriptors_, zh ? "文件描述符" : "descriptors", 0,
                long_enough ? kDescriptorSlack : kDescriptorSlackEarly, true);
    all &=
        rows(p50_, zh ? "受理延迟 p50, ms" : "acknowledgement p50, ms", kLatencyShare, kLatencySlack_ms, long_enough);
    all &= rows(p99_, zh ? "受理延迟 p99, ms" : "acknowledgement p99, ms", 0, 0, false);
    return all;
  }
  json numbers() const { return numbers_; }

 private:
  bool rows(const std::map<std::string, Series>& all, const char* what, double share, double slack, bool judged) {
    bool good = true;
    for (const auto& [name, series] : all) {
      const Growth found = growth(series.at, series.values);
      const bool fine = !judged || found.within(share, slack);
      good = good && fine;
      std::printf(
          "  %-26s %-18s %10.1f → %10.1f  %+9.1f  %s\n", what, name.c_str(), found.first, found.last, found.grown,
          !judged ? "" : fmt::format("{} (most {:+.1f})", fine ? "ok" : "GROWS", share * found.first + slack).c_str());
      numbers_[what][name] = {{"first", found.first}, {"last", found.last},      {"grown", found.grown},
                              {"at_s", series.at},    {"values", series.values}, {"judged", judged},
                              {"good", fine}};
    }
    return good;
  }

  World& world_;
  const SoakOptions& options_;
  std::map<std::string, std::vector<double>> waits_;
  std::map<std::string, std::size_t> looks_;
  std::map<std::string, Series> memory_, anonymous_, descriptors_, p50_, p99_;
  json numbers_;
};

/// Routine records that a gate has taken: into its inbox, and where an adapter takes them on, what that has taken.
double taken_at(World& world, std::size_t gate) {
  const json status = status_of(world, gate);
  if (!status.is_object()) return 0;
  for (const json& lane : status["lanes"]) {
    if (lane["lane"] != "routine") continue;
    double taken = lane["inbox"].value("records", 0.0);
    for (const json& adapter : lane["adapters"]) taken = std::min(taken, adapter.value("accepted", 0.0));
    return taken;
  }
  return 0;
}

/// Records a second of all stations together that the slowest way takes while `due` are sent. What receivers take, not
/// what the hub does: it may run ahead of them.
double rate_taken(World::Options options, double due, int seconds) {
  options.folder /= "calibration";
  std::filesystem::create_directories(options.folder);
  options.rate = due / kStations;
  World world(options);
  if (!world.set_up()) return 0;
  constexpr std::array kShares{1.0, 1.5, 1.0};  // of World's rate that is meant for 大足, 荣昌, 泸县
  std::this_thread::sleep_for(std::chrono::seconds(2));
  // Each count has the time of its answer, which may be long in coming.
  struct Count {
    double records = 0;
    SteadyClock::time_point at;
  };
  const auto count = [&](std::size_t gate) {
    const double records = taken_at(world, gate);
    return Count{records, SteadyClock::now()};
  };
  std::array<Count, kShares.size()> before;
  for (std::size_t gate = 0; gate < kShares.size(); ++gate) before[gate] = count(gate);
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  double rate = 0;
  for (std::size_t gate = 0; gate < kShares.size(); ++gate) {
    const Count now = count(gate);
    const double own = (now.records - before[gate].records) / kShares[gate] /
                       std::chrono::duration<double>(now.at - before[gate].at).count();
    rate = gate == 0 ? own : std::min(rate, own);
  }
  for (Origin* origin : world.origins()) origin->stop();
  for (storm::Machine& machine : world.site().machines()) machine.kill();
  std::filesystem::remove_all(options.folder);
  return rate * kStations;
}

/// Half of what is taken when more is due than can be taken; less, when that is not kept up with at a steady rate,
/// where parcels may hold fewer records. 0, and why is said, when no rate was kept up with.
double calibrate(const World::Options& options, bool chinese) {
  constexpr double kFlood = 1e6 * kStations, kKeptUp = 0.95, kLess = 0.7;
  const double most = rate_taken(options, kFlood, 8);
  double rate = most / 2;
  for (int attempt = 0; attempt < 6 && rate > 0; ++attempt) {
    const double taken = rate_taken(options, rate, 8);
    std::printf(chinese ? "标定：洪峰时每秒 %.0f 条；每秒送 %.0f 条时取走 %.0f 条\n"
                        : "calibration: %.0f records/s of a flood; of %.0f/s that are due %.0f are taken\n",
                most, rate, taken);
    std::fflush(stdout);
    if (taken >= kKeptUp * rate) return rate;
    rate *= kLess;
  }
  std::fprintf(stderr, chinese ? "标定失败：任何速率都跟不上\n" : "calibration failed: no rate was kept up with\n");
  return 0;
}

}  // namespace

int run_soak(const SoakOptions& given) {
  SoakOptions options = given;
  options.plan.mild = true;
  options.plan.kills = options.plan.clocks = options.plan.revocations = false;
  options.plan.restorable = 0;
  options.world.keep_waits = true;
  options.world.origin_keys = 20'000;  // as much memory as a gate takes for keys is taken while it warms up
  if (options.world.rate <= 0) {
    const double rate = calibrate(options.world, options.chinese);
    if (rate <= 0) return 1;
    options.world.rate = rate / kStations;
  }
  World world(options.world);
  if (!world.set_up()) return 1;
  Soak soak(world, options);
  pass_plan(world, make_plan(options.plan), options.pause_s, [&](double at_s) { soak.measure(at_s); });
  const bool level = soak.report();
  world.finish();
  print_account(world, options.chinese);
  if (!options.json.empty()) {
    json all = account_json(world);
    all["seed"] = options.plan.seed;
    all["seconds"] = options.plan.length.count();
    all["records_per_second"] = options.world.rate * kStations;
    all["growth"] = soak.numbers();
    std::ofstream(options.json) << all.dump(1) << "\n";
  }
  return level && world.content() ? 0 : 1;
}

}  // namespace thalweg::chaos
