// supervisor.cc: see supervisor.h.
#include "gate/supervisor.h"

#include <openssl/rand.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>

#include "base/invariant.h"
#include "base/log.h"

namespace thalweg::gate {
namespace {

constexpr std::int64_t kMsNs = 1'000'000;
constexpr std::int64_t kFirstDelay_ms = 200;
constexpr std::int64_t kNoRoomDelay_ms = 5000;
constexpr std::int64_t kLongestDelay_ms = 60'000;
constexpr std::int64_t kGrace_ms = 10'000;
constexpr int kExitConfig = 78;  // EX_CONFIG of sysexits.h: starting again changes nothing

std::string new_token() {
  std::array<std::uint8_t, 24> bytes;
  THALWEG_INVARIANT(::RAND_bytes(bytes.data(), bytes.size()) == 1);
  return to_hex(bytes);
}

}  // namespace

std::string_view name(RunnerState state) {
  switch (state) {
    case RunnerState::kStarting:
      return "starting";
    case RunnerState::kConnecting:
      return "connecting";
    case RunnerState::kRunning:
      return "running";
    case RunnerState::kWaiting:
      return "waiting";
    case RunnerState::kQuarantined:
      return "quarantined";
    case RunnerState::kStopped:
      return "stopped";
  }
  return "unknown";
}

struct Supervisor::Runner {
  explicit Runner(const AdapterConfig& a) : adapter(a) {}

