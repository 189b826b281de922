#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "link/local_socket.h"

namespace thalweg::link {
namespace {

using Milliseconds = std::chrono::milliseconds;

/// Waits until `fd` is ready. A negative timeout waits for ever.
Status wait_for(int fd, short events, Milliseconds timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    int left_ms = -1;
    if (timeout.count() >= 0) {
      const auto left = std::chrono::duration_cast<Milliseconds>(until - std::chrono::steady_clock::now());
      left_ms = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }
    pollfd item{fd, events, 0};
    const int ready = ::poll(&item, 1, left_ms);
    if (ready > 0) return {};
    if (ready == 0) return Error{Code::kTimeout, "no answer within the time allowed"};
    if (errno != EINTR) return Error{Code::kIo, std::strerror(errno)};
  }
}

Status read_all(int fd, std::span<std::uint8_t> into, Milliseconds timeout) {
  while (!into.empty()) {
    TW_TRY(wait_for(fd, POLLIN, timeout));
    const ssize_t n = ::read(fd, into.data(), into.size());
    if (n == 0 || (n < 0 && errno == ECONNRESET))
      return Error{Code::kClosed, "the other side has closed the connection"};
    if (n < 0 && errno != EINTR && errno != EAGAIN) return Error{Code::kIo, std::strerror(errno)};
    if (n > 0) into = into.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

Result<BlockingLocalClient> BlockingLocalClient::connect(const std::filesystem::path& path, LocalRole role,
                                                         Milliseconds timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path)
    return Error{Code::kInvalid, path.string() + " is too long for a socket"};
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  BlockingLocalClient client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), timeout);
  if (client.fd_ < 0) return Error{Code::kIo, std::strerror(errno)};
  if (::connect(client.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    const Code code = error == ENOENT                     ? Code::kNotFound
                      : error == EACCES || error == EPERM ? Code::kDenied
                                                          : Code::kUnavailable;
    return Error{code, path.string() + ": " + std::strerror(error)};
  }
  Bytes hello;
  LocalHello mine;
  mine.role = role;
  mine.encode(hello);
  TW_TRY(client.send(hello));
  return client;
}

BlockingLocalClient::BlockingLocalClient(BlockingLocalClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), timeout_(other.timeout_), next_id_(other.next_id_) {}

BlockingLocalClient& BlockingLocalClient::operator=(BlockingLocalClient&& other) noexcept {
  std::swap(fd_, other.fd_);
  timeout_ = other.timeout_;
  next_id_ = other.next_id_;
  return *this;
}

BlockingLocalClient::~BlockingLocalClient() {
  if (fd_ >= 0) ::close(fd_);
}

Status BlockingLocalClient::send(const Bytes& frame) {
  ByteView left(frame);
  while (!left.empty()) {
    TW_TRY(wait_for(fd_, POLLOUT, timeout_));
    const ssize_t n = ::send(fd_, left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
      return Error{Code::kClosed, "the other side has closed the connection"};
    if (n < 0 && errno != EINTR && errno != EAGAIN) return Error{Code::kIo, std::strerror(errno)};
    if (n > 0) left = left.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<BlockingLocalClient::Frame> BlockingLocalClient::next(Milliseconds timeout) {
  std::array<std::uint8_t, 5> header;
  TW_TRY(read_all(fd_, header, timeout));
  std::uint32_t size;
  std::memcpy(&size, header.data(), sizeof size);
  const std::uint8_t type = header[4];
  if (size == 0 || size > kMaxLocalFrameBytes || type == 0 || type > static_cast<std::uint8_t>(LocalType::kStop))
    return Error{Code::kLinkFrame, "the other side does not speak this protocol"};
  Frame frame;
  frame.type = static_cast<LocalType>(type);
  frame.body.resize(size - 1);
  // What has begun to come comes soon.
  TW_TRY(read_all(fd_, frame.body, timeout_));
  return frame;
}

Result<std::string> BlockingLocalClient::request(std::string_view json) {
  std::string answer;
  bool some = false;
  const Milliseconds patience = timeout_;
  const std::uint64_t id = next_id_++;
  Bytes frame;
  LocalRequest{id, json}.encode(frame);
  TW_TRY(send(frame));
  while (!some) {
    TW_ASSIGN(const Frame came, next(patience));
    if (came.type != LocalType::kReply) return Error{Code::kLinkFrame, "another answer than the one asked for"};
    TW_ASSIGN(const LocalReply reply, LocalReply::decode(came.body));
    if (reply.id != id) continue;  // of a stream that was given up
    answer = reply.json;
    some = true;
  }
  return answer;
}

Status BlockingLocalClient::stream(std::string_view json, const std::function<bool(std::string_view json)>& take) {
  const std::uint64_t id = next_id_++;
  Bytes frame;
  LocalRequest{id, json}.encode(frame);
  TW_TRY(send(frame));
  for (;;) {
    TW_ASSIGN(const Frame came, next(Milliseconds(-1)));
    if (came.type != LocalType::kReply) return Error{Code::kLinkFrame, "another answer than the one asked for"};
    TW_ASSIGN(const LocalReply reply, LocalReply::decode(came.body));
    if (reply.id != id) continue;
    if (!take(reply.json) || reply.last) return {};
  }
}

}  // namespace thalweg::link
