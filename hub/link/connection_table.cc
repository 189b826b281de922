#include "link/connection_table.h"

namespace thalweg::link {
namespace {

// Beyond it the kernel would hold what a session has moved on from; enough for a line of 100 Mbit/s and 10 ms.
constexpr int kUnsentBytes = 128 * 1024;

}  // namespace

ConnectionTable::News ConnectionTable::follow(std::int64_t steady_ns) {
  News news;
  const auto end = [&](int fd) {
    if (const auto at = open_.find(fd); at != open_.end()) {
      if (at->second->stranger_) callers_.failed(at->second->tcp.address(), steady_ns);
      known(*at->second);
      news.ended.push_back(std::move(at->second));
      open_.erase(at);
    }
  };
  while (const std::optional<MonitorEvent> event = next_event(monitor_)) {
    const int fd = static_cast<int>(event->value);
    if (event->event == ZMQ_EVENT_ACCEPTED) {
      ++news.accepted;
      end(fd);  // its end was not told: the number is another connection now
      if (std::optional<TcpHandle> tcp = TcpHandle::duplicate(fd)) {
        tcp->limit_unsent(kUnsentBytes);
        auto connection = std::make_shared<Connection>(fd, std::move(*tcp), steady_ns);
        open_.emplace(fd, connection);
        if (callers_.welcome(connection->tcp.address(), steady_ns)) {
          add_stranger(connection, steady_ns, news);
        } else {
          ++news.turned_away;
          connection->shut_at_steady_ns = steady_ns;
          connection->tcp.shut();
        }
      } else {
        ++news.ended_unseen;
      }
    } else if (event->event == ZMQ_EVENT_DISCONNECTED) {
      end(fd);
    }
  }
  return news;
}

void ConnectionTable::add_stranger(const std::shared_ptr<Connection>& connection, std::int64_t steady_ns, News& news) {
  Connection::Line& own = by_address_[std::string(connection->tcp.address())];
  connection->stranger_ = true;
  connection->in_all_ = strangers_.insert(strangers_.end(), connection);
  connection->in_own_ = own.insert(own.end(), connection);
  const bool too_many_here = own.size() > limits_.strangers_per_address;
  if (!too_many_here && strangers_.size() <= limits_.strangers) return;
  const std::shared_ptr<Connection> oldest = too_many_here ? own.front() : strangers_.front();
  callers_.failed(oldest->tcp.address(), steady_ns);
  known(*oldest);  // may end `own`
  oldest->shut_at_steady_ns = steady_ns;
  oldest->tcp.shut();
  news.crowded_out.push_back(oldest);
}

void ConnectionTable::known(Connection& connection) {
  if (!connection.stranger_) return;
  connection.stranger_ = false;
  strangers_.erase(connection.in_all_);
  const auto own = by_address_.find(std::string(connection.tcp.address()));
  own->second.erase(connection.in_own_);
  if (own->second.empty()) by_address_.erase(own);
}

std::shared_ptr<Connection> ConnectionTable::find(int fd) const {
  const auto at = open_.find(fd);
  return at == open_.end() ? nullptr : at->second;
}

}  // namespace thalweg::link
