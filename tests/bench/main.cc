// main.cc: ./run bench: the exchange from gate to gate, beside a raw relay over CURVE. Method: docs/benchmarks.md.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "base/log.h"
#include "bench/catch_up.h"
#include "bench/floor.h"
#include "bench/growth.h"
#include "bench/neighbours.h"
#include "bench/relay.h"
#include "bench/restart.h"

namespace {

using namespace thalweg;
using namespace thalweg::bench;

constexpr double kCalmRate = 25'000;  // routine records/s: what the best peer that syncs takes on a machine of 2 cores

/// Bytes of all files below a folder.
double bytes_below(const Path& folder) {
  double bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += static_cast<double>(entry.file_size());
  return bytes;
}

/// `ledger_bytes`, where asked for: what one record took in the hub's ledger.
double throughput(std::size_t records, std::int64_t sync_delay_ns, double* ledger_bytes = nullptr,
                  Load::Kind kind = Load::Kind::kReadings) {
  Neighbours bench(sync_delay_ns);
  const auto begin = Steady::now();
  Flood flood(bench, records, 256, 16, 0, kind);
  flood.join();
  while (bench.in_inbox(Lane::kRoutine) < flood.sent() - flood.refused()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (seconds_since(begin) > 300) {
      throw std::runtime_error(
          fmt::format("{} of {} records arrived in 300 s", bench.in_inbox(Lane::kRoutine), flood.sent()));
    }
  }
  const double rate = static_cast<double>(flood.sent()) / seconds_since(begin);
  if (flood.refused() != 0) std::cerr << flood.refused() << " records were refused\n";
  if (ledger_bytes != nullptr)
    *ledger_bytes = bytes_below(bench.path("hub") / "state" / "ledger" / "routine") / static_cast<double>(flood.sent());
  return rate;
}

/// Time from SUBMIT to SETTLED (checked, signed and synced in the gate) at `rate` single records/s, µs.
std::vector<double> acknowledgement(double rate, std::size_t count) {
  Neighbours bench;
  auto client = bench.submitter(Lane::kRoutine);
  Load load(1);
  std::vector<double> times;
  const auto begin = Steady::now();
  for (std::size_t i = 0; i < count; ++i) {
    const auto due = begin + std::chrono::duration_cast<Steady::duration>(
                                 std::chrono::duration<double>(static_cast<double>(i) / rate));
    std::this_thread::sleep_until(due);
    const Bytes frame = load.routine(1);
    const auto sent = Steady::now();
    Flood::must_send(client, frame);
    settle(client, 1);
    times.push_back(seconds_since(sent) * 1e6);
  }
  return times;
}

/// What the disk gives to anybody: every 10 ms 1 KB is written over zeros of a file of its own, and synced. µs.
class SyncProbe {
 public:
  explicit SyncProbe(const Path& folder)
      : fd_(::open((folder / "probe").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), thread_([this] { run(); }) {}
  ~SyncProbe() {
    (void)times();
    ::close(fd_);
  }
  std::vector<double> times() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return times_;
  }

