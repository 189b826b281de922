// origin.h: a station that sends to its gate, and sends again whatever was not answered.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "model/ids.h"
#include "model/lane.h"

namespace thalweg::storm {

using SteadyClock = std::chrono::steady_clock;

/// Submits numbered records over a gate's local socket, in their order, batch by batch: as it would be if nothing ever
/// failed. Owns: its thread.
class Origin {
 public:
  struct Settings {
    std::string name;
    Path socket;
    Lane lane = Lane::kRoutine;
    std::string type, subject;
    /// Data of record `i` as JSON.
    std::function<std::string(std::uint64_t i)> data;
    std::uint64_t records = 0;
    std::uint64_t batch_most = 100;  ///< a batch has 1 to so many, at random
    double per_second = 0;  ///< 0: as release() says; else a record falls due every 1/per_second from start() on
    std::uint32_t seed = 0;
    bool keep_waits = false;  ///< for take_waits_ms()
  };
  explicit Origin(Settings settings) : settings_(std::move(settings)), wanted_(settings_.records) {}
  ~Origin() { stop(); }

  void start();
  void stop();
  /// How many records may have been sent by now, where the caller spreads them over its time.
  void release(std::uint64_t records) { released_ = records; }
  /// No record falls due, or is released, any more.
  void close() { wanted_ = paced() ? due_count() : released_.load(); }
  /// Its gate is set back to an older copy: what was accepted after the first `records` is sent again, with the same
  /// keys. While the gate does not run; not after close().
  void rewind(std::uint64_t records) { rewind_to_ = records; }

  bool done() const { return accepted_count_ == wanted_ || failed_; }
  std::uint64_t wanted() const { return wanted_; }
  std::uint64_t accepted_count() const { return accepted_count_; }
  /// Answers that came after the same record had been sent before: what the memory of keys is for.
  std::uint64_t repeats() const { return repeats_; }
  const Settings& settings() const { return settings_; }
  /// Of an origin with a pace: how many records are due by now, and when record `i` was.
  std::uint64_t due_count() const;
  SteadyClock::time_point due(std::uint64_t i) const;
  /// Longest time from a record's falling due until its acceptance, of those accepted since the last call.
  std::chrono::nanoseconds take_longest_wait() { return std::chrono::nanoseconds(longest_wait_ns_.exchange(0)); }
  /// The same of each batch, with a pace and keep_waits.
  std::vector<double> take_waits_ms();
  /// Ids in the order of acceptance. After stop().
  const std::vector<RecordId>& accepted() const { return accepted_; }
  /// Why it gave up; empty. After done().
  const std::string& failed() const { return failure_; }

 private:
  void run();
  bool converse();
  void go_back();
  void waited(std::uint64_t first);
  bool paced() const { return settings_.per_second > 0; }
  std::uint64_t released() const;
  void rest();
  void fail(std::string why);

  Settings settings_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false, failed_ = false;
  std::atomic<std::uint64_t> wanted_, released_ = 0, accepted_count_ = 0, repeats_ = 0;
  std::atomic<std::int64_t> longest_wait_ns_ = 0;
  std::atomic<std::int64_t> rewind_to_ = -1;
  SteadyClock::time_point begin_;
  std::vector<RecordId> accepted_;
  std::vector<RecordId> before_;  // what was accepted before it went back
  std::mutex waits_mutex_;
  std::vector<double> waits_ms_;
  std::string failure_;
};

}  // namespace thalweg::storm
