#include "chaos/hostile_intruder.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

namespace thalweg::chaos {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::seconds(2);

}  // namespace

bool Intruder::connect(int receive_buffer) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) (void)::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(port_);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return false;
  (void)::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
  if (!send_raw(client_.opening())) return false;
  CurveClient::Got got = CurveClient::Got::kMore;
  const auto end = Clock::now() + kPatience;
  while (!stop_ && Clock::now() < end) {
    std::array<std::uint8_t, 4096> buffer;
    pollfd item{fd_, POLLIN, 0};
    if (::poll(&item, 1, 50) <= 0) continue;
    const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (n <= 0) return false;
    got = client_.take({buffer.data(), static_cast<std::size_t>(n)});
    if (got == CurveClient::Got::kInitiate && !send_raw(client_.initiate())) return false;
    if (got != CurveClient::Got::kInitiate && got != CurveClient::Got::kMore) break;
  }
  return got == CurveClient::Got::kReady;
}

bool Intruder::enter(const std::string& party, const std::function<void(link::Hello&)>& change) {
  link::Hello hello;
  hello.party = party;
  hello.gate = "gate-1";
  hello.program = "hostile";
  randombytes_buf(hello.session.data(), hello.session.size());
  randombytes_buf(hello.incarnation.bytes.data(), hello.incarnation.bytes.size());
  incarnation_ = hello.incarnation;
  hello.credit_bytes = 8u << 20;
  if (change) change(hello);
  if (!say(hello)) return false;
  const auto answer = expect(link::MessageType::kWelcome);
  if (!answer) return false;
  auto welcome = link::Welcome::decode(*answer);
  if (!welcome) return false;
  welcome_ = *std::move(welcome);
  return true;
}

bool Intruder::send(ByteView payload, bool more) { return send_raw(client_.message(payload, more)); }

bool Intruder::send_raw(ByteView bytes) {
  const auto end = Clock::now() + kPatience;
  while (!bytes.empty()) {
    if (stop_ || gone_) return false;
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      continue;
    }
    if (n < 0 && errno != EAGAIN) gone_ = true;
    if (Clock::now() > end) return false;
    pollfd item{fd_, POLLOUT, 0};
    (void)::poll(&item, 1, 50);
  }
  return true;
}

bool Intruder::fill(int wait_ms) {
  pollfd item{fd_, POLLIN, 0};
  if (gone_ || ::poll(&item, 1, wait_ms) <= 0) return false;
  std::array<std::uint8_t, 65536> buffer;
  const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (n <= 0) {
    gone_ = n == 0 || errno != EAGAIN;
    return false;
  }
  (void)client_.take({buffer.data(), static_cast<std::size_t>(n)});
  return true;
}

std::optional<Bytes> Intruder::expect(link::MessageType type) {
  const auto end = Clock::now() + kPatience;
  while (!stop_ && Clock::now() < end) {
    while (auto message = client_.next_message())
      if (const auto read = link::message_type(*message); read && *read == type) return message;
    if (!fill(50) && gone_) return std::nullopt;
  }
  return std::nullopt;
}

bool Intruder::drain() {
  while (fill(0))
    while (client_.next_message()) {
    }
  return !gone_;
}

bool Intruder::wait_end(int seconds) {
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  while (!stop_ && !gone_ && Clock::now() < end) {
    (void)fill(50);
    while (client_.next_message()) {
    }
  }
  return gone_;
}

void Intruder::leave() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace thalweg::chaos
