// connection_table.h: the TCP connections of a listening socket, as its monitor tells, with the bytes each may send.
// Private to link.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "link/tcp_handle.h"
#include "link/zmq_socket.h"

namespace thalweg::link {

/// One accepted connection. `session` is the owner's to set.
struct Connection {
  Connection(int number, TcpHandle handle, std::int64_t now_steady_ns)
      : fd(number), tcp(std::move(handle)), since_steady_ns(now_steady_ns) {}

  const int fd;  ///< libzmq's own, names the connection in its messages (ZMQ_SRCFD)
  const TcpHandle tcp;
  const std::int64_t since_steady_ns;
  std::uint64_t delivered_bytes = 0;   ///< of whole messages that came out of libzmq, as they were on the wire, at most
  std::uint64_t session = 0;           ///< handle, 0 before HELLO and after the end
  std::int64_t shut_at_steady_ns = 0;  ///< not 0: nothing is taken any more, and it is shut down then
};

/// Follows the monitor of one ROUTER.
///
/// libzmq gives no descriptor with its handshake events and reuses numbers; so a connection is known by the descriptor
/// of ACCEPTED until DISCONNECTED, and a duplicate of it is held meanwhile (tcp_handle.h). Threads: one loop.
class ConnectionTable {
 public:
  struct News {
    std::vector<std::shared_ptr<Connection>> ended;
    std::uint64_t accepted = 0;
    std::uint64_t failed_handshakes = 0;
  };

  explicit ConnectionTable(ZmqSocket monitor) : monitor_(std::move(monitor)) {}
  ZmqSocket& monitor() { return monitor_; }
  /// Reads all events that wait.
  News follow(std::int64_t steady_ns);
  /// The open connection with this descriptor, or null.
  std::shared_ptr<Connection> find(int fd) const;
  const std::unordered_map<int, std::shared_ptr<Connection>>& open() const { return open_; }
  static constexpr int kEvents = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                                 ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

 private:
  ZmqSocket monitor_;
  std::unordered_map<int, std::shared_ptr<Connection>> open_;
};

}  // namespace thalweg::link