  const AdapterConfig& adapter;
  RunnerState state = RunnerState::kWaiting;
  std::unique_ptr<ChildProcess> child;
  std::string token;
  std::string why;
  std::uint64_t starts = 0;
  std::uint64_t crashes = 0;
  std::deque<std::int64_t> recent;  // steady times of crashes within the window
  std::int64_t start_at_ns = 0;
  std::int64_t kill_at_ns = 0;  // 0: not asked to end
  bool told = false;            // to end
  bool final = false;
};

Supervisor::Supervisor(boost::asio::io_context& io, const Clock& clock, const GateConfig& config, Lane lane,
                       Path runner, Events events)
    : io_(io), clock_(clock), config_(config), lane_(lane), runner_(std::move(runner)), events_(std::move(events)) {
  for (const AdapterConfig& adapter : config.adapters) {
    if (adapter.on(lane)) runners_.emplace(adapter.instance, std::make_unique<Runner>(adapter));
  }
}

Supervisor::~Supervisor() = default;

Supervisor::Runner* Supervisor::find(std::string_view instance) {
  const auto found = runners_.find(instance);
  return found == runners_.end() ? nullptr : found->second.get();
}

void Supervisor::start_all() {
  for (auto& [instance, runner] : runners_) start(*runner);
}

void Supervisor::start(Runner& runner) {
  runner.token = new_token();
  runner.told = runner.final = false;
  runner.kill_at_ns = 0;
  runner.state = RunnerState::kStarting;
  ++runner.starts;
  ChildOptions options;
  options.program = runner_;
  options.arguments = {"--socket",   config_.socket(lane_).string(), "--lane",     std::string(name(lane_)),
                       "--instance", runner.adapter.instance,        "--token-fd", "3"};
  options.secret = runner.token;
  const std::string component = "adapter." + runner.adapter.instance;
  options.on_line = [component](std::string_view line) { log::write(log::Level::kWarning, component, line); };
  options.on_exit = [this, &runner](const ChildExit& exit) { ended(runner, exit); };
  auto child = ChildProcess::start(io_, std::move(options));
  if (child) {
    runner.child = *std::move(child);
  } else if (child.error().code == Code::kBusy) {  // the machine is short of something: no fault of the adapter's
    log::warning("gate", "adapter {} cannot be started: {}; it is tried again", runner.adapter.instance,
                 child.error().message);
    runner.state = RunnerState::kWaiting;
    runner.why = child.error().message;
    runner.token.clear();
    runner.start_at_ns = clock_.steady_ns() + kNoRoomDelay_ms * kMsNs;
  } else {
    runner.final = child.error().code != Code::kIo;
    runner.why = child.error().message;
    ended(runner, ChildExit{false, 127});
  }
}

void Supervisor::ended(Runner& runner, const ChildExit& exit) {
  const bool asked = runner.told && runner.kill_at_ns != 0;
  // The handler that calls this belongs to the child: it goes a little later.
  boost::asio::post(io_, [child = std::shared_ptr<ChildProcess>(std::move(runner.child))] {});
  runner.token.clear();
  const std::int64_t now = clock_.steady_ns();
  if (stopping_ || (asked && !exit.signalled)) {
    runner.state = stopping_ ? RunnerState::kStopped : RunnerState::kWaiting;
    runner.start_at_ns = now;
    if (events_.on_gone) events_.on_gone(runner.adapter, false, "told to stop");
    return;
  }
  if (asked) {  // it had to be ended by force, on a person's word: no crash of its own
    runner.state = RunnerState::kWaiting;
    runner.start_at_ns = now;
    if (events_.on_gone) events_.on_gone(runner.adapter, true, "had to be ended by force");
    return;
  }
  ++runner.crashes;
  if (!runner.final && !runner.told) runner.why = exit.text();
  const std::int64_t window = runner.adapter.limits.restart_window_ms * kMsNs;
  runner.recent.push_back(now);
  while (runner.recent.front() + window < now) runner.recent.pop_front();
  if (runner.final || (!exit.signalled && exit.code == kExitConfig) ||
      runner.recent.size() > runner.adapter.limits.restarts) {
    runner.state = RunnerState::kQuarantined;
    log::error("gate", "adapter {} is held back ({}); mend it, then: thalweg adapter restart {}",
               runner.adapter.instance, runner.why, runner.adapter.instance);
  } else {
    std::int64_t delay = kFirstDelay_ms;
    for (std::size_t i = 1; i < runner.recent.size() && delay < kLongestDelay_ms; ++i) delay *= 2;
    runner.state = RunnerState::kWaiting;
    runner.start_at_ns = now + std::min(delay, kLongestDelay_ms) * kMsNs;
    log::warning("gate", "adapter {} ended ({}); it starts again", runner.adapter.instance, runner.why);
  }
  if (events_.on_gone) events_.on_gone(runner.adapter, true, runner.why);
}

void Supervisor::tick() {
  const std::int64_t now = clock_.steady_ns();
  for (auto& [instance, runner] : runners_) {
    if (runner->child != nullptr) {
      if (runner->kill_at_ns != 0 && now >= runner->kill_at_ns) runner->child->signal(SIGKILL);
    } else if (runner->state == RunnerState::kWaiting && !stopping_ && now >= runner->start_at_ns) {
      start(*runner);
    }
  }
}

const AdapterConfig* Supervisor::admit(std::string_view token, pid_t pid) {
  if (token.empty()) return nullptr;
  for (auto& [instance, runner] : runners_) {
    if (runner->token != token || runner->child == nullptr || runner->child->pid() != pid) continue;
    runner->token.clear();
    return &runner->adapter;
  }
  return nullptr;
}

void Supervisor::on_state(std::string_view instance, RunnerState state, std::string_view why) {
  if (Runner* runner = find(instance)) {
    runner->state = state;
    runner->why = why;
  }
}

void Supervisor::on_final(std::string_view instance, std::string_view why) {
  if (Runner* runner = find(instance)) {
    runner->final = true;
    runner->why = why;
  }
}

Status Supervisor::restart(std::string_view instance) {
  Runner* runner = find(instance);
  if (runner == nullptr) return Error{Code::kNotFound, "no adapter '" + std::string(instance) + "' on this lane"};
  runner->recent.clear();
  if (runner->child != nullptr) {
    runner->told = true;
    runner->kill_at_ns = clock_.steady_ns() + kGrace_ms * kMsNs;
    runner->child->signal(SIGTERM);
  } else {
    runner->state = RunnerState::kWaiting;
    runner->start_at_ns = 0;
    tick();
  }
  return {};
}

void Supervisor::kill(std::string_view instance, std::string_view why) {
  Runner* runner = find(instance);
  if (runner == nullptr || runner->child == nullptr) return;
  runner->why = why;
  runner->told = true;
  runner->kill_at_ns = 0;
  runner->child->signal(SIGKILL);
}

bool Supervisor::stop_all(std::int64_t grace_ms) {
  stopping_ = true;
  bool all = true;
  for (auto& [instance, runner] : runners_) {
    if (runner->child == nullptr) continue;
    all = false;
    if (runner->told && runner->kill_at_ns != 0) continue;
    runner->told = true;
    runner->kill_at_ns = clock_.steady_ns() + grace_ms * kMsNs;
    runner->child->signal(SIGTERM);
  }
  return all;
}

std::vector<Supervisor::View> Supervisor::view() const {
  std::vector<View> out;
  for (const auto& [instance, runner] : runners_) {
    out.push_back({instance, runner->state, runner->child ? runner->child->pid() : 0, runner->starts, runner->crashes,
                   runner->why});
  }
  return out;
}

}  // namespace thalweg::gate
