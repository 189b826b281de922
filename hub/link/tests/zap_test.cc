#include "link/zap.h"

#include "link/zmq_socket.h"
#include "link_rig.h"
#include "raw_peer.h"

namespace thalweg::link {
namespace {

/// A ROUTER with CURVE and a ZAP domain, and a peer whose key nobody knows: does it get in?
bool unknown_key_gets_in(bool enforce) {
  const KeyPair server, client;
  zmq::context_t context;
  auto router = ZmqSocket::make(context.handle(), ZMQ_ROUTER);
  REQUIRE(router);
  REQUIRE(router->set(ZMQ_LINGER, 0));
  REQUIRE(router->set(ZMQ_CURVE_SERVER, 1));
  REQUIRE(router->set(ZMQ_CURVE_SECRETKEY, server.secret_z85));
  REQUIRE(router->set(ZMQ_ZAP_DOMAIN, std::string(kZapDomain)));
  if (enforce) REQUIRE(router->set(kZapEnforceDomain, 1));
  REQUIRE(router->bind("tcp://127.0.0.1:*"));

  zmq::context_t other;
  auto dealer = ZmqSocket::make(other.handle(), ZMQ_DEALER);
  REQUIRE(dealer);
  REQUIRE(dealer->set(ZMQ_LINGER, 0));
  REQUIRE(dealer->set(ZMQ_RECONNECT_IVL, -1));
  REQUIRE(dealer->set(ZMQ_CURVE_SERVERKEY, server.public_z85));
  REQUIRE(dealer->set(ZMQ_CURVE_PUBLICKEY, client.public_z85));
  REQUIRE(dealer->set(ZMQ_CURVE_SECRETKEY, client.secret_z85));
  REQUIRE(dealer->monitor("inproc://monitor", ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED));
  auto monitor = ZmqSocket::make(other.handle(), ZMQ_PAIR);
  REQUIRE(monitor);
  REQUIRE(monitor->connect("inproc://monitor"));
  REQUIRE(dealer->connect(router->last_endpoint()));
  zmq_pollitem_t item{monitor->handle(), 0, ZMQ_POLLIN, 0};
  REQUIRE(zmq_poll(&item, 1, 30'000) == 1);
  const auto event = next_event(*monitor);
  REQUIRE(event);
  dealer->stop_monitor();
  return event->event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
}

}  // namespace

TEST_CASE("ZAP fails open without a handler, unless its domain is enforced", "[link][zap]") {
  CHECK(unknown_key_gets_in(false));  // why all this is needed: the day this fails, libzmq has changed
  CHECK_FALSE(unknown_key_gets_in(true));
}

TEST_CASE("a hub with nothing that knows keys does not start", "[link][zap]") {
  const HubRig hub([](HubLinkOptions& options, HubLinkEvents&) { options.allow = nullptr; });
  CHECK_FALSE(hub.link);
  CHECK(hub.start_error == Code::kLinkZap);
}

TEST_CASE("a handler that is not there, or does not answer, is found out before anything listens", "[link][zap]") {
  zmq::context_t context;
  SECTION("nobody has bound") { CHECK(probe_zap(context.handle()).error().code == Code::kLinkZap); }
  SECTION("somebody has bound and does not answer") {
    auto silent = ZmqSocket::make(context.handle(), ZMQ_REP);
    REQUIRE(silent);
    REQUIRE(silent->bind("inproc://zeromq.zap.01"));
    CHECK(probe_zap(context.handle()).error().code == Code::kLinkZap);
    const auto second = ZapHandler::start(
        context.handle(), [](std::string_view, std::string_view) { return std::optional<UserId>("x"); }, [] {});
    REQUIRE_FALSE(second);
    CHECK(second.error().code == Code::kLinkZap);
  }
}

TEST_CASE("a handler that dies stops the link, and lets nobody in meanwhile", "[link][zap]") {
  HubRig hub;
  GateRig gate(hub, "500153");
  REQUIRE(gate.wait_welcomes(1));
  hub.link->kill_zap_handler_for_test();
  CHECK(hub.seen.wait([&] { return hub.fatal == Code::kLinkZap; }));
  CHECK(hub.seen.look([&] { return hub.closed.size(); }) == 1);
  CHECK(gate.wait_hub_stopped());
  CHECK(gate.seen.look([&] { return gate.welcomes.size(); }) == 1);
}

TEST_CASE("an address in use and a bad key are told apart", "[link][zap]") {
  const HubRig first;
  const HubRig second([&](HubLinkOptions& options, HubLinkEvents&) { options.endpoint = first.link->endpoint(); });
  CHECK(second.start_error == Code::kUnavailable);
  const HubRig third([](HubLinkOptions& options, HubLinkEvents&) { options.curve_secret_z85 = "short"; });
  CHECK(third.start_error == Code::kConfig);
  const HubRig fourth([](HubLinkOptions& options, HubLinkEvents&) { options.endpoint = "tcp://no such place"; });
  CHECK(fourth.start_error == Code::kConfig);
}

}  // namespace thalweg::link
