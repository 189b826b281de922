// gate_client.h: the runner's line to its gate: frames in and out, on a thread of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/loop.h"
#include "link/local_socket.h"

namespace thalweg::runner {

/// A frame from the gate, kept whole, with room for simdjson to read behind it.
struct Frame {
  link::LocalType type = link::LocalType::kReply;
  Bytes bytes;
  std::size_t size = 0;
  ByteView body() const { return ByteView(bytes).first(size); }
};

/// Threads: any, but for what is said otherwise. The gate's frames wait here until the main thread takes them; the gate
/// sends one batch at a time and answers what was submitted, so what waits is bounded by that.
class GateClient {
 public:
  /// Sent frames may wait up to this; beyond it has_room() says no.
  static constexpr std::size_t kRoomBytes = 8u << 20;

  explicit GateClient(std::function<void()> on_room) : on_room_(std::move(on_room)) {}
  ~GateClient();

  /// Connects and says HELLO. Not twice.
  void connect(const std::filesystem::path& socket, Lane lane, std::string instance, std::string token);
  /// Queues a frame. What is sent after the connection ended is lost: the process ends soon.
  void send(Bytes frame);
  bool has_room() const;
  /// The next frame, or nothing after `timeout` or when wake() was called.
  std::optional<Frame> next(std::chrono::milliseconds timeout);
  /// True while frames of this type wait; cheap.
  bool waits(link::LocalType type) const;
  void wake();
  bool ended() const;
  /// SIGTERM or STOP came, or the connection ended.
  bool stop_asked() const;
  void ask_stop();
  /// Waits until what was sent has left, at most so long; then the connection ends.
  void finish(std::chrono::milliseconds timeout);
  Loop& loop() { return loop_; }

 private:
  void push_out();

  std::function<void()> on_room_;
  Loop loop_{"runner-io"};
  std::unique_ptr<link::LocalClient> client_;  // loop only
  link::LocalConnectionRef connection_;        // loop only

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Frame> in_;  // from here on guarded by mutex_
  std::deque<Bytes> out_;
  std::size_t out_bytes_ = 0;
  std::size_t waiting_[11] = {};  // in_, by type
  bool woken_ = false;
  bool ended_ = false;
  bool stop_ = false;
  mutable bool had_no_room_ = false;
};

}  // namespace thalweg::runner
