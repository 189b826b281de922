// net_main.cc: thalweg-chaos: lines, programs, clocks and disks of a site broken by a plan, with an account at the end.
// Start here.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>

#include "base/log.h"
#include "chaos/soak_run.h"

namespace {

using namespace thalweg;

std::string language() {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"})
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  return "en";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli{
      "thalweg-chaos: bad lines, kills, clock jumps, restores and revocations while records flow\n"
      "With --soak: half the load and mild faults; memory, descriptors and latency may not grow."};
  double minutes = 1, soak = 0;
  int seconds = 0;
  chaos::SoakOptions options;
  options.plan.seed = std::random_device{}();
  options.world.rate = 0;
  std::string folder, lang = language();
  bool keep = false, only_plan = false, no_clocks = false, no_restores = false, no_revocations = false,
       no_kills = false;
  cli.add_option("--minutes", minutes, "How long things go wrong")->check(CLI::Range(0.5, 10'000.0));
  cli.add_option("--seconds", seconds, "The same in seconds")->check(CLI::Range(30, 600'000));
  auto* soaking = cli.add_option("--soak", soak, "Minutes of the soak instead")->check(CLI::Range(0.5, 10'000.0));
  cli.add_option("--seed", options.plan.seed, "Repeats the plan of an earlier trial");
  cli.add_option("--rate", options.world.rate,
                 "Readings a second of each gate; a soak without it finds half of what this machine takes");
  cli.add_flag("--plan", only_plan, "Print the plan alone");
  cli.add_flag("--no-kills", no_kills);
  cli.add_flag("--no-clocks", no_clocks);
  cli.add_flag("--no-restores", no_restores);
  cli.add_flag("--no-revocations", no_revocations);
  cli.add_option("--patience", options.world.patience_s, "Seconds that the rest may take at the end");
  cli.add_option("--folder", folder, "Where hub and gates live; absent: a new one below /tmp");
  cli.add_flag("--keep", keep, "Leave the folder when all went well");
  cli.add_option("--json", options.json, "File for the numbers");
  cli.add_option("--lang", lang, "zh or en");
  CLI11_PARSE(cli, argc, argv);
  thalweg::log::set_level(thalweg::log::Level::kError);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);

  const bool is_soak = soaking->count() > 0;
  options.chinese = lang.starts_with("zh");
  options.plan.length = seconds > 0 && !is_soak
                            ? std::chrono::seconds(seconds)
                            : std::chrono::seconds(static_cast<int>((is_soak ? soak : minutes) * 60));
  options.plan.kills = !no_kills;
  options.plan.clocks = !no_clocks;
  options.plan.revocations = !no_revocations;
  if (no_restores) options.plan.restorable = 0;
  options.world.seed = options.plan.seed;
  if (only_plan) {
    for (const chaos::Step& step : chaos::make_plan(options.plan))
      std::printf("%7.1f s  %s\n", std::chrono::duration<double>(step.at).count(),
                  step.text({"hub", "dazu", "rongchang", "luxian", "dazu-2"}).c_str());
    return 0;
  }
  options.world.folder = storm::trial_folder(folder, "chaos");
  if (options.world.folder.empty()) return 1;
  options.world.programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::printf("chaos: in %s, seed %u, %lld s\n", options.world.folder.c_str(), options.plan.seed,
              static_cast<long long>(options.plan.length.count()));
  int code = 0;
  if (is_soak) {
    options.pause_s = static_cast<int>(std::clamp<std::int64_t>(options.plan.length.count() / 30, 1, 10));
    code = chaos::run_soak(options);
  } else {
    if (options.world.rate <= 0) options.world.rate = 100;
    chaos::World world(options.world);
    code = chaos::run_chaos(world, options.plan, options.chinese, options.json);
  }
  if (code != 0)
    std::fprintf(stderr, "chaos: failed; logs and states are in %s; again with --seed %u\n",
                 options.world.folder.c_str(), options.plan.seed);
  else if (!keep)
    std::filesystem::remove_all(options.world.folder);
  return code;
}
