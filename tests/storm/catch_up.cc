#include "storm/catch_up.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "storm/watcher.h"

namespace thalweg::storm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kDazu = 0, kRongchang = 1, kLuxian = 2;
constexpr std::uint64_t kEndless = 1'000'000'000;
constexpr std::uint64_t kBatchMost = 20;  // records of a parcel: 1 to 20

/// Keeps every core busy with work that gives way to anybody else's: a machine on which nobody waits for a core,
/// and none is ever idle.
class Burners {
 public:
  Burners() {
    // Where time is allotted, idle work would use up what the others are allotted with it.
    if (allotted()) return;
    for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i)
      threads_.emplace_back([this] {
        const sched_param none{};
        (void)::sched_setscheduler(0, SCHED_IDLE, &none);
        while (!ended_.load(std::memory_order_relaxed)) {
        }
      });
  }
  ~Burners() {
    ended_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  /// Has the control group that a container sees as the first one a quota of processor time?
  static bool allotted() {
    std::string quota;
    for (const char* file : {"/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"})
      if (std::ifstream in(file); in >> quota) return quota != "max" && quota != "-1";
    return false;
  }

  std::atomic<bool> ended_{false};
  std::vector<std::thread> threads_;
};

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(q * static_cast<double>(values.size())))];
}

/// What was measured under one condition, in all rounds together: a round alone has too few values for a quantile that
/// a single stall of the disk does not decide.
struct Row {
  const char* what;
  std::vector<double> routine_ms, urgent_ms, per_second;
  std::vector<double> routine90_ms, urgent90_ms;  ///< p90 of each round
};

class CatchUp {
 public:
  CatchUp(Trial& trial, const CatchUpPlan& plan)
      : trial_(trial), plan_(plan), luxian_(trial.site().machines()[kLuxian + 1]) {}

  int run() {
    if (!miss_records()) return trial_.conclude();
    routine_ = &trial_.add({kDazu, Lane::kRoutine, {kRongchang}}, kEndless, plan_.readings);
    urgent_ = &trial_.add({kDazu, Lane::kUrgent, {kRongchang}}, kEndless, plan_.warnings);
    const Path run = trial_.site().gate_folder(kRongchang) / "state" / "run";
    seen_routine_ = std::make_unique<Watcher>(run / "routine.sock", Lane::kRoutine, Site::gates()[kDazu].party);
    seen_urgent_ = std::make_unique<Watcher>(run / "urgent.sock", Lane::kUrgent, Site::gates()[kDazu].party);
    rest(seconds(2));
    for (int round = 0; round < plan_.rounds; ++round) {  // interleaved, so that a drifting machine drifts for all
      quiet(rows_[0], catch_up(rows_[1], false));
      if (!memory_.empty()) {
        const Burners burners;
        quiet(rows_[2], catch_up(rows_[3], true));
      }
      std::fprintf(stderr, "storm: round %d of %d\n", round + 1, plan_.rounds);
    }
    std::filesystem::remove_all(luxian_.folder() / "state");
    std::filesystem::copy(copy(), luxian_.folder() / "state", std::filesystem::copy_options::recursive);
    luxian_.set_modest(false);
    trial_.start(luxian_);
    routine_->close();
    urgent_->close();
    trial_.finish();
    report();
    return trial_.conclude();
  }

 private:
  /// 泸县's gate is stopped, and 荣昌 sends what it will miss.
  bool miss_records() {
    Origin& sender = trial_.add({kRongchang, Lane::kRoutine, {kDazu, kLuxian}}, plan_.records, 0, kBatchMost);
    if (luxian_.stop(20) != 0) {
      trial_.complain("泸县's gate did not end when told to");
      return false;
    }
    std::filesystem::copy(luxian_.folder() / "state", copy(), std::filesystem::copy_options::recursive);
    sender.release(plan_.records);
    return trial_.wait_until(
        [&] {
          const auto have = trial_.site().inbox_records(kDazu);
          return have && (*have)[0] >= plan_.records;
        },
        "the records that 泸县 misses are in the ledger", 600);
  }
  Path copy() const { return luxian_.folder().parent_path() / "luxian-before"; }

  void rest(SteadyClock::duration time) {
    const auto end = SteadyClock::now() + time;
    while (SteadyClock::now() < end) {
      trial_.watch();
      std::this_thread::sleep_for(milliseconds(50));
    }
  }

  /// Measured as long as the catch-up before it took: stalls of the machine have the same chance in both.
  void quiet(Row& row, SteadyClock::duration time) {
    rest(seconds(2));
    const auto begin = SteadyClock::now();
    rest(time);
    measure(row, begin, SteadyClock::now());
  }

