// slow_line.h: a large parcel each way over a line that needs far longer for it than a heartbeat.
#pragma once

#include "link_rig.h"
#include "support/net_proxy.h"

namespace thalweg::link {

inline void slow_line(std::size_t parcel_bytes, std::uint64_t bits_per_second) {
  // Heartbeats that are far shorter than the parcel takes, and than one chunk on its way behind others.
  HubRig hub([](HubLinkOptions& options, HubLinkEvents&) { options.heartbeat_ms = 500; });
  NetProxy line(hub.port());
  line.throttle(bits_per_second);
  GateRig gate(hub, "500153", {line.endpoint()},
               [](GateLinkOptions& options, GateLinkEvents&) { options.heartbeat_ms = 500; });
  const SharedBytes parcel = random_bytes(parcel_bytes);
  gate.submit(parcel);
  REQUIRE(gate.wait_acks(1));
  CHECK(hub.seen.look([&] { return hub.parcels["500153/gate-1"].at(0) == *parcel; }));
  CHECK(gate.seen.look([&] { return gate.downs.empty(); }));
  CHECK(gate.seen.look([&] { return gate.welcomes.size(); }) == 1);
  // And a delivery as large, the other way.
  hub.seen.change([&] { hub.to_deliver = {random_bytes(parcel_bytes, 5)}; });
  hub.loop.run([&] { hub.feed(hub.sessions.begin()->first); });
  REQUIRE(gate.seen.wait([&] { return gate.inbox.size() == 1; }));
  CHECK(gate.seen.look([&] { return gate.downs.empty(); }));
  CHECK(hub.seen.look([&] { return hub.closed.empty(); }));
}

}  // namespace thalweg::link
