// main.cc: thalweg-storm: records flow both ways while programs are killed; then everything is counted. Start here.
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "base/log.h"
#include "ledger/verify.h"
#include "storm/checker.h"
#include "storm/origin.h"
#include "storm/reading.h"
#include "storm/site.h"

namespace {

using namespace thalweg;
using namespace thalweg::storm;
using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

struct Plan {
  std::uint64_t records = 20'000;  // each way
  int kills = 50;
  std::uint32_t seed = 0;
  int patience_s = 120;  // for what is under way when the last program was killed
  bool keep = false;
};

std::string observation(const char* section, const char* station, std::uint64_t i) {
  const std::string value = std::to_string(i % 15) + "." + std::to_string(10 + i % 90);
  return std::string(R"({"section":")") + section + R"(","station":")" + station +
         R"(","time":"2026-09-23T06:00:00+08:00","time_label":"instant","mode":"automatic","review":"raw","factors":[)" +
         R"({"code":"w01009","text":")" + value + R"(","value":)" + value + R"(,"unit":"mg/L","flag":"N"}]})";
}

std::string warning(std::uint64_t) {
  return R"({"incident":"storm-drill","kind":"warning","river":"濑溪河","section":"laixi-gaodong",)"
         R"("learned_at":"2026-09-23T06:20:00+08:00","contact":"值班员","telephone":"023-00000000"})";
}

std::uint64_t seconds_since(SteadyClock::time_point begin) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(SteadyClock::now() - begin).count());
}

/// Where the records of an origin have to be.
struct Way {
  std::size_t origin;  // of `origins`
  std::size_t gate;    // of Site::gates()
};
const std::vector<Way> kWays{{0, 1}, {1, 0}, {1, 2}, {2, 2}};

class Storm {
 public:
  Storm(Plan plan, Path folder, Path programs)
      : plan_(plan), folder_(std::move(folder)), programs_(std::move(programs)), random_(plan.seed) {}

  int run() {
    auto site = Site::set_up(folder_, programs_);
    if (!site) return give_up("setting up: " + site.error().message);
    site_ = *std::move(site);
    start_origins();
    rage();
    for (auto& origin : origins_) origin->release(origin->settings().records);
    wait_until([&] { return std::all_of(origins_.begin(), origins_.end(), [](const auto& o) { return o->done(); }); });
    wait_until([&] { return all_arrived(); });
    settle();
    for (auto& origin : origins_) {
      origin->stop();
      if (!origin->failed().empty()) complain(origin->failed());
    }
    stop_machines();
    count();
    verify();
    return conclude();
  }

 private:
  void complain(const std::string& what) {
    std::fprintf(stderr, "storm: %s\n", what.c_str());
    ++complaints_;
  }
  int give_up(const std::string& what) {
    complain(what);
    std::fprintf(stderr, "storm: logs and states are in %s; again with --seed %u\n", folder_.c_str(), plan_.seed);
    return 1;
  }

  void start_origins() {
    const auto add = [&](std::size_t gate, Lane lane, const char* type, const char* subject,
                         std::function<std::string(std::uint64_t)> data, std::uint64_t records) {
      Origin::Settings settings;
      settings.name = Site::gates()[gate].name + "-" + std::string(name(lane));
      settings.socket = site_->gate_folder(gate) / "state" / "run" / (std::string(name(lane)) + ".sock");
      settings.lane = lane;
      settings.type = type;
      settings.subject = subject;
      settings.data = std::move(data);
      settings.records = records;
      settings.seed = plan_.seed + static_cast<std::uint32_t>(origins_.size());
      origins_.push_back(std::make_unique<Origin>(std::move(settings)));
      origins_.back()->start();
    };
    const char* reading = "thalweg.section.observation.v1";
    add(
        0, Lane::kRoutine, reading, "laixi-yutan",
        [](std::uint64_t i) { return observation("laixi-yutan", "A500000_2013", i); }, plan_.records);
    add(
        1, Lane::kRoutine, reading, "laixi-gaodong",
        [](std::uint64_t i) { return observation("laixi-gaodong", "A500226_0002", i); }, plan_.records);
    add(1, Lane::kUrgent, "thalweg.emergency.notice.v1", "storm-drill", warning, plan_.records / 100);
  }

