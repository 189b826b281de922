#include "link/zmq_socket.h"

#include <cerrno>

namespace thalweg::link {
namespace {

constexpr std::size_t kWorthMoving = 4096;

Error failed(Code code, std::string_view what) { return {code, std::string(what) + ": " + zmq_strerror(errno)}; }

Io outcome() {
  if (errno == EAGAIN || errno == EINTR) return Io::kNotNow;
  return errno == EHOSTUNREACH ? Io::kGone : Io::kBroken;
}

}  // namespace

zmq::message_t to_message(Bytes bytes) {
  if (bytes.size() < kWorthMoving) return zmq::message_t(bytes.data(), bytes.size());
  auto* held = new Bytes(std::move(bytes));
  return zmq::message_t(
      held->data(), held->size(), [](void*, void* hint) { delete static_cast<Bytes*>(hint); }, held);
}

std::string_view property(const zmq::message_t& message, const char* name) {
  const char* value = zmq_msg_gets(const_cast<zmq_msg_t*>(message.handle()), name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

Result<ZmqSocket> ZmqSocket::make(void* context, int type) {
  void* socket = zmq_socket(context, type);
  if (socket == nullptr) return failed(Code::kInternal, "making a ZeroMQ socket");
  return ZmqSocket(socket);
}

void ZmqSocket::close() {
  if (socket_ != nullptr) (void)zmq_close(std::exchange(socket_, nullptr));
}

Status ZmqSocket::set(int option, int value) {
  if (zmq_setsockopt(socket_, option, &value, sizeof value) != 0)
    return failed(Code::kConfig, "ZeroMQ option " + std::to_string(option));
  return {};
}

Status ZmqSocket::set(int option, const std::string& value) {
  if (zmq_setsockopt(socket_, option, value.data(), value.size()) != 0)
    return failed(Code::kConfig, "ZeroMQ option " + std::to_string(option));
  return {};
}

Status ZmqSocket::set_int64(int option, std::int64_t value) {
  if (zmq_setsockopt(socket_, option, &value, sizeof value) != 0)
    return failed(Code::kConfig, "ZeroMQ option " + std::to_string(option));
  return {};
}

Status ZmqSocket::bind(const std::string& endpoint) {
  if (zmq_bind(socket_, endpoint.c_str()) == 0) return {};
  const bool taken = errno == EADDRINUSE || errno == EADDRNOTAVAIL || errno == EACCES;
  return failed(taken ? Code::kUnavailable : Code::kConfig, "listening on " + endpoint);
}

Status ZmqSocket::connect(const std::string& endpoint) {
  if (zmq_connect(socket_, endpoint.c_str()) == 0) return {};
  return failed(Code::kConfig, "connecting to " + endpoint);
}

std::string ZmqSocket::last_endpoint() const {
  char text[256] = "";
  std::size_t size = sizeof text;
  if (zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, text, &size) != 0) return {};
  return text;
}

Io ZmqSocket::receive(zmq::message_t& into) {
  return zmq_msg_recv(into.handle(), socket_, ZMQ_DONTWAIT) >= 0 ? Io::kDone : outcome();
}

Io ZmqSocket::send(zmq::message_t& message, More more) {
  const int flags = ZMQ_DONTWAIT | (more == More::kYes ? ZMQ_SNDMORE : 0);
  return zmq_msg_send(message.handle(), socket_, flags) >= 0 ? Io::kDone : outcome();
}

int ZmqSocket::descriptor() const {
  int fd = -1;
  std::size_t size = sizeof fd;
  (void)zmq_getsockopt(socket_, ZMQ_FD, &fd, &size);
  return fd;
}

int ZmqSocket::events() const {
  int events = 0;
  std::size_t size = sizeof events;
  return zmq_getsockopt(socket_, ZMQ_EVENTS, &events, &size) == 0 ? events : 0;
}

Status ZmqSocket::monitor(const std::string& address, int events) {
  if (zmq_socket_monitor(socket_, address.c_str(), events) != 0) return failed(Code::kInternal, "monitoring a socket");
  return {};
}

void ZmqSocket::stop_monitor() { (void)zmq_socket_monitor(socket_, nullptr, 0); }

std::optional<MonitorEvent> next_event(ZmqSocket& monitor) {
  zmq::message_t event, address;
  if (monitor.receive(event) != Io::kDone || event.size() < 6) return std::nullopt;
  (void)monitor.receive(address);
  std::uint16_t number = 0;
  MonitorEvent read;
  std::memcpy(&number, event.data(), sizeof number);
  std::memcpy(&read.value, static_cast<const char*>(event.data()) + sizeof number, sizeof read.value);
  read.event = number;
  return read;
}

}  // namespace thalweg::link
