#include "bench/relay.h"

#include <chrono>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

namespace thalweg::bench {
namespace {

struct Keys {
  char open[41];
  char secret[41];
  Keys() { zmq_curve_keypair(open, secret); }
};

zmq::socket_t client(zmq::context_t& context, const std::string& endpoint, const Keys& server, const std::string& id) {
  Keys own;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::routing_id, id);
  socket.set(zmq::sockopt::curve_serverkey, server.open);
  socket.set(zmq::sockopt::curve_publickey, own.open);
  socket.set(zmq::sockopt::curve_secretkey, own.secret);
  socket.set(zmq::sockopt::linger, 0);
  socket.connect(endpoint);
  return socket;
}

}  // namespace

double relay_rate(std::size_t bytes, std::size_t messages) {
  Keys server;
  zmq::context_t relay_context(1), sender_context(1), receiver_context(1);
  zmq::socket_t router(relay_context, zmq::socket_type::router);
  router.set(zmq::sockopt::curve_server, true);
  router.set(zmq::sockopt::curve_secretkey, server.secret);
  router.set(zmq::sockopt::linger, 0);
  router.set(zmq::sockopt::router_mandatory, true);  // waits for a receiver that is slower, instead of dropping
  router.bind("tcp://127.0.0.1:*");
  const std::string endpoint = router.get(zmq::sockopt::last_endpoint);
  zmq::socket_t receiver = client(receiver_context, endpoint, server, "B");
  zmq::socket_t sender = client(sender_context, endpoint, server, "A");
  receiver.send(zmq::str_buffer("here"));
  zmq::message_t hello;
  (void)router.recv(hello);  // the receiver's name, then "here": known before the first message for it
  (void)router.recv(hello);

  std::thread relay([&] {
    zmq::message_t from, body;
    for (std::size_t i = 0; i < messages; ++i) {
      (void)router.recv(from);
      (void)router.recv(body);
      router.send(zmq::str_buffer("B"), zmq::send_flags::sndmore);
      router.send(body, zmq::send_flags::none);
    }
  });
  const auto begin = std::chrono::steady_clock::now();
  std::thread source([&] {
    const std::string payload(bytes, 'x');
    for (std::size_t i = 0; i < messages; ++i) sender.send(zmq::buffer(payload));
  });
  zmq::message_t got;
  for (std::size_t i = 0; i < messages; ++i) (void)receiver.recv(got);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  source.join();
  relay.join();
  return static_cast<double>(messages) / seconds;
}

}  // namespace thalweg::bench
