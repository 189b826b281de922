// hostile_intruder.h: one connection with a key that the hub knows, in the hands of somebody who keeps to no rule.
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "chaos/hostile_curve.h"
#include "link/message.h"

namespace thalweg::chaos {

/// Owns: the socket. Threads: one.
class Intruder {
 public:
  /// `identity` and `stop` outlive it; everything ends soon after `stop` was set.
  Intruder(std::uint16_t port, const CurveIdentity& identity, const std::atomic<bool>& stop)
      : port_(port), stop_(stop), client_(identity) {}
  ~Intruder() { leave(); }
  Intruder(const Intruder&) = delete;

  /// TCP and the handshake. `receive_buffer`: what this machine's kernel takes for us while we do not read.
  bool connect(int receive_buffer = 0);
  /// HELLO and WELCOME: a session as `party`.
  bool enter(const std::string& party, const std::function<void(link::Hello&)>& change = {});
  const link::Welcome& welcome() const { return welcome_; }
  const Uuid& incarnation() const { return incarnation_; }

  /// False: the line is gone, or nobody takes it for two seconds.
  bool send(ByteView payload, bool more = false);
  bool send_raw(ByteView bytes);
  template <class Message>
  bool say(const Message& message) {
    Bytes bytes;
    message.encode(bytes);
    return send(bytes);
  }
  /// The next message of that type, others are passed over; nothing when the line ends or two seconds pass.
  std::optional<Bytes> expect(link::MessageType type);
  /// Reads and forgets what is there. False: the line is gone.
  bool drain();
  /// Waits until the hub has ended the line, reading.
  bool wait_end(int seconds);
  void leave();

 private:
  bool fill(int wait_ms);

  const std::uint16_t port_;
  const std::atomic<bool>& stop_;
  CurveClient client_;
  int fd_ = -1;
  bool gone_ = false;
  link::Welcome welcome_;
  Uuid incarnation_;
};

}  // namespace thalweg::chaos
