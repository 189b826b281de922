// free_ports.h: ports for servers that cannot be given port 0, because they must be the same over their starts.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <random>

namespace thalweg {

/// The first of `count` neighbouring ports of the loopback that nobody uses now. Below those that the system gives to
/// outgoing connections (from 32768 on): of these one may be taken before the server binds it.
inline std::optional<std::uint16_t> free_ports(unsigned count = 1) {
  static std::mt19937 random(std::random_device{}());
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const auto first = static_cast<std::uint16_t>(20'000 + random() % 12'000);
    bool free = true;
    for (unsigned i = 0; i < count && free; ++i) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(static_cast<std::uint16_t>(first + i));
      free = fd >= 0 && ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
      if (fd >= 0) ::close(fd);
    }
    if (free) return first;
  }
  return std::nullopt;
}

}  // namespace thalweg
