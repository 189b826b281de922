// main.cc: thalweg-storm: trials of hub and gates as processes, each with an independent account at the end. Start
// here.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <random>

#include "base/log.h"
#include "storm/catch_up.h"
#include "storm/kills.h"
#include "storm/outage.h"

using namespace thalweg;
using namespace thalweg::storm;

int main(int argc, char** argv) {
  CLI::App cli{
      "thalweg-storm: records flow both ways while hub and gates are killed; nothing may be lost or doubled\n"
      "With --outage: one of them is away for a minute, the rest goes on.\n"
      "With --catch-up: a receiver that missed many records comes back, and others' latency is measured."};
  Trial::Options options;
  KillPlan kills;
  OutagePlan outage;
  CatchUpPlan catch_up;
  options.seed = std::random_device{}();
  bool brief = false;
  std::string folder, away;
  cli.add_flag("--short", brief, "10 kills, 4000 records each way, under a minute");
  auto* kill_count = cli.add_option("--kills", kills.kills, "How often a program is killed");
  auto* records = cli.add_option("--records", kills.records, "Records each way");
  cli.add_option("--seed", options.seed, "Repeats the moments and the victims of an earlier storm");
  cli.add_option("--folder", folder, "Where hub and gates live; absent: a new one below /tmp");
  cli.add_option("--patience", options.patience_s, "Seconds that the rest may take at the end");
  cli.add_flag("--keep", options.keep, "Leave the folder when all went well");
  cli.add_option("--outage", away, "Who is away for a while: hub, or gate (which sends and receives)")
      ->check(CLI::IsMember({"hub", "gate"}));
  cli.add_option("--seconds", outage.seconds, "How long it is away")->check(CLI::Range(1, 86'400));
  cli.add_option("--rate", outage.rate, "Readings a second, each way, during an outage")->check(CLI::Range(1, 2'000));
  cli.add_flag("--hung", outage.hung, "It hangs (SIGSTOP) and goes on, instead of being killed and started again");
  auto* missed = cli.add_option("--catch-up", catch_up.records, "Records that a receiver missed while it was away")
                     ->check(CLI::Range(1'000, 10'000'000));
  cli.add_option("--rounds", catch_up.rounds, "How often it comes back")->check(CLI::Range(1, 100));
  CLI11_PARSE(cli, argc, argv);
  if (brief && kill_count->count() == 0) kills.kills = 10;
  if (brief && records->count() == 0) kills.records = 4000;
  kills.seed = options.seed;
  outage.of_hub = away == "hub";
  thalweg::log::set_level(thalweg::log::Level::kError);

  options.folder = trial_folder(folder, "storm");
  if (options.folder.empty()) return 1;
  options.programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::printf("storm: in %s, seed %u\n", options.folder.c_str(), options.seed);
  std::fflush(stdout);
  Trial trial(options);
  if (missed->count() > 0) return run_catch_up(trial, catch_up);
  return away.empty() ? run_kills(trial, kills) : run_outage(trial, outage);
}
