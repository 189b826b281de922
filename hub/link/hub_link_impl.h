// hub_link_impl.h: the state of the hub's end of the link. Private to link.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "link/hub_session.h"
#include "link/link_tools.h"

namespace thalweg::link {

/// Split over hub_link.cc (start, end, sending), hub_receive.cc (what comes) and hub_watch.cc (faults, ends, time).
class HubLink::Impl : public std::enable_shared_from_this<HubLink::Impl> {
 public:
  Impl(Loop& loop, const Clock& clock, HubLinkOptions options, HubLinkEvents events)
      : loop_(loop), clock_(clock), options_(std::move(options)), events_(std::move(events)), timer_(loop.io()) {}

  Status open();
  void begin();
  void shutdown(Code code, std::string_view text);
  /// No event is called any more.
  void silence() { events_.on_closed = nullptr; }
  void end_context();

  bool welcome(SessionHandle handle, Welcome welcome);
  bool refuse(SessionHandle handle, Code code, std::string_view text, std::uint32_t retry_ms);
  bool control(SessionHandle handle, Bytes message);
  bool acked(SessionHandle handle, const Ack& ack);
  bool deliver(SessionHandle handle, std::uint64_t sequence, SharedBytes bytes);
  void close(SessionHandle handle, Code code, std::string_view text);
  void close_user(std::string_view user, Code code, std::string_view text);

  const std::string& endpoint() const { return endpoint_; }
  const HubSession* find(SessionHandle handle) const {
    const auto at = sessions_.find(handle);
    return at == sessions_.end() ? nullptr : at->second.get();
  }
  HubSession* find(SessionHandle handle) { return const_cast<HubSession*>(std::as_const(*this).find(handle)); }
  HubLinkCounters counters() const {
    HubLinkCounters now = counters_;
    now.sessions = sessions_.size();
    now.connections = connections_ ? connections_->open().size() : 0;
    return now;
  }
  ZapHandler& zap() { return *zap_; }
  Loop& loop() { return loop_; }

 private:
  enum class Shut { kNow, kPolitely };
  struct Peer {
    SessionHandle session = 0;               ///< 0: its session has ended, what still comes is not looked at
    std::shared_ptr<Connection> connection;  ///< none once the session has ended
  };

  void work();
  void schedule();
  bool receive_one();
  void message_came(std::uint32_t routing, const zmq::message_t& payload, bool multipart);
  void new_peer(std::uint32_t routing, const zmq::message_t& payload, bool multipart);
  void hello_came(std::uint32_t routing, const std::shared_ptr<Connection>& connection, const zmq::message_t& payload);
  void dispatch(HubSession& session, MessageType type, ByteView message);
  void chunk_came(HubSession& session, ByteView message);
  void hand_over(SessionHandle handle);
  void refuse_hello(std::uint32_t routing, Connection& connection, Code code, std::string_view text);
  void fault(SessionHandle handle, std::uint64_t HubLinkCounters::*counter, Code code, const std::string& text);
  void shut(Connection& connection, std::uint64_t HubLinkCounters::*counter, std::string_view why);
  void end(SessionHandle handle, Code code, std::string_view text, Shut how);
  void forget_peer(std::uint32_t routing);
  void make_dirty(HubSession& session);
  void flush(SessionHandle handle);
  void flush_dirty();
  void follow_monitor();
  void tick();
  void watch_connections(std::int64_t now);
  void watch_sessions(std::int64_t now);
  void arm_timer();
  void fatal(Error error);
  template <class... Args>
  void warn(fmt::format_string<Args...> text, Args&&... args) {
    if (log_limit_.admit(clock_.steady_ns())) {
      const std::uint64_t missing = log_limit_.suppressed();
      log::warning("link", "{}{}", fmt::format(text, std::forward<Args>(args)...),
                   missing == 0 ? std::string() : fmt::format(" ({} lines like this were left out)", missing));
    }
  }

  // Constant after open().
  Loop& loop_;
  const Clock& clock_;
  const HubLinkOptions options_;
  std::string endpoint_;

  // Loop only.
  HubLinkEvents events_;
  zmq::context_t context_{1};
  std::unique_ptr<ZapHandler> zap_;
  std::optional<ZmqSocket> router_;
  std::optional<ConnectionTable> connections_;
  std::optional<ZmqWake> router_wake_, monitor_wake_;
  boost::asio::steady_timer timer_;
  std::unordered_map<SessionHandle, std::unique_ptr<HubSession>> sessions_;
  std::unordered_map<std::uint32_t, Peer> peers_;  // by routing id
  std::deque<std::uint32_t> gone_;                 // peers without a session, oldest first
  std::unordered_map<UserId, SessionHandle> open_by_user_;
  std::unordered_map<UserId, KeptStream> kept_;
  std::deque<SessionHandle> dirty_;
  std::vector<SessionHandle> blocked_;
  SessionHandle next_handle_ = 1;
  HubLinkCounters counters_;
  log::Limit log_limit_;
  std::vector<std::unique_ptr<HubSession>> graves_;  // ended while a callback may still look at them
  bool scheduled_ = false;
  bool ended_ = false;
};

}  // namespace thalweg::link
