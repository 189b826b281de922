#include "link/gate_link.h"

#include <sys/random.h>

#include "link/gate_link_impl.h"

namespace thalweg::link {
namespace {

// Few, since they stand before a PING or a CREDIT on a slow line: half a megabyte.
constexpr int kSendHighWater = 8;
constexpr int kReceiveHighWater = 256;
constexpr std::size_t kControlMostBytes = 4u << 20;
constexpr int kChunksPerTurn = 16;

constexpr int kMonitorEvents = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED |
                               ZMQ_EVENT_CLOSED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

}  // namespace

Status GateLink::Impl::check(const GateLinkOptions& options) {
  if (options.hubs.empty()) return Error{Code::kConfig, "no hub address is given"};
  for (const HubAddress& hub : options.hubs) {
    if (hub.curve_public_z85.size() != 40)
      return Error{Code::kConfig, "the CURVE key of hub " + hub.endpoint + " is not 40 characters"};
    if (!hub.endpoint.starts_with("tcp://"))
      return Error{Code::kConfig, "hub address " + hub.endpoint + " does not begin with tcp://"};
  }
  if (options.curve_public_z85.size() != 40 || options.curve_secret_z85.size() != 40)
    return Error{Code::kConfig, "the gate's CURVE keys are not 40 characters each"};
  if (options.credit_bytes < kMaxDeliveryTransferBytes)
    return Error{Code::kConfig,
                 "credit_bytes is less than one delivery may have: " + std::to_string(kMaxDeliveryTransferBytes)};
  return {};
}

void GateLink::Impl::begin() {
  if (!ended_) connect();
}

void GateLink::Impl::shutdown() {
  if (ended_) return;
  ended_ = true;
  timer_.cancel();
  if (session_) {
    // LINGER would drop it: what a session may still say is said before its socket closes.
    (void)session_->dealer.set(ZMQ_LINGER, 100);
    zmq::message_t bye = to_message(encoded(Bye{Code::kClosed, "the gate stops"}));
    if (session_->state != GateState::kConnecting) (void)session_->dealer.send(bye);
  }
  session_.reset();
  graves_.clear();
}

Result<std::unique_ptr<GateSession>> GateLink::Impl::make_session(const HubAddress& hub) {
  TW_ASSIGN(ZmqSocket dealer, ZmqSocket::make(context_.handle(), ZMQ_DEALER));
  TW_TRY(dealer.set(ZMQ_LINGER, 0));
  TW_TRY(dealer.set(ZMQ_IMMEDIATE, 1));
  TW_TRY(dealer.set(ZMQ_RECONNECT_IVL, -1));
  TW_TRY(dealer.set(ZMQ_SNDHWM, kSendHighWater));
  TW_TRY(dealer.set(ZMQ_RCVHWM, kReceiveHighWater));
  TW_TRY(dealer.set_int64(ZMQ_MAXMSGSIZE, static_cast<std::int64_t>(kMaxToGateBytes + kWireOverheadBytes)));
  TW_TRY(dealer.set(ZMQ_HANDSHAKE_IVL, static_cast<int>(options_.handshake_ms)));
  TW_TRY(dealer.set(ZMQ_CONNECT_TIMEOUT, static_cast<int>(options_.handshake_ms)));
  TW_TRY(dealer.set(ZMQ_CURVE_SERVERKEY, hub.curve_public_z85));
  TW_TRY(dealer.set(ZMQ_CURVE_PUBLICKEY, options_.curve_public_z85));
  TW_TRY(dealer.set(ZMQ_CURVE_SECRETKEY, options_.curve_secret_z85));
  TW_TRY(dealer.set(ZMQ_TCP_KEEPALIVE, 1));

  const std::string address = "inproc://thalweg-gate-monitor-" + std::to_string(++attempts_);
  TW_TRY(dealer.monitor(address, kMonitorEvents));
  TW_ASSIGN(ZmqSocket monitor, ZmqSocket::make(context_.handle(), ZMQ_PAIR));
  TW_TRY(monitor.set(ZMQ_LINGER, 0));
  TW_TRY(monitor.connect(address));
  TW_TRY(dealer.connect(hub.endpoint));
  const std::int64_t now = clock_.steady_ns();
  auto session = std::make_unique<GateSession>(std::move(dealer), std::move(monitor), loop_.io(),
                                               Heartbeat(options_.heartbeat_ms * kNsPerMs, now), kControlMostBytes);
  session->began_steady_ns = now;
  if (::getrandom(session->id.data(), session->id.size(), 0) != static_cast<ssize_t>(session->id.size()))
    return Error{Code::kInternal, "no random numbers"};
  return session;
}

void GateLink::Impl::connect() {
  current_hub_ = next_hub_;
  next_hub_ = (next_hub_ + 1) % options_.hubs.size();
  ++counters_.connects;
  heartbeat_ms_ = options_.heartbeat_ms;
  Result<std::unique_ptr<GateSession>> made = make_session(options_.hubs[current_hub_]);
  if (!made) return down(made.error().code, made.error().message, Wait::kLongest);
  session_ = *std::move(made);
  arm_timer(std::min(options_.handshake_ms, options_.heartbeat_ms));
  schedule();
}

void GateLink::Impl::down(Code code, std::string_view text, Wait wait) {
  if (ended_) return;
  timer_.cancel();
  if (session_) {
    last_clock_ = session_->heartbeat.clock();
    if (session_->state == GateState::kOpen && code != Code::kLinkLost) {
      (void)session_->dealer.set(ZMQ_LINGER, 100);
      zmq::message_t bye = to_message(encoded(Bye{code, std::string(text)}));
      (void)session_->dealer.send(bye);
    }
    graves_.push_back(std::move(session_));
    session_.reset();
    schedule();
  }
  switch (wait) {
    case Wait::kFirst:
      backoff_ms_ = options_.backoff_first_ms;
      break;
    case Wait::kLonger:
      break;
    case Wait::kLongest:
      backoff_ms_ = options_.backoff_most_ms;
      break;
  }
  // Half to whole, so that gates that lost one hub at one moment do not all come back at one moment.
  const std::uint32_t delay_ms = backoff_ms_ / 2 + static_cast<std::uint32_t>(random_() % (backoff_ms_ / 2 + 1));
  backoff_ms_ = std::min(backoff_ms_ * 2, options_.backoff_most_ms);
  arm_timer(delay_ms);
  events_.on_down(code, text, options_.hubs[current_hub_].endpoint);
}

void GateLink::Impl::arm_timer(std::int64_t delay_ms) {
  timer_.expires_after(std::chrono::milliseconds(delay_ms));
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->ended_) return;
    if (self->session_)
      self->tick();
    else
      self->connect();
  });
}

