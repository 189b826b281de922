#include "link/hub_link.h"

#include "link/hub_link_impl.h"

namespace thalweg::link {
namespace {

constexpr int kSendHighWater = 64;  // messages that libzmq may hold for one gate
constexpr int kReceiveHighWater = 256;
constexpr int kChunksPerTurn = 4;  // of one session, then the next one has its turn

}  // namespace

// ---- start and end ----

Status HubLink::Impl::open() {
  (void)zmq_ctx_set(context_.handle(), ZMQ_MAX_SOCKETS, 4096 + static_cast<int>(options_.max_sessions));
  const std::weak_ptr<Impl> weak = weak_from_this();
  Loop& loop = loop_;
  TW_ASSIGN(zap_, ZapHandler::start(
                      context_.handle(), options_.allow,
                      [weak, &loop] {
                        loop.post([weak] {
                          if (auto self = weak.lock())
                            self->fatal({Code::kLinkZap, "the authentication handler has ended"});
                        });
                      },
                      [weak, &loop](std::string_view address) {
                        loop.post([weak, from = std::string(address)] {
                          const auto self = weak.lock();
                          if (!self) return;
                          ++self->counters_.refused_keys;
                          self->warn("a key that may not connect was refused, from {}", from);
                        });
                      }));
  TW_TRY(probe_zap(context_.handle()));

  TW_ASSIGN(ZmqSocket router, ZmqSocket::make(context_.handle(), ZMQ_ROUTER));
  if (!router.set(kZapEnforceDomain, 1))
    return Error{Code::kLinkZap,
                 "this libzmq cannot be told to refuse keys when nobody checks them (ZMQ_ZAP_ENFORCE_DOMAIN)"};
  TW_TRY(router.set(ZMQ_ZAP_DOMAIN, std::string(kZapDomain)));
  TW_TRY(router.set(ZMQ_CURVE_SERVER, 1));
  if (options_.curve_secret_z85.size() != 40) return Error{Code::kConfig, "the hub's CURVE key is not 40 characters"};
  TW_TRY(router.set(ZMQ_CURVE_SECRETKEY, options_.curve_secret_z85));
  TW_TRY(router.set(ZMQ_ROUTER_MANDATORY, 1));
  TW_TRY(router.set(ZMQ_ROUTER_HANDOVER, 0));
  TW_TRY(router.set(ZMQ_SNDHWM, kSendHighWater));
  TW_TRY(router.set(ZMQ_RCVHWM, kReceiveHighWater));
  TW_TRY(router.set_int64(ZMQ_MAXMSGSIZE, static_cast<std::int64_t>(kMaxToHubBytes + kWireOverheadBytes)));
  TW_TRY(router.set(ZMQ_HANDSHAKE_IVL, static_cast<int>(options_.handshake_ms)));
  TW_TRY(router.set(ZMQ_BACKLOG, 1024));
  TW_TRY(router.set(ZMQ_TCP_KEEPALIVE, 1));
  TW_TRY(router.set(ZMQ_LINGER, 200));

  TW_TRY(router.monitor("inproc://thalweg-hub-monitor", ConnectionTable::kEvents));
  TW_ASSIGN(ZmqSocket monitor, ZmqSocket::make(context_.handle(), ZMQ_PAIR));
  // libzmq's I/O thread waits when its events are not read: it must not come to that.
  TW_TRY(monitor.set(ZMQ_RCVHWM, 0));
  TW_TRY(monitor.set(ZMQ_LINGER, 0));
  TW_TRY(monitor.connect("inproc://thalweg-hub-monitor"));
  TW_TRY(router.bind(options_.endpoint));
  endpoint_ = router.last_endpoint();
  router_ = std::move(router);
  connections_.emplace(std::move(monitor),
                       ConnectionTable::Limits{options_.max_strangers,
                                               options_.max_strangers_per_address,
                                               {options_.failures_at_once, options_.failures_per_s}});
  return {};
}

void HubLink::Impl::begin() {
  if (ended_) return;
  router_wake_.emplace(loop_.io(), router_->descriptor());
  monitor_wake_.emplace(loop_.io(), connections_->monitor().descriptor());
  arm_timer();
  schedule();
}

void HubLink::Impl::shutdown(Code code, std::string_view text) {
  if (ended_) return;
  std::vector<SessionHandle> handles;
  for (const auto& [handle, session] : sessions_) handles.push_back(handle);
  for (const SessionHandle handle : handles) end(handle, code, text, Shut::kPolitely);
  ended_ = true;
  timer_.cancel();
  router_wake_.reset();
  monitor_wake_.reset();
  // The monitor ends before its reader does: libzmq would wait for ever to tell an event to a reader that is gone, on
  // its I/O thread and under a lock that stopping the monitor needs.
  if (router_) router_->stop_monitor();
  connections_.reset();
  router_.reset();
  kept_.clear();
}

void HubLink::Impl::end_context() {
  if (zap_) zap_->stop();
  context_.close();
}

void HubLink::Impl::fatal(Error error) {
  if (ended_) return;
  log::error("link", "{}: {}", name(options_.lane), error.message);
  shutdown(Code::kClosed, "the hub stops");
  if (events_.on_fatal) events_.on_fatal(std::move(error));
}

// ---- sending ----

bool HubLink::Impl::welcome(SessionHandle handle, Welcome welcome) {
  HubSession* session = find(handle);
  if (session == nullptr || session->state != HubState::kGreeted) return false;
  const UserId user = session->info.user;
  if (const auto older = open_by_user_.find(user); older != open_by_user_.end())
    end(older->second, Code::kLinkReplaced, "a newer session of this gate took over", Shut::kPolitely);
  session = find(handle);  // on_closed may have ended this one
  if (session == nullptr) return false;

  session->intake.emplace(options_.pool, session->info.hello.party, options_.lane, options_.intake);
  if (const auto kept = kept_.find(user); kept != kept_.end()) {
    if (kept->second.incarnation == session->info.hello.incarnation)
      session->intake->resume(std::move(kept->second.partial));
    kept_.erase(kept);
  }
  welcome.session = session->info.hello.session;
  welcome.credit_bytes = session->intake->credit_limit();
  welcome.heartbeat_ms = options_.heartbeat_ms;
  welcome.wall_unix_ns = clock_.wall_unix_ns();
  welcome.partial = session->intake->partial();
  session->state = HubState::kOpen;
  open_by_user_[user] = handle;
  session->last_chunk_steady_ns = clock_.steady_ns();
  session->wants_room = true;
  log::info("link", "session of {} at {}, lane {}", user, session->info.address, name(options_.lane));
  return control(handle, encoded(welcome));
}

bool HubLink::Impl::refuse(SessionHandle handle, Code code, std::string_view text, std::uint32_t retry_ms) {
  HubSession* session = find(handle);
  if (session == nullptr || session->state != HubState::kGreeted) return false;
  zmq::message_t id = routing_frame(session->routing);
  zmq::message_t message = to_message(encoded(Refuse{code, retry_ms, std::string(text)}));
  if (router_->send(id, ZmqSocket::More::kYes) == Io::kDone) (void)router_->send(message);
  ++counters_.refused[code];
  warn("a session was refused, of {} at {}: {}", session->info.user, session->info.address, text);
  end(handle, code, text, Shut::kPolitely);
  return true;
}

bool HubLink::Impl::control(SessionHandle handle, Bytes message) {
  HubSession* session = find(handle);
  if (session == nullptr) return false;
  if (!session->out.control(std::move(message))) {
    fault(handle, &HubLinkCounters::silent, Code::kTimeout, "it does not read what is sent to it");
    return false;
  }
  make_dirty(*session);
  return true;
}

bool HubLink::Impl::acked(SessionHandle handle, const Ack& ack) {
  if (ack.verdicts.size() > kMaxVerdictBytes || ack.decision.size() > kMaxDecisionBytes) {
    // Far beyond what 4,096 records can need; the gate asks again where it wants to know.
    log::error("link", "verdicts of parcel {} are too large for the link: {} bytes", ack.number, ack.verdicts.size());
    Ack shorter = ack;
    if (shorter.verdicts.size() > kMaxVerdictBytes) shorter.verdicts.clear();
    if (shorter.decision.size() > kMaxDecisionBytes) shorter.decision.clear();
    return acked(handle, shorter);
  }
  return control(handle, encoded(ack));
}

bool HubLink::Impl::deliver(SessionHandle handle, std::uint64_t sequence, SharedBytes bytes) {
  HubSession* session = find(handle);
  if (session == nullptr || session->state != HubState::kOpen) return false;
  if (bytes->empty() || bytes->size() > kMaxDeliveryTransferBytes) {
    log::error("link", "delivery {} of {} bytes does not fit the link", sequence, bytes->size());
    return false;
  }
  if (session->out.transfer_bytes() > options_.delivery_queue_bytes) {
    session->wants_room = true;
    return false;
  }
  ++counters_.deliveries;
  counters_.delivery_bytes += bytes->size();
  session->out.transfer(
      ChunkSplitter(Transfer::kDelivery, sequence, std::move(bytes), std::exchange(session->gate_partial, {})));
  make_dirty(*session);
  return true;
}

void HubLink::Impl::make_dirty(HubSession& session) {
  if (session.dirty || session.blocked) return;
  session.dirty = true;
  dirty_.push_back(session.info.handle);
  schedule();
}

void HubLink::Impl::flush(SessionHandle handle) {
  // What a parcel took of the pool is often free by the time it is acknowledged.
  if (const HubSession* hungry = find(handle); hungry != nullptr && hungry->intake && hungry->intake->starving())
    hand_over(handle);
  HubSession* const found = find(handle);
  if (found == nullptr) return;
  HubSession& session = *found;
  const auto ready = [&] {
    zmq::message_t id = routing_frame(session.routing);
    return router_->send(id, ZmqSocket::More::kYes);
  };
  const auto send = [&](zmq::message_t& message) { return router_->send(message); };
  switch (session.out.flush(ready, send, kChunksPerTurn)) {
    case Outgoing::Outcome::kIdle:
      break;
    case Outgoing::Outcome::kMore:
      make_dirty(session);
      break;
    case Outgoing::Outcome::kBlocked:
      session.blocked = true;
      blocked_.push_back(handle);
      break;
    case Outgoing::Outcome::kGone:
      end(handle, Code::kLinkLost, {}, Shut::kPolitely);
      return;
  }
  if (session.wants_room && session.state == HubState::kOpen &&
      session.out.transfer_bytes() <= options_.delivery_queue_bytes / 2) {
    session.wants_room = false;
    if (events_.on_room) events_.on_room(session.info);
  }
}

// ---- the public face ----

HubLink::HubLink(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<HubLink>> HubLink::start(Loop& loop, const Clock& clock, HubLinkOptions options,
                                                HubLinkEvents events) {
  if (!options.pool) options.pool = AssemblyPool::make({});
  if (!events.on_hello || !events.on_parcel || !events.on_settle || !events.on_lookup)
    return Error{Code::kInvalid, "on_hello, on_parcel, on_settle and on_lookup are needed"};
  auto impl = std::make_shared<Impl>(loop, clock, std::move(options), std::move(events));
  if (Status opened = impl->open(); !opened) {
    impl->shutdown(Code::kClosed, "");
    impl->end_context();
    return std::move(opened).error();
  }
  loop.post([impl] { impl->begin(); });
  return std::unique_ptr<HubLink>(new HubLink(std::move(impl)));
}

HubLink::~HubLink() { stop(); }

void HubLink::stop() {
  if (std::exchange(stopped_, true)) return;
  run_on_loop(impl_->loop(), [this] {
    impl_->silence();
    impl_->shutdown(Code::kClosed, "the hub stops");
  });
  impl_->end_context();
}

const std::string& HubLink::endpoint() const { return impl_->endpoint(); }
bool HubLink::welcome(SessionHandle session, Welcome welcome) { return impl_->welcome(session, std::move(welcome)); }
bool HubLink::refuse(SessionHandle session, Code code, std::string_view text, std::uint32_t retry_ms) {
  return impl_->refuse(session, code, text, retry_ms);
}
bool HubLink::ack(SessionHandle session, const Ack& ack) { return impl_->acked(session, ack); }
bool HubLink::deliver(SessionHandle session, std::uint64_t sequence, SharedBytes bytes) {
  return impl_->deliver(session, sequence, std::move(bytes));
}
bool HubLink::progress(SessionHandle session, const Progress& progress) {
  return impl_->control(session, encoded(progress));
}
bool HubLink::found(SessionHandle session, const Found& found) { return impl_->control(session, encoded(found)); }
bool HubLink::document(SessionHandle session, const Document& document) {
  if (document.bytes.size() > kMaxDocumentBytes) return false;
  return impl_->control(session, encoded(document));
}
void HubLink::close(SessionHandle session, Code code, std::string_view text) { impl_->close(session, code, text); }
void HubLink::close_user(std::string_view user, Code code, std::string_view text) {
  impl_->close_user(user, code, text);
}
std::optional<HubLink::ClockOffset> HubLink::clock_offset(SessionHandle handle) const {
  const HubSession* session = std::as_const(*impl_).find(handle);
  if (session == nullptr || !session->heartbeat.clock()) return std::nullopt;
  return ClockOffset{session->heartbeat.clock()->offset_ns, session->heartbeat.clock()->uncertainty_ns};
}
HubLinkCounters HubLink::counters() const { return impl_->counters(); }
void HubLink::kill_zap_handler_for_test() { impl_->zap().die_for_test(); }

}  // namespace thalweg::link
