#include "link/hub_link_impl.h"

namespace thalweg::link {
namespace {

constexpr std::int64_t kPolite_ns = 200 * kNsPerMs;  // for BYE to arrive before the connection is shut down
constexpr std::int64_t kStall_ns = 30'000 * kNsPerMs;
constexpr std::size_t kGoneRemembered = 8192;

}  // namespace

// ---- faults and ends ----

void HubLink::Impl::fault(SessionHandle handle, std::uint64_t HubLinkCounters::*counter, Code code,
                          const std::string& text) {
  const HubSession* session = find(handle);
  if (session == nullptr) return;
  ++(counters_.*counter);
  warn("the session of {} at {} is ended: {}", session->info.user, session->info.address, text);
  end(handle, code, text, Shut::kPolitely);
}

void HubLink::Impl::shut(Connection& connection, std::uint64_t HubLinkCounters::*counter, std::string_view why) {
  if (counter != nullptr) ++(counters_.*counter);
  warn("the connection from {} is shut down: {}", connection.tcp.peer(), why);
  connection.shut_at_steady_ns = clock_.steady_ns();
  connection.tcp.shut();
}

void HubLink::Impl::end(SessionHandle handle, Code code, std::string_view text, Shut how) {
  const auto at = sessions_.find(handle);
  if (at == sessions_.end()) return;
  graves_.push_back(std::move(at->second));
  HubSession* const session = graves_.back().get();
  sessions_.erase(at);
  schedule();
  forget_peer(session->routing);
  Connection& connection = *session->connection;
  const std::int64_t now = clock_.steady_ns();
  if (connection.session == handle) {
    connection.session = 0;
    if (how == Shut::kPolitely) {
      zmq::message_t id = routing_frame(session->routing);
      zmq::message_t bye = to_message(encoded(Bye{code, std::string(text)}));
      if (router_->send(id, ZmqSocket::More::kYes) == Io::kDone) (void)router_->send(bye);
      connection.shut_at_steady_ns = now + kPolite_ns;
    } else {
      connection.shut_at_steady_ns = now;
      connection.tcp.shut();
    }
  }
  const UserId& user = session->info.user;
  if (const auto mine = open_by_user_.find(user); mine != open_by_user_.end() && mine->second == handle) {
    open_by_user_.erase(mine);
    if (session->intake && session->intake->partial_bytes() > 0 && options_.keep_partial_ms > 0)
      kept_.insert_or_assign(user, KeptStream{session->info.hello.incarnation, std::move(*session->intake).keep(),
                                              now + options_.keep_partial_ms * kNsPerMs});
  }
  if (code == Code::kLinkReplaced) ++counters_.replaced;
  ++counters_.ended[code];
  log::info("link", "the session of {} at {} has ended ({})", user, session->info.address, static_cast<int>(code));
  if (events_.on_closed) events_.on_closed(session->info, code);
}

void HubLink::Impl::forget_peer(std::uint32_t routing) {
  // Routing ids are not used again, so a late message of this one can be told from a new peer. Its connection is let go
  // of: the duplicate of the descriptor would keep the kernel's end of it for as long as the id is remembered.
  if (const auto at = peers_.find(routing); at != peers_.end()) at->second = {};
  gone_.push_back(routing);
  if (gone_.size() > kGoneRemembered) {
    if (const auto at = peers_.find(gone_.front()); at != peers_.end() && at->second.session == 0) peers_.erase(at);
    gone_.pop_front();
  }
}

void HubLink::Impl::close(SessionHandle handle, Code code, std::string_view text) {
  end(handle, code, text, Shut::kPolitely);
}

void HubLink::Impl::close_user(std::string_view user, Code code, std::string_view text) {
  std::vector<SessionHandle> handles;
  for (const auto& [handle, session] : sessions_)
    if (session->info.user == user) handles.push_back(handle);
  for (const SessionHandle handle : handles) end(handle, code, text, Shut::kPolitely);
  kept_.erase(UserId(user));
}

// ---- watching ----

void HubLink::Impl::follow_monitor() {
  ConnectionTable::News news = connections_->follow(clock_.steady_ns());
  counters_.accepted += news.accepted;
  counters_.failed_handshakes += news.ended_unseen;
  counters_.crowded += news.crowded_out.size();
  counters_.turned_away += news.turned_away;
  if (news.turned_away > 0) warn("{} connections were turned away: too many like them have failed", news.turned_away);
  for (const auto& connection : news.crowded_out)
    warn("the connection from {} had not said who it is and made room: {} like it are open", connection->tcp.peer(),
         connections_->strangers());
  for (const auto& connection : news.ended) {
    if (connection->session != 0) {
      if (connection->tcp.whole())
        fault(connection->session, &HubLinkCounters::frames_bad, Code::kLinkFrame, "it sent what is no message");
      else
        end(connection->session, Code::kLinkLost, {}, Shut::kNow);
    } else if (connection->delivered_bytes == 0) {
      ++counters_.failed_handshakes;
      if (connection->shut_at_steady_ns == 0)
        warn("a connection from {} ended before it had said who it is", connection->tcp.peer());
    }
  }
}

void HubLink::Impl::arm_timer() {
  timer_.expires_after(std::chrono::milliseconds(options_.watch_ms));
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->ended_) return;
    self->tick();
    if (!self->ended_) self->arm_timer();
  });
}