void GateLink::Impl::tick() {
  GateSession& session = *session_;
  const std::int64_t now = clock_.steady_ns();
  if (session.tcp)
    if (const auto traffic = session.tcp->traffic()) session.heartbeat.sample(*traffic, now);
  if (session.heartbeat.dead(now))
    return down(session.state == GateState::kOpen ? Code::kLinkLost : Code::kLinkHandshake,
                "nothing came for three heartbeats", Wait::kLonger);
  if (session.state == GateState::kOpen) {
    if (const auto ping = session.heartbeat.due(now, clock_.wall_unix_ns())) control(encoded(*ping));
  } else if (session.state == GateState::kConnecting &&
             now - session.began_steady_ns > options_.handshake_ms * kNsPerMs) {
    return down(Code::kLinkHandshake, "no session within the time for it", Wait::kLonger);
  }
  if (session_)
    arm_timer(session_->state == GateState::kOpen ? heartbeat_ms_ : std::min(options_.handshake_ms, heartbeat_ms_));
  schedule();
}

// ---- sending ----

bool GateLink::Impl::send_parcel(std::uint64_t number, SharedBytes parcel) {
  if (!open() || parcel->empty() || parcel->size() > kMaxParcelTransferBytes) return false;
  if (session_->out.transfer_bytes() > options_.queue_bytes) {
    session_->wants_room = true;
    return false;
  }
  ++counters_.parcels;
  counters_.parcel_bytes += parcel->size();
  ChunkSplitter transfer(Transfer::kParcel, number, std::move(parcel), session_->hub_partial);
  session_->hub_partial = {};  // it was about the first parcel of the session, if about any
  counters_.resumed_bytes += transfer.offset();
  session_->out.transfer(std::move(transfer));
  schedule();
  return true;
}