  /// Kills at random moments; records are released evenly over the time.
  void rage() {
    std::vector<milliseconds> pauses;
    milliseconds whole{0};
    for (int i = 0; i < plan_.kills; ++i) {
      pauses.emplace_back(100 + random_() % 2400);
      whole += pauses.back();
    }
    const auto begin = SteadyClock::now();
    std::vector<std::pair<SteadyClock::time_point, std::size_t>> down;  // when to start which
    auto next = begin;
    for (int i = 0; i <= plan_.kills;) {
      const auto now = SteadyClock::now();
      for (auto& origin : origins_) {
        const auto share =
            static_cast<double>((now - begin) / milliseconds(1)) / static_cast<double>(whole / milliseconds(1) + 1);
        origin->release(
            static_cast<std::uint64_t>(std::min(1.0, share) * static_cast<double>(origin->settings().records)));
      }
      watch();
      for (std::size_t d = down.size(); d-- > 0;) {
        if (down[d].first > now) continue;
        start(site_->machines()[down[d].second]);
        down.erase(down.begin() + static_cast<std::ptrdiff_t>(d));
      }
      if (now >= next) {
        if (i == plan_.kills) break;
        next = now + pauses[static_cast<std::size_t>(i)];
        const std::size_t victim = random_() % site_->machines().size();
        if (site_->machines()[victim].runs()) {  // who is down is not killed: another one next time
          site_->machines()[victim].kill();
          ++killed_;
          down.emplace_back(now + milliseconds(random_() % 500), victim);
          ++i;
        }
      }
      std::this_thread::sleep_for(milliseconds(2));
    }
    for (const auto& [when, machine] : down) start(site_->machines()[machine]);
  }

  void start(Machine& machine) {
    if (Status started = machine.start(); !started) complain(machine.name() + ": " + started.error().message);
  }

  /// Who ends without having been killed has failed the test, and is started again so that the rest can be seen.
  void watch() {
    std::string how;
    for (Machine& machine : site_->machines()) {
      if (!machine.ended_by_itself(how)) continue;
      complain(machine.name() + " ended by itself: " + how + "; see " + machine.log().string());
      start(machine);
    }
  }

  void wait_until(const std::function<bool()>& yes) {
    const auto end = SteadyClock::now() + std::chrono::seconds(plan_.patience_s);
    while (!yes()) {
      watch();
      if (SteadyClock::now() > end)
        return complain("not everything arrived within " + std::to_string(plan_.patience_s) + " s");
      std::this_thread::sleep_for(milliseconds(50));
    }
  }

  bool all_arrived() const {
    for (std::size_t gate = 0; gate < Site::gates().size(); ++gate) {
      std::array<std::uint64_t, 2> wanted{};
      for (const Way way : kWays)
        if (way.gate == gate)
          wanted[static_cast<std::size_t>(origins_[way.origin]->settings().lane)] +=
              origins_[way.origin]->accepted_count();
      const auto have = site_->inbox_records(gate);
      if (!have || (*have)[0] < wanted[0] || (*have)[1] < wanted[1]) return false;
    }
    return true;
  }

  /// What would come twice has the time to do so: a moment in which every session is open and nothing moves.
  void settle() { std::this_thread::sleep_for(milliseconds(500)); }

  void stop_machines() {
    for (Machine& machine : site_->machines()) {
      const auto status = machine.stop(20);
      if (!status || *status != 0)
        complain(machine.name() +
                 (status ? " ended with status " + std::to_string(*status) : " did not end when told to"));
    }
  }

  void count() {
    std::map<std::pair<std::size_t, Lane>, InboxRecords> inboxes;
    for (std::size_t gate = 0; gate < Site::gates().size(); ++gate) {
      for (const Lane lane : {Lane::kRoutine, Lane::kUrgent}) {
        auto inbox = read_inbox(site_->gate_folder(gate), lane);
        if (!inbox)
          complain(Site::gates()[gate].name + ", inbox " + std::string(name(lane)) + ": " + inbox.error().message);
        if (inbox) inboxes[{gate, lane}] = *std::move(inbox);
      }
    }
    for (const Way way : kWays) {
      const Origin& origin = *origins_[way.origin];
      const std::string& party = Site::gates()[way.origin == 0 ? 0 : 1].party;
      auto& inbox = inboxes[{way.gate, origin.settings().lane}];
      found_ += compare(origin.accepted(), inbox[party]);
      inbox.erase(party);
    }
    for (const auto& [where, inbox] : inboxes)
      for (const auto& [party, records] : inbox) found_ += compare({}, records);  // nobody sends here
    for (const std::string& example : found_.examples) std::fprintf(stderr, "storm: %s\n", example.c_str());
  }

