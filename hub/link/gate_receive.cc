#include "link/gate_link_impl.h"

namespace thalweg::link {
namespace {

constexpr int kReceiveBatch = 64;  // messages, then other handlers of the loop have their turn
constexpr int kUnsentBytes = 128 * 1024;
constexpr std::uint32_t kZapRefused = 400;

}  // namespace

void GateLink::Impl::schedule() {
  if (scheduled_ || ended_) return;
  scheduled_ = true;
  loop_.post([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->work();
  });
}

void GateLink::Impl::work() {
  scheduled_ = false;
  graves_.clear();
  if (ended_ || !session_) return;
  const std::shared_ptr<GateSession> current = session_;
  follow_monitor();
  int received = 0;
  while (received < kReceiveBatch && session_ == current && receive_one()) ++received;
  if (session_ == current) flush();
  if (ended_ || session_ != current) return;
  // Sending may have taken the wake of a message that came meanwhile, and looking takes that of room to send: so both
  // are looked for before waiting.
  const int events = session_->dealer.events();
  if (received == kReceiveBatch || (events & ZMQ_POLLIN) != 0 || (session_->blocked && (events & ZMQ_POLLOUT) != 0))
    return schedule();
  const auto wake = [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->schedule();
  };
  session_->dealer_wake.arm(wake);
  session_->monitor_wake.arm(wake);
}

void GateLink::Impl::follow_monitor() {
  const std::shared_ptr<GateSession> current = session_;
  while (session_ == current) {
    const std::optional<MonitorEvent> event = next_event(current->monitor);
    if (!event) return;
    switch (event->event) {
      case ZMQ_EVENT_CONNECTED:
        current->tcp = TcpHandle::duplicate(static_cast<int>(event->value));
        if (current->tcp) current->tcp->limit_unsent(kUnsentBytes);
        break;
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        say_hello();
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        down(event->value == kZapRefused ? Code::kKeyUnknown : Code::kLinkHandshake,
             "the hub does not know this gate's key", Wait::kLongest);
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        down(Code::kLinkHandshake, "the handshake failed: wrong key of the hub, or no hub there", Wait::kLonger);
        break;
      default:
        // What the hub said last may still wait to be read: BYE says why the line ends.
        while (session_ == current && receive_one()) {
        }
        if (session_ == current)
          down(current->state == GateState::kOpen ? Code::kLinkLost : Code::kUnavailable, "the connection has ended",
               Wait::kLonger);
    }
  }
}

void GateLink::Impl::say_hello() {
  GateSession& session = *session_;
  Hello hello = events_.make_hello();
  hello.session = session.id;
  hello.lane = options_.lane;
  hello.wall_unix_ns = clock_.wall_unix_ns();
  hello.partial = deliveries_.partial();
  // What is held or not yet taken of earlier sessions still fills the window.
  const std::uint64_t filled = deliveries_.held_bytes() + untaken_bytes_;
  session.in_credit = CreditLine(options_.credit_bytes > filled ? options_.credit_bytes - filled : 0);
  session.told_limit = session.in_credit.limit();
  hello.credit_bytes = session.told_limit;
  (void)session.out.control(encoded(hello));
  session.state = GateState::kGreeting;
}

bool GateLink::Impl::receive_one() {
  GateSession& session = *session_;
  zmq::message_t payload;
  if (session.dealer.receive(payload) != Io::kDone) return false;
  if (payload.more()) {
    down(Code::kLinkFrame, "a message of several parts", Wait::kLonger);
    return false;
  }
  session.heartbeat.message_came(clock_.steady_ns());
  const Result<MessageType> type = message_type(view(payload));
  if (!type || rule(session.state, *type) == Rule::kFault) {
    down(Code::kLinkFrame, type ? std::string(name(*type)) + " out of place" : type.error().message, Wait::kLonger);
    return false;
  }
  dispatch(*type, view(payload));
  return true;
}

void GateLink::Impl::dispatch(MessageType type, ByteView message) {
  const auto bad = [&](const Error& error) { down(Code::kLinkFrame, error.message, Wait::kLonger); };
  // Hands a message over if it can be read and somebody wants it.
  const auto pass = [&](const auto& read, const auto& take) {
    if (!read) return bad(read.error());
    take(*read);
  };
  switch (type) {
    case MessageType::kWelcome:
      welcome_came(message);
      break;
    case MessageType::kRefuse:
      if (const auto refuse = Refuse::decode(message); refuse) {
        backoff_ms_ = std::max(backoff_ms_, std::min(refuse->retry_ms, options_.backoff_most_ms));
        const bool passes =
            refuse->code == Code::kBusy || refuse->code == Code::kUnavailable || refuse->code == Code::kClosed;
        down(refuse->code, refuse->text, passes ? Wait::kLonger : Wait::kLongest);
      } else {
        bad(refuse.error());
      }
      break;
    case MessageType::kChunk:
      chunk_came(message);
      break;
    case MessageType::kAck:
      pass(Ack::decode(message), events_.on_ack);
      break;
    case MessageType::kCredit:
      pass(Credit::decode(message), [&](const Credit& credit) { session_->out.credit().raise_to(credit.limit_bytes); });
      break;
    case MessageType::kProgress:
      pass(Progress::decode(message), events_.on_progress);
      break;
    case MessageType::kFound:
      pass(Found::decode(message), events_.on_found);
      break;
    case MessageType::kDocument:
      pass(Document::decode(message), events_.on_document);
      break;
    case MessageType::kPing:
      pass(Ping::decode(message), [&](const Ping& ping) {
        const std::int64_t now = clock_.wall_unix_ns();
        control(encoded(Pong{ping.count, ping.sent_unix_ns, now, now}));
      });
      break;
    case MessageType::kPong:
      pass(Pong::decode(message), [&](const Pong& pong) { session_->heartbeat.pong_came(pong, clock_.steady_ns()); });
      break;
    case MessageType::kBye:
      pass(Bye::decode(message), [&](const Bye& bye) {
        const bool passes = bye.code == Code::kClosed || bye.code == Code::kLinkLost || bye.code == Code::kBusy;
        down(bye.code, bye.text, passes ? Wait::kLonger : Wait::kLongest);
      });
      break;
    default:
      break;  // session_state.h has refused all others
  }
}

void GateLink::Impl::welcome_came(ByteView message) {
  const Result<Welcome> welcome = Welcome::decode(message);
  GateSession& session = *session_;
  if (!welcome) return down(Code::kLinkFrame, welcome.error().message, Wait::kLonger);
  if (welcome->session != session.id) return down(Code::kLinkFrame, "WELCOME of another session", Wait::kLonger);
  constexpr std::uint32_t kLeast_ms = 10, kMost_ms = 600'000;
  heartbeat_ms_ = std::clamp(welcome->heartbeat_ms, kLeast_ms, kMost_ms);
  session.heartbeat = Heartbeat(heartbeat_ms_ * kNsPerMs, clock_.steady_ns());
  session.out.credit() = CreditLine(welcome->credit_bytes);
  session.hub_partial = welcome->partial;
  session.state = GateState::kOpen;
  ++counters_.sessions;
  arm_timer(0);
  const Code verdict = events_.on_welcome(*welcome);
  if (verdict != Code::kOk && session_.get() == &session)
    return down(verdict, "the gate does not go on with this hub", Wait::kLongest);
  if (verdict == Code::kOk) backoff_ms_ = options_.backoff_first_ms;
}

void GateLink::Impl::chunk_came(ByteView message) {
  GateSession& session = *session_;
  const Result<Chunk> chunk = Chunk::decode(message);
  if (!chunk) return down(Code::kLinkFrame, chunk.error().message, Wait::kLonger);
  if (!session.in_credit.use(chunk->bytes.size()))
    return down(Code::kLinkCredit, "the hub sent beyond its credit", Wait::kLonger);
  const std::size_t held = deliveries_.held_bytes();
  Result<std::optional<Bytes>> whole = deliveries_.add(*chunk);
  if (!whole) return down(whole.error().code, whole.error().message, Wait::kLonger);
  if (chunk->offset == 0 && held > 0) {
    // Begun anew: what was held of the last one is room again.
    session.in_credit.raise_to(session.in_credit.limit() + held);
    tell_credit();
  }
  if (!*whole) return;
  ++counters_.deliveries;
  counters_.delivery_bytes += (*whole)->size();
  untaken_bytes_ += (*whole)->size();
  events_.on_delivery(chunk->number, std::move(**whole));
}

}  // namespace thalweg::link