 private:
  void run() {
    constexpr std::size_t kRoom = 8 << 20;
    const std::string zeros(kRoom, '\0'), one(1024, 'x');
    if (::pwrite(fd_, zeros.data(), kRoom, 0) != static_cast<ssize_t>(kRoom) || ::fdatasync(fd_) != 0) return;
    for (std::size_t at = 0; !stop_ && at < kRoom; at += one.size()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      const auto begin = Steady::now();
      if (::pwrite(fd_, one.data(), one.size(), static_cast<off_t>(at)) < 0 || ::fdatasync(fd_) != 0) return;
      times_.push_back(seconds_since(begin) * 1e6);
    }
  }
  std::vector<double> times_;
  std::atomic<bool> stop_{false};
  int fd_;
  std::thread thread_;
};

/// Time from SUBMIT at 荣昌 to durable in 泸县's inbox of urgent notices, 20 a second, µs. Beside them `routine`
/// records a second, 0: as many as it takes.
/// `sync_p99`: of a SyncProbe beside it, where asked for.
std::vector<double> urgent(std::size_t count, std::optional<double> routine, double& routine_rate,
                           double* sync_p99 = nullptr) {
  Neighbours bench;
  std::optional<SyncProbe> probe;
  if (sync_p99 != nullptr) probe.emplace(bench.path("hub"));
  std::unique_ptr<Flood> flood;
  if (routine) flood = std::make_unique<Flood>(bench, SIZE_MAX / 2, 256, 16, *routine);
  const std::uint64_t routine_before = bench.in_inbox(Lane::kRoutine);
  auto client = bench.submitter(Lane::kUrgent);
  Load load(1);
  std::atomic<std::size_t> arrived{0};
  std::atomic<bool> watching{false};
  std::thread watch([&] {
    auto tail = must(link::BlockingLocalClient::connect(bench.gate("luxian").config().socket(Lane::kUrgent)));
    watching = true;
    (void)tail.stream(json{{"cmd", "tail"}, {"from", "start"}, {"lane", "urgent"}}.dump(),
                      [&](std::string_view) { return ++arrived < count; });
  });
  while (!watching) std::this_thread::yield();
  std::vector<double> times;
  const auto begin = Steady::now();
  for (std::size_t i = 0; i < count; ++i) {
    std::this_thread::sleep_until(begin + std::chrono::milliseconds(50 * i));
    const Bytes frame = load.urgent();
    const auto sent = Steady::now();
    Flood::must_send(client, frame);
    settle(client, 1);
    while (arrived < i + 1) {
      if (seconds_since(sent) > 300) throw std::runtime_error("an urgent record is not in the inbox after 300 s");
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    times.push_back(seconds_since(sent) * 1e6);
  }
  routine_rate = static_cast<double>(bench.in_inbox(Lane::kRoutine) - routine_before) / seconds_since(begin);
  if (probe) *sync_p99 = quantile(probe->times(), 0.99);
  watch.join();
  if (flood) flood->stop();
  return times;
}

void tell_floor(const std::vector<bench::Step>& steps) {
  std::cout << "the floor: steps that every record needs, us of one core per record of 1 KB\n";
  for (const bench::Step& step : steps)
    std::cout << fmt::format("  {:<40} {} x {:.3f}\n", step.name, step.times, step.once_us);
}

/// One measurement once.
std::vector<Figure> once(const std::string& what, std::size_t records, double routine_rate, std::size_t notices) {
  using Kind = Load::Kind;
  const auto rate = [](double value) {
    return std::vector<Figure>{{"published, stored, received, acknowledged", "records/s", value}};
  };
  const auto times = [](const std::vector<double>& all) {
    std::vector<Figure> figures{{"p50", "us", quantile(all, 0.5)}, {"p99", "us", quantile(all, 0.99)}};
    if (all.size() >= 1000) figures.push_back({"p99.9", "us", quantile(all, 0.999)});
    figures.push_back({"most", "us", quantile(all, 1)});
    return figures;
  };
  if (what == "relay") return {{"raw relay", "messages/s", relay_rate(1024, records)}};
  if (what == "throughput") return rate(throughput(records, 0));
  if (what == "random") return rate(throughput(records, 0, nullptr, Kind::kRandom));
  if (what == "delayed") return rate(throughput(records, 5'000'000));
  if (what == "behind") return behind_figures(catch_up(records, Kind::kReadings));
  if (what == "bytes") return bytes_figures(catch_up(records, Kind::kReadings, routine_rate));
  if (what == "bytes-random") return bytes_figures(catch_up(records, Kind::kRandom, routine_rate));
  if (what == "ack") return times(acknowledgement(2000, 10'000));
  double routine = 0;
  if (what == "urgent") return times(urgent(notices, std::nullopt, routine));
  std::vector<Figure> loaded = times(urgent(notices, routine_rate, routine));
  loaded.push_back({"routine meanwhile", "records/s", routine});
  return loaded;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli{"thalweg-bench: the exchange from gate to gate, beside a raw relay over CURVE (docs/benchmarks.md)"};
  int runs = 5;
  std::size_t records = 200'000;
  bool json_only = false, quick = false;
  std::string only;
  double routine_rate = 0;
  std::size_t behind = 1'000'000;
  std::string plot;
  cli.add_option("--runs", runs, "Runs of each measurement; medians are printed")->check(CLI::Range(1, 100));
  cli.add_option("--records", records, "Records of one throughput run");
  cli.add_flag("--quick", quick, "One short run of each, to see that all works");
  cli.add_option("--parcel-kib", parcel_kib, "limits.parcel_kib of the gates (0: the default)")
      ->check(CLI::Range(0, 4032));
  cli.add_option(
         "--only", only,
         "One measurement once, for a profiler: relay, throughput, random, delayed, ack, urgent, loaded, behind, "
         "bytes, bytes-random, floor; or growth; or restart (--records-stored), idle-gates (--gates)")
      ->check(CLI::IsMember({"relay", "throughput", "random", "delayed", "ack", "urgent", "loaded", "behind", "bytes",
                             "bytes-random", "floor", "growth", "restart", "idle-gates"}));
  bench::RestartOptions restart;
  restart.records = {100'000, 1'000'000, 10'000'000};
  std::size_t gates = 100;
  cli.add_option("--records-stored", restart.records, "Of --only restart: with how many records stored, ascending");
  cli.add_option("--gates", gates, "Of --only idle-gates")->check(CLI::Range(2, 1000));
  restart.programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  cli.add_option("--programs", restart.programs, "Folder of thalwegd and thalweg-gate for these two");
  cli.add_option("--behind", behind, "Records that the receiver of --only behind has to catch up with");
  cli.add_option("--plot", plot, "Where --only growth writes its picture (SVG)");
  cli.add_option(
      "--routine-rate", routine_rate,
      "Routine records/s beside urgent ones of --only loaded; of --only bytes, one by one (0: all it takes)");
  std::size_t notices_once = 200;
  cli.add_option("--notices", notices_once,
                 "Of --only urgent and loaded: urgent notices, 20 a second; 1,000 and more for a p99.9")
      ->check(CLI::Range(20, 1'000'000));
  cli.add_flag("--json", json_only, "JSON only");
  CLI11_PARSE(cli, argc, argv);
  if (quick) {
    runs = 1;
    records = 20'000;
  }
  log::set_level(log::Level::kError);

  if (only == "restart" || only == "idle-gates") {
    restart.runs = runs;
    restart.json = json_only;
    const Status done = only == "restart" ? bench::measure_restart(restart)
                                          : bench::measure_idle_gates(restart.programs, gates, json_only);
    if (!done) std::cerr << done.error().message << '\n';
    return done ? 0 : 1;
  }
  if (only == "floor") {
    tell_floor(bench::floor_steps());
    return 0;
  }
  if (only == "growth") {
    const auto points = growth(runs, records, quick);
    if (!plot.empty()) std::ofstream(plot) << growth_svg(points);
    std::cout << (json_only ? growth_json(points).dump() + "\n" : growth_table(points));
    return 0;
  }
  if (!only.empty()) {
    const std::vector<Figure> figures =
        once(only, only == "behind" && !quick ? behind : records, routine_rate, notices_once);
    if (json_only) {
      json out = json::array();
      for (const Figure& one : figures) out.push_back({{"what", one.what}, {"unit", one.unit}, {"value", one.value}});
      std::cout << out.dump() << '\n';
    } else {
      for (const Figure& one : figures) std::cout << fmt::format("{}: {:.1f} {}\n", one.what, one.value, one.unit);
    }
    return 0;
  }
  std::vector<double> relay, rate, delayed, ack50, ack99, idle50, idle99, urgent50, urgent99, beside, syncs, calm50,
      calm99, ledger;
  double ignored = 0, routine = 0;
  const std::size_t notices = quick ? 20 : 200;
  for (int run = 0; run < runs; ++run) {  // interleaved, so that a drifting machine drifts for all
    relay.push_back(bench::relay_rate(1024, records));
    double bytes = 0;
    rate.push_back(throughput(records, 0, &bytes));
    ledger.push_back(bytes);
    delayed.push_back(throughput(records, 5'000'000));
    const auto ack = acknowledgement(2000, quick ? 1000 : 10'000);
    ack50.push_back(quantile(ack, 0.5));
    ack99.push_back(quantile(ack, 0.99));
    const auto idle = urgent(notices, std::nullopt, ignored);
    idle50.push_back(quantile(idle, 0.5));
    idle99.push_back(quantile(idle, 0.99));
    const auto calm = urgent(notices, kCalmRate, ignored);
    calm50.push_back(quantile(calm, 0.5));
    calm99.push_back(quantile(calm, 0.99));
    double sync_p99 = 0;
    const auto loaded = urgent(notices, 0, routine, &sync_p99);
    syncs.push_back(sync_p99);
    urgent50.push_back(quantile(loaded, 0.5));
    urgent99.push_back(quantile(loaded, 0.99));
    beside.push_back(routine);
    if (!json_only) std::cerr << fmt::format("run {} of {} done\n", run + 1, runs);
  }
  const auto median = [](const std::vector<double>& v) { return quantile(v, 0.5); };
  const auto spread = [](const std::vector<double>& v) {
    return fmt::format("{:.0f} to {:.0f}", *std::min_element(v.begin(), v.end()),
                       *std::max_element(v.begin(), v.end()));
  };
  const std::vector<bench::Step> steps = bench::floor_steps();
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const double floor_rate = cores * 1e6 / bench::floor_us(steps);
  json out = {{"runs", runs},
              {"floor_us", bench::floor_us(steps)},
              {"floor_records_per_s", floor_rate},
              {"relay_messages_per_s", median(relay)},
              {"gate_to_gate_records_per_s", median(rate)},
              {"gate_to_gate_records_per_s_sync_5ms", median(delayed)},
              {"acknowledged_us_p50", median(ack50)},
              {"acknowledged_us_p99", median(ack99)},
              {"urgent_idle_us_p50", median(idle50)},
              {"urgent_idle_us_p99", median(idle99)},
              {"urgent_beside_25000_us_p50", median(calm50)},
              {"urgent_beside_25000_us_p99", median(calm99)},
              {"ledger_bytes_per_record", median(ledger)},
              {"urgent_loaded_us_p50", median(urgent50)},
              {"urgent_loaded_us_p99", median(urgent99)},
              {"sync_beside_urgent_us_p99", median(syncs)},
              {"routine_beside_urgent_records_per_s", median(beside)}};
  if (json_only) {
    std::cout << out.dump() << '\n';
    return 0;
  }
  const auto row = [&](const char* what, const std::vector<double>& v, const char* unit) {
    std::cout << fmt::format("{:<66} {:>10.0f} {:<10} {}\n", what, median(v), unit, spread(v));
  };
  std::cout << fmt::format("{:<66} {:>10} {:<10} {}\n", "", "median", "", "lowest to highest");
  row("raw relay over CURVE, 1 KB messages, nothing stored", relay, "msg/s");
  row("gate to gate: checked, signed, encrypted, synced thrice", rate, "records/s");
  row("  the same with 5 ms added to every sync", delayed, "records/s");
  row("acknowledged (synced in the gate), 2,000 records/s, p50", ack50, "us");
  row("acknowledged (synced in the gate), 2,000 records/s, p99", ack99, "us");
  row("urgent notice, idle: in the neighbour's inbox, p50", idle50, "us");
  row("urgent notice, idle: in the neighbour's inbox, p99", idle99, "us");
  row("urgent notice beside 25,000 routine records/s, p50", calm50, "us");
  row("urgent notice beside 25,000 routine records/s, p99", calm99, "us");
  row("urgent notice under full routine load, p50", urgent50, "us");
  row("urgent notice under full routine load, p99", urgent99, "us");
  row("  routine meanwhile", beside, "records/s");
  row("  one sync of 1 KB by anybody meanwhile, p99", syncs, "us");
  row("the hub's ledger on disk, a record of 1,010 bytes", ledger, "bytes");
  std::cout << fmt::format("gate to gate / raw relay: {:.2f}\n", median(rate) / median(relay));
  std::cout << '\n';
  tell_floor(steps);
  std::cout << fmt::format("  together {:.2f} us: {:.0f} records/s on {} cores; gate to gate is {:.0f} % of that\n",
                           floor_us(steps), floor_rate, cores, 100 * median(rate) / floor_rate);
  return 0;
}
