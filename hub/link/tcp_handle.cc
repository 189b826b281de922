#include "link/tcp_handle.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace thalweg::link {

std::optional<TcpHandle> TcpHandle::duplicate(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return std::nullopt;
  TcpHandle handle(copy, {});
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  int protocol = 0;
  socklen_t protocol_size = sizeof protocol;
  if (::getsockopt(copy, SOL_SOCKET, SO_PROTOCOL, &protocol, &protocol_size) != 0 || protocol != IPPROTO_TCP)
    return std::nullopt;
  if (::getpeername(copy, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  char text[INET6_ADDRSTRLEN] = "?";
  int port = 0;
  if (address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    port = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof v6);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    port = ntohs(v6.sin6_port);
  }
  handle.peer_ = std::string(text) + ":" + std::to_string(port);
  return handle;
}

TcpHandle::~TcpHandle() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<TcpHandle::Traffic> TcpHandle::traffic() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
      size < offsetof(tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
    return std::nullopt;
  return Traffic{info.tcpi_bytes_received, info.tcpi_bytes_acked};
}

bool TcpHandle::whole() const {
  constexpr std::uint8_t kEstablished = 1;  // TCP_ESTABLISHED; netinet/tcp.h and linux/tcp.h cannot both be included
  tcp_info info{};
  socklen_t size = sizeof info;
  return ::getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == kEstablished;
}

void TcpHandle::shut() const { ::shutdown(fd_, SHUT_RDWR); }

void TcpHandle::limit_unsent(int bytes) const {
  // A kernel that refuses it only buffers more.
  (void)::setsockopt(fd_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

}  // namespace thalweg::link
