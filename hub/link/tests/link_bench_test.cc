// Measurements, hidden from ctest: test_link "[bench]" in a release build.
#include <algorithm>
#include <cstdio>
#include <thread>

#include "base/hash.h"
#include "link_rig.h"

namespace thalweg::link {
namespace {

using SteadyClock = std::chrono::steady_clock;

double micros(SteadyClock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

void print_quantiles(const char* what, std::vector<double> us) {
  std::sort(us.begin(), us.end());
  const auto at = [&](double q) {
    return us[std::min(us.size() - 1, static_cast<std::size_t>(q * static_cast<double>(us.size())))];
  };
  std::printf("%-58s p50 %8.0f  p99 %8.0f  p99.9 %8.0f us (%zu)\n", what, at(0.5), at(0.99), at(0.999), us.size());
}

/// A hub that hashes what comes, as the real one does, and acknowledges.
void hashing(HubRig*& rig, HubLinkEvents& events) {
  events.on_hello = [&rig](const Session& session) {
    rig->seen.change([&] { rig->sessions[session.handle] = session; });
    rig->link->welcome(session.handle, {});
  };
  events.on_parcel = [&rig](const Session& session, Assembled parcel) {
    (void)sha256(parcel.bytes);
    Ack ack;
    ack.number = parcel.number;
    parcel.share.release();
    rig->link->ack(session.handle, ack);
  };
}

/// Sends parcels of one size as fast as they are taken, until told to stop.
struct Bulk {
  Bulk(HubRig& hub, const std::string& party, std::size_t bytes, std::function<void(GateLinkOptions&)> change = {})
      : parcel(random_bytes(bytes)), gate(hub, party, [this, change](GateLinkOptions& options, GateLinkEvents& events) {
          if (change) change(options);
          events.on_welcome = [this](const Welcome&) {
            gate.loop.post([this] { more(); });
            return Code::kOk;
          };
          events.on_room = [this] { more(); };
          events.on_ack = [this](const Ack&) {
            acked_bytes += parcel->size();
            more();
          };
        }) {}
  void more() {
    while (!stop && gate.link && gate.link->send_parcel(++number, parcel)) {
    }
    --number;
  }
  void warm_up() const {
    while (acked_bytes < 20u << 20) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  SharedBytes parcel;
  std::uint64_t number = 0;
  std::atomic<std::uint64_t> acked_bytes{0};
  std::atomic<bool> stop{false};
  GateRig gate;
};

/// One small parcel after the other, each from submission to acknowledgement.
std::vector<double> latencies(HubRig& hub, const std::string& party, int count, std::chrono::microseconds pause,
                              Lane lane = Lane::kRoutine) {
  std::vector<double> us;
  GateRig gate(hub, party, [&](GateLinkOptions& options, GateLinkEvents&) { options.lane = lane; });
  gate.wait_welcomes(1);
  const SharedBytes parcel = random_bytes(1200);
  for (int i = 0; i < count; ++i) {
    const auto start = SteadyClock::now();
    gate.submit(parcel);
    if (!gate.wait_acks(static_cast<std::size_t>(i) + 1)) break;
    us.push_back(micros(SteadyClock::now() - start));
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
  }
  return us;
}

double rate_mb(const std::atomic<std::uint64_t>& bytes, std::chrono::milliseconds over) {
  const std::uint64_t before = bytes;
  const auto start = SteadyClock::now();
  std::this_thread::sleep_for(over);
  return static_cast<double>(bytes - before) / micros(SteadyClock::now() - start);
}

double raw_rate_mb(std::size_t message_bytes) {
  const KeyPair server, client;
  zmq::context_t hub, gate;
  zmq::socket_t router(hub, zmq::socket_type::router), dealer(gate, zmq::socket_type::dealer);
  router.set(zmq::sockopt::linger, 0);
  dealer.set(zmq::sockopt::linger, 0);
  router.set(zmq::sockopt::curve_server, true);
  router.set(zmq::sockopt::curve_secretkey, server.secret_z85);
  dealer.set(zmq::sockopt::curve_serverkey, server.public_z85);
  dealer.set(zmq::sockopt::curve_publickey, client.public_z85);
  dealer.set(zmq::sockopt::curve_secretkey, client.secret_z85);
  dealer.set(zmq::sockopt::sndhwm, static_cast<int>((1u << 20) / message_bytes));
  router.bind("tcp://127.0.0.1:*");
  dealer.connect(router.get(zmq::sockopt::last_endpoint));
  constexpr std::size_t kTotal = 1u << 30;
  std::thread sender([&] {
    for (std::size_t sent = 0; sent < kTotal; sent += message_bytes) {
      zmq::message_t message(message_bytes);
      (void)dealer.send(message, zmq::send_flags::none);
    }
  });
  SteadyClock::time_point start;
  for (std::size_t got = 0; got < kTotal; got += message_bytes) {
    zmq::message_t id, message;
    (void)router.recv(id);
    (void)router.recv(message);
    if (got == 0) start = SteadyClock::now();
  }
  const double rate = static_cast<double>(kTotal) / micros(SteadyClock::now() - start);
  sender.join();
  return rate;
}

}  // namespace

TEST_CASE("bench: what the link carries", "[.][bench]") {
  for (const std::size_t bytes : {1u << 10, 4u << 10, 16u << 10, 64u << 10})
    std::printf("raw DEALER to ROUTER, CURVE, messages of %2zu KiB: %6.0f MB/s\n", bytes >> 10, raw_rate_mb(bytes));
  for (const std::size_t bytes : {16u << 10, 64u << 10, 256u << 10, 4u << 20}) {
    HubRig* at = nullptr;
    HubRig hub([&](HubLinkOptions&, HubLinkEvents& events) { hashing(at, events); });
    at = &hub;
    Bulk bulk(hub, "500153", bytes);
    bulk.warm_up();
    std::printf("gate to hub, parcels of %4zu KiB, hashed, acknowledged: %6.0f MB/s\n", bytes >> 10,
                rate_mb(bulk.acked_bytes, std::chrono::seconds(2)));
    bulk.stop = true;
  }
}

TEST_CASE("bench: an urgent parcel beside routine load, one ROUTER or two", "[.][bench]") {
  const std::chrono::milliseconds pause(5);
  for (int run = 0; run < 3; ++run) {
    HubRig* at = nullptr;
    HubRig shared([&](HubLinkOptions&, HubLinkEvents& events) { hashing(at, events); });
    at = &shared;
    if (run == 0) print_quantiles("idle: small parcel to acknowledgement", latencies(shared, "510521", 2000, {}));
    Bulk one(shared, "500153", 256u << 10), two(shared, "500111", 256u << 10);
    one.warm_up();
    print_quantiles("routine load, urgent on the same ROUTER", latencies(shared, "510521", 500, pause));

    HubRig* urgent_at = nullptr;
    HubRig urgent([&](HubLinkOptions& options, HubLinkEvents& events) {
      options.lane = Lane::kUrgent;
      hashing(urgent_at, events);
    });
    urgent_at = &urgent;
    print_quantiles("routine load, urgent on a ROUTER, thread and port of its own",
                    latencies(urgent, "510521", 500, pause, Lane::kUrgent));
    std::printf("   (routine meanwhile %.0f MB/s)\n", rate_mb(one.acked_bytes, std::chrono::milliseconds(500)) +
                                                          rate_mb(two.acked_bytes, std::chrono::milliseconds(500)));
    one.stop = two.stop = true;
  }
}

}  // namespace thalweg::link
