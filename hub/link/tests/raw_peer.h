// raw_peer.h: a peer that speaks ZeroMQ with a good key but keeps to no further rule.
#pragma once

#include <poll.h>

#include "link/link_tools.h"
#include "link_rig.h"

namespace thalweg::link {

/// Threads: one.
class RawPeer {
 public:
  RawPeer(const HubRig& hub, const KeyPair& keys, const std::string& routing_id = {})
      : socket_(context_, zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::sndhwm, 0);
    socket_.set(zmq::sockopt::immediate, true);
    socket_.set(zmq::sockopt::reconnect_ivl, -1);
    socket_.set(zmq::sockopt::curve_serverkey, hub.keys.public_z85);
    socket_.set(zmq::sockopt::curve_publickey, keys.public_z85);
    socket_.set(zmq::sockopt::curve_secretkey, keys.secret_z85);
    if (!routing_id.empty()) socket_.set(zmq::sockopt::routing_id, routing_id);
    zmq_socket_monitor(socket_.handle(), "inproc://monitor", ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    monitor_ = zmq::socket_t(context_, zmq::socket_type::pair);
    monitor_.connect("inproc://monitor");
    socket_.connect(hub.link->endpoint());
  }
  ~RawPeer() { zmq_socket_monitor(socket_.handle(), nullptr, 0); }

  bool wait_event(int event) {
    for (;;) {
      zmq::pollitem_t item{monitor_.handle(), 0, ZMQ_POLLIN, 0};
      zmq::poll(&item, 1, kPatience);
      if ((item.revents & ZMQ_POLLIN) == 0) return false;
      zmq::message_t value, address;
      (void)monitor_.recv(value);
      (void)monitor_.recv(address);
      std::uint16_t number;
      std::memcpy(&number, value.data(), sizeof number);
      if (number == event) return true;
    }
  }
  bool connected() { return wait_event(ZMQ_EVENT_HANDSHAKE_SUCCEEDED); }
  bool shut() { return wait_event(ZMQ_EVENT_DISCONNECTED); }

  void send(const Bytes& bytes, bool more = false) {
    (void)socket_.send(zmq::buffer(bytes), more ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }
  void send_if_room(const Bytes& bytes) { (void)socket_.send(zmq::buffer(bytes), zmq::send_flags::dontwait); }
  /// Frames that all point to the same bytes: a message of any size for next to no memory here.
  void send_shared(const Bytes& bytes, bool more) {
    zmq::message_t message(
        const_cast<std::uint8_t*>(bytes.data()), bytes.size(), [](void*, void*) {}, nullptr);
    (void)socket_.send(message, more ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }
  void hello(const std::string& party, const std::function<void(Hello&)>& change = {}) {
    Hello hello;
    hello.party = party;
    hello.gate = "gate-1";
    hello.program = "raw";
    if (change) change(hello);
    send(encoded(hello));
  }
  /// Says HELLO; is there a session then?
  bool welcomed() {
    hello("500153");
    return !expect(MessageType::kWelcome).empty();
  }
  /// The next message of this type; others are passed over. Empty: none came.
  Bytes expect(MessageType type) {
    for (;;) {
      zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
      zmq::poll(&item, 1, kPatience);
      if ((item.revents & ZMQ_POLLIN) == 0) return {};
      zmq::message_t message;
      (void)socket_.recv(message);
      const auto* at = static_cast<const std::uint8_t*>(message.data());
      Bytes bytes(at, at + message.size());
      if (auto read = message_type(bytes); read && *read == type) return bytes;
    }
  }

 private:
  zmq::context_t context_{1};
  zmq::socket_t socket_;
  zmq::socket_t monitor_;
};

/// Connected with a key that the hub knows as 500153's; has said nothing yet.
class KnownPeer : public RawPeer {
 public:
  explicit KnownPeer(HubRig& hub) : RawPeer(hub, allowed(hub)) { REQUIRE(connected()); }

 private:
  static KeyPair allowed(HubRig& hub) {
    KeyPair keys;
    hub.allow(keys, "500153/gate-1");
    return keys;
  }
};

}  // namespace thalweg::link
