#include "chaos/net_world.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "storm/station.h"

namespace thalweg::chaos {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::milliseconds;
using storm::Machine;
using storm::Origin;
using storm::Site;
using storm::SteadyClock;

constexpr std::uint64_t kEndless = 1'000'000'000;
constexpr std::uint64_t kBatchMost = 20;
constexpr int kStop_s = 30;  // a program that is told to end has so long

json parsed(const Result<std::string>& answer) {
  return answer ? json::parse(*answer, nullptr, false) : json(json::value_t::discarded);
}

/// The adapter at 荣昌: writes tables, outside of the gate's folder, so that they outlive its machine.
std::string sink(const Path& tables) {
  return fmt::format(R"(
[[adapter]]
instance = "tables"
plugin = "tabular"
lanes = ["routine"]
receive = {{ types = ["thalweg.section.*"] }}

[adapter.config]
folder = "{}"
pattern = "{{family}}-{{party}}.csv"

[adapter.limits]
restarts = 1000
)",
                     tables.string());
}

void copy_state(const Path& from, const Path& to) {
  fs::remove_all(to);
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from))
    if (entry.path().filename() != "run" && entry.path().filename() != "derived")
      fs::copy(entry.path(), to / entry.path().filename(), fs::copy_options::recursive);
}

}  // namespace

Path World::clock_file(const std::string& program) const { return options_.folder / (program + ".clock"); }
Path World::copy_of(std::size_t program) const { return options_.folder / ("copy-" + std::to_string(program)); }

bool World::set_up() {
  Site::Layout layout;
  layout.plugins = options_.programs.parent_path() / "plugins";
  layout.more = {{"dazu-2", "500111", "gate-2", false}};
  layout.way = [this](std::size_t gate, std::uint16_t hub_port) {
    if (gate == lines_.size()) lines_.push_back(std::make_unique<NetLine>(hub_port));
    return "127.0.0.1:" + std::to_string(lines_[gate]->port());
  };
  layout.configuration = [this](std::size_t gate) {
    const std::string memory = fmt::format("\n[limits]\norigin_keys = {}\n", options_.origin_keys);
    return gate == kRongchang ? memory + sink(options_.folder / "tables") : memory;
  };
  layout.variables = [this](const std::string& program) -> std::vector<std::string> {
    std::ofstream(clock_file(program), std::ios::binary).write("\0\0\0\0\0\0\0", 8);
    return {"LD_PRELOAD=" + (options_.programs / "thalweg-wall-clock.so").string(),
            "THALWEG_TEST_CLOCK=" + clock_file(program).string()};
  };
  fs::create_directories(options_.folder / "tables");
  if (!Keeper::set_up(options_.folder, options_.programs, std::move(layout))) return false;
  add("dazu", kDazu, Lane::kRoutine, {kRongchang}, options_.rate);
  add("rongchang", kRongchang, Lane::kRoutine, {kDazu, kLuxian}, options_.rate);
  add("rongchang-urgent", kRongchang, Lane::kUrgent, {kLuxian}, options_.rate / 50);
  add("dazu-2", kSecond, Lane::kRoutine, {kRongchang}, options_.rate / 2);
  return true;
}

void World::add(std::string name, std::size_t from, Lane lane, std::vector<std::size_t> to, double rate) {
  const Path folder = site().gate_folder(from);
  Origin::Settings settings = storm::station(name, folder, lane, from == kDazu || from == kSecond);
  settings.records = kEndless;
  settings.per_second = rate;
  settings.batch_most = kBatchMost;
  settings.keep_waits = options_.keep_waits;
  settings.seed = options_.seed + static_cast<std::uint32_t>(senders_.size());
  senders_.push_back(
      {std::move(name), from, lane, std::move(to), std::make_unique<Origin>(std::move(settings)), folder, {}, 0});
  senders_.back().origin->start();
}

std::vector<std::string> World::programs() const {
  std::vector<std::string> names{"hub"};
  for (const Site::Gate& gate : Site::gates()) names.push_back(gate.name);
  names.emplace_back("dazu-2");
  return names;
}

std::vector<Origin*> World::origins() {
  std::vector<Origin*> all;
  for (Sender& sender : senders_) all.push_back(sender.origin.get());
  return all;
}

std::optional<pid_t> World::runner() const {
  const json status = parsed(site().ask_gate(kRongchang, R"({"cmd":"status"})"));
  if (!status.is_object()) return std::nullopt;
  for (const json& lane : status["lanes"])
    for (const json& adapter : lane["adapters"])
      if (const auto pid = adapter.value("pid", 0); pid > 0) return pid;
  return std::nullopt;
}

void World::set_clock(std::size_t program, std::int64_t off_s) {
  // In place: the program has the file mapped.
  std::fstream file(clock_file(programs()[program]), std::ios::binary | std::ios::in | std::ios::out);
  file.write(reinterpret_cast<const char*>(&off_s), sizeof off_s);
}

void World::copy(std::size_t program) {
  Machine& machine = site().machines()[program];
  if (machine.runs() && machine.stop(kStop_s) != 0) complain(machine.name() + " did not end well when told to");
  copy_state(machine.folder() / "state", copy_of(program));
  for (Sender& sender : senders_)
    if (sender.from + 1 == program) sender.at_copy = sender.origin->accepted_count();
  start(program);
}

void World::restore(std::size_t program) {
  Machine& machine = site().machines()[program];
  if (!fs::exists(copy_of(program))) return;
  machine.kill();
  copy_state(copy_of(program), machine.folder() / "state");
  for (Sender& sender : senders_)
    if (sender.from + 1 == program) sender.origin->rewind(sender.at_copy);
  start(program);
}