bool GateLink::Impl::control(Bytes message) {
  if (!open()) return false;
  if (!session_->out.control(std::move(message))) {
    down(Code::kTimeout, "the hub does not read what is sent to it", Wait::kLonger);
    return false;
  }
  schedule();
  return true;
}

void GateLink::Impl::taken(std::uint64_t bytes) {
  bytes = std::min(bytes, untaken_bytes_);
  untaken_bytes_ -= bytes;
  if (!open()) return;
  session_->in_credit.raise_to(session_->in_credit.limit() + bytes);
  tell_credit();
}

void GateLink::Impl::tell_credit() {
  const std::uint64_t limit = session_->in_credit.limit();
  const std::uint64_t worth = options_.credit_bytes / 8;
  if (limit == session_->told_limit) return;
  if (limit - session_->told_limit < worth && session_->told_limit - session_->in_credit.used() >= worth) return;
  session_->told_limit = limit;
  control(encoded(Credit{limit}));
}

void GateLink::Impl::flush() {
  GateSession& session = *session_;
  const auto ready = [&] { return (session.dealer.events() & ZMQ_POLLOUT) != 0 ? Io::kDone : Io::kNotNow; };
  const auto send = [&](zmq::message_t& message) { return session.dealer.send(message); };
  const Outgoing::Outcome outcome = session.out.flush(ready, send, kChunksPerTurn);
  session.blocked = outcome == Outgoing::Outcome::kBlocked;
  if (outcome == Outgoing::Outcome::kMore) schedule();
  if (outcome == Outgoing::Outcome::kGone) return down(Code::kLinkLost, "the socket is broken", Wait::kLonger);
  if (session.wants_room && session.out.transfer_bytes() <= options_.queue_bytes / 2) {
    session.wants_room = false;
    events_.on_room();
  }
}

// ---- the public face ----

GateLink::GateLink(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<GateLink>> GateLink::start(Loop& loop, const Clock& clock, GateLinkOptions options,
                                                  GateLinkEvents events) {
  TW_TRY(Impl::check(options));
  if (!events.make_hello || !events.on_welcome || !events.on_ack || !events.on_delivery)
    return Error{Code::kInvalid, "make_hello, on_welcome, on_ack and on_delivery are needed"};
  if (!events.on_progress) events.on_progress = [](const Progress&) {};
  if (!events.on_found) events.on_found = [](const Found&) {};
  if (!events.on_document) events.on_document = [](const Document&) {};
  if (!events.on_room) events.on_room = [] {};
  if (!events.on_down) events.on_down = [](Code, std::string_view, std::string_view) {};
  auto impl = std::make_shared<Impl>(loop, clock, std::move(options), std::move(events));
  loop.post([impl] { impl->begin(); });
  return std::unique_ptr<GateLink>(new GateLink(std::move(impl)));
}

GateLink::~GateLink() { stop(); }

void GateLink::stop() {
  if (std::exchange(stopped_, true)) return;
  run_on_loop(impl_->loop(), [this] { impl_->shutdown(); });
  impl_->end_context();
}

bool GateLink::open() const { return impl_->open(); }
const std::string& GateLink::endpoint() const { return impl_->endpoint(); }
bool GateLink::send_parcel(std::uint64_t number, SharedBytes parcel) {
  return impl_->send_parcel(number, std::move(parcel));
}
void GateLink::taken(std::uint64_t bytes) { impl_->taken(bytes); }
bool GateLink::settle(const Settle& settle) {
  return settle.signature.size() <= kMaxSignatureBytes && impl_->control(encoded(settle));
}
bool GateLink::lookup(const Lookup& lookup) {
  return lookup.records.size() <= kMaxLookups && lookup.numbers.size() <= kMaxLookups &&
         impl_->control(encoded(lookup));
}
void GateLink::reconnect(std::uint32_t after_ms) { impl_->reconnect(after_ms); }
std::optional<GateLink::ClockOffset> GateLink::clock_offset() const {
  const auto clock = impl_->clock();
  if (!clock) return std::nullopt;
  return ClockOffset{clock->offset_ns, clock->uncertainty_ns};
}
GateLinkCounters GateLink::counters() const { return impl_->counters(); }

}  // namespace thalweg::link
