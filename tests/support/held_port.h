// held_port.h: a port of 127.0.0.1 that stays a test's own while the program on it stops and starts.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>

namespace thalweg {

/// Bound and never listening: the system gives the number to nobody who asks for a free one, and a connection to it is
/// refused, but a listener that sets SO_REUSEADDR, as libzmq and our servers do, may have it, as often as it likes.
/// Threads: any.
class HeldPort {
 public:
  HeldPort() : socket_(io_, boost::asio::ip::tcp::v4()) {
    socket_.set_option(boost::asio::socket_base::reuse_address(true));
    socket_.bind({boost::asio::ip::address_v4::loopback(), 0});
    number_ = socket_.local_endpoint().port();
  }
  std::uint16_t number() const { return number_; }

 private:
  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
  std::uint16_t number_ = 0;
};

}  // namespace thalweg
