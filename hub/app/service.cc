#include "app/service.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>

/// Read by jemalloc (docs/adr/0015-jemalloc.md): a thread of its own gives back to the kernel what a burst took, and
/// nobody who sends or receives pays for it.
extern "C" const char* const malloc_conf = "background_thread:true";

namespace thalweg::app {

// The protocol is one datagram of text: sd_notify(3).
void notify_manager(std::string_view message) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::strlen(path);
  if (size >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, size);
  if (path[0] == '@') address.sun_path[0] = '\0';
  // Kept open: the watchdog is told also when there is no descriptor left.
  static const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  (void)!::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), length);
}

void run_service(boost::asio::io_context& io, const std::function<void()>& reload,
                 const std::function<bool()>& healthy) {
  boost::asio::signal_set stop(io, SIGTERM, SIGINT);
  stop.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) io.stop();
  });
  boost::asio::signal_set hangup(io, SIGHUP);
  std::function<void()> wait_hangup = [&] {
    hangup.async_wait([&](const boost::system::error_code& error, int) {
      if (error) return;
      reload();
      wait_hangup();
    });
  };
  wait_hangup();

  boost::asio::steady_timer timer(io);
  std::function<void()> watchdog;
  if (const char* usec = std::getenv("WATCHDOG_USEC")) {
    const auto every = std::chrono::microseconds(std::max(1'000'000LL, std::atoll(usec)) / 2);
    watchdog = [&, every] {
      timer.expires_after(every);
      timer.async_wait([&](const boost::system::error_code& error) {
        if (error) return;
        if (healthy()) notify_manager("WATCHDOG=1");
        watchdog();
      });
    };
    watchdog();
  }
  notify_manager("READY=1");
  io.run();
  notify_manager("STOPPING=1");
}

}  // namespace thalweg::app
