// hostile_main.cc: thalweg-hostile: honest parties exchange records through a hub while it is attacked in one way after
// another. Start here.
#include <fmt/format.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "base/log.h"
#include "chaos/hostile_ground.h"

namespace {

using namespace thalweg;
using namespace thalweg::chaos;
using nlohmann::json;

struct Plan {
  double seconds = 20;  ///< each attack
  double quiet = 5;     ///< before it
  double rate = 0;      ///< readings that the honest parties send in a second; 0: as many as go through
  std::string only;
  std::uint64_t descriptors = 256;
  bool as_json = false;
};

// Bars. Throughput counts as back when a whole second has as much of what is sent, or was there before.
constexpr double kBack = 0.8;
/// So often is an attack tried that left too little throughput: what an attack takes it takes every time.
constexpr int kAttempts = 3;
constexpr double kJudgedFor_s = 5;  // at least: in less, one stall of the machine's disk is a large share
constexpr double kBackWithin_s = 5;
constexpr double kMoreMemory_mib = 192;

struct Row {
  std::string name;
  double before = 0, during = 0, after = 0, back_s = -1;
  double kept = 0;  ///< what is judged: share that three quarters of the attack's seconds had at least
  double urgent_during = 0;
  double hub_cpu = 0;  ///< cores, during
  Sample first, worst, last;
  Tally done;
  std::map<std::string, double> counted;
  std::vector<std::string> faults;
  std::vector<std::string> slow;  ///< faults that the machine may have had
};

/// Calls `look` with the first and the last sample of every second, until it says true.
void each_second(const Samples& samples, const std::function<bool(const Sample&, const Sample&)>& look) {
  for (std::size_t from = 0, to = 0; to < samples.size(); ++to) {
    while (from + 1 < to && samples[to].at - samples[from + 1].at >= std::chrono::seconds(1)) ++from;
    if (samples[to].at - samples[from].at >= std::chrono::seconds(1) && look(samples[from], samples[to])) return;
  }
}

/// When a window of a second had enough, counted from the first sample; -1: never.
double back_after(const Samples& samples, double enough) {
  double after_s = -1;
  each_second(samples, [&](const Sample& from, const Sample& to) {
    if (rate(from, to) < enough) return false;
    after_s = std::chrono::duration<double>(from.at - samples[0].at).count();
    return true;
  });
  return after_s;
}

/// What three quarters of all seconds had at least: an attack that takes throughput takes it all the time, a stall of
/// the machine is over before that.
double steady_rate(const Samples& samples) {
  std::vector<double> rates;
  each_second(samples, [&](const Sample& from, const Sample& to) {
    rates.push_back(rate(from, to));
    return false;
  });
  std::sort(rates.begin(), rates.end());
  return rates.empty() ? rate(samples) : rates[rates.size() / 4];
}

Sample worst_of(const Samples& samples) {
  Sample worst = samples.front();
  for (const Sample& one : samples) {
    worst.hub_mib = std::max(worst.hub_mib, one.hub_mib);
    worst.hub_fds = std::max(worst.hub_fds, one.hub_fds);
  }
  return worst;
}

std::string joined(const std::map<std::string, double>& figures) {
  std::string text;
  for (const auto& [name, value] : figures)
    text += fmt::format("{}{} {:.0f}", text.empty() ? "" : ", ", name.starts_with("thalweg_") ? name.substr(8) : name,
                        value);
  return text.empty() ? "nothing" : text;
}

Row suffer(Ground& ground, const Plan& plan, const Trouble& trouble, const Target& target) {
  Row row;
  row.name = trouble.name;
  const Samples quiet = ground.watch(plan.quiet);
  const auto figures_before = ground.hub_figures();
  const double cpu_before = ground.hub_cpu_seconds();
  std::atomic<bool> stop = false;
  std::thread attacker([&] { trouble.attack(target, stop, row.done); });
  const double seconds = trouble.least_share > 0 ? std::max(plan.seconds, kJudgedFor_s) : plan.seconds;
  const Samples during = ground.watch(seconds);
  const double cpu_after = ground.hub_cpu_seconds();
  stop = true;
  attacker.join();
  row.before = rate(quiet);
  row.during = rate(during);
  row.urgent_during = static_cast<double>(during.back().urgent - during.front().urgent) / seconds;
  row.hub_cpu = (cpu_after - cpu_before) / seconds;
  // Where a pace is kept, what came before would be too much if it was the rest of a stall.
  const double usual = plan.rate > 0 ? plan.rate : row.before;
  row.kept = usual > 0 ? steady_rate(during) / usual : 0;
  const Samples after =
      ground.watch(kBackWithin_s + 1.1, [&](const Samples& so_far) { return back_after(so_far, kBack * usual) >= 0; });
  row.back_s = back_after(after, kBack * usual);
  row.after = rate(after);
  row.first = quiet.back();
  row.worst = worst_of(during);
  row.last = after.back();
  auto figures_after = ground.hub_figures();
  for (const auto& [name, value] : figures_after)
    if (name.find("_total") != std::string::npos && !name.starts_with("thalweg_records") &&
        !name.starts_with("thalweg_parcels_total") && name != "thalweg_parcels_refused_total" &&
        !name.starts_with("thalweg_settlements"))
      if (const auto old = figures_before.find(name); value > (old == figures_before.end() ? 0 : old->second))
        row.counted[name] = value - (old == figures_before.end() ? 0 : old->second);

  const auto counted = [&](const std::string& name) {
    return std::any_of(row.counted.begin(), row.counted.end(),
                       [&](const auto& one) { return one.first.starts_with(name); });
  };
  if (!trouble.counted_as.empty() && std::none_of(trouble.counted_as.begin(), trouble.counted_as.end(), counted))
    row.faults.push_back("the hub has not counted it as " + trouble.counted_as.front());
  if (row.kept < trouble.least_share)
    row.slow.push_back(fmt::format("only {:.0f} % of the throughput was left", 100 * row.kept));
  if (row.during <= 0) row.slow.push_back("honest traffic stood still");
  if (row.back_s < 0 || row.back_s > kBackWithin_s) row.slow.push_back("throughput was not back within 5 s");
  if (row.worst.hub_mib > row.first.hub_mib + kMoreMemory_mib) row.faults.push_back("the hub took too much memory");
  for (const auto& [what, count] : row.done)
    if (what.starts_with("WRONG") || what.starts_with("LET IN"))
      row.faults.push_back(fmt::format("{}: {}", what, count));
  return row;
}

void print(const Row& row) {
  std::printf("%s%s\n", row.name.c_str(), row.faults.empty() ? "" : "  FAILED");
  std::printf("  honest records/s: before %.0f, during %.0f (%.0f %%; urgent %.0f/s), after %.0f; back in %s\n",
              row.before, row.during, 100 * row.kept, row.urgent_during, row.after,
              row.back_s < 0 ? "NEVER" : fmt::format("{:.1f} s", row.back_s).c_str());
  std::printf("  hub: %.2f cores; memory before %.0f, most %.0f, after %.0f MiB; descriptors %llu, %llu, %llu\n",
              row.hub_cpu, row.first.hub_mib, row.worst.hub_mib, row.last.hub_mib,
              static_cast<unsigned long long>(row.first.hub_fds), static_cast<unsigned long long>(row.worst.hub_fds),
              static_cast<unsigned long long>(row.last.hub_fds));
  std::map<std::string, double> done;
  for (const auto& [what, count] : row.done) done[what] = static_cast<double>(count);
  std::printf("  done: %s\n  the hub counted: %s\n", joined(done).c_str(), joined(row.counted).c_str());
  std::fflush(stdout);
}

json as_json(const Row& row) {
  return {
      {"attack", row.name},
      {"records_per_s", {{"before", row.before}, {"during", row.during}, {"after", row.after}}},
      {"kept", row.kept},
      {"back_s", row.back_s},
      {"hub_cores", row.hub_cpu},
      {"hub_mib", {{"before", row.first.hub_mib}, {"most", row.worst.hub_mib}, {"after", row.last.hub_mib}}},
      {"hub_descriptors", {{"before", row.first.hub_fds}, {"most", row.worst.hub_fds}, {"after", row.last.hub_fds}}},
      {"done", row.done},
      {"counted", row.counted},
      {"faults", row.faults}};
}

int run(Ground& ground, const Plan& plan) {
  if (!ground.set_up()) return ground.trial().conclude();
  const Target target = ground.target();
  (void)ground.watch(plan.quiet);  // sessions open, caches warm
  ground.settle_down();
  std::vector<Row> rows;
  const auto wanted = [&](const std::string& name) { return name.find(plan.only) != std::string::npos; };
  const std::uint64_t descriptors = descriptors_to_spare();
  const auto take = [&](const Trouble& trouble) {
    if (descriptors < trouble.descriptors) {
      std::fprintf(stderr, "hostile: %s: left out: the attacker may have only %llu descriptors\n", trouble.name.c_str(),
                   static_cast<unsigned long long>(descriptors));
      return;
    }
    Row row = suffer(ground, plan, trouble, target);
    for (int attempt = 1; attempt < kAttempts && row.faults.empty() && !row.slow.empty(); ++attempt) {
      if (!plan.as_json) print(row);
      std::fprintf(stderr, "hostile: %s: %s; once more\n", row.name.c_str(), row.slow.front().c_str());
      ground.settle_down();
      row = suffer(ground, plan, trouble, target);
    }
    row.faults.insert(row.faults.end(), row.slow.begin(), row.slow.end());
    for (const std::string& fault : row.faults) ground.trial().complain(row.name + ": " + fault);
    if (!plan.as_json) print(row);
    rows.push_back(std::move(row));
  };
  for (const Trouble& trouble : all_troubles())
    if (wanted(trouble.name)) take(trouble);
  const Trouble few = few_descriptors(plan.descriptors);
  if (wanted(few.name)) {
    ground.restart_hub(plan.descriptors);
    ground.settle_down();
    take(few);
    if (descriptors >= few.descriptors && !ground.hub_log_has("descriptors"))
      ground.trial().complain("the hub's log says nothing of descriptors");
  }
  if (rows.empty()) ground.trial().complain("no attack was made: --list names them");
  ground.finish();
  if (plan.as_json) {
    json all = json::array();
    for (const Row& row : rows) all.push_back(as_json(row));
    std::printf("%s\n", json{{"attacks", all}, {"account", ground.trial().account()}}.dump(1).c_str());
  } else {
    std::printf("%-34s %10s %10s %6s %8s %10s %8s\n", "attack", "before/s", "during/s", "", "back", "hub MiB", "fds");
    for (const Row& row : rows)
      std::printf("%-34s %10.0f %10.0f %5.0f%% %6.1f s %10.0f %8llu %s\n", row.name.c_str(), row.before, row.during,
                  100 * row.kept, row.back_s, row.worst.hub_mib, static_cast<unsigned long long>(row.worst.hub_fds),
                  row.faults.empty() ? "" : "FAILED");
    std::printf("%s\n", ground.trial().account().c_str());
  }
  return ground.trial().conclude();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli{"thalweg-hostile: honest parties exchange records while the hub is attacked in one way after another"};
  Ground::Options options;
  Plan plan;
  std::string folder;
  bool brief = false, list = false;
  options.trial.seed = std::random_device{}();
  auto* seconds = cli.add_option("--seconds", plan.seconds, "How long each attack lasts")->check(CLI::Range(1, 86'400));
  auto* quiet =
      cli.add_option("--quiet", plan.quiet, "Seconds without an attack before each")->check(CLI::Range(1, 3'600));
  cli.add_option("--rate", options.rate, "Readings a second of the honest parties; 0: as many as go through");
  cli.add_option("--only", plan.only, "Attacks whose name contains this");
  cli.add_option("--descriptors", plan.descriptors, "Of a hub that has few")->check(CLI::Range(150, 100'000));
  cli.add_flag("--urgent", options.urgent_port, "Attack the urgent lane's port instead of the routine lane's");
  cli.add_flag("--short", brief, "Two and a half seconds each, five where a share must be left");
  cli.add_flag("--list", list, "Name the attacks");
  cli.add_flag("--json", plan.as_json, "Results as JSON");
  cli.add_option("--folder", folder, "Where hub and gates live; absent: a new one below /dev/shm, else /tmp");
  cli.add_option("--patience", options.trial.patience_s, "Seconds that the rest may take at the end");
  cli.add_flag("--keep", options.trial.keep, "Leave the folder when all went well");
  CLI11_PARSE(cli, argc, argv);
  if (list) {
    for (const Trouble& trouble : all_troubles()) std::printf("%s\n", trouble.name.c_str());
    std::printf("%s\n", few_descriptors(plan.descriptors).name.c_str());
    return 0;
  }
  if (brief && seconds->count() == 0) plan.seconds = 2.5;
  if (brief && quiet->count() == 0) plan.quiet = 1;
  thalweg::log::set_level(thalweg::log::Level::kError);
  plan.rate = options.rate;
  const Path memory = storm::memory_folder();  // what is judged is the hub under attack, not a disk beside it
  options.trial.folder = storm::trial_folder(folder, "hostile", memory.empty() ? "/tmp" : memory);
  if (options.trial.folder.empty()) return 1;
  options.trial.programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  if (!plan.as_json) std::printf("hostile: in %s\n", options.trial.folder.c_str());
  std::fflush(stdout);
  try {
    Ground ground(std::move(options));
    return run(ground, plan);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hostile: %s\n", error.what());
    return 1;
  }
}
