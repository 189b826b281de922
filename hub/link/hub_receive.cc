#include "link/hub_link_impl.h"

namespace thalweg::link {
namespace {

constexpr int kReceiveBatch = 64;  // messages, then other handlers of the loop have their turn
constexpr std::int64_t kPolite_ns = 200 * kNsPerMs;

std::optional<std::uint32_t> routing_id(const zmq::message_t& frame) {
  const ByteView id = view(frame);
  if (id.size() != 5 || id[0] != 0) return std::nullopt;  // longer or shorter: the peer has set one itself
  std::uint32_t number;
  std::memcpy(&number, id.data() + 1, sizeof number);
  return number;
}

}  // namespace

void HubLink::Impl::schedule() {
  if (scheduled_ || ended_) return;
  scheduled_ = true;
  loop_.post([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->work();
  });
}

void HubLink::Impl::work() {
  scheduled_ = false;
  graves_.clear();
  if (ended_) return;
  follow_monitor();
  int received = 0;
  while (received < kReceiveBatch && !ended_ && receive_one()) ++received;

  flush_dirty();
  if (!blocked_.empty() && !ended_) {
    // Looking takes the wake of room to send: who was blocked tries once more before waiting.
    (void)router_->events();
    flush_dirty();
  }
  if (ended_) return;
  // Sending may have taken the wake of a message that came meanwhile: look once more before waiting.
  if (received == kReceiveBatch || !dirty_.empty() || (router_->events() & ZMQ_POLLIN) != 0) return schedule();
  const auto wake = [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->schedule();
  };
  router_wake_->arm(wake);
  monitor_wake_->arm(wake);
}

void HubLink::Impl::flush_dirty() {
  // Tried again at every turn, but no turn is asked for on their account: the socket wakes us when one of them has
  // room. Else a receiver that is slow would cost a whole core.
  for (const SessionHandle handle : std::exchange(blocked_, {}))
    if (HubSession* session = find(handle)) {
      session->blocked = false;
      session->dirty = true;
      dirty_.push_back(handle);
    }
  for (std::size_t turns = dirty_.size(); turns > 0 && !ended_ && !dirty_.empty(); --turns) {
    const SessionHandle handle = dirty_.front();
    dirty_.pop_front();
    if (HubSession* session = find(handle)) {
      session->dirty = false;
      flush(handle);
    }
  }
}

bool HubLink::Impl::receive_one() {
  zmq::message_t id, payload;
  if (router_->receive(id) != Io::kDone || !id.more() || router_->receive(payload) != Io::kDone) return false;
  const bool multipart = payload.more();
  for (bool more = multipart; more;) {
    zmq::message_t rest;
    more = router_->receive(rest) == Io::kDone && rest.more();
  }
  if (const std::optional<std::uint32_t> routing = routing_id(id)) {
    message_came(*routing, payload, multipart);
    return true;
  }
  follow_monitor();
  if (const auto connection = connections_->find(zmq_msg_get(payload.handle(), ZMQ_SRCFD)))
    shut(*connection, &HubLinkCounters::frames_bad, "it has set a routing id");
  return true;
}

void HubLink::Impl::message_came(std::uint32_t routing, const zmq::message_t& payload, bool multipart) {
  const auto peer = peers_.find(routing);
  if (peer == peers_.end()) {
    new_peer(routing, payload, multipart);
    return;
  }
  HubSession* session = find(peer->second.session);
  if (session == nullptr) return;
  peer->second.connection->delivered_bytes += payload.size() + kWireOverheadBytes;
  const SessionHandle handle = session->info.handle;
  if (multipart) return fault(handle, &HubLinkCounters::multipart, Code::kLinkFrame, "a message of several parts");
  if (property(payload, "User-Id") != session->info.user)
    return fault(handle, &HubLinkCounters::frames_bad, Code::kLinkFrame, "a message of another user");
  session->heartbeat.message_came(clock_.steady_ns());
  const Result<MessageType> type = message_type(view(payload));
  if (!type) return fault(handle, &HubLinkCounters::frames_bad, Code::kLinkFrame, type.error().message);
  if (rule(session->state, *type) == Rule::kFault)
    return fault(handle, &HubLinkCounters::frames_bad, Code::kLinkFrame, std::string(name(*type)) + " out of place");
  const bool question = *type == MessageType::kPing || *type == MessageType::kPong || *type == MessageType::kLookup;
  if (question && !session->questions.take(clock_.steady_ns()))
    return fault(handle, &HubLinkCounters::floods, Code::kLinkCredit, "it asks more than it was allowed");
  dispatch(*session, *type, view(payload));
}

void HubLink::Impl::new_peer(std::uint32_t routing, const zmq::message_t& payload, bool multipart) {
  follow_monitor();
  const auto connection = connections_->find(zmq_msg_get(const_cast<zmq_msg_t*>(payload.handle()), ZMQ_SRCFD));
  if (!connection || connection->shut_at_steady_ns != 0) return;  // it has ended meanwhile
  connection->delivered_bytes += payload.size() + kWireOverheadBytes;
  // The monitor says that this descriptor is one connection: who held it before in our books is gone.
  if (connection->session != 0) end(connection->session, Code::kLinkLost, "its connection has ended", Shut::kPolitely);
  peers_[routing] = {0, connection};
  const Result<MessageType> type = message_type(view(payload));
  if (multipart) {
    forget_peer(routing);
    shut(*connection, &HubLinkCounters::multipart, "it sent a message of several parts");
  } else if (!type || rule(HubState::kNew, *type) == Rule::kFault) {
    forget_peer(routing);
    shut(*connection, &HubLinkCounters::frames_bad, "its first message is no HELLO");
  } else if (*type == MessageType::kHello) {
    hello_came(routing, connection, payload);
  } else {
    forget_peer(routing);  // BYE
  }
}

void HubLink::Impl::hello_came(std::uint32_t routing, const std::shared_ptr<Connection>& connection,
                               const zmq::message_t& payload) {
  connections_->known(*connection);
  const UserId user(property(payload, "User-Id"));
  const std::string& address = connection->tcp.peer();
  Result<Hello> hello = Hello::decode(view(payload));
  if (!hello) {
    ++counters_.frames_bad;
    return refuse_hello(routing, *connection, hello.error().code, hello.error().message);
  }
  if (user.empty() || user != hello->party + "/" + hello->gate)
    return refuse_hello(routing, *connection, Code::kDenied, "this key is not of " + hello->party + "/" + hello->gate);
  if (hello->lane != options_.lane)
    return refuse_hello(routing, *connection, Code::kConfig,
                        "this port serves the lane " + std::string(name(options_.lane)));
  // The key may have been revoked between handshake and HELLO.
  if (options_.allow(property(payload, kKeyProperty), address) != user)
    return refuse_hello(routing, *connection, Code::kKeyRevoked, "this key is not valid any more");
  if (sessions_.size() >= options_.max_sessions)
    return refuse_hello(routing, *connection, Code::kBusy, "too many sessions");

  connections_->trusted(*connection, clock_.steady_ns());
  const SessionHandle handle = next_handle_++;
  Session info{handle, user, address, *std::move(hello)};
  auto session = std::make_unique<HubSession>(
      std::move(info), routing, connection, Heartbeat(options_.heartbeat_ms * kNsPerMs, clock_.steady_ns()),
      Allowance(options_.questions_at_once, options_.questions_per_s, clock_.steady_ns()),
      options_.control_queue_bytes);
  session->out.credit() = CreditLine(session->info.hello.credit_bytes);
  session->gate_partial = session->info.hello.partial;
  peers_[routing].session = handle;
  connection->session = handle;
  HubSession& made = *session;
  sessions_.emplace(handle, std::move(session));
  events_.on_hello(made.info);
}

void HubLink::Impl::refuse_hello(std::uint32_t routing, Connection& connection, Code code, std::string_view text) {
  ++counters_.refused[code];
  warn("a session was refused, from {}: {}", connection.tcp.peer(), text);
  zmq::message_t id = routing_frame(routing);
  zmq::message_t message = to_message(encoded(Refuse{code, 0, std::string(text)}));
  if (router_->send(id, ZmqSocket::More::kYes) == Io::kDone) (void)router_->send(message);
  forget_peer(routing);
  connection.shut_at_steady_ns = clock_.steady_ns() + kPolite_ns;
}

void HubLink::Impl::dispatch(HubSession& session, MessageType type, ByteView message) {
  const SessionHandle handle = session.info.handle;
  const auto bad = [&](const Error& error) {
    fault(handle, &HubLinkCounters::frames_bad, Code::kLinkFrame, error.message);
  };
  switch (type) {
    case MessageType::kChunk:
      chunk_came(session, message);
      break;
    case MessageType::kCredit:
      if (const auto credit = Credit::decode(message); credit) {
        session.out.credit().raise_to(credit->limit_bytes);
        make_dirty(session);
      } else {
        bad(credit.error());
      }
      break;
    case MessageType::kSettle:
      if (const auto settle = Settle::decode(message); settle)
        events_.on_settle(session.info, *settle);
      else
        bad(settle.error());
      break;
    case MessageType::kLookup:
      if (const auto lookup = Lookup::decode(message); lookup)
        events_.on_lookup(session.info, *lookup);
      else
        bad(lookup.error());
      break;
    case MessageType::kPing:
      if (const auto ping = Ping::decode(message); ping) {
        const std::int64_t now = clock_.wall_unix_ns();
        control(handle, encoded(Pong{ping->count, ping->sent_unix_ns, now, now}));
      } else {
        bad(ping.error());
      }
      break;
    case MessageType::kPong:
      if (const auto pong = Pong::decode(message); pong)
        session.heartbeat.pong_came(*pong, clock_.steady_ns());
      else
        bad(pong.error());
      break;
    case MessageType::kBye:
      if (const auto bye = Bye::decode(message); bye)
        end(handle, bye->code, {}, Shut::kPolitely);
      else
        bad(bye.error());
      break;
    default:
      break;  // session_state.h has refused all others
  }
}

void HubLink::Impl::chunk_came(HubSession& session, ByteView message) {
  const SessionHandle handle = session.info.handle;
  const Result<Chunk> chunk = Chunk::decode(message);
  if (!chunk) return fault(handle, &HubLinkCounters::frames_bad, Code::kLinkFrame, chunk.error().message);
  session.last_chunk_steady_ns = clock_.steady_ns();
  if (const Status added = session.intake->add(*chunk); !added) {
    const bool credit = added.error().code == Code::kLinkCredit;
    return fault(handle, credit ? &HubLinkCounters::credit_breaches : &HubLinkCounters::frames_bad, added.error().code,
                 added.error().message);
  }
  hand_over(handle);
}

void HubLink::Impl::hand_over(SessionHandle handle) {
  // The callback may end the session.
  for (HubSession* session = find(handle); session != nullptr && session->intake; session = find(handle)) {
    std::optional<Assembled> parcel = session->intake->next();
    if (!parcel) {
      if (const auto limit = session->intake->credit_due()) control(handle, encoded(Credit{*limit}));
      return;
    }
    ++counters_.parcels;
    counters_.parcel_bytes += parcel->bytes.size();
    events_.on_parcel(session->info, std::move(*parcel));
  }
}

}  // namespace thalweg::link
