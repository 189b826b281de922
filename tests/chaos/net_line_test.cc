// net_line_test.cc: the line of the trials does what its weather says.
#include "chaos/net_line.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <thread>

using namespace thalweg;
using boost::asio::ip::tcp;
using chaos::NetLine;
using chaos::Weather;
using std::chrono::milliseconds;

namespace {

/// A server on a port, with a line before it and one connection through it.
struct Ends {
  boost::asio::io_context io;
  tcp::acceptor acceptor{io, {boost::asio::ip::address_v4::loopback(), 0}};
  NetLine line{acceptor.local_endpoint().port()};
  tcp::socket gate{io}, hub{io};

  Ends() { connect(); }
  void connect() {
    gate = tcp::socket(io);
    gate.connect({boost::asio::ip::address_v4::loopback(), line.port()});
    hub = acceptor.accept();
  }
  static void send(tcp::socket& to, const std::string& what) { boost::asio::write(to, boost::asio::buffer(what)); }
  /// So many bytes, or fewer when the connection ended or nothing more came within `most`.
  static std::string take(tcp::socket& from, std::size_t size, milliseconds most) {
    from.non_blocking(true);
    std::string got;
    const auto end = std::chrono::steady_clock::now() + most;
    while (got.size() < size && std::chrono::steady_clock::now() < end) {
      char piece[4096];
      boost::system::error_code error;
      const std::size_t n =
          from.read_some(boost::asio::buffer(piece, std::min(sizeof piece, size - got.size())), error);
      got.append(piece, n);
      if (error && error != boost::asio::error::would_block) break;
      if (n == 0) std::this_thread::yield();
    }
    return got;
  }
  /// How the connection ended for this side.
  static boost::system::error_code ending(tcp::socket& of) {
    of.non_blocking(false);
    char byte;
    boost::system::error_code error;
    of.read_some(boost::asio::buffer(&byte, 1), error);
    return error;
  }
};

constexpr milliseconds kLong{10'000}, kShort{150};

/// True once the line has let so many bytes vanish.
bool lost(const Ends& x, std::uint64_t bytes) {
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (x.line.counters().lost_bytes != bytes) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

TEST_CASE("a line that was slow and is fair again carries at once what waits for it") {
  Ends ends;
  constexpr std::size_t kBytes = 16u << 20;
  ends.line.set({milliseconds(20), milliseconds(5), 8'000'000, {}, {}});
  std::thread sender([&] {
    const std::string piece(3'000, 'x');
    for (std::size_t sent = 0; sent < kBytes; sent += piece.size()) Ends::send(ends.gate, piece);
  });
  CHECK(Ends::take(ends.hub, 1u << 20, milliseconds(60'000)).size() == 1u << 20);
  ends.line.set({});
  CHECK(Ends::take(ends.hub, kBytes - (1u << 20), milliseconds(60'000)).size() == kBytes - (1u << 20));
  ends.hub.close();
  sender.join();
}

TEST_CASE("a fair line passes everything on, both ways") {
  Ends x;
  const std::string much(300'000, 'x');
  std::thread writer([&] { Ends::send(x.gate, much); });
  CHECK(Ends::take(x.hub, much.size(), kLong) == much);
  writer.join();
  Ends::send(x.hub, "answer");
  CHECK(Ends::take(x.gate, 6, kLong) == "answer");
}

TEST_CASE("a delayed line keeps its bandwidth, a throttled one does not") {
  Ends x;
  const std::string much(64'000, 'x');
  const auto timed = [&] {
    const auto begin = std::chrono::steady_clock::now();
    std::thread writer([&] { Ends::send(x.gate, much); });
    CHECK(Ends::take(x.hub, much.size(), kLong) == much);
    writer.join();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  x.line.set({milliseconds(200), milliseconds(20), 0, {}, {}});
  CHECK(timed() >= 0.2);
  x.line.set({milliseconds(0), milliseconds(0), 1'000'000, {}, {}});
  CHECK(timed() >= 0.3);  // 512 kbit, but for the last piece
}

TEST_CASE("what a partition holds back arrives when it is over, and whoever connects meanwhile is heard then") {
  Ends x;
  x.line.set({{}, {}, 0, Weather::Way::kHeld, Weather::Way::kHeld});
  Ends::send(x.gate, "late");
  tcp::socket second(x.io);
  second.connect({boost::asio::ip::address_v4::loopback(), x.line.port()});
  CHECK(Ends::take(x.hub, 4, kShort).empty());
  x.line.set({});
  CHECK(Ends::take(x.hub, 4, kLong) == "late");
  Ends::send(second, "hello");
  tcp::socket heard = x.acceptor.accept();
  CHECK(Ends::take(heard, 5, kLong) == "hello");
}

TEST_CASE("a way that stands still stops that way alone") {
  Ends x;
  x.line.set({{}, {}, 0, Weather::Way::kHeld, Weather::Way::kOpen});
  Ends::send(x.gate, "up");
  Ends::send(x.hub, "down");
  CHECK(Ends::take(x.gate, 4, kLong) == "down");
  CHECK(Ends::take(x.hub, 2, kShort).empty());
  x.line.set({});
  CHECK(Ends::take(x.hub, 2, kLong) == "up");
}

TEST_CASE("a half-open connection never speaks again and never ends, a new one works") {
  Ends x;
  x.line.set({{}, {}, 0, Weather::Way::kLost, Weather::Way::kLost});
  Ends::send(x.gate, "gone");
  CHECK(lost(x, 4));
  CHECK(Ends::take(x.hub, 4, kShort).empty());
  x.line.set({});
  Ends::send(x.gate, "more");
  x.gate.shutdown(tcp::socket::shutdown_send);
  CHECK(lost(x, 8));
  CHECK(Ends::take(x.hub, 4, kShort).empty());
  boost::system::error_code error;
  char byte;
  x.hub.read_some(boost::asio::buffer(&byte, 1), error);
  CHECK(error == boost::asio::error::would_block);
  x.connect();
  Ends::send(x.gate, "again");
  CHECK(Ends::take(x.hub, 5, kLong) == "again");
}

TEST_CASE("a line is cut by a reset or by an end, as wanted, and the next connection works") {
  Ends x;
  x.line.cut(true);
  CHECK(Ends::ending(x.gate) == boost::asio::error::connection_reset);
  x.connect();
  x.line.cut(false);
  CHECK(Ends::ending(x.hub) == boost::asio::error::eof);
  x.connect();
  Ends::send(x.gate, "again");
  CHECK(Ends::take(x.hub, 5, kLong) == "again");
}

TEST_CASE("a side that ends its connection ends the other side's") {
  Ends x;
  Ends::send(x.hub, "last");
  x.hub.close();
  CHECK(Ends::take(x.gate, 4, kLong) == "last");
  CHECK(Ends::ending(x.gate) == boost::asio::error::eof);
}
