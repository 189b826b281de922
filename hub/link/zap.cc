#include "link/zap.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "base/log.h"
#include "link/zmq_socket.h"

namespace thalweg::link {
namespace {

constexpr const char* kZapAddress = "inproc://zeromq.zap.01";
constexpr std::size_t kRequestFrames = 7;  // version, request id, domain, address, routing id, mechanism, key

std::string text(const zmq::message_t& frame) { return {static_cast<const char*>(frame.data()), frame.size()}; }

/// One property as ZMTP writes it: u8 length, name, u32 big-endian length, value.
std::string metadata(std::string_view name, std::string_view value) {
  std::string out(1, static_cast<char>(name.size()));
  out += name;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value.size() >> shift & 0xff);
  out += value;
  return out;
}

}  // namespace

struct ZapHandler::Impl {
  std::optional<ZmqSocket> socket, stop_here, stop_there;
  Authenticator allow;
  std::function<void()> on_dead;
  std::function<void(std::string_view)> on_refused;
  std::atomic<bool> stopping = false;
  std::atomic<bool> dying = false;
  std::thread thread;

  void run() {
    pthread_setname_np(pthread_self(), "link-zap");
    std::array<zmq_pollitem_t, 2> items{};
    items[0] = {socket->handle(), 0, ZMQ_POLLIN, 0};
    items[1] = {stop_here->handle(), 0, ZMQ_POLLIN, 0};
    while (!stopping && !dying) {
      if (zmq_poll(items.data(), static_cast<int>(items.size()), -1) < 0 && errno != EINTR) break;
      if (items[1].revents != 0) break;
      if (items[0].revents != 0 && !answer()) break;
    }
    socket->close();
    stop_here->close();
    if (!stopping) {
      log::error("link", "the authentication handler has ended");
      on_dead();
    }
  }

  /// Answers one request. False: the socket is broken.
  bool answer() {
    std::vector<std::string> request;
    for (bool more = true; more;) {
      zmq::message_t frame;
      switch (socket->receive(frame)) {
        case Io::kDone:
          break;
        case Io::kNotNow:
          return true;
        default:
          return false;
      }
      more = frame.more();
      if (request.size() <= kRequestFrames) request.push_back(text(frame));
    }
    std::optional<UserId> user;
    std::string key;
    std::string address = request.size() > 3 ? request[3] : "?";
    if (request.size() == kRequestFrames && request[0] == "1.0" && request[5] == "CURVE" && request[6].size() == 32) {
      char z85[41];
      zmq_z85_encode(z85, reinterpret_cast<const std::uint8_t*>(request[6].data()), 32);
      key = z85;
      try {
        user = allow(key, address);
      } catch (const std::exception& error) {
        log::error("link", "looking up a key failed: {}", error.what());
      }
    }
    if (!user && on_refused && request.size() == kRequestFrames) on_refused(address);
    const std::string id = request.size() > 1 ? request[1] : "";
    const std::array<std::string, 6> reply = {"1.0",
                                              id,
                                              user ? "200" : "400",
                                              user ? "OK" : "unknown key",
                                              user ? *user : "",
                                              user ? metadata(kKeyProperty, key) : ""};
    for (std::size_t i = 0; i < reply.size(); ++i) {
      zmq::message_t frame(reply[i].data(), reply[i].size());
      if (socket->send(frame, i + 1 < reply.size() ? ZmqSocket::More::kYes : ZmqSocket::More::kNo) == Io::kBroken)
        return false;
    }
    return true;
  }

  void wake() {
    zmq::message_t nothing;
    (void)stop_there->send(nothing);
  }
};

ZapHandler::ZapHandler(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<ZapHandler>> ZapHandler::start(void* context, Authenticator allow, std::function<void()> on_dead,
                                                      std::function<void(std::string_view address)> on_refused) {
  if (!allow) return Error{Code::kLinkZap, "there is nothing to say which keys may connect"};
  auto impl = std::make_unique<Impl>();
  impl->allow = std::move(allow);
  impl->on_dead = std::move(on_dead);
  impl->on_refused = std::move(on_refused);
  TW_ASSIGN(ZmqSocket socket, ZmqSocket::make(context, ZMQ_REP));
  TW_ASSIGN(ZmqSocket here, ZmqSocket::make(context, ZMQ_PAIR));
  TW_ASSIGN(ZmqSocket there, ZmqSocket::make(context, ZMQ_PAIR));
  for (ZmqSocket* each : {&socket, &here, &there}) TW_TRY(each->set(ZMQ_LINGER, 0));
  if (Status bound = socket.bind(kZapAddress); !bound)
    return Error{Code::kLinkZap, "the authentication handler cannot be bound: " + bound.error().message};
  TW_TRY(here.bind("inproc://thalweg-zap-stop"));
  TW_TRY(there.connect("inproc://thalweg-zap-stop"));
  impl->socket = std::move(socket);
  impl->stop_here = std::move(here);
  impl->stop_there = std::move(there);
  Impl* run = impl.get();
  impl->thread = std::thread([run] { run->run(); });
  return std::unique_ptr<ZapHandler>(new ZapHandler(std::move(impl)));
}

ZapHandler::~ZapHandler() { stop(); }

void ZapHandler::stop() {
  if (!impl_->thread.joinable()) return;
  impl_->stopping = true;
  impl_->wake();
  impl_->thread.join();
  impl_->stop_there->close();
}

void ZapHandler::die_for_test() {
  impl_->dying = true;
  impl_->wake();
}

Status probe_zap(void* context) {
  // Any answer will do; what is asked for is refused.
  constexpr int kPatience_ms = 2000;
  TW_ASSIGN(ZmqSocket socket, ZmqSocket::make(context, ZMQ_REQ));
  TW_TRY(socket.set(ZMQ_LINGER, 0));
  TW_TRY(socket.connect(kZapAddress));
  zmq::message_t request("probe", 5);
  if (socket.send(request) != Io::kDone) return Error{Code::kLinkZap, "the authentication handler takes no requests"};
  zmq_pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
  if (zmq_poll(&item, 1, kPatience_ms) != 1) return Error{Code::kLinkZap, "the authentication handler does not answer"};
  return {};
}

}  // namespace thalweg::link
