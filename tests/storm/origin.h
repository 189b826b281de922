// origin.h: a station that sends to its gate, and sends again whatever was not answered.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "model/ids.h"
#include "model/lane.h"

namespace thalweg::storm {

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
    std::uint32_t seed = 0;
  };
  explicit Origin(Settings settings) : settings_(std::move(settings)) {}
  ~Origin() { stop(); }

  void start();
  void stop();
  /// How many records may have been sent by now: the storm spreads them over its time.
  void release(std::uint64_t records) { released_ = records; }

  bool done() const { return accepted_count_ == settings_.records || failed_; }
  std::uint64_t accepted_count() const { return accepted_count_; }
  /// Answers that came after the same record had been sent before: what the memory of keys is for.
  std::uint64_t repeats() const { return repeats_; }
  const Settings& settings() const { return settings_; }
  /// Ids in the order of acceptance. After stop().
  const std::vector<RecordId>& accepted() const { return accepted_; }
  /// Why it gave up; empty. After done().
  const std::string& failed() const { return failure_; }

 private:
  void run();
  bool converse();
  void fail(std::string why);

  Settings settings_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false, failed_ = false;
  std::atomic<std::uint64_t> released_ = 0, accepted_count_ = 0, repeats_ = 0;
  std::vector<RecordId> accepted_;
  std::string failure_;
};

}  // namespace thalweg::storm