  /// 泸县 comes back as it was when it went, and takes all that it missed; then it goes again. `apart`: as if on a
  /// machine of its own, as far as one machine allows: it has the cores that nobody else wants, and a disk of its own
  /// (in memory). How long it took.
  SteadyClock::duration catch_up(Row& row, bool apart) {
    const Path state = luxian_.folder() / "state", memory = memory_ / luxian_.folder().parent_path().filename();
    std::filesystem::remove_all(state);
    std::filesystem::copy(copy(), apart ? memory : state, std::filesystem::copy_options::recursive);
    if (apart) std::filesystem::create_symlink(memory, state);
    luxian_.set_modest(apart);
    rest(seconds(2));  // what was removed and copied is off the disk's mind
    trial_.start(luxian_);
    std::uint64_t first = 0;
    SteadyClock::time_point begin;
    trial_.wait_until(
        [&] {
          const auto have = trial_.site().inbox_records(kLuxian);
          if (!have || (*have)[0] == 0) return false;
          if (first == 0) {
            first = (*have)[0];
            begin = SteadyClock::now();
          }
          return (*have)[0] >= plan_.records;
        },
        "泸县 has caught up", 600);
    const auto end = SteadyClock::now();
    row.per_second.push_back(static_cast<double>(plan_.records - first) /
                             std::chrono::duration<double>(end - begin).count());
    measure(row, begin, end);
    (void)luxian_.stop(20);
    if (apart) {
      std::filesystem::remove(state);
      std::filesystem::remove_all(memory);
    }
    return end - begin;
  }

  void measure(Row& row, SteadyClock::time_point begin, SteadyClock::time_point end) {
    const auto add = [&](std::vector<double>& all, std::vector<double>& p90s, const std::vector<double>& round) {
      all.insert(all.end(), round.begin(), round.end());
      p90s.push_back(quantile(round, 0.9));
    };
    add(row.routine_ms, row.routine90_ms, latencies_ms(*routine_, *seen_routine_, begin, end));
    add(row.urgent_ms, row.urgent90_ms, latencies_ms(*urgent_, *seen_urgent_, begin, end));
  }

  /// From the moment a record was due until it stood in the inbox, of those due between the two moments.
  std::vector<double> latencies_ms(const Origin& origin, const Watcher& watcher, SteadyClock::time_point begin,
                                   SteadyClock::time_point end) {
    trial_.wait_until([&] { return watcher.count() > 0 && origin.due(watcher.count() - 1) >= end; },
                      "what was sent meanwhile is in the other inbox", 60);
    const auto seen = watcher.seen();
    std::vector<double> all;
    for (std::size_t i = 0; i < seen.size(); ++i)
      if (const auto due = origin.due(i); due >= begin && due < end)
        all.push_back(std::chrono::duration<double, std::milli>(seen[i] - due).count());
    return all;
  }

  void report() {
    std::printf("catch-up of %llu records, %d rounds: %s\n", static_cast<unsigned long long>(plan_.records),
                plan_.rounds, trial_.account().c_str());
    std::printf("  %-44s %29s %29s %10s\n", "all rounds together, submitted to in the inbox",
                "reading p50 / p90 / p99 ms", "warning p50 / p90 / p99 ms", "taken/s");
    const auto three = [](const std::vector<double>& ms) {
      return fmt::format("{:.1f} / {:.1f} / {:.1f}", quantile(ms, 0.5), quantile(ms, 0.9), quantile(ms, 0.99));
    };
    for (const Row& row : rows_)
      std::printf("  %-48s %29s %29s %10.0f\n", row.what, three(row.routine_ms).c_str(), three(row.urgent_ms).c_str(),
                  quantile(row.per_second, 0.5));
    if (memory_.empty()) {
      std::printf("  left out: a gate apart, and with it what is judged: /dev/shm has no room for its disk\n");
      return;
    }
    judge("readings", rows_[2].routine_ms, rows_[3].routine90_ms);
    judge("warnings", rows_[2].urgent_ms, rows_[3].urgent90_ms);
  }
  /// By the least p90 of the rounds: a hub that makes others wait does so in each, and all the time; a disk that
  /// stalls beside it does not.
  void judge(const char* what, const std::vector<double>& before_ms, const std::vector<double>& during90_ms) {
    const double took_ms = quantile(during90_ms, 0), most_ms = plan_.factor * quantile(before_ms, 0.9) + plan_.slack_ms;
    if (took_ms > most_ms)
      trial_.complain(fmt::format("{} of others took {:.1f} ms (p90) during each catch-up, at most {:.1f} ms is right",
                                  what, took_ms, most_ms));
  }

  Trial& trial_;
  const CatchUpPlan plan_;
  const Path memory_ = memory_folder();
  Machine& luxian_;
  Origin *routine_ = nullptr, *urgent_ = nullptr;
  std::unique_ptr<Watcher> seen_routine_, seen_urgent_;
  Row rows_[4] = {{"nobody catches up", {}, {}, {}, {}, {}},
                  {"泸县 catches up, same cores and disk", {}, {}, {}, {}, {}},
                  {"cores kept busy, nobody catches up", {}, {}, {}, {}, {}},
                  {"cores kept busy, 泸县 catches up apart", {}, {}, {}, {}, {}}};
};

}  // namespace

int run_catch_up(Trial& trial, const CatchUpPlan& plan) {
  if (!trial.set_up()) return trial.conclude();
  return CatchUp(trial, plan).run();
}

}  // namespace thalweg::storm
