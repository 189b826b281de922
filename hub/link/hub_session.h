// hub_session.h: one session as the hub's end keeps it. Private to link.
#pragma once

#include <memory>
#include <optional>

#include "link/connection_table.h"
#include "link/heartbeat.h"
#include "link/hub_link.h"
#include "link/outgoing.h"
#include "link/session_state.h"

namespace thalweg::link {

/// Threads: the loop.
struct HubSession {
  HubSession(Session session, std::uint32_t routing_id, std::shared_ptr<Connection> on, Heartbeat beat,
             std::size_t control_most)
      : info(std::move(session)), routing(routing_id), connection(std::move(on)), heartbeat(beat), out(control_most) {}

  Session info;
  const std::uint32_t routing;  ///< as the ROUTER made it; never set by a peer
  const std::shared_ptr<Connection> connection;
  HubState state = HubState::kGreeted;
  Heartbeat heartbeat;
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
