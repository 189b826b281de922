#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <fstream>
#include <thread>

#include "raw_peer.h"

namespace thalweg::link {
namespace {

using boost::asio::ip::tcp;

/// Memory of this process that is in use now.
std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0, resident = 0;
  statm >> pages >> resident;
  return resident * 4096;
}

/// An honest gate next to the hostile one: it must notice nothing.
void honest_goes_on(HubRig& hub) {
  GateRig honest(hub, "510521");
  honest.submit(random_bytes(100'000));
  CHECK(honest.wait_acks(1));
}

}  // namespace

TEST_CASE("a key that is not known does not get in, and the gate is told", "[link][hostile]") {
  HubRig hub;
  GateRig stranger(hub, "999999", {}, false);
  CHECK(stranger.wait_down(Code::kKeyUnknown));
  CHECK(hub.wait_counters([](const HubLinkCounters& c) { return c.refused_keys >= 1; }));
  CHECK(hub.seen.look([&] { return hub.hellos; }) == 0);
  honest_goes_on(hub);
}

TEST_CASE("a known key gets in under its own name only", "[link][hostile]") {
  HubRig hub;
  GateRig liar(hub, "510521", [](GateLinkOptions&, GateLinkEvents& events) {
    events.make_hello = [] {
      Hello hello;
      hello.party = "500153";
      hello.gate = "gate-1";
      return hello;
    };
  });
  CHECK(liar.wait_down(Code::kDenied));
  CHECK(hub.seen.look([&] { return hub.hellos; }) == 0);
}

TEST_CASE("a hub with another key than the gate was told gets no session", "[link][hostile]") {
  HubRig hub;
  const KeyPair other;
  GateRig gate(hub, "500153",
               [&](GateLinkOptions& options, GateLinkEvents&) { options.hubs[0].curve_public_z85 = other.public_z85; });
  CHECK(gate.wait_down(Code::kLinkHandshake));
  CHECK(hub.seen.look([&] { return hub.hellos; }) == 0);
}

TEST_CASE("a HELLO of another version is answered with the reason", "[link][hostile]") {
  HubRig hub;
  KnownPeer peer(hub);
  peer.hello("500153", [](Hello& hello) { hello.version = 99; });
  const Bytes answer = peer.expect(MessageType::kRefuse);
  const auto refuse = Refuse::decode(answer);
  REQUIRE(refuse);
  CHECK(refuse->code == Code::kLinkVersion);
  CHECK(peer.shut());
}

TEST_CASE("a HELLO on the port of the other lane is refused", "[link][hostile]") {
  HubRig hub;
  GateRig gate(hub, "500153", [](GateLinkOptions& options, GateLinkEvents&) { options.lane = Lane::kUrgent; });
  CHECK(gate.wait_down(Code::kConfig));
}

TEST_CASE("garbage in place of messages ends the connection and harms nobody else", "[link][hostile]") {
  HubRig hub;
  KnownPeer peer(hub);
  SECTION("instead of HELLO") { peer.send(Bytes(1000, 0x55)); }
  SECTION("a message before HELLO") { peer.send(encoded(Ping{1, 2})); }
  SECTION("after HELLO") {
    REQUIRE(peer.welcomed());
    peer.send(Bytes(1000, 0x55));
  }
  SECTION("a second HELLO") {
    REQUIRE(peer.welcomed());
    peer.hello("500153");
  }
  SECTION("what only the hub may say") {
    REQUIRE(peer.welcomed());
    peer.send(encoded(Ack{}));
  }
  SECTION("an empty message") {
    REQUIRE(peer.welcomed());
    peer.send({});
  }
  SECTION("a CHUNK that is cut short") {
    REQUIRE(peer.welcomed());
    peer.send({'W', 4, 0, 0, 1, 0});
  }
  CHECK(peer.shut());
  CHECK(hub.wait_counters([](const HubLinkCounters& c) { return c.frames_bad == 1; }));
  honest_goes_on(hub);
}

TEST_CASE("a message larger than allowed ends the connection", "[link][hostile]") {
  HubRig hub;
  KnownPeer peer(hub);
  SECTION("before HELLO") { peer.send(Bytes(kMaxToHubBytes + 1000)); }
  SECTION("in a session, and that is counted") {
    REQUIRE(peer.welcomed());
    peer.send(Bytes(kMaxToHubBytes + 1000));
    CHECK(hub.wait_counters([](const HubLinkCounters& c) { return c.frames_bad == 1; }));
  }
  CHECK(peer.shut());
}

TEST_CASE("a multipart message is thrown away and its connection shut down", "[link][hostile]") {
  HubRig hub;
  KnownPeer peer(hub);
  SECTION("as the first message") {}
  SECTION("in a session") { REQUIRE(peer.welcomed()); }
  peer.send(encoded(Ping{1, 2}), true);
  peer.send(Bytes(100), true);
  peer.send(Bytes(100));
  CHECK(peer.shut());
  CHECK(hub.wait_counters([](const HubLinkCounters& c) { return c.multipart == 1; }));
  honest_goes_on(hub);
}

TEST_CASE("a multipart message without end is cut off before it costs memory", "[link][hostile]") {
  // On a slow machine its sending may take long: not the clock is to end it.
  HubRig hub([](HubLinkOptions& options, HubLinkEvents&) {
    options.heartbeat_ms = 60'000;
    options.handshake_ms = 60'000;
  });
  GateRig honest(hub, "510521");
  honest.submit(random_bytes(100'000));
  REQUIRE(honest.wait_acks(1));

  KnownPeer peer(hub);
  SECTION("before HELLO") {}
  SECTION("in a session") { REQUIRE(peer.welcomed()); }
  // libzmq sends a message only once it is whole, so this one has an end: after 6 GiB.
  const std::size_t before = resident_bytes();
  const Bytes frame(64 * 1024);
  for (int i = 0; i < 100'000; ++i) peer.send_shared(frame, true);
  peer.send_shared(frame, false);
  CHECK(peer.shut());
  CHECK(hub.wait_counters([](const HubLinkCounters& c) { return c.excess == 1; }));
  const std::size_t after = resident_bytes();
  CHECK(after - std::min(after, before) < 400u << 20);

  honest.submit(random_bytes(100'000));
  CHECK(honest.wait_acks(2));
}

TEST_CASE("a peer that sets its routing id, taken or not, harms nobody", "[link][hostile]") {
  HubRig hub;
  GateRig honest(hub, "510521");
  REQUIRE(honest.wait_welcomes(1));
  const KeyPair keys;
  hub.allow(keys, "500153/gate-1");
  SECTION("its own connection is shut down when it speaks") {
    RawPeer squatter(hub, keys, "510521/gate-1");
    REQUIRE(squatter.connected());
    squatter.hello("500153");
    CHECK(squatter.shut());
    CHECK(hub.wait_counters([](const HubLinkCounters& c) { return c.frames_bad == 1; }));
  }
  SECTION("one that is taken is never heard and times out") {
    HubRig quick([](HubLinkOptions& options, HubLinkEvents&) { options.handshake_ms = 1000; });
    quick.allow(keys, "500153/gate-1");
    RawPeer first(quick, keys, "same");
    REQUIRE(first.connected());
    RawPeer second(quick, keys, "same");
    REQUIRE(second.connected());
    second.hello("500153");
    CHECK(second.shut());
    CHECK(first.shut());
    GateRig other(quick, "500111");
    other.submit(random_bytes(1000));
    CHECK(other.wait_acks(1));
  }
  honest.submit(random_bytes(1000));
  CHECK(honest.wait_acks(1));
}

TEST_CASE("a peer that stops in mid-handshake is let go", "[link][hostile]") {
  HubRig hub([](HubLinkOptions& options, HubLinkEvents&) { options.handshake_ms = 200; });
  boost::asio::io_context io;
  tcp::socket peer(io);
  peer.connect({boost::asio::ip::address_v4::loopback(), hub.port()});
  SECTION("after half a greeting") { boost::asio::write(peer, boost::asio::buffer("\xff\0\0\0\0\0\0\0\1\x7f\3", 11)); }
  SECTION("with the words of another protocol") {
    boost::asio::write(peer, boost::asio::buffer(std::string("GET / HTTP/1.1\r\n\r\n")));
  }
  SECTION("without a word") {}
  // Whatever the hub says to it, in the end the connection ends.
  std::array<char, 256> sink;
  boost::system::error_code error;
  while (!error) peer.read_some(boost::asio::buffer(sink), error);
  CHECK((error == boost::asio::error::eof || error == boost::asio::error::connection_reset));
  honest_goes_on(hub);
}

TEST_CASE("who holds connections open and says nothing pushes out himself, and gates get through", "[link][hostile]") {
  constexpr std::size_t kMost = 8;
  HubRig hub([](HubLinkOptions& options, HubLinkEvents&) {
    options.handshake_ms = 600'000;
    options.max_strangers = kMost;
    SECTION("from one address") { options.max_strangers_per_address = 4; }
    SECTION("from many") {}
  });
  GateRig before(hub, "500153");
  REQUIRE(before.wait_welcomes(1));
  boost::asio::io_context io;
  std::vector<tcp::socket> silent;
  for (std::uint64_t i = 1; i <= 50; ++i) {
    silent.emplace_back(io);
    silent.back().connect({boost::asio::ip::address_v4::loopback(), hub.port()});
    REQUIRE(hub.wait_counters([&](const HubLinkCounters& c) { return c.accepted == 1 + i; }));
  }
  CHECK(hub.wait_counters(
      [](const HubLinkCounters& c) { return c.crowded >= 50 - kMost && c.connections <= 1 + kMost; }));
  honest_goes_on(hub);
  before.submit(random_bytes(1000));
  CHECK(before.wait_acks(1));
}

TEST_CASE("an address that fails again and again is turned away, but never one that a session came from",
          "[link][hostile]") {
  HubRig hub([](HubLinkOptions& options, HubLinkEvents&) {
    options.failures_at_once = 3;
    options.failures_per_s = 0;
  });
  auto fail = [&, accepted = std::uint64_t{0}]() mutable {
    boost::asio::io_context io;
    tcp::socket peer(io);
    peer.open(tcp::v4());
    peer.bind({boost::asio::ip::make_address_v4("127.66.0.1"), 0});
    peer.connect({boost::asio::ip::address_v4::loopback(), hub.port()});
    REQUIRE(hub.wait_counters([&](const HubLinkCounters& c) { return c.accepted > accepted; }));
    peer.close();
    REQUIRE(hub.wait_counters([&](const HubLinkCounters& c) { return c.failed_handshakes > accepted; }));
    ++accepted;
  };
  for (int i = 0; i < 3; ++i) fail();
  CHECK(hub.counters().turned_away == 0);
  for (int i = 0; i < 3; ++i) fail();
  CHECK(hub.counters().turned_away == 3);
  honest_goes_on(hub);  // from another address
  for (int i = 0; i < 5; ++i) {
    GateRig stranger(hub, "999999", {}, false);
    REQUIRE(stranger.wait_down(Code::kKeyUnknown));
  }
  GateRig another(hub, "500111");  // from the strangers' own
  another.submit(random_bytes(1000));
  CHECK(another.wait_acks(1));
  CHECK(hub.counters().turned_away == 3);
}

TEST_CASE("every connection that ends before HELLO is counted once, and every end of a session by its code",
          "[link][hostile]") {
  HubRig hub;
  boost::asio::io_context io;
  {
    tcp::socket other(io);
    other.connect({boost::asio::ip::address_v4::loopback(), hub.port()});
    boost::asio::write(other, boost::asio::buffer(std::string("GET / HTTP/1.1\r\n\r\n")));
    REQUIRE(hub.wait_counters([](const HubLinkCounters& c) { return c.accepted == 1; }));
  }
  CHECK(hub.wait_counters([](const HubLinkCounters& c) { return c.failed_handshakes == 1; }));
  {
    // It is gone before it tries again: an attempt that ends half-way has failed, but for no key.
    const auto unhurried = [](GateLinkOptions& options, GateLinkEvents&) {
      options.backoff_first_ms = 2'000;
      options.backoff_most_ms = 2'000;
    };
    GateRig stranger(hub, "999999", unhurried, false);
    REQUIRE(stranger.wait_down(Code::kKeyUnknown));
  }
  CHECK(hub.wait_counters([](const HubLinkCounters& c) {
    return c.connections == 0 && c.failed_handshakes == c.accepted && c.refused_keys == c.accepted - 1;
  }));
  KnownPeer liar(hub);
  liar.hello("510521");
  CHECK(hub.wait_counters([](const HubLinkCounters& c) { return c.refused.contains(Code::kDenied); }));
  KnownPeer noisy(hub);
  REQUIRE(noisy.welcomed());
  noisy.send(Bytes(10, 0x55));
  CHECK(hub.wait_counters([](const HubLinkCounters& c) {
    return c.ended == std::map<Code, std::uint64_t>{{Code::kLinkFrame, 1}};
  }));
}

TEST_CASE("a gate that connects and never says HELLO is let go", "[link][hostile]") {
  HubRig hub([](HubLinkOptions& options, HubLinkEvents&) { options.handshake_ms = 1000; });
  KnownPeer peer(hub);
  CHECK(peer.shut());
}

TEST_CASE("a gate that sends beyond its credit is closed", "[link][hostile]") {
  HubRig hub([](HubLinkOptions& options, HubLinkEvents&) {
    AssemblyPool::Options pool;
    pool.capacity_bytes = 0;  // nothing beyond the floor is ever granted
    pool.urgent_bytes = 0;
    options.pool = AssemblyPool::make(pool);
  });
  KnownPeer peer(hub);
  peer.hello("500153");
  const auto welcome = Welcome::decode(peer.expect(MessageType::kWelcome));
  REQUIRE(welcome);
  const SharedBytes parcel = random_bytes(4u << 20);
  ChunkSplitter splitter(Transfer::kParcel, 1, parcel);
  for (std::uint64_t sent = 0; sent <= welcome->credit_bytes; sent += kMaxChunkBytes) {
    Bytes bytes;
    splitter.peek(kMaxChunkBytes, 0).encode(bytes);
    peer.send(bytes);
    splitter.advance(kMaxChunkBytes);
  }
  const auto bye = Bye::decode(peer.expect(MessageType::kBye));
  REQUIRE(bye);
  CHECK(bye->code == Code::kLinkCredit);
  CHECK(peer.shut());
  CHECK(hub.wait_counters([](const HubLinkCounters& c) { return c.credit_breaches == 1; }));
}

TEST_CASE("a parcel larger than the link takes is refused with its code", "[link][hostile]") {
  HubRig hub;
  KnownPeer peer(hub);
  REQUIRE(peer.welcomed());
  const Bytes payload(1000);
  Chunk chunk;
  chunk.number = 1;
  chunk.total = 64u << 20;
  chunk.bytes = payload;
  peer.send(encoded(chunk));
  const auto bye = Bye::decode(peer.expect(MessageType::kBye));
  REQUIRE(bye);
  CHECK(bye->code == Code::kParcelTooLarge);
}

TEST_CASE("a key that is revoked between handshake and HELLO gets no session", "[link][hostile]") {
  HubRig hub;
  KnownPeer peer(hub);
  hub.seen.change([&] { hub.allowed.clear(); });
  peer.hello("500153");
  const auto refuse = Refuse::decode(peer.expect(MessageType::kRefuse));
  REQUIRE(refuse);
  CHECK(refuse->code == Code::kKeyRevoked);
}

TEST_CASE("revoking a key ends its session at once", "[link][hostile]") {
  HubRig hub;
  GateRig gate(hub, "500153");
  GateRig other(hub, "510521");
  REQUIRE(gate.wait_welcomes(1));
  REQUIRE(other.wait_welcomes(1));
  hub.seen.change([&] { hub.allowed.erase(gate.keys.public_z85); });
  hub.loop.run([&] { hub.link->close_user("500153/gate-1", Code::kKeyRevoked, "revoked"); });
  CHECK(gate.wait_down(Code::kKeyRevoked));
  CHECK(hub.seen.look([&] { return hub.closed == std::vector<Code>{Code::kKeyRevoked}; }));
  CHECK(gate.wait_down(Code::kKeyUnknown));
  other.submit(random_bytes(1000));
  CHECK(other.wait_acks(1));
}

TEST_CASE("a gate that asks more than any needs to is closed, and others do not wait for its answers",
          "[link][hostile]") {
  HubRig hub([](HubLinkOptions& options, HubLinkEvents&) { options.questions_at_once = 100; });
  KnownPeer peer(hub);
  REQUIRE(peer.welcomed());
  SECTION("with PING") {
    for (int i = 0; i < 1000; ++i) peer.send(encoded(Ping{1, 2}));
  }
  SECTION("with LOOKUP") {
    for (int i = 0; i < 1000; ++i) peer.send(encoded(Lookup{}));
  }
  // What it went on to send may make its kernel forget the BYE.
  CHECK(peer.shut());
  CHECK(hub.wait_counters([](const HubLinkCounters& c) {
    return c.floods == 1 && c.ended == std::map<Code, std::uint64_t>{{Code::kLinkCredit, 1}};
  }));
  honest_goes_on(hub);
}

TEST_CASE("a gate that asks and never reads is closed when its answers pile up", "[link][hostile]") {
  HubRig hub([](HubLinkOptions& options, HubLinkEvents&) {
    options.control_queue_bytes = 256 * 1024;
    options.questions_at_once = 1'000'000;
    options.heartbeat_ms = 60'000;
  });
  KnownPeer peer(hub);
  REQUIRE(peer.welcomed());
  Lookup lookup;
  lookup.records.resize(kMaxLookups);
  const Bytes question = encoded(lookup);
  std::atomic<bool> done = false;
  std::thread asking([&] {
    while (!done) peer.send_if_room(question);
  });
  CHECK(hub.wait_counters([](const HubLinkCounters& c) { return c.silent + c.excess >= 1; }));
  done = true;
  asking.join();
  honest_goes_on(hub);
}

}  // namespace thalweg::link
