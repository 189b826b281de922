#include "chaos/hostile_swarm.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace thalweg::chaos {
namespace {

using Clock = std::chrono::steady_clock;

sockaddr_in loopback(std::uint32_t address, std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(address);
  at.sin_port = htons(port);
  return at;
}

}  // namespace

struct Swarm::Peer {
  int fd = -1;
  Manner manner{};
  CurveClient client;
  bool connected = false;
  std::size_t trickled = 0;
};

Swarm::Swarm(std::uint16_t port, const CurveIdentity& identity, Plan plan)
    : port_(port), identity_(identity), plan_(std::move(plan)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  thread_ = std::thread([this] { run(); });
}

Swarm::~Swarm() { stop(); }

Swarm::Figures Swarm::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  for (auto& peer : peers_)
    if (peer) leave(*peer);
  if (epoll_ >= 0) ::close(epoll_);
  epoll_ = -1;
  return figures_;
}

void Swarm::run() {
  const auto begin = Clock::now();
  auto last_trickle = begin;
  std::uint64_t tried = 0;
  std::array<epoll_event, 256> events{};
  while (!stopping_) {
    const auto now = Clock::now();
    const std::chrono::duration<double> since = now - begin;
    const auto due = static_cast<std::uint64_t>(since.count() * plan_.per_second);
    for (int burst = 0; tried < due && burst < 256; ++burst, ++tried)
      if (open_count_ < plan_.most_open) open_one();
    const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 1);
    for (int i = 0; i < n; ++i) {
      const auto fd = static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.fd);
      if (fd < peers_.size() && peers_[fd]) came(*peers_[fd], events[static_cast<std::size_t>(i)].events);
    }
    if (now - last_trickle > std::chrono::seconds(1)) {
      last_trickle = now;
      trickle();
    }
  }
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  figures_.cpu_seconds = static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

void Swarm::open_one() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    ++figures_.failed;
    return;
  }
  // The port is chosen at connect(), by all four numbers: else some tens of thousands would be all.
  const int one = 1;
  (void)::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  const auto number = static_cast<std::uint32_t>(figures_.opened % plan_.addresses);
  const sockaddr_in from = loopback(0x7f420000u + (number / 250) * 256 + number % 250 + 1, 0);
  const sockaddr_in to = loopback(INADDR_LOOPBACK, port_);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
      (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS)) {
    ::close(fd);
    ++figures_.failed;
    return;
  }
  auto peer = std::make_unique<Peer>(
      Peer{fd, plan_.manners[figures_.opened % plan_.manners.size()], CurveClient(identity_), false, 0});
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.fd = fd;
  (void)::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  if (peers_.size() <= static_cast<std::size_t>(fd)) peers_.resize(static_cast<std::size_t>(fd) + 1);
  if (peer->manner == Manner::kTrickle) open_.push_back(fd);
  peers_[static_cast<std::size_t>(fd)] = std::move(peer);
  ++figures_.opened;
  figures_.most_open = std::max<std::uint64_t>(figures_.most_open, ++open_count_);
}

void Swarm::came(Peer& peer, std::uint32_t events) {
  if (!peer.connected && (events & EPOLLOUT) != 0) {
    peer.connected = true;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = peer.fd;
    (void)::epoll_ctl(epoll_, EPOLL_CTL_MOD, peer.fd, &event);
    const ByteView opening(peer.client.opening());
    static constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: hub\r\n\r\n";
    Bytes noise(opening.begin(), opening.begin() + CurveClient::kGreetingBytes);
    switch (peer.manner) {
      case Manner::kWrongKey:
      case Manner::kNoInitiate:
        return say(peer, opening);
      case Manner::kHalfGreeting:
        return say(peer, opening.first(11));
      case Manner::kOtherWords:
        return say(peer, {reinterpret_cast<const std::uint8_t*>(kGet.data()), kGet.size()});
      case Manner::kNoise:
        noise.resize(noise.size() + 400, 0x55);
        return say(peer, noise);
      default:
        return;
    }
  }
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) return;
  std::array<std::uint8_t, 2048> buffer;
  const ssize_t n = ::recv(peer.fd, buffer.data(), buffer.size(), 0);
  if (n <= 0) {
    if (n < 0 && errno == EAGAIN) return;
    if (peer.connected) ++figures_.ended_by_hub;
    return leave(peer);
  }
  if (peer.manner != Manner::kWrongKey) return;
  switch (peer.client.take({buffer.data(), static_cast<std::size_t>(n)})) {
    case CurveClient::Got::kMore:
      return;
    case CurveClient::Got::kInitiate:
      return say(peer, peer.client.initiate());
    case CurveClient::Got::kReady:
      ++figures_.let_in;
      return leave(peer);
    case CurveClient::Got::kRefused:
      ++figures_.refused;
      return leave(peer);
    case CurveClient::Got::kBroken:
      ++figures_.failed;
      return leave(peer);
  }
}

void Swarm::say(Peer& peer, ByteView bytes) {
  // A few hundred bytes always fit; who is gone is found when reading.
  (void)::send(peer.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void Swarm::trickle() {
  std::erase_if(open_, [this](int fd) {
    const auto& peer = peers_[static_cast<std::size_t>(fd)];
    if (!peer || peer->manner != Manner::kTrickle) return true;
    if (peer->connected && peer->trickled < peer->client.opening().size())
      say(*peer, ByteView(peer->client.opening()).subspan(peer->trickled++, 1));
    return false;
  });
}

void Swarm::leave(Peer& peer) {
  // With RST: no port stays in TIME_WAIT.
  const linger now{1, 0};
  (void)::setsockopt(peer.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  const int fd = peer.fd;
  ::close(fd);
  --open_count_;
  peers_[static_cast<std::size_t>(fd)].reset();
}

}  // namespace thalweg::chaos