void HubLink::Impl::tick() {
  follow_monitor();
  const std::int64_t now = clock_.steady_ns();
  watch_connections(now);
  watch_sessions(now);
  schedule();
}

void HubLink::Impl::watch_connections(std::int64_t now) {
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [fd, connection] : connections_->open()) all.push_back(connection);
  for (const auto& connection : all) {
    if (connection->shut_at_steady_ns != 0) {
      if (now >= connection->shut_at_steady_ns) connection->tcp.shut();
      continue;
    }
    HubSession* session = find(connection->session);
    const std::optional<TcpHandle::Traffic> traffic = connection->tcp.traffic();
    if (traffic) {
      // A message without end is never delivered, whatever ZeroMQ's limits say: only the bytes show it (rule 13).
      const std::uint64_t credit = session != nullptr && session->intake ? session->intake->credit_left() : 0;
      if (traffic->received_bytes > connection->delivered_bytes + credit + options_.slack_bytes) {
        shut(*connection, &HubLinkCounters::excess, "more bytes came than it was allowed");
        end(connection->session, Code::kLinkCredit, {}, Shut::kNow);
        continue;
      }
      if (session != nullptr) session->heartbeat.sample(*traffic, now);
    }
    if (session == nullptr && now - connection->since_steady_ns > 2 * options_.handshake_ms * kNsPerMs)
      shut(*connection, nullptr, "it has not said who it is");
  }
}

void HubLink::Impl::watch_sessions(std::int64_t now) {
  std::vector<SessionHandle> handles;
  for (const auto& [handle, session] : sessions_) handles.push_back(handle);
  bool starving = false;
  for (const SessionHandle handle : handles) {
    HubSession* session = find(handle);
    if (session == nullptr) continue;
    if (session->heartbeat.dead(now)) {
      fault(handle, &HubLinkCounters::silent, Code::kLinkLost, "nothing came for three heartbeats");
      continue;
    }
    if (session->state != HubState::kOpen) continue;
    if (const auto ping = session->heartbeat.due(now, clock_.wall_unix_ns())) control(handle, encoded(*ping));
    if (session->intake && session->intake->starving()) {
      hand_over(handle);
      session = find(handle);
      starving |= session != nullptr && session->intake && session->intake->starving();
    }
  }
  std::erase_if(kept_, [now](const auto& one) { return now > one.second.until_steady_ns; });
  if (!starving) return;
  // Others wait for the pool: what is kept for nobody goes first, then who has begun and does not go on.
  if (!kept_.empty()) kept_.erase(kept_.begin());
  for (const SessionHandle handle : handles) {
    const HubSession* session = find(handle);
    if (session != nullptr && session->intake && session->intake->partial_bytes() > 0 && !session->intake->starving() &&
        now - session->last_chunk_steady_ns > kStall_ns)
      fault(handle, &HubLinkCounters::silent, Code::kTimeout, "its parcel does not go on and others wait");
  }
}

}  // namespace thalweg::link
