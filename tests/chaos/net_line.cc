#include "chaos/net_line.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <list>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "support/line_socket.h"

namespace thalweg::chaos {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kPieceBytes = 16 * 1024;
constexpr std::size_t kUnderWayBytes = 256 * 1024;  // each way of a connection
constexpr auto kLookAgain = std::chrono::milliseconds(10);

tcp::endpoint local(std::uint16_t port) { return {boost::asio::ip::address_v4::loopback(), port}; }

}  // namespace

struct NetLine::Impl {
  struct Pair;
  /// One way of a connection: pieces wait until they are due, and as long as the line takes for them.
  struct Pipe {
    Pipe(Pair& of, tcp::socket& a, tcp::socket& b, bool is_up, boost::asio::io_context& io)
        : pair(of), from(a), to(b), up(is_up), timer(io) {}
    struct Piece {
      SteadyClock::time_point due;
      std::vector<char> bytes;  // none: the end
    };
    Pair& pair;
    tcp::socket &from, &to;
    const bool up;
    boost::asio::steady_timer timer;
    std::deque<Piece> pieces;
    std::size_t under_way = 0;
    SteadyClock::time_point last_due{}, free_at{};
    bool reading = false, moving = false;
  };
  struct Pair : std::enable_shared_from_this<Pair> {
    explicit Pair(boost::asio::io_context& io) : near_side(io), far_side(io), timer(io) {}
    tcp::socket near_side, far_side;
    boost::asio::steady_timer timer;
    Pipe up{*this, near_side, far_side, true, static_cast<boost::asio::io_context&>(timer.get_executor().context())};
    Pipe down{*this, far_side, near_side, false, static_cast<boost::asio::io_context&>(timer.get_executor().context())};
    bool dead = false;  // it lost bytes
    bool closed = false;

    void close(bool reset) {
      if (std::exchange(closed, true)) return;
      error_code ignored;
      for (tcp::socket* socket : {&near_side, &far_side}) {
        if (reset) socket->set_option(boost::asio::socket_base::linger(true, 0), ignored);
        socket->close(ignored);
      }
      up.timer.cancel();
      down.timer.cancel();
      timer.cancel();
    }
  };
  using PairPtr = std::shared_ptr<Pair>;

  explicit Impl(std::uint16_t target_port) : target(target_port) {
    for (int attempt = 0; attempt < 100 && port == 0; ++attempt) listen();
    if (port == 0) throw std::runtime_error("no two free ports");
    for (std::uint16_t lane = 0; lane < 2; ++lane) accept(lane);
    loop.start();
  }
  ~Impl() {
    loop.stop();
    loop.join();
  }

  void listen() {
    std::uint16_t first = 0;
    for (std::size_t lane = 0; lane < 2; ++lane) {
      error_code error;
      tcp::acceptor& acceptor = acceptors[lane];
      acceptor.close(error);
      acceptor.open(tcp::v4());
      take_in_like_a_line(acceptor);
      acceptor.bind(local(lane == 0 ? 0 : static_cast<std::uint16_t>(first + 1)), error);
      if (error) return;
      first = acceptors[0].local_endpoint().port();
      if (first == 65535) return;
      acceptor.listen();
    }
    port = first;
  }

  void accept(std::uint16_t lane) {
    auto pair = std::make_shared<Pair>(loop.io());
    acceptors[lane].async_accept(pair->near_side, [this, pair, lane](error_code error) {
      if (error == boost::asio::error::operation_aborted) return;
      if (!error) {
        ++connections;
        pairs.push_back(pair);
        connect(pair, lane);
      }
      accept(lane);
    });
  }

  bool shut() const { return weather.up != Weather::Way::kOpen && weather.down != Weather::Way::kOpen; }

  /// Who connects while the line is shut hears nothing until it is open again.
  void connect(const PairPtr& pair, std::uint16_t lane) {
    if (pair->closed) return;
    if (shut()) {
      pair->timer.expires_after(kLookAgain);
      pair->timer.async_wait([this, pair, lane](error_code error) {
        if (!error) connect(pair, lane);
      });
      return;
    }
    error_code ignored;
    pair->far_side.open(tcp::v4(), ignored);
    take_in_like_a_line(pair->far_side);
    pair->far_side.async_connect(local(static_cast<std::uint16_t>(target + lane)), [this, pair](error_code error) {
      if (error) return end(pair);
      read(pair, pair->up);
      read(pair, pair->down);
    });
  }

