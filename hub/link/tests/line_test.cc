#include "link_rig.h"
#include "raw_peer.h"
#include "slow_line.h"
#include "support/held_port.h"
#include "support/net_proxy.h"

namespace thalweg::link {
namespace {

/// For what changes without an event: looks again and again.
template <class Condition>
bool wait_until(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace

TEST_CASE("a parcel crosses a slow line with heartbeats on", "[link][line]") { slow_line(1u << 20, 4'000'000); }

TEST_CASE("a parcel that is cut goes on at the chunk where it was cut", "[link][line]") {
  HubRig hub;
  NetProxy line(hub.port());
  line.throttle(16'000'000);
  GateRig gate(hub, "500153", {line.endpoint()});
  REQUIRE(gate.wait_welcomes(1));
  const SharedBytes parcel = random_bytes(4u << 20);
  gate.submit(parcel);
  // Wait until more than half has crossed.
  REQUIRE(wait_until([&] { return line.upward_bytes() > 5u << 19; }));
  line.cut();
  REQUIRE(gate.wait_acks(1));
  CHECK(hub.seen.look([&] { return hub.parcels["500153/gate-1"].at(0) == *parcel; }));
  CHECK(gate.seen.look([&] { return gate.welcomes.at(1).partial.number; }) == 1);
  const std::uint64_t resumed = gate.counters().resumed_bytes;
  CHECK(resumed >= 2u << 20);
  CHECK(resumed % kMaxChunkBytes == 0);
}

TEST_CASE("a delivery that is cut goes on at the chunk where it was cut", "[link][line]") {
  HubRig hub;
  NetProxy line(hub.port());
  line.throttle(16'000'000);
  hub.to_deliver = {random_bytes(4u << 20, 9)};
  GateRig gate(hub, "500153", {line.endpoint()});
  REQUIRE(wait_until([&] { return line.crossed_bytes() > 5u << 19; }));
  line.cut();
  REQUIRE(gate.seen.wait([&] { return gate.inbox.size() == 1; }));
  CHECK(gate.inbox[0] == *hub.to_deliver[0]);
  REQUIRE(gate.wait_welcomes(2));
  CHECK(hub.seen.look([&] { return hub.sessions.rbegin()->second.hello.partial.offset; }) >= 2u << 20);
  // Twice the whole would have crossed otherwise.
  CHECK(line.crossed_bytes() < (6u << 20));
}

TEST_CASE("what was kept of a cut parcel is of no use to another incarnation", "[link][line]") {
  HubRig hub;
  NetProxy line(hub.port());
  line.throttle(64'000'000);
  GateRig gate(hub, "500153", {line.endpoint()});
  REQUIRE(gate.wait_welcomes(1));
  gate.submit(random_bytes(4u << 20));
  REQUIRE(wait_until([&] { return line.upward_bytes() > 2u << 20; }));
  gate.loop.run([&] { gate.incarnation = Uuid{{7}}; });
  line.cut();
  REQUIRE(gate.wait_acks(1));
  CHECK(gate.counters().resumed_bytes == 0);
}

TEST_CASE("a half-open line is noticed on both sides, and the gate comes back", "[link][line]") {
  HubRig hub([](HubLinkOptions& options, HubLinkEvents&) { options.heartbeat_ms = 100; });
  NetProxy line(hub.port());
  GateRig gate(hub, "500153", {line.endpoint()},
               [](GateLinkOptions& options, GateLinkEvents&) { options.heartbeat_ms = 100; });
  REQUIRE(gate.wait_welcomes(1));
  line.half_open(true);
  CHECK(gate.wait_down(Code::kLinkLost));
  CHECK(hub.seen.wait([&] { return !hub.closed.empty() && hub.closed[0] == Code::kLinkLost; }));
  line.half_open(false);
  gate.submit(random_bytes(1000));
  CHECK(gate.wait_acks(1));
}

TEST_CASE("an idle line is kept by heartbeats", "[link][line]") {
  HubRig hub([](HubLinkOptions& options, HubLinkEvents&) { options.heartbeat_ms = 300; });
  KnownPeer peer(hub);
  peer.hello("500153");
  // A line that is silent is given up after three intervals.
  for (std::uint64_t n = 1; n <= 6; ++n) {
    const auto ping = Ping::decode(peer.expect(MessageType::kPing));
    REQUIRE(ping);
    CHECK(ping->count == n);
    peer.send(encoded(Pong{ping->count, ping->sent_unix_ns, 0, 0}));
  }
  CHECK(hub.seen.look([&] { return hub.closed.empty(); }));
}

TEST_CASE("hub and gate each know how far the other's clock is off", "[link][line]") {
  HubRig hub([](HubLinkOptions& options, HubLinkEvents&) { options.heartbeat_ms = 300; });
  GateRig gate(hub, "500153");
  REQUIRE(gate.wait_welcomes(1));
  std::optional<GateLink::ClockOffset> at_gate;
  REQUIRE(wait_until([&] { return (at_gate = gate.loop.run([&] { return gate.link->clock_offset(); })).has_value(); }));
  CHECK(std::abs(at_gate->offset_ns) <= at_gate->uncertainty_ns + 1'000'000);
  std::optional<HubLink::ClockOffset> at_hub;
  REQUIRE(wait_until([&] {
    at_hub = hub.loop.run([&]() -> std::optional<HubLink::ClockOffset> {
      if (hub.sessions.empty()) return std::nullopt;  // the gate may be on its way back
      return hub.link->clock_offset(hub.sessions.begin()->first);
    });
    return at_hub.has_value();
  }));
  CHECK(std::abs(at_hub->offset_ns) <= at_hub->uncertainty_ns + 1'000'000);
}

TEST_CASE("a newer session of the same gate takes over", "[link][line]") {
  HubRig hub;
  GateRig gate(hub, "500153", [](GateLinkOptions& options, GateLinkEvents&) {
    options.backoff_first_ms = 60'000;  // it must not take over in turn
    options.backoff_most_ms = 60'000;
  });
  REQUIRE(gate.wait_welcomes(1));
  RawPeer newer(hub, gate.keys);
  REQUIRE(newer.connected());
  newer.hello("500153");
  CHECK_FALSE(newer.expect(MessageType::kWelcome).empty());
  CHECK(gate.wait_down(Code::kLinkReplaced));
  CHECK(hub.seen.wait([&] { return hub.closed == std::vector<Code>{Code::kLinkReplaced}; }));
  newer.send(encoded(Ping{5, 6}));
  const auto pong = Pong::decode(newer.expect(MessageType::kPong));
  REQUIRE(pong);
  CHECK(pong->count == 5);
}

TEST_CASE("a gate finds the hub at its second address", "[link][line]") {
  HubRig hub;
  std::string closed_port;
  {
    const NetProxy gone(hub.port());
    closed_port = gone.endpoint();
  }
  GateRig gate(hub, "500153", {closed_port, hub.link->endpoint()});
  gate.submit(random_bytes(1000));
  CHECK(gate.wait_acks(1));
  CHECK(gate.seen.look([&] { return !gate.downs.empty() && gate.downs[0] == Code::kUnavailable; }));
}

TEST_CASE("a gate goes on at another hub address when one fails", "[link][line]") {
  HubRig hub;
  auto first = std::make_unique<NetProxy>(hub.port());
  GateRig gate(hub, "500153", {first->endpoint(), hub.link->endpoint()});
  gate.submit(random_bytes(1000));
  REQUIRE(gate.wait_acks(1));
  first.reset();
  gate.submit(random_bytes(1000));
  CHECK(gate.wait_acks(2));
}

TEST_CASE("a gate comes back when the hub is started again", "[link][line]") {
  const HeldPort port;
  const std::string endpoint = "tcp://127.0.0.1:" + std::to_string(port.number());
  auto first = std::make_unique<HubRig>([&](HubLinkOptions& options, HubLinkEvents&) { options.endpoint = endpoint; });
  REQUIRE(first->link);
  const KeyPair hub_keys = first->keys;
  NetProxy line(first->port());
  GateRig gate(*first, "500153");
  REQUIRE(gate.wait_welcomes(1));
  first.reset();
  CHECK(gate.wait_hub_stopped());
  HubRig second([&](HubLinkOptions& options, HubLinkEvents&) {
    options.endpoint = endpoint;
    options.curve_secret_z85 = hub_keys.secret_z85;
  });
  REQUIRE(second.link);
  second.allow(gate.keys, "500153/gate-1");
  gate.submit(random_bytes(1000));
  CHECK(gate.wait_acks(1));
}

TEST_CASE("a hub that the gate does not want is left", "[link][line]") {
  HubRig hub;
  GateRig gate(hub, "500153", [](GateLinkOptions&, GateLinkEvents& events) {
    events.on_welcome = [](const Welcome&) { return Code::kLedgerForeign; };
  });
  CHECK(gate.wait_down(Code::kLedgerForeign));
  REQUIRE(hub.seen.wait([&] { return !hub.closed.empty(); }));
  // On a busy machine the end of the line may overtake the gate's last word.
  CHECK(hub.seen.look([&] { return hub.closed[0] == Code::kLedgerForeign || hub.closed[0] == Code::kLinkLost; }));
}

TEST_CASE("a hub may refuse a gate and say why", "[link][line]") {
  HubRig* at = nullptr;
  HubRig hub([&](HubLinkOptions&, HubLinkEvents& events) {
    events.on_hello = [&](const Session& session) {
      at->link->refuse(session.handle, Code::kPinMismatch, "another identity");
    };
  });
  at = &hub;
  GateRig gate(hub, "500153");
  CHECK(gate.wait_down(Code::kPinMismatch));
}

TEST_CASE("an inbox that takes nothing stops deliveries, not acknowledgements", "[link][line]") {
  HubRig hub;
  GateRig gate(hub, "500153");
  gate.take_at_once = false;
  hub.seen.change([&] {
    for (std::uint32_t i = 0; i < 40; ++i) hub.to_deliver.push_back(random_bytes(1u << 20, i));
  });
  gate.loop.run([&] { gate.link->reconnect(); });
  REQUIRE(gate.seen.wait([&] { return gate.inbox.size() == 8; }));  // its window
  gate.submit(random_bytes(1000));
  REQUIRE(gate.wait_acks(1));
  CHECK(gate.seen.look([&] { return gate.inbox.size(); }) == 8);
  gate.take_at_once = true;
  gate.loop.run([&] { gate.link->taken(8u << 20); });
  REQUIRE(gate.seen.wait([&] { return gate.inbox.size() == 40; }));
  gate.seen.look([&] {
    for (std::size_t i = 0; i < 40; ++i) CHECK(gate.inbox[i] == *hub.to_deliver[i]);
  });
}

TEST_CASE("a receiver that does not read costs the hub no time", "[link][line]") {
  // It answers no PING either, and is to stay.
  const auto patient = [](HubLinkOptions& options, HubLinkEvents&) { options.heartbeat_ms = 60'000; };
  HubRig hub(patient), spared(patient);
  GateRig honest(hub, "500153"), other(spared, "500153");
  /// Time of a hub's thread for so many parcels of its honest gate, one after another: it mostly waits.
  const auto cost = [](HubRig& at, GateRig& gate, std::size_t parcels) {
    const auto spent = [&] {
      return at.loop.run([] {
        timespec time{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
      });
    };
    const auto before = spent();
    std::size_t sent = gate.seen.look([&] { return gate.acks.size(); });
    for (const std::size_t end = sent + parcels; sent < end;) {
      gate.submit(random_bytes(1000));
      REQUIRE(gate.wait_acks(++sent));
    }
    return spent() - before;
  };
  REQUIRE(honest.wait_welcomes(1));
  REQUIRE(other.wait_welcomes(1));

  // More than its own ZeroMQ takes in for it, a thousand messages.
  hub.seen.change([&] { hub.to_deliver.assign(200, random_bytes(1u << 20)); });
  const KeyPair keys;
  hub.allow(keys, "500111/gate-1");
  RawPeer deaf(hub, keys);
  REQUIRE(deaf.connected());
  deaf.hello("500111", [](Hello& hello) { hello.credit_bytes = 1u << 30; });
  REQUIRE(hub.wait_counters([](const HubLinkCounters& c) { return c.delivery_bytes > 0; }));
  // Its line is full when the hub takes no more deliveries for it; a pause may be that of a busy machine.
  std::uint64_t before = 0;
  for (int same = 0; same < 5;) {
    (void)cost(hub, honest, 50);
    const std::uint64_t now = hub.counters().delivery_bytes;
    same = now == before ? same + 1 : 0;
    before = now;
  }
  // Beside a hub without such a receiver, at the same time: a busy machine makes the same work several times dearer
  // for a while. A hub that spends time on the deaf one does so always.
  bool cheap = false;
  for (int i = 0; i < 5 && !cheap; ++i) cheap = cost(hub, honest, 300) < 3 * cost(spared, other, 300);
  CHECK(cheap);
}

TEST_CASE("a hub that keeps parcels gives no more credit than its pool", "[link][line]") {
  std::vector<Assembled> kept;
  HubRig* at = nullptr;
  HubRig hub([&](HubLinkOptions& options, HubLinkEvents& events) {
    AssemblyPool::Options pool;
    pool.capacity_bytes = 2u << 20;
    pool.party_bytes = 2u << 20;
    pool.urgent_bytes = 0;
    options.pool = AssemblyPool::make(pool);
    events.on_parcel = [&](const Session&, Assembled parcel) {
      at->seen.change([&] { kept.push_back(std::move(parcel)); });
    };
  });
  at = &hub;
  GateRig gate(hub, "500153");
  for (std::uint32_t i = 0; i < 20; ++i) gate.submit(random_bytes(256u << 10, i));
  REQUIRE(hub.seen.wait([&] { return kept.size() == 8; }));
  CHECK(hub.options.pool->used_bytes() <= 2u << 20);
  // Given back one by one, the rest follows without a word from anybody else.
  for (std::size_t n = 9; n <= 20; ++n) {
    hub.seen.change([&] { kept[n - 9].share.release(); });
    REQUIRE(hub.seen.wait([&] { return kept.size() >= n; }));
  }
}

TEST_CASE("lookups, progress, documents and settlements cross", "[link][line]") {
  HubRig hub;
  GateRig gate(hub, "500153");
  REQUIRE(gate.wait_welcomes(1));
  hub.loop.run([&] {
    const SessionHandle session = hub.sessions.begin()->first;
    hub.link->progress(session, {"510521", 4, 3});
    hub.link->document(session, {Document::Kind::kRegion, Bytes(100'000, 1)});
  });
  gate.loop.run([&] {
    gate.link->lookup({5, {Uuid{{1}}}, {1, 2}});
    Settle settle;
    settle.sequence = 9;
    settle.signature = Bytes(64);
    gate.link->settle(settle);
  });
  CHECK(gate.seen.wait([&] { return gate.found && gate.found->request == 5 && gate.found->records[0].block == 7; }));
  CHECK(gate.seen.wait([&] { return gate.progress.size() == 1 && gate.documents.size() == 1; }));
  CHECK(hub.seen.wait([&] { return hub.settles.size() == 1 && hub.settles[0].sequence == 9; }));
}

TEST_CASE("calls with a session that has ended do nothing", "[link][line]") {
  HubRig hub;
  hub.loop.run([&] {
    CHECK_FALSE(hub.link->ack(77, {}));
    CHECK_FALSE(hub.link->deliver(77, 1, random_bytes(1)));
    CHECK_FALSE(hub.link->welcome(77, {}));
    hub.link->close(77, Code::kClosed, "");
  });
}

}  // namespace thalweg::link
