#include "link/heartbeat.h"

namespace thalweg::link {

void Heartbeat::sample(const TcpHandle::Traffic& traffic, std::int64_t steady_ns) {
  if (traffic.received_bytes > last_.received_bytes) {
    last_.received_bytes = traffic.received_bytes;
    message_came(steady_ns);
  }
  if (traffic.acked_bytes > last_.acked_bytes + kMoreThanPings) {
    last_.acked_bytes = traffic.acked_bytes;
    alive_steady_ns_ = steady_ns;
  }
}

std::optional<Ping> Heartbeat::due(std::int64_t steady_ns, std::int64_t wall_unix_ns) {
  if (steady_ns < next_steady_ns_) return std::nullopt;
  next_steady_ns_ = steady_ns + interval_ns_;
  ++count_;
  sent_steady_ns_[count_ % sent_steady_ns_.size()] = steady_ns;
  return Ping{count_, wall_unix_ns};
}

void Heartbeat::pong_came(const Pong& pong, std::int64_t steady_ns) {
  if (pong.count == 0 || pong.count > count_ || count_ - pong.count >= sent_steady_ns_.size()) return;
  const std::int64_t round_ns = steady_ns - sent_steady_ns_[pong.count % sent_steady_ns_.size()];
  // Unsigned arithmetic: the other side may write any number, and a wrong one only gives a wrong offset.
  const auto minus = [](std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
  };
  const std::int64_t inside_ns = minus(pong.answered_unix_ns, pong.received_unix_ns);
  const std::int64_t net_ns = inside_ns >= 0 && inside_ns <= round_ns ? round_ns - inside_ns : round_ns;
  const ClockDifference measured{minus(minus(pong.received_unix_ns, pong.sent_unix_ns), net_ns / 2), net_ns / 2 + 1};
  if (!candidate_ || measured.uncertainty_ns <= candidate_->uncertainty_ns) candidate_ = measured;
  if (!best_ || measured.uncertainty_ns <= best_->uncertainty_ns) best_ = measured;
  if (++measured_ % kWindow == 0) {
    best_ = candidate_;
    candidate_.reset();
  }
}

}  // namespace thalweg::link
