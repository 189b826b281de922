// hub_session.h: one session as the hub's end keeps it. Private to link.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>

#include "link/connection_table.h"
#include "link/heartbeat.h"
#include "link/hub_link.h"
#include "link/outgoing.h"
#include "link/session_state.h"

namespace thalweg::link {

/// How many questions a session may ask now: so many at once, and so many more a second.
class Allowance {
 public:
  Allowance(std::size_t at_once, std::size_t per_s, std::int64_t now_steady_ns)
      : most_(static_cast<double>(at_once)), per_s_(static_cast<double>(per_s)), left_(most_), at_ns_(now_steady_ns) {}
  /// False: it is used up.
  bool take(std::int64_t now_steady_ns) {
    left_ = std::min(most_, left_ + static_cast<double>(now_steady_ns - at_ns_) * 1e-9 * per_s_);
    at_ns_ = now_steady_ns;
    return (left_ -= 1) >= 0;
  }

 private:
  double most_, per_s_, left_;
  std::int64_t at_ns_;
};

/// Threads: the loop.
struct HubSession {
  HubSession(Session session, std::uint32_t routing_id, std::shared_ptr<Connection> on, Heartbeat beat,
             Allowance may_ask, std::size_t control_most)
      : info(std::move(session)),
        routing(routing_id),
        connection(std::move(on)),
        heartbeat(beat),
        questions(may_ask),
        out(control_most) {}

  Session info;
  const std::uint32_t routing;  ///< as the ROUTER made it; never set by a peer
  const std::shared_ptr<Connection> connection;
  HubState state = HubState::kGreeted;
  Heartbeat heartbeat;
  Allowance questions;
  Outgoing out;
  std::optional<ParcelIntake> intake;  ///< from welcome() on
  Partial gate_partial;                ///< of a delivery, used once
  bool wants_room = false;             ///< deliver() said no
  bool dirty = false;                  ///< stands in the list of those that have something to send
  bool blocked = false;                ///< the socket had no room for it
  std::int64_t last_chunk_steady_ns = 0;
};

/// What is left of a session that ended in mid-parcel.
struct KeptStream {
  Uuid incarnation;
  KeptPartial partial;
  std::int64_t until_steady_ns = 0;
};

}  // namespace thalweg::link
