#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <filesystem>
#include <thread>

#include "link_rig.h"
#include "support/net_proxy.h"

namespace thalweg::link {
namespace {

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

}  // namespace

TEST_CASE("a parcel crosses and is acknowledged, and a delivery comes back", "[link]") {
  HubRig hub;
  hub.to_deliver = {random_bytes(1000, 2), random_bytes(200'000, 3)};
  GateRig gate(hub, "500153");
  const SharedBytes parcel = random_bytes(300'000);
  gate.submit(parcel);
  REQUIRE(gate.wait_acks(1));
  CHECK(gate.acks[0].number == 1);
  CHECK(gate.acks[0].code == Code::kOk);
  CHECK(hub.seen.look([&] { return hub.parcels["500153/gate-1"].at(0) == *parcel; }));
  REQUIRE(gate.seen.wait([&] { return gate.inbox.size() == 2; }));
  CHECK(gate.inbox[0] == *hub.to_deliver[0]);
  CHECK(gate.inbox[1] == *hub.to_deliver[1]);
}

TEST_CASE("a gate may have sent its parcels before the link is up", "[link]") {
  HubRig hub;
  GateRig gate(hub, "500153", [](GateLinkOptions& options, GateLinkEvents&) { options.queue_bytes = 1u << 20; });
  for (int i = 0; i < 200; ++i) gate.submit(random_bytes(40'000, static_cast<std::uint32_t>(i)));
  REQUIRE(gate.wait_acks(200));
  hub.seen.look([&] {
    for (std::size_t i = 0; i < 200; ++i) CHECK(hub.parcels["500153/gate-1"].at(i) == *gate.outbox[i]);
  });
}

TEST_CASE("a hub stops at once while many connections end", "[link]") {
  for (int round = 0; round < 25; ++round) {
    HubRig hub;
    boost::asio::io_context io;
    std::vector<boost::asio::ip::tcp::socket> visitors;
    for (int i = 0; i < 200; ++i)
      visitors.emplace_back(io).connect({boost::asio::ip::address_v4::loopback(), hub.port()});
    REQUIRE(hub.wait_counters([](const HubLinkCounters& c) { return c.connections == 200; }));
    std::thread leaving([&] { visitors.clear(); });
    hub.link->stop();
    leaving.join();
  }
}

TEST_CASE("a gate that comes back again and again leaves nothing behind in the hub", "[link]") {
  HubRig hub;
  GateRig gate(hub, "500153");
  REQUIRE(gate.wait_welcomes(1));
  const std::ptrdiff_t before = open_descriptors();
  for (std::size_t times = 1; times <= 50; ++times) {
    gate.loop.run([&] { gate.link->reconnect(); });
    REQUIRE(gate.wait_welcomes(times + 1));
  }
  CHECK(hub.wait_counters([&](const HubLinkCounters& c) { return c.connections == 1; }));
  // The descriptors of the ended lines are closed by libzmq's own threads, some time later.
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (open_descriptors() > before + 10 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  CHECK(open_descriptors() <= before + 10);
}

}  // namespace thalweg::link
