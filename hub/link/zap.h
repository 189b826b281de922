// zap.h: says which CURVE keys may connect (ZeroMQ Authentication Protocol, RFC 27).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "thalweg/cpp/result.h"

namespace thalweg::link {

/// "party/gate": what a key stands for.
using UserId = std::string;

/// Gives the user a key belongs to, or nothing for a key that may not connect (unknown, expired, revoked).
/// `address` is the peer's IP address. Called on the handler's thread and on the link's loop, for every handshake
/// and every HELLO: quick, and safe from both threads.
using Authenticator =
    std::function<std::optional<UserId>(std::string_view curve_public_key_z85, std::string_view address)>;

/// Name of the message property that holds the key which was let in.
inline constexpr const char* kKeyProperty = "X-Curve-Key";
inline constexpr const char* kZapDomain = "thalweg";

/// Answers the authentication requests of one ZeroMQ context, on a thread of its own.
///
/// ZAP fails open where nobody answers (rule 15), so the handler is started before any socket binds, the sockets set
/// ZMQ_ZAP_ENFORCE_DOMAIN, and a handler that ends on its own calls `on_dead`.
class ZapHandler {
 public:
  /// Binds inproc://zeromq.zap.01 in `context` (a zmq context, which outlives this) and starts the thread.
  /// `on_dead` is called on that thread, at most once, and not by stop().
  /// Errors: kLinkZap when the address is taken or cannot be bound.
  static Result<std::unique_ptr<ZapHandler>> start(void* context, Authenticator allow, std::function<void()> on_dead,
                                                   std::function<void(std::string_view address)> on_refused = {});
  ~ZapHandler();
  void stop();
  /// The thread ends as it would after a failure of its socket.
  void die_for_test();

 private:
  struct Impl;
  explicit ZapHandler(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Asks the handler of `context` something and waits for its answer. Errors: kLinkZap: none is there, or it is dead.
Status probe_zap(void* context);

}  // namespace thalweg::link