  void end(const PairPtr& pair) {
    pair->close(false);
    pairs.remove(pair);
  }

  Weather::Way way(const Pipe& pipe) const { return pipe.up ? weather.up : weather.down; }

  void read(const PairPtr& pair, Pipe& pipe) {
    if (pair->closed || pipe.reading || pipe.under_way >= kUnderWayBytes) return;
    pipe.reading = true;
    auto piece = std::make_shared<std::vector<char>>(kPieceBytes);
    pipe.from.async_read_some(boost::asio::buffer(*piece), [this, pair, &pipe, piece](error_code error, std::size_t n) {
      pipe.reading = false;
      if (pair->closed) return;
      if (way(pipe) == Weather::Way::kLost) pair->dead = true;
      if (pair->dead) {
        lost_bytes += n;
        if (!error) read(pair, pipe);
        return;  // an end is not passed on either
      }
      piece->resize(error ? 0 : n);
      auto due = SteadyClock::now() + weather.delay;
      if (weather.jitter.count() > 0)
        due += std::chrono::milliseconds(random() % static_cast<std::uint64_t>(weather.jitter.count()));
      pipe.last_due = std::max(pipe.last_due, due);
      pipe.under_way += piece->size();
      pipe.pieces.push_back({pipe.last_due, std::move(*piece)});
      if (!pipe.moving) move(pair, pipe);
      if (!error) read(pair, pipe);
    });
  }

  void wait(const PairPtr& pair, Pipe& pipe, SteadyClock::time_point until) {
    pipe.timer.expires_at(until);
    pipe.timer.async_wait([this, pair, &pipe](error_code error) {
      if (!error && !pair->closed) move(pair, pipe);
    });
  }

  void move(const PairPtr& pair, Pipe& pipe) {
    pipe.moving = true;
    if (pair->dead || way(pipe) == Weather::Way::kLost) {
      pair->dead = true;
      lost_bytes += pipe.under_way;
      pipe.pieces.clear();
      pipe.under_way = 0;
      pipe.moving = false;
      return read(pair, pipe);
    }
    if (pipe.pieces.empty()) {
      pipe.moving = false;
      return;
    }
    const auto now = SteadyClock::now();
    if (way(pipe) == Weather::Way::kHeld) return wait(pair, pipe, now + kLookAgain);
    if (pipe.pieces.front().due > now) return wait(pair, pipe, pipe.pieces.front().due);
    if (pipe.free_at > now) return wait(pair, pipe, std::min(pipe.free_at, now + std::chrono::milliseconds(100)));
    auto piece = std::make_shared<std::vector<char>>(std::move(pipe.pieces.front().bytes));
    pipe.pieces.pop_front();
    if (piece->empty()) return end(pair);
    if (weather.bits_per_second > 0)
      pipe.free_at = now + std::chrono::nanoseconds(piece->size() * 8 * 1'000'000'000 / weather.bits_per_second);
    boost::asio::async_write(pipe.to, boost::asio::buffer(*piece),
                             [this, pair, &pipe, piece](error_code error, std::size_t n) {
                               crossed_bytes += n;
                               pipe.under_way -= piece->size();
                               if (pair->closed) return;
                               if (error) return end(pair);
                               read(pair, pipe);
                               move(pair, pipe);
                             });
  }

  Loop loop{"net-line"};
  const std::uint16_t target;
  std::uint16_t port = 0;
  std::array<tcp::acceptor, 2> acceptors{tcp::acceptor(loop.io()), tcp::acceptor(loop.io())};
  Weather weather;  // on the loop, like pairs
  std::list<PairPtr> pairs;
  std::mt19937 random{20260923};
  std::atomic<std::uint64_t> connections{0}, cuts{0}, crossed_bytes{0}, lost_bytes{0};
};

NetLine::NetLine(std::uint16_t target_port) : impl_(std::make_unique<Impl>(target_port)) {}
NetLine::~NetLine() = default;
std::uint16_t NetLine::port() const { return impl_->port; }

void NetLine::set(const Weather& weather) {
  impl_->loop.run([this, &weather] { impl_->weather = weather; });
}

void NetLine::cut(bool reset) {
  impl_->loop.run([this, reset] {
    for (const auto& pair : impl_->pairs) {
      pair->close(reset);
      ++impl_->cuts;
    }
    impl_->pairs.clear();
  });
}

NetLine::Counters NetLine::counters() const {
  return {impl_->connections, impl_->cuts, impl_->crossed_bytes, impl_->lost_bytes};
}

}  // namespace thalweg::chaos