  void verify() {
    for (const Lane lane : {Lane::kRoutine, Lane::kUrgent}) {
      ledger::VerifyOptions hub;
      hub.hub_key = site_->card().signing.bytes;
      verify(site_->hub_folder() / "state" / "ledger" / std::string(name(lane)), hub);
      ledger::VerifyOptions gate;
      gate.chain_only = true;
      for (std::size_t i = 0; i < Site::gates().size(); ++i)
        for (const char* box : {"outbox", "inbox"})
          verify(site_->gate_folder(i) / "state" / box / std::string(name(lane)), gate);
    }
  }
  void verify(const Path& folder, const ledger::VerifyOptions& options) {
    const auto report = ledger::verify_ledger(real_files(), folder, options);
    if (report && report->content()) return;
    verified_ = false;
    complain(folder.string() + ": " +
             (report ? report->fault->message + " (" + report->fault->file + " at " +
                           std::to_string(report->fault->offset) + ")"
                     : report.error().message));
  }

  int conclude() {
    std::uint64_t repeats = 0;
    for (const auto& origin : origins_) repeats += origin->repeats();
    std::printf(
        "killed %d, accepted %llu+%llu and %llu urgent (%llu of them answered after a repeat), lost %llu, doubled "
        "%llu, "
        "out of order %llu, foreign %llu, verify %s, %llu s, seed %u\n",
        killed_, static_cast<unsigned long long>(origins_[0]->accepted_count()),
        static_cast<unsigned long long>(origins_[1]->accepted_count()),
        static_cast<unsigned long long>(origins_[2]->accepted_count()), static_cast<unsigned long long>(repeats),
        static_cast<unsigned long long>(found_.lost), static_cast<unsigned long long>(found_.doubled),
        static_cast<unsigned long long>(found_.out_of_order), static_cast<unsigned long long>(found_.foreign),
        verified_ ? "content" : "NOT content", static_cast<unsigned long long>(seconds_since(begin_)), plan_.seed);
    for (const auto& origin : origins_)
      if (origin->accepted_count() != origin->settings().records)
        complain(origin->settings().name + ": only " + std::to_string(origin->accepted_count()) + " were accepted");
    if (complaints_ > 0 || !found_.content()) return give_up("failed");
    if (!plan_.keep) std::filesystem::remove_all(folder_);
    return 0;
  }

  const Plan plan_;
  const Path folder_, programs_;
  std::mt19937 random_;
  const SteadyClock::time_point begin_ = SteadyClock::now();
  std::unique_ptr<Site> site_;
  std::vector<std::unique_ptr<Origin>> origins_;
  int killed_ = 0, complaints_ = 0;
  bool verified_ = true;
  Findings found_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli{"thalweg-storm: records flow both ways while hub and gates are killed; nothing may be lost or doubled"};
  Plan plan;
  plan.seed = std::random_device{}();
  bool brief = false;
  std::string folder;
  cli.add_flag("--short", brief, "10 kills, 4000 records each way, under a minute");
  auto* kills = cli.add_option("--kills", plan.kills, "How often a program is killed");
  auto* records = cli.add_option("--records", plan.records, "Records each way");
  cli.add_option("--seed", plan.seed, "Repeats the moments and the victims of an earlier storm");
  cli.add_option("--folder", folder, "Where hub and gates live; absent: a new one below /tmp");
  cli.add_option("--patience", plan.patience_s, "Seconds that the rest may take after the last kill");
  cli.add_flag("--keep", plan.keep, "Leave the folder when all went well");
  CLI11_PARSE(cli, argc, argv);
  if (brief && kills->count() == 0) plan.kills = 10;
  if (brief && records->count() == 0) plan.records = 4000;
  thalweg::log::set_level(thalweg::log::Level::kError);

  if (folder.empty()) {
    char made[] = "/tmp/thalweg-storm-XXXXXX";
    if (::mkdtemp(made) == nullptr) return 1;
    folder = made;
  }
  const Path programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::printf("storm: %d kills, %llu records each way, seed %u, in %s\n", plan.kills,
              static_cast<unsigned long long>(plan.records), plan.seed, folder.c_str());
  std::fflush(stdout);
  return Storm(plan, folder, programs).run();
}
