// runner.cc: see runner.h.
#include "runner/runner.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "runner/instance.h"

namespace thalweg::runner {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
constexpr milliseconds kWelcomePatience{30'000};
constexpr std::uint32_t kGrace_ms = 3000;
constexpr std::uint32_t kFirstRetry_ms = 200;
/// A record that has to come again is not offered at once: the gate's disk is full, or its outbox, for longer than
/// that.
constexpr std::int64_t kRetryPause_ns = 200'000'000;
constexpr std::uint32_t kLongestRetry_ms = 30'000;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitMemory = false;  // sanitizers map far more than is used
#else
constexpr bool kLimitMemory = true;
#endif

void limit(int what, std::uint64_t value) {
  if (value == 0) return;
  const rlimit limits{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(what), &limits);
}

void harden(const Assignment& assignment) {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);  // a core would hold the adapter's secrets
  limit(RLIMIT_NOFILE, assignment.open_files);
  if (kLimitMemory) limit(RLIMIT_DATA, assignment.memory_bytes);
}

void report(GateClient& gate, std::string_view state, std::string_view message, bool exercise_aware = false) {
  json text = {{"cmd", "state"}, {"state", state}, {"message", message}, {"exercise_aware", exercise_aware}};
  const std::string dumped = text.dump(-1, ' ', false, json::error_handler_t::replace);
  link::LocalRequest request;
  request.json = dumped;
  Bytes frame;
  request.encode(frame);
  gate.send(std::move(frame));
}

Result<Assignment> assignment_of(std::string_view text, Lane lane) {
  const json start = json::parse(text, nullptr, false);
  if (!start.is_object() || !start.contains("library"))
    return Error{Code::kInvalid, "the gate's answer is not understood"};
  Assignment out;
  out.lane = lane;
  out.library = start.value("library", "");
  out.kind = start.value("kind", "");
  out.instance = start.value("instance", "");
  out.party = start.value("party", "");
  out.config_json = start.value("config", "{}");
  if (start.contains("limits") && start["limits"].is_object()) {
    out.memory_bytes = start["limits"].value("memory_bytes", std::uint64_t{0});
    out.open_files = start["limits"].value("open_files", std::uint64_t{0});
  }
  return out;
}

/// Ends the process when a call of the plugin never comes back: nothing else can.
class Watchdog {
 public:
  Watchdog(GateClient& gate, const Clock& clock) : gate_(gate), clock_(clock), timer_(gate.loop().io()) { arm(); }
  void watch(const Instance* instance) {
    gate_.loop().run([&] { instance_ = instance; });
  }

 private:
  void arm() {
    timer_.expires_after(milliseconds(200));
    timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      if (instance_ != nullptr) {
        const Instance::Call call = instance_->running();
        if (call.name != nullptr && clock_.steady_ns() > call.give_up_steady_ns) {
          std::fprintf(stderr, "contract broken by the plugin: %s() does not come back; the process ends\n", call.name);
          std::fflush(stderr);
          ::_exit(kExitHangs);
        }
      }
      arm();
    });
  }
  GateClient& gate_;
  const Clock& clock_;
  boost::asio::steady_timer timer_;
  const Instance* instance_ = nullptr;
};

class Session {
 public:
  Session(const RunnerOptions& options, const Clock& clock)
      : options_(options),
        clock_(clock),
        gate_([this] { gate_.wake(); }),
        signals_(gate_.loop().io(), SIGTERM, SIGINT),
        watchdog_(gate_, clock) {
    signals_.async_wait([this](boost::system::error_code error, int) {
      if (!error) gate_.ask_stop();
    });
  }

  int run() {
    gate_.connect(options_.socket, options_.lane, options_.instance, options_.token);
    const auto first = gate_.next(kWelcomePatience);
    if (!first || first->type != link::LocalType::kReply) return kExitUnavailable;
    auto reply = link::LocalReply::decode(first->body());
    if (!reply) return kExitUnavailable;
    auto assignment = assignment_of(reply->json, options_.lane);
    if (!assignment) return failed(assignment.error());
    harden(*assignment);
    auto library = Library::open(assignment->library, assignment->kind);
    if (!library) return failed(library.error());
    const bool lane_fits = options_.lane == Lane::kUrgent ? library->manifest().urgent : library->manifest().routine;
    if (!lane_fits) return failed({Code::kPluginLoad, "plugin.json does not name this lane"});

    Instance instance(*std::move(assignment), *std::move(library), gate_, clock_);
    watchdog_.watch(&instance);
    const int code = serve(instance);
    watchdog_.watch(nullptr);
    return code;
  }

  void finish() {
    gate_.finish(milliseconds(2000));
    gate_.loop().stop();  // before the timers and signals that live on it go
    gate_.loop().join();
  }

 private:
  int failed(const Error& error) {
    report(gate_, "failed", error.message);
    return kExitConfig;
  }

  int serve(Instance& instance) {
    if (Status created = instance.create(); !created) return failed(created.error());
    if (Status configured = instance.configure(); !configured) {
      return failed(Error(configured.error()).in("configuration"));
    }
    for (std::uint32_t wait = kFirstRetry_ms; !gate_.stop_asked(); wait = std::min(wait * 2, kLongestRetry_ms)) {
      Status started = instance.start();
      if (started) {
        report(gate_, "running", {}, instance.exercise_aware());
        work(instance);
        break;
      }
      const Code code = started.error().code;
      if (code != Code::kUnavailable && code != Code::kTimeout && code != Code::kBusy) return failed(started.error());
      report(gate_, "connecting", started.error().message);
      (void)gate_.next(milliseconds(wait));  // the gate sends nothing before "running"; a stop ends the wait
    }
    instance.stop(kGrace_ms);
    return gate_.ended() ? kExitUnavailable : kExitOk;
  }

  void work(Instance& instance) {
    std::int64_t poll_at = clock_.steady_ns();
    std::int64_t again_at = poll_at;  // no call before it, whatever comes
    while (!gate_.stop_asked()) {
      milliseconds wait(60'000);
      if (instance.wants_poll()) {
        const std::int64_t left = std::max(poll_at, again_at) - clock_.steady_ns();
        wait = milliseconds(std::max<std::int64_t>((left + 999'999) / 1'000'000, 0));
      }
      auto frame = gate_.next(wait);
      bool forward = !frame.has_value() && instance.busy_was_said();
      while (frame) {
        switch (frame->type) {
          case link::LocalType::kSettled:
            forward = true;
            if (instance.settled(*frame)) again_at = clock_.steady_ns() + kRetryPause_ns;
            break;
          case link::LocalType::kLater:
            instance.later(*frame);
            break;
          case link::LocalType::kDeliver:
            instance.deliver(*frame);
            break;
          default:
            break;
        }
        frame = gate_.next(milliseconds(0));
      }
      if (instance.busy_was_said()) instance.room();
      if (!instance.wants_poll() || gate_.stop_asked()) continue;
      const std::int64_t now = clock_.steady_ns();
      if (now < again_at || (now < poll_at && !forward)) continue;
      const std::uint32_t next_ms = instance.poll();
      poll_at = clock_.steady_ns() + static_cast<std::int64_t>(next_ms) * 1'000'000;
    }
  }

  const RunnerOptions& options_;
  const Clock& clock_;
  GateClient gate_;
  boost::asio::signal_set signals_;
  Watchdog watchdog_;
};

}  // namespace

int run(const RunnerOptions& options, const Clock& clock) {
  Session session(options, clock);
  const int code = session.run();
  session.finish();
  return code;
}

}  // namespace thalweg::runner
