// service.h: what thalwegd and thalweg-gate have in common as long-running programs: signals, service manager, malloc.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string_view>

namespace thalweg::app {

/// Runs until SIGTERM or SIGINT: calls `reload` on SIGHUP, tells systemd (NOTIFY_SOCKET, if set) that it is ready and,
/// as long as `healthy` says yes, that it is alive (WATCHDOG_USEC). Returns when it is to stop, or when stop() was
/// posted to `io`.
void run_service(boost::asio::io_context& io, const std::function<void()>& reload,
                 const std::function<bool()>& healthy);

/// One datagram to the service manager; nothing without one.
void notify_manager(std::string_view message);

}  // namespace thalweg::app
