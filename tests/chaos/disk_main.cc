// disk_main.cc: thalweg-disks: disks, memory and descriptors of a running hub or gate fail, one after the other, with
// an account at the end. Start here.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/log.h"
#include "chaos/disk_trial.h"

int main(int argc, char** argv) {
  CLI::App cli{"thalweg-disks: disks, memory and descriptors of hub and gates fail while stations send"};
  thalweg::chaos::DiskTrial::Options options;
  std::string folder;
  cli.add_flag("--short", options.brief, "Without the faults that another one nearly equals");
  cli.add_option("--only", options.only, "One fault: hub-write, hub-sync, hub-read, hub-reserve, outbox-write …");
  cli.add_option("--rate", options.rate, "Readings a second, each way")->check(CLI::Range(10.0, 5'000.0));
  cli.add_option("--folder", folder, "Where hub and gates live; absent: a new one below /tmp");
  cli.add_flag("--keep", options.trial.keep, "Leave the folder when all went well");
  CLI11_PARSE(cli, argc, argv);
  thalweg::log::set_level(thalweg::log::Level::kError);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  options.trial.program = "disks";
  options.trial.folder = thalweg::storm::trial_folder(folder, "disks");
  if (options.trial.folder.empty()) return 1;
  options.trial.programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::printf("disks: in %s\n", options.trial.folder.c_str());
  return thalweg::chaos::DiskTrial(std::move(options)).run();
}
