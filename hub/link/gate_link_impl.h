// gate_link_impl.h: the state of the gate's end of the link. Private to link.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <random>

#include "base/log.h"
#include "link/gate_link.h"
#include "link/heartbeat.h"
#include "link/link_tools.h"
#include "link/outgoing.h"
#include "link/session_state.h"
#include "link/tcp_handle.h"

namespace thalweg::link {

/// One attempt and, when it succeeds, one session: socket, monitor and everything that ends with them.
struct GateSession {
  GateSession(ZmqSocket made, ZmqSocket made_monitor, boost::asio::io_context& io, Heartbeat beat,
              std::size_t control_most)
      : dealer(std::move(made)),
        monitor(std::move(made_monitor)),
        dealer_wake(io, dealer.descriptor()),
        monitor_wake(io, monitor.descriptor()),
        heartbeat(beat),
        out(control_most) {}
  ~GateSession() { dealer.stop_monitor(); }

  ZmqSocket dealer, monitor;  // before their wakes, which let go of the descriptors first
  ZmqWake dealer_wake, monitor_wake;
  GateState state = GateState::kConnecting;
  std::array<std::uint8_t, 16> id{};
  std::optional<TcpHandle> tcp;
  Heartbeat heartbeat;
  Outgoing out;
  Partial hub_partial;           ///< of a parcel, used once
  CreditLine in_credit;          ///< what the hub may send
  std::uint64_t told_limit = 0;  ///< as the hub knows it
  std::int64_t began_steady_ns = 0;
  bool wants_room = false;
  bool blocked = false;
};

class GateLink::Impl : public std::enable_shared_from_this<GateLink::Impl> {
 public:
  Impl(Loop& loop, const Clock& clock, GateLinkOptions options, GateLinkEvents events)
      : loop_(loop),
        clock_(clock),
        options_(std::move(options)),
        events_(std::move(events)),
        timer_(loop.io()),
        backoff_ms_(options_.backoff_first_ms) {}

  static Status check(const GateLinkOptions& options);
  void begin();
  void shutdown();
  void end_context() { context_.close(); }
  Loop& loop() { return loop_; }

  bool open() const { return session_ && session_->state == GateState::kOpen; }
  const std::string& endpoint() const { return options_.hubs[current_hub_].endpoint; }
  bool send_parcel(std::uint64_t number, SharedBytes parcel);
  void taken(std::uint64_t bytes);
  bool control(Bytes message);
  void reconnect(std::uint32_t after_ms) {
    if (!session_) return;
    down(Code::kClosed, "asked to connect anew", Wait::kFirst);
    if (after_ms != 0) arm_timer(after_ms);
  }
  std::optional<ClockDifference> clock() const { return session_ ? session_->heartbeat.clock() : last_clock_; }
  GateLinkCounters counters() const { return counters_; }

 private:
  enum class Wait { kFirst, kLonger, kLongest };

  void connect();
  Result<std::unique_ptr<GateSession>> make_session(const HubAddress& hub);
  void down(Code code, std::string_view text, Wait wait);
  void schedule();
  void work();
  void follow_monitor();
  bool receive_one();
  void say_hello();
  void dispatch(MessageType type, ByteView message);
  void welcome_came(ByteView message);
  void chunk_came(ByteView message);
  void tell_credit();
  void flush();
  void arm_timer(std::int64_t delay_ms);
  void tick();

  // Constant.
  Loop& loop_;
  const Clock& clock_;
  const GateLinkOptions options_;

  // Loop only.
  GateLinkEvents events_;
  zmq::context_t context_{1};
  boost::asio::steady_timer timer_;
  std::shared_ptr<GateSession> session_;              // none while waiting
  std::vector<std::shared_ptr<GateSession>> graves_;  // ended while their messages are still looked at
  ChunkAssembler deliveries_{Transfer::kDelivery, kMaxDeliveryTransferBytes};  // kept over sessions, to go on
  std::uint64_t untaken_bytes_ = 0;                                            // handed over, taken() not called yet
  std::size_t next_hub_ = 0;
  std::size_t current_hub_ = 0;
  std::uint64_t attempts_ = 0;
  std::uint32_t backoff_ms_;
  std::uint32_t heartbeat_ms_ = 0;
  std::optional<ClockDifference> last_clock_;
  std::minstd_rand random_{std::random_device{}()};
  GateLinkCounters counters_;
  bool scheduled_ = false;
  bool ended_ = false;
};

}  // namespace thalweg::link
