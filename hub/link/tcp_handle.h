// tcp_handle.h: a second descriptor of a TCP connection that libzmq owns: to count its bytes and to shut it down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace thalweg::link {

/// Holds a duplicate, so that the number can never come to mean another connection while it is looked at; libzmq closes
/// its own when it likes. The connection ends for the peer when both are closed or it is shut down.
class TcpHandle {
 public:
  /// Nothing if `fd` is no TCP connection any more.
  static std::optional<TcpHandle> duplicate(int fd);
  TcpHandle(TcpHandle&& other) noexcept : fd_(std::exchange(other.fd_, -1)), peer_(std::move(other.peer_)) {}
  TcpHandle& operator=(TcpHandle&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(peer_, other.peer_);
    return *this;
  }
  ~TcpHandle();

  struct Traffic {
    std::uint64_t received_bytes = 0;  ///< that the kernel took in, read or not
    std::uint64_t acked_bytes = 0;     ///< that the other side's kernel took in
  };
  std::optional<Traffic> traffic() const;
  /// Both directions, at once; libzmq sees the end and cleans up.
  void shut() const;
  /// Unsent bytes stay in libzmq beyond this many, so that what is queued there is not delayed by a full kernel buffer.
  void limit_unsent(int bytes) const;
  /// Neither side has said or been told that it ends: when libzmq is done with it all the same, it did not like what
  /// came.
  bool whole() const;
  /// "203.0.113.5:41234"
  const std::string& peer() const { return peer_; }
  /// Without the port.
  std::string_view address() const { return std::string_view(peer_).substr(0, peer_.rfind(':')); }

 private:
  TcpHandle(int fd, std::string peer) : fd_(fd), peer_(std::move(peer)) {}
  int fd_;
  std::string peer_;
};

}  // namespace thalweg::link
