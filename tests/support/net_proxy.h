// net_proxy.h: a TCP line on loopback that a test can slow down, cut, or leave half open.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/loop.h"
#include "support/line_socket.h"

namespace thalweg {

/// Listens on a free port of 127.0.0.1 and passes on to another port there, on a thread of its own.
///
/// Small buffers on both sides, so that a slow line is felt at the sender as it would be on a real one.
/// Threads: any.
class NetProxy {
 public:
  explicit NetProxy(std::uint16_t target_port)
      : target_(boost::asio::ip::address_v4::loopback(), target_port), acceptor_(loop_.io()) {
    using boost::asio::ip::tcp;
    acceptor_.open(tcp::v4());
    take_in_like_a_line(acceptor_);
    acceptor_.bind({boost::asio::ip::address_v4::loopback(), 0});
    acceptor_.listen();
    port_ = acceptor_.local_endpoint().port();
    accept();
    loop_.start();
  }
  ~NetProxy() {
    loop_.stop();
    loop_.join();
  }
  std::uint16_t port() const { return port_; }
  std::string endpoint() const { return "tcp://127.0.0.1:" + std::to_string(port_); }

  /// Bits per second in each direction and connection; 0 is as fast as it goes.
  void throttle(std::uint64_t bits_per_second) { bits_per_second_ = bits_per_second; }
  /// Adds to the time every piece takes.
  void delay(std::chrono::milliseconds by) { delay_ms_ = static_cast<std::uint64_t>(by.count()); }
  /// Ends all connections; new ones are taken.
  void cut() {
    loop_.run([this] {
      for (const auto& pair : pairs_) pair->close();
      pairs_.clear();
    });
  }
  /// Nothing crosses any more, and nobody is told. true: also for connections that come later.
  void half_open(bool on) { frozen_ = on; }
  /// Bytes that have crossed, both ways.
  std::uint64_t crossed_bytes() const { return crossed_; }
  /// Bytes from the side that connects to the target.
  std::uint64_t upward_bytes() const { return upward_; }
  std::uint64_t connections() const { return connections_; }

 private:
  struct Pair;
  /// One direction: read a piece, wait as long as the line would take for it, write it.
  struct Pipe : std::enable_shared_from_this<Pipe> {
    Pipe(NetProxy& on, std::shared_ptr<Pair> of, boost::asio::ip::tcp::socket& a, boost::asio::ip::tcp::socket& b,
         bool up)
        : proxy(on), pair(std::move(of)), from(a), to(b), timer(on.loop_.io()), upward(up) {}

    void read() {
      from.async_read_some(boost::asio::buffer(piece),
                           [self = this->shared_from_this()](boost::system::error_code error, std::size_t n) {
                             if (error) return self->pair->close();
                             self->hold(n);
                           });
    }
    void hold(std::size_t n) {
      if (proxy.frozen_) {
        // Looks again now and then: what was read stays here, nothing is answered.
        timer.expires_after(std::chrono::milliseconds(10));
        timer.async_wait([self = this->shared_from_this(), n](boost::system::error_code error) {
          if (!error) self->hold(n);
        });
        return;
      }
      const std::uint64_t bits = proxy.bits_per_second_;
      auto now = std::chrono::steady_clock::now();
      if (free_at < now) free_at = now;
      if (bits > 0) free_at += std::chrono::nanoseconds(n * 8 * 1'000'000'000 / bits);
      timer.expires_at(free_at + std::chrono::milliseconds(proxy.delay_ms_));
      timer.async_wait([self = this->shared_from_this(), n](boost::system::error_code error) {
        if (!error) self->write(n);
      });
    }
    void write(std::size_t n) {
      boost::asio::async_write(to, boost::asio::buffer(piece, n),
                               [self = this->shared_from_this()](boost::system::error_code error, std::size_t written) {
                                 self->proxy.crossed_ += written;
                                 if (self->upward) self->proxy.upward_ += written;
                                 if (error) return self->pair->close();
                                 self->read();
                               });
    }

    NetProxy& proxy;
    std::shared_ptr<Pair> pair;
    boost::asio::ip::tcp::socket& from;
    boost::asio::ip::tcp::socket& to;
    boost::asio::steady_timer timer;
    std::chrono::steady_clock::time_point free_at{};
    bool upward;
    std::array<char, 8192> piece{};
  };
  struct Pair {
    explicit Pair(boost::asio::io_context& io) : near_side(io), far_side(io) {}
    void close() {
      boost::system::error_code ignored;
      near_side.close(ignored);
      far_side.close(ignored);
    }
    boost::asio::ip::tcp::socket near_side, far_side;
  };

  void accept() {
    auto pair = std::make_shared<Pair>(loop_.io());
    acceptor_.async_accept(pair->near_side, [this, pair](boost::system::error_code error) {
      if (error) return;
      ++connections_;
      connect(pair);
      accept();
    });
  }
  void connect(const std::shared_ptr<Pair>& pair) {
    boost::system::error_code ignored;
    pair->far_side.open(boost::asio::ip::tcp::v4(), ignored);
    take_in_like_a_line(pair->far_side);
    pair->far_side.async_connect(target_, [this, pair](boost::system::error_code error) {
      if (error) return pair->close();
      pairs_.push_back(pair);
      std::make_shared<Pipe>(*this, pair, pair->near_side, pair->far_side, true)->read();
      std::make_shared<Pipe>(*this, pair, pair->far_side, pair->near_side, false)->read();
    });
  }

  Loop loop_{"net-proxy"};
  const boost::asio::ip::tcp::endpoint target_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::list<std::shared_ptr<Pair>> pairs_;
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> bits_per_second_{0}, delay_ms_{0}, crossed_{0}, upward_{0}, connections_{0};
  std::atomic<bool> frozen_{false};
};

}  // namespace thalweg
