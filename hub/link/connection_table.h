// connection_table.h: the TCP connections of a listening socket, as its monitor tells, with the bytes each may send,
// and how many may be there that have not said who they are. Private to link.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "link/callers.h"
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

 private:
  friend class ConnectionTable;
  using Line = std::list<std::shared_ptr<Connection>>;
  bool stranger_ = false;
  Line::iterator in_all_, in_own_;  ///< while it is a stranger
};

/// Follows the monitor of one ROUTER.
///
/// libzmq gives no descriptor with its handshake events and reuses numbers; so a connection is known by the descriptor
/// of ACCEPTED until DISCONNECTED, and a duplicate of it is held meanwhile (tcp_handle.h).
///
/// A stranger is a connection whose HELLO has not come. Only so many may be there: one more, and the oldest has to go,
/// first among those of its own address. So whoever holds connections open pushes out himself, and a gate that takes
/// milliseconds to say who it is gets through. Threads: one loop.
class ConnectionTable {
 public:
  struct Limits {
    std::size_t strangers = 1024;
    std::size_t strangers_per_address = 256;
    Callers::Limits failures;  ///< of one address
  };
  struct News {
    std::vector<std::shared_ptr<Connection>> ended;
    std::vector<std::shared_ptr<Connection>> crowded_out;  ///< shut down to make room; they end later
    std::uint64_t accepted = 0;
    std::uint64_t turned_away = 0;   ///< shut down at once: too many of their address have failed
    std::uint64_t ended_unseen = 0;  ///< were over before they were looked at
  };

  ConnectionTable(ZmqSocket monitor, Limits limits)
      : monitor_(std::move(monitor)), limits_(limits), callers_(limits.failures) {}
  ZmqSocket& monitor() { return monitor_; }
  /// Reads all events that wait.
  News follow(std::int64_t steady_ns);
  /// Its HELLO has come: it counts as a stranger no more.
  void known(Connection& connection);
  /// It has a session.
  void trusted(const Connection& connection, std::int64_t steady_ns) {
    callers_.succeeded(connection.tcp.address(), steady_ns);
  }
  /// The open connection with this descriptor, or null.
  std::shared_ptr<Connection> find(int fd) const;
  const std::unordered_map<int, std::shared_ptr<Connection>>& open() const { return open_; }
  std::size_t strangers() const { return strangers_.size(); }
  static constexpr int kEvents = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED;

 private:
  void add_stranger(const std::shared_ptr<Connection>& connection, std::int64_t steady_ns, News& news);

  ZmqSocket monitor_;
  const Limits limits_;
  std::unordered_map<int, std::shared_ptr<Connection>> open_;
  Callers callers_;
  Connection::Line strangers_;                                    // oldest first
  std::unordered_map<std::string, Connection::Line> by_address_;  // the same, of one address each
};

}  // namespace thalweg::link
