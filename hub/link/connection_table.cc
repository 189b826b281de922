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
      news.ended.push_back(std::move(at->second));
      open_.erase(at);
    }
  };
  while (const std::optional<MonitorEvent> event = next_event(monitor_)) {
    const int fd = static_cast<int>(event->value);
    switch (event->event) {
      case ZMQ_EVENT_ACCEPTED:
        ++news.accepted;
        end(fd);  // its end was not told: the number is another connection now
        if (std::optional<TcpHandle> tcp = TcpHandle::duplicate(fd)) {
          tcp->limit_unsent(kUnsentBytes);
          open_.emplace(fd, std::make_shared<Connection>(fd, std::move(*tcp), steady_ns));
        }
        break;
      case ZMQ_EVENT_DISCONNECTED:
        end(fd);
        break;
      default:
        ++news.failed_handshakes;
    }
  }
  return news;
}

std::shared_ptr<Connection> ConnectionTable::find(int fd) const {
  const auto at = open_.find(fd);
  return at == open_.end() ? nullptr : at->second;
}

}  // namespace thalweg::link
