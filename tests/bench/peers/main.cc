// main.cc: ./run bench --peers: other brokers at the same work, beside thalweg-bench. Method: docs/benchmarks.md.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "bench/peers/report.h"
#include "support/temp_folder.h"

namespace {

using namespace thalweg::bench;

constexpr const char* kOurs = "thalweg";
const Guarantee kOurGuarantee{"signed and synced in the sender's gate", true, "CURVE", true};

struct Options {
  std::vector<std::string> peers, only;
  Sizes sizes;
  int runs = 5, sync_delay_ms = 0;
  bool plain = false, json = false, strict = false, alone = false;
  Path programs;  // the folder of this one
};

bool chosen(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

/// thalweg-bench in a process of its own: its figures, or none where it measures no such thing.
std::vector<Figure> ours(const Options& options, const std::string& measure) {
  static const std::set<std::string> kSame = {"throughput", "random", "behind", "bytes", "bytes-random"};
  if (options.alone || !kSame.contains(measure) || options.sync_delay_ms != 0) return {};
  const Path program = options.programs / "thalweg-bench";
  if (find_program(program.string()).empty()) return {};
  const std::size_t records = measure.starts_with("bytes") ? options.sizes.bytes : options.sizes.records;
  const std::string said = run_program({{program.string(), "--json", "--only", measure, "--records",
                                         std::to_string(records), "--behind", std::to_string(options.sizes.behind)},
                                        {}});
  const auto figures =
      nlohmann::json::parse(said.substr(std::min(said.find_last_of('[', said.size()), said.size())), nullptr, false);
  if (!figures.is_array()) throw std::runtime_error("thalweg-bench said: " + said);
  std::vector<Figure> out;
  for (const auto& one : figures) out.push_back({one.at("what"), one.at("unit"), one.at("value")});
  return out;
}

struct Outcome {
  bool failed = false, absent = false;
};

/// One measurement of one peer, on an empty folder; ours just before it where there is one.
void measure_once(const Options& options, const Measure& measure, const PeerKind& kind, Report& report,
                  Outcome& outcome) {
  const thalweg::TempFolder folder;
  Site site;
  site.folder = folder.path();
  site.certificate = folder / "certificate.pem";
  site.key = folder / "key.pem";
  site.tls = !options.plain;
  site.sync_delay_ms = options.sync_delay_ms;
  site.slow_sync = options.programs / "thalweg-slow-sync.so";
  const auto peer = kind.make(site);
  report.add_peer(kind.name, peer->title(), peer->guarantee());
  if (!peer->installed()) {
    outcome.absent = true;
    report.add_absent(measure.name, kind.name, fmt::format("not installed: apt-get install {}", peer->package()));
    return;
  }
  try {
    if (site.tls) make_certificate(site.certificate, site.key);
    const std::vector<Figure> own = ours(options, measure.name);
    const auto figures = measure.run(*peer, options.sizes);
    if (!own.empty()) report.add_peer(kOurs, "Thalweg, gate to hub to gate", kOurGuarantee);
    for (const Figure& figure : own) report.add(measure.name, kOurs, figure);
    if (!own.empty() && figures.front().unit == "records/s")
      report.add_pair(measure.name, kind.name, own.front().value, figures.front().value);
    for (const Figure& figure : figures) {
      report.add(measure.name, kind.name, figure);
      if (!options.json) std::cerr << fmt::format("  {}: {:.1f} {}\n", figure.what, figure.value, figure.unit);
    }
    peer->kill();
  } catch (const std::exception& error) {
    outcome.failed = true;
    if (!options.json) std::cerr << "  failed: " << error.what() << '\n';
    report.add_absent(measure.name, kind.name, fmt::format("failed: {}", error.what()));
  }
}

int run(const Options& options) {
  Report report;
  Outcome outcome;
  for (int run = 0; run < options.runs; ++run) {  // interleaved, so that a drifting machine drifts for all
    for (const Measure& measure : measures()) {
      if (!chosen(options.only, measure.name)) continue;
      for (const PeerKind& kind : peer_kinds()) {
        if (!chosen(options.peers, kind.name)) continue;
        if (!options.json)
          std::cerr << fmt::format("run {} of {}: {} {}\n", run + 1, options.runs, measure.name, kind.name);
        measure_once(options, measure, kind, report, outcome);
      }
    }
  }
  if (options.json) {
    nlohmann::json out = report.json();
    out["runs"] = options.runs;
    out["records"] = options.sizes.records;
    out["behind"] = options.sizes.behind;
    out["sync_delay_ms"] = options.sync_delay_ms;
    std::cout << out.dump() << '\n';
  } else {
    report.print_table(std::cout);
  }
  if (outcome.failed) return 1;
  return outcome.absent && options.strict ? 69 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli{"thalweg-peers: other brokers at the same work as thalweg-bench (docs/benchmarks.md)"};
  Options options;
  bool quick = false;
  std::vector<std::string> peer_names, measure_names;
  for (const PeerKind& kind : peer_kinds()) peer_names.emplace_back(kind.name);
  for (const Measure& measure : measures()) measure_names.emplace_back(measure.name);
  cli.add_option("--peer", options.peers, "Only this peer (may be repeated)")->check(CLI::IsMember(peer_names));
  cli.add_option("--only", options.only, "Only this measurement (may be repeated)")
      ->check(CLI::IsMember(measure_names));
  cli.add_option("--runs", options.runs, "Runs of each; medians are printed")->check(CLI::Range(1, 100));
  cli.add_option("--records", options.sizes.records, "Records of one throughput run");
  cli.add_option("--behind", options.sizes.behind, "Records that a receiver is behind, or a restart finds");
  cli.add_option("--urgent", options.sizes.urgent,
                 "Urgent records of one run, 20 a second; 1,000 and more for a p99.9");
  cli.add_option("--bulk-rate", options.sizes.bulk_rate,
                 "Bulk records/s beside the urgent ones (0: as many as it takes)");
  cli.add_option("--sync-delay-ms", options.sync_delay_ms, "Added to every sync of servers that can be made to wait")
      ->check(CLI::Range(0, 1000));
  cli.add_flag("--plain", options.plain, "Without TLS");
  cli.add_flag("--alone", options.alone, "Without thalweg-bench beside it");
  cli.add_flag("--quick", quick, "One short run of each, to see that all works");
  cli.add_flag("--strict", options.strict, "Exit with 69 when a server is not installed");
  cli.add_flag("--json", options.json, "JSON only");
  CLI11_PARSE(cli, argc, argv);
  if (quick) {
    options.runs = 1;
    options.sizes = {.records = 20'000,
                     .singles = 1'000,
                     .urgent = 20,
                     .behind = 20'000,
                     .bytes = 20'000,
                     .bulk_rate = options.sizes.bulk_rate};
  }
  options.programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  ::signal(SIGPIPE, SIG_IGN);  // servers are killed while clients still hold connections
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::cerr << "thalweg-peers: " << error.what() << '\n';
    return 1;
  }
}
