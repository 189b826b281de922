// The station against the real hj212 source, with the host in memory.
#include "player.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <future>

#include "hj212/packet.h"
#include "support/held_port.h"
#include "testkit/fake_host.h"

using namespace thalweg;
using namespace thalweg::station;
using thalweg::testkit::FakeHost;

namespace {

struct Gate {
  explicit Gate(const std::string& at = "0") : host(&thalweg_plugin_open, {.kind = "source"}) {
    char pattern[] = "/tmp/thalweg-station-XXXXXX";
    folder = mkdtemp(pattern);
    start(at);
  }
  ~Gate() {
    host.stop();
    std::filesystem::remove_all(folder);
    CHECK(host.breaches() == std::vector<std::string>{});
  }
  void start(const std::string& at) {
    REQUIRE(host.configure(R"({"listen":"127.0.0.1:)" + at + R"(","port_file":")" + folder +
                           R"(/port","stations":[{"mn":"M","section":"s"}]})"));
    REQUIRE(host.start());
    std::ifstream(folder + "/port") >> port;
  }
  std::string folder, port;
  FakeHost host;
};

Options options_to(const Gate& gate) {
  Options o;
  o.host = "127.0.0.1";
  o.port = gate.port;
  o.mn = "M";
  o.wait_answers = true;
  o.give_up_ms = 20'000;
  return o;
}

std::vector<Moment> table() {
  return *parse_table("time,w01009,w21003\n2026-09-07 02:00,--,--\n2026-09-23 06:00,2.82,0.079\n");
}

const std::atomic<bool> kGoOn{false};

}  // namespace

TEST_CASE("all packets are answered and their records distinct", "[station]") {
  Gate gate;
  Options o = options_to(gate);
  o.repeat = 100;
  o.window = 16;
  auto done = std::async(std::launch::async, [&] { return play(o, table(), kGoOn); });
  for (std::size_t settled = 0; settled < 200;) {
    REQUIRE(gate.host.wait_submitted(1));
    const std::size_t now = gate.host.submitted().size();
    CHECK(now <= 16);
    gate.host.settle(now);
    settled += now;
  }
  const Summary s = done.get();
  CHECK(s.packets == 200);
  CHECK(s.answered == 200);
  CHECK(s.complete(o));
  CHECK(gate.host.accepted_keys().size() == 200);
}

TEST_CASE("what is not answered in time is sent again", "[station]") {
  Gate gate;
  Options o = options_to(gate);
  o.timeout_ms = 50;
  auto done = std::async(std::launch::async, [&] { return play(o, table(), kGoOn); });
  REQUIRE(gate.host.wait_submitted(4));  // both, and both again
  auto pump = std::async(std::launch::async, [&] {
    while (done.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) gate.host.settle_all();
  });
  pump.get();
  const Summary s = done.get();
  CHECK(s.answered == 2);
  CHECK(s.resent >= 2);
  gate.host.settle_all();
  CHECK(gate.host.accepted_keys().size() == 2);
}

TEST_CASE("a gate that goes away and comes back gets everything, once", "[station]") {
  const HeldPort held;
  Gate gate(std::to_string(held.number()));
  const Options o = options_to(gate);
  auto done = std::async(std::launch::async, [&] { return play(o, table(), kGoOn); });
  REQUIRE(gate.host.wait_submitted(2));
  gate.host.settle(1);
  gate.host.stop();
  gate.start(gate.port);
  REQUIRE(gate.host.wait_submitted(1));
  gate.host.settle_all();
  auto pump = std::async(std::launch::async, [&] {
    while (done.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) gate.host.settle_all();
  });
  pump.get();
  const Summary s = done.get();
  CHECK(s.answered == 2);
  CHECK(s.reconnects >= 1);
  CHECK(gate.host.accepted_keys().size() == 2);
}

TEST_CASE("without waiting every packet is sent once and asks for no answer", "[station]") {
  Gate gate;
  Options o = options_to(gate);
  o.wait_answers = false;
  o.repeat = 50;
  const Summary s = play(o, table(), kGoOn);
  CHECK(s.complete(o));
  CHECK(s.sent == 100);
  REQUIRE(gate.host.wait_submitted(100));
  gate.host.settle_all();
  CHECK(gate.host.accepted_keys().size() == 100);
}

TEST_CASE("the station gives up when told to, and says what is open", "[station]") {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor nobody(
      io, {boost::asio::ip::address_v4::loopback(), 0});  // accepts nothing, answers nothing
  Options o;
  o.host = "127.0.0.1";
  o.port = std::to_string(nobody.local_endpoint().port());
  o.mn = "M";
  o.wait_answers = true;
  o.give_up_ms = 30;
  o.timeout_ms = 10;
  const Summary s = play(o, table(), kGoOn);
  CHECK(s.answered == 0);
  CHECK_FALSE(s.complete(o));
  const std::atomic<bool> stop{true};
  CHECK_FALSE(play(o, table(), stop).complete(o));
}

TEST_CASE("the same moment has the same number unless numbers are to be fresh", "[station]") {
  Options o;
  o.mn = "M";
  const auto moments = table();
  CHECK(packet(o, moments[1], 0, 1) == packet(o, moments[1], 0, 7));
  CHECK_THAT(packet(o, moments[0], 0, 0), Catch::Contains("Flag=4;CP=&&DataTime=20260907020000&&"));
  CHECK_THAT(packet(o, moments[1], 0, 0), Catch::Contains("w01009-Rtd=2.82,w01009-Flag=N;w21003-Rtd=0.079"));
  o.fresh = true;
  CHECK(packet(o, moments[1], 0, 1) != packet(o, moments[1], 0, 7));
}
