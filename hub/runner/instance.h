// instance.h: one plugin instance: its calls, in the states and with the deadlines of thalweg_plugin.h; what it may
// call.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "link/local_message.h"
#include "model/record.h"
#include "runner/gate_client.h"
#include "runner/library.h"

namespace thalweg::runner {

/// What the gate tells a runner to be.
struct Assignment {
  Path library;
  std::string kind;
  std::string instance;
  std::string party;
  Lane lane = Lane::kRoutine;
  std::string config_json;
  std::uint64_t memory_bytes = 0;
  std::uint64_t open_files = 0;
};

/// The [instance] calls are made on the main thread only; the host's functions come from any thread of the plugin.
/// What the plugin throws ends here and counts as a breach of its contract.
class Instance {
 public:
  /// At most so many submitted records wait for their settlement.
  static constexpr std::size_t kMostWaiting = 8192;
  static constexpr std::size_t kMostWaitingBytes = 8u << 20;

  Instance(Assignment assignment, Library library, GateClient& gate, const Clock& clock);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  Status create();
  Status configure();
  Status start();
  void stop(std::uint32_t grace_ms);
  /// Delivers a batch and sends the verdicts.
  void deliver(const Frame& frame);
  /// True: some of it has to come again, which is not to be offered at once.
  bool settled(const Frame& frame);
  void later(const Frame& frame);
  /// There is room again after BUSY.
  void room();
  bool wants_poll() const { return plugin().poll != nullptr && assignment_.kind == "source"; }
  /// Calls poll() and says after how many milliseconds it wants to be called again.
  std::uint32_t poll();
  bool busy_was_said() const { return busy_said_.load(); }

  bool exercise_aware() const { return library_.exercise_aware(); }
  /// The running call, and since when; for the watchdog. Any thread.
  struct Call {
    const char* name = nullptr;  ///< nullptr: none
    std::int64_t give_up_steady_ns = 0;
  };
  Call running() const;

 private:
  const tw_plugin& plugin() const { return library_.plugin(); }
  template <class Body>
  tw_status call(const char* name, std::int64_t budget_ms, std::int64_t patience_ms, tw_error& error, Body&& body);
  bool understood(const Status& decoded);
  void log(int level, std::string_view text);
  tw_status submit(const tw_record* const* records, std::uint32_t count, std::uint32_t* taken, tw_error* error);
  bool should_stop() const;

  static Instance& of(tw_host_ctx* ctx) { return *reinterpret_cast<Instance*>(ctx); }

  const Assignment assignment_;
  const Library library_;
  GateClient& gate_;
  const Clock& clock_;
  tw_host host_{};
  tw_instance* self_ = nullptr;
  RecordReader reader_;
  link::LocalDeliver deliver_;
  link::LocalSettled settled_;
  link::LocalLater later_;

  std::atomic<bool> started_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> busy_said_{false};
  std::atomic<std::int64_t> deadline_steady_ns_{0};  // of the running call; 0: none
  std::atomic<std::int64_t> give_up_steady_ns_{0};
  std::atomic<const char*> running_{nullptr};

  std::mutex submit_mutex_;            // one submit() at a time, so that frames keep the order
  std::mutex waiting_mutex_;           // guards the two below
  std::deque<std::uint32_t> waiting_;  // sizes of records that wait for settlement, in order
  std::size_t waiting_bytes_ = 0;
};

}  // namespace thalweg::runner
