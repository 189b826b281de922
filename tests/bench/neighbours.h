// neighbours.h: two gates and a hub in one process, over loopback and real files: what all measurements drive.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "bench/load.h"
#include "support/exchange.h"

namespace thalweg::bench {

using Steady = std::chrono::steady_clock;

inline double seconds_since(Steady::time_point begin) {
  return std::chrono::duration<double>(Steady::now() - begin).count();
}

inline double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(q * static_cast<double>(values.size())))];
}

inline std::string laixi() { return std::string(THALWEG_SOURCE_DIR) + "/examples/regions/laixi"; }

inline int parcel_kib = 0;  ///< of the command line; 0: what a gate does by itself

/// 荣昌 sends, 泸县 receives; all in this process, over loopback and real files.
struct Neighbours : Exchange {
  /// `start_its_hub`: once it is there, it runs.
  explicit Neighbours(
      std::int64_t sync_delay = 0, const std::string& region = laixi(),
      const std::function<void(Exchange&)>& start_its_hub = [](Exchange& exchange) { exchange.start_hub(); })
      : Exchange(region) {
    sync_delay_ns = sync_delay;
    start_its_hub(*this);
    enrol("rongchang", "500153");
    enrol("luxian", "510521");
    start("rongchang");
    start("luxian");
  }
  void start(const std::string& gate_name) {
    start_gate(gate_name, [](gate::GateConfig& config) {
      if (parcel_kib != 0) config.parcel_bytes = static_cast<std::uint32_t>(parcel_kib) << 10;
    });
  }
  std::uint64_t in_inbox(Lane lane) { return lane_status("luxian", lane)["inbox"]["records"].get<std::uint64_t>(); }
  json lane_status(const std::string& gate_name, Lane lane) {
    const json status = gate(gate_name).status();
    for (const json& one : status["lanes"])
      if (one["lane"] == name(lane)) return one;
    throw std::runtime_error("no such lane");
  }
  link::BlockingLocalClient submitter(Lane lane) {
    return must(link::BlockingLocalClient::connect(gate("rongchang").config().socket(lane)));
  }
};

/// Reads SETTLED until `drafts` are answered; counts what was not accepted.
inline std::size_t settle(link::BlockingLocalClient& client, std::size_t drafts) {
  std::size_t answered = 0, refused = 0;
  link::LocalSettled settled;
  while (answered < drafts) {
    const auto frame = must(client.next(std::chrono::seconds(60)));
    if (frame.type != link::LocalType::kSettled) continue;
    if (!link::LocalSettled::decode(frame.body, settled)) throw std::runtime_error("bad SETTLED frame");
    for (const auto& one : settled.settled) refused += one.answer == link::Answer::kAccepted ? 0 : 1;
    answered += settled.settled.size();
  }
  return refused;
}

/// Keeps a gate's routine lane full until told to stop: `window` frames of `batch` records under way, and no more than
/// `rate` records a second (0: as many as it takes).
struct Flood {
  Flood(Neighbours& bench, std::size_t records, std::size_t batch, std::size_t window, double rate = 0,
        Load::Kind kind = Load::Kind::kReadings)
      : thread_([=, this, &bench] {
          Load load(1, kind);
          auto client = bench.submitter(Lane::kRoutine);
          std::size_t sent = 0, open = 0;
          const auto begin = Steady::now();
          while (!stop_ && sent < records) {
            if (rate > 0)
              std::this_thread::sleep_until(
                  begin + std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(sent) / rate * 1e9)));
            must_send(client, load.routine(batch));
            sent += batch;
            if (++open >= window) {
              refused_ += settle(client, batch);
              --open;
            }
          }
          refused_ += settle(client, open * batch);
          sent_ = sent;
        }) {}
  ~Flood() {
    stop_ = true;
    join();
  }
  static void must_send(link::BlockingLocalClient& client, const Bytes& frame) {
    if (Status sent = client.send(frame); !sent) throw std::runtime_error(sent.error().message);
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  void stop() { stop_ = true; }
  std::uint64_t sent() const { return sent_; }
  std::size_t refused() const { return refused_; }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::size_t> refused_{0};
  std::thread thread_;
};

}  // namespace thalweg::bench