void World::revoke(std::size_t gate) {
  start(0);
  if (Status revoked = site().revoke(gate); !revoked) complain("revoking: " + revoked.error().message);
  // What is under way to a gate now may have been taken before.
  std::map<std::string, std::uint64_t> then;
  for (Sender& sender : senders_) {
    then[sender.name] = sender.origin->accepted_count() + kBatchMost;
    if (sender.from == gate && !sender.revoked) sender.revoked = then[sender.name];
  }
  if (gate == kLuxian) retired_.push_back({site().gate_folder(gate), std::move(then)});
}

void World::replace(std::size_t gate) {
  start(0);
  if (gate == kSecond) {
    // Its station is answered to the end, by a gate that reaches nobody any more.
    start(gate + 1);
    Sender& old = senders_.back();
    old.origin->close();
    wait_until([&] { return old.origin->done(); }, "a revoked gate answers its station", 30);
    old.origin->stop();
  }
  site().machines()[gate + 1].kill();
  const Path folder = options_.folder / fmt::format("{}-new-{}", programs()[gate + 1], ++machines_made_);
  if (Status replaced = site().replace(gate, folder); !replaced) complain("replacing: " + replaced.error().message);
  start(gate + 1);
  if (gate == kSecond)
    add(fmt::format("dazu-2-{}", machines_made_), kSecond, Lane::kRoutine, {kRongchang}, options_.rate / 2);
}

void World::apply(const Step& step) {
  using What = Step::What;
  switch (step.what) {
    case What::kWeather:
      for (std::size_t i = 0; i < lines_.size(); ++i)
        if (step.who == Step::kAll || step.who == i) lines_[i]->set(step.weather);
      break;
    case What::kCutReset:
    case What::kCutEnd:
      lines_[step.who]->cut(step.what == What::kCutReset);
      break;
    case What::kKill:
      site().machines()[step.who].kill();
      break;
    case What::kStart:
      start(step.who);
      break;
    case What::kKillRunner:
      if (const auto pid = runner()) ::kill(*pid, SIGKILL);
      break;
    case What::kClock:
      set_clock(step.who, step.off_s);
      break;
    case What::kCopy:
      copy(step.who);
      break;
    case What::kRestore:
      restore(step.who);
      break;
    case What::kRevokeSender:
      revoke(kSecond);
      break;
    case What::kReplaceSender:
      replace(kSecond);
      break;
    case What::kRevokeReceiver:
      revoke(kLuxian);
      break;
    case What::kReplaceReceiver:
      replace(kLuxian);
      break;
  }
}

std::string World::progress() const {
  std::uint64_t accepted = 0;
  for (const Sender& sender : senders_) accepted += sender.origin->accepted_count();
  int open = 0;
  for (std::size_t gate = 0; gate < lines_.size(); ++gate) open += std::max(0, site().open_lines(gate));
  return fmt::format("accepted {}, {} of {} lines open", accepted, open, 2 * lines_.size());
}

NetLine::Counters World::lines() const {
  NetLine::Counters sum;
  for (const auto& line : lines_) {
    const NetLine::Counters one = line->counters();
    sum.connections += one.connections;
    sum.cut += one.cut;
    sum.crossed_bytes += one.crossed_bytes;
    sum.lost_bytes += one.lost_bytes;
  }
  return sum;
}

World::Waiting World::waiting() const {
  Waiting all;
  const auto add = [&](std::uint64_t count, const std::string& what) {
    if (count > 0 && all.what.empty()) all.what = what;
    all.count += count;
  };
  constexpr std::uint64_t kUnknown = 1ull << 40;  // of who does not answer
  for (std::size_t gate = 0; gate < lines_.size(); ++gate) {
    const std::string name = programs()[gate + 1];
    const json status = parsed(site().ask_gate(gate, R"({"cmd":"status"})"));
    if (!status.is_object()) {
      add(kUnknown, name + " does not answer");
      continue;
    }
    for (const json& lane : status["lanes"]) {
      const std::string which = name + ", " + lane["lane"].get<std::string>();
      if (lane["link"]["open"] != true) add(kUnknown, which + ": no line, " + lane["link"].dump());
      const auto parcels = lane["outbox"]["waiting"].get<std::uint64_t>();
      add(parcels, fmt::format("{}: {} parcels wait", which, parcels));
      for (const json& adapter : lane["adapters"])
        add(adapter.value("lag", std::uint64_t{0}), which + ": an adapter is behind, " + adapter.dump());
    }
  }
  const json hub = parsed(site().ask_hub(R"({"cmd":"status"})"));
  if (!hub.is_object()) {
    add(kUnknown, "the hub does not answer");
    return all;
  }
  for (const json& party : hub["parties"])
    for (const json& lane : party["lanes"])
      add(lane.value("lag", std::uint64_t{0}),
          "deliveries wait for " + party["party"].get<std::string>() + ", " + lane.dump());
  return all;
}

bool World::drain() {
  std::uint64_t least = UINT64_MAX;
  auto since = storm::SteadyClock::now();
  for (;;) {
    const Waiting now = waiting();
    if (now.what.empty()) return true;
    if (now.count < least) {
      least = now.count;
      since = storm::SteadyClock::now();
    } else if (storm::SteadyClock::now() - since > std::chrono::seconds(options_.patience_s)) {
      complain(fmt::format("what waits has not become less for {} s: {}", options_.patience_s, now.what));
      return false;
    }
    watch();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace thalweg::chaos
