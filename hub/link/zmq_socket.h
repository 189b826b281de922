// zmq_socket.h: ZeroMQ sockets that neither throw nor block, and their place on a loop. Private to link.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <zmq.hpp>

#include "base/bytes.h"

namespace thalweg::link {

/// ZMQ_ZAP_ENFORCE_DOMAIN: in libzmq 4.3.4, but outside its stable header.
inline constexpr int kZapEnforceDomain = 93;
/// What CURVE adds to a message on the wire, and what ZMTP does, at most: for limits and for counting bytes.
inline constexpr std::size_t kWireOverheadBytes = 64;

inline ByteView view(const zmq::message_t& message) {
  return {static_cast<const std::uint8_t*>(message.data()), message.size()};
}
/// Takes the bytes over, without a copy where it is worth it.
zmq::message_t to_message(Bytes bytes);
/// A property such as "User-Id"; empty if there is none.
std::string_view property(const zmq::message_t& message, const char* name);

enum class Io {
  kDone,
  kNotNow,  ///< nothing there, or no room
  kGone,    ///< no such peer any more
  kBroken,  ///< context terminated or socket closed
};

/// One socket. Threads: the one that uses it; making and first use may differ.
class ZmqSocket {
 public:
  /// Errors: kInternal (out of sockets).
  static Result<ZmqSocket> make(void* context, int type);

  /// Errors: kConfig with the option's number.
  Status set(int option, int value);
  Status set(int option, const std::string& value);
  Status set_int64(int option, std::int64_t value);
  Status bind(const std::string& endpoint);     // kConfig, kUnavailable
  Status connect(const std::string& endpoint);  // kConfig
  std::string last_endpoint() const;
  Io receive(zmq::message_t& into);
  enum class More { kNo, kYes };
  /// `message` is empty afterwards if done, unchanged otherwise.
  Io send(zmq::message_t& message, More more = More::kNo);
  int descriptor() const;
  /// ZMQ_POLLIN, ZMQ_POLLOUT. Looking takes the wake of what it sees.
  int events() const;
  /// Events of this socket come to `address` ("inproc://...").
  Status monitor(const std::string& address, int events);
  void stop_monitor();
  void* handle() const { return socket_; }
  void close();
  ZmqSocket(ZmqSocket&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
  ZmqSocket& operator=(ZmqSocket&& other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
  }
  ~ZmqSocket() { close(); }

 private:
  explicit ZmqSocket(void* socket) : socket_(socket) {}
  void* socket_;  // of libzmq: zmq::socket_t would throw where we return
};

/// Tells a loop when a socket may have something. The descriptor of a ZeroMQ socket is edge-triggered and says only
/// "look at it": drain the socket after every wake and after every send, then arm again.
class ZmqWake {
 public:
  ZmqWake(boost::asio::io_context& io, int descriptor) : descriptor_(io, descriptor) {}
  ~ZmqWake() { descriptor_.release(); }  // the descriptor is libzmq's to close
  /// Calls `wake` once, when there may be something. While armed a second call does nothing.
  template <class Wake>
  void arm(Wake wake) {
    if (armed_) return;
    armed_ = true;
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [this, wake = std::move(wake)](boost::system::error_code error) mutable {
                             if (error) return;  // released; `this` may be gone
                             armed_ = false;
                             wake();
                           });
  }

 private:
  boost::asio::posix::stream_descriptor descriptor_;
  bool armed_ = false;
};

/// One event of a monitored socket.
struct MonitorEvent {
  int event = 0;
  std::uint32_t value = 0;
};
/// The next event, if there is one.
std::optional<MonitorEvent> next_event(ZmqSocket& monitor);

}  // namespace thalweg::link
