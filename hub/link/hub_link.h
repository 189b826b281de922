// hub_link.h: the hub's end of the link, for one lane: sessions of gates over ZeroMQ with CURVE.
// See docs/formats/link.md.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/loop.h"
#include "link/chunks.h"
#include "link/message.h"
#include "link/parcel_intake.h"
#include "link/zap.h"

namespace thalweg::link {

/// Names a session. Never reused: a handle of a session that has ended is harmless, calls with it return false.
using SessionHandle = std::uint64_t;

/// What is known of a session. References are valid during the callback only.
struct Session {
  SessionHandle handle = 0;
  UserId user;          ///< "party/gate", as authenticated
  std::string address;  ///< "203.0.113.5:41234"
  Hello hello;
};

struct HubLinkOptions {
  Lane lane = Lane::kRoutine;
  std::string endpoint = "tcp://0.0.0.0:7710";  ///< numeric; "tcp://127.0.0.1:*" takes a free port
  std::string curve_secret_z85;
  Authenticator allow;
  std::shared_ptr<AssemblyPool> pool;  ///< shared by both lanes
  ParcelIntake::Options intake;
  std::uint32_t heartbeat_ms = 5000;  ///< PING that often; a line silent for three of them is dead
  std::uint32_t handshake_ms = 5000;  ///< for ZMTP's handshake, and again for HELLO
  std::uint32_t watch_ms = 50;        ///< how often bytes received are compared with bytes allowed
  std::uint32_t keep_partial_ms = 300'000;
  std::size_t slack_bytes = 1u << 20;  ///< what a connection may have under way beyond its credit: other messages
  std::size_t max_sessions = 4096;
  std::size_t questions_at_once = 1000;  ///< PING, PONG and LOOKUP of one session; each costs more than it brings
  std::size_t questions_per_s = 100;
  std::size_t max_strangers = 1024;  ///< connections that have not said HELLO; one more, and the oldest has to go
  std::size_t max_strangers_per_address = 256;
  double failures_at_once = 20;  ///< that an address may have before it is turned away, unless it has had a session
  double failures_per_s = 0.2;
  std::size_t delivery_queue_bytes = 1u << 20;  ///< deliver() says no while more than this waits in a session
  std::size_t control_queue_bytes = 8u << 20;   ///< a session whose other messages pile up beyond this is closed
};

/// Counters since start, for /metrics.
struct HubLinkCounters {
  std::uint64_t accepted = 0, refused_keys = 0;
  std::uint64_t failed_handshakes = 0;  ///< connections that ended before HELLO, whoever ended them and why
  std::uint64_t crowded = 0;            ///< of those: shut down to make room for newer ones
  std::uint64_t turned_away = 0;        ///< of those: at once, too many of their address had failed
  std::uint64_t frames_bad = 0, multipart = 0, credit_breaches = 0, floods = 0, excess = 0, replaced = 0, silent = 0,
                parcels = 0, parcel_bytes = 0, deliveries = 0, delivery_bytes = 0, sessions = 0, connections = 0;
  std::map<Code, std::uint64_t> refused, ended;  ///< HELLOs answered with REFUSE; sessions that are over
};

/// What the hub does with what comes. All are called on the loop; none may call stop().
struct HubLinkEvents {
  /// A gate says hello; its key is known and fits party and gate. Answer with welcome() or refuse(), now or later.
  std::function<void(const Session&)> on_hello;
  /// A whole parcel. Answer with ack(). The gate gets no new credit for what stays in the pool: drop `share` with the
  /// bytes.
  std::function<void(const Session&, Assembled)> on_parcel;
  std::function<void(const Session&, const Settle&)> on_settle;
  std::function<void(const Session&, const Lookup&)> on_lookup;
  /// There is room for deliveries again (also right after welcome()).
  std::function<void(const Session&)> on_room;
  /// The session has ended: kLinkReplaced, kLinkLost, kLinkCredit, kLinkFrame ... Nothing more comes for it.
  std::function<void(const Session&, Code)> on_closed;
  /// The link cannot go on (kLinkZap) and has closed everything: the hub stops.
  std::function<void(Error)> on_fatal;
};

/// Owns: a ZeroMQ context with its I/O thread, the ZAP handler, the ROUTER, all sessions.
/// Threads: the loop, but for the functions marked otherwise.
class HubLink {
 public:
  /// Starts the ZAP handler, then binds. `loop` and `clock` outlive the link. Called on the loop, no event
  /// comes before it has returned; from elsewhere one may.
  /// Errors: kLinkZap (no handler, or libzmq cannot enforce one: nothing was bound), kConfig (endpoint, key),
  /// kUnavailable (address in use).
  static Result<std::unique_ptr<HubLink>> start(Loop& loop, const Clock& clock, HubLinkOptions options,
                                                HubLinkEvents events);
  /// stop().
  ~HubLink();
  /// Closes all sessions with BYE; no event is called any more once it has returned. Call it before you let go of the
  /// pointer that the events use. Not on the loop; the loop runs or has ended.
  void stop();

  /// "tcp://127.0.0.1:34567", with the port that was taken. Any thread.
  const std::string& endpoint() const;

  /// Opens the session. Session id, credit, heartbeat, clock and partial are filled in here. An older session of the
  /// same gate is closed first (kLinkReplaced). False: the session has ended.
  bool welcome(SessionHandle session, Welcome welcome);
  bool refuse(SessionHandle session, Code code, std::string_view text, std::uint32_t retry_ms = 0);
  bool ack(SessionHandle session, const Ack& ack);
  /// Queues a delivery; its bytes are shared, not copied. False: no room now (on_room follows) or no such session.
  bool deliver(SessionHandle session, std::uint64_t sequence, SharedBytes bytes);
  bool progress(SessionHandle session, const Progress& progress);
  bool found(SessionHandle session, const Found& found);
  bool document(SessionHandle session, const Document& document);
  /// Says BYE and shuts the connection down. on_closed follows, before this returns.
  void close(SessionHandle session, Code code, std::string_view text);
  /// Ends every session and connection of a user whose key was revoked. Replace the authenticator's data first.
  void close_user(std::string_view user, Code code, std::string_view text);

  /// Clock of the gate minus clock of the hub, and how sure that is; nothing before the first PONG.
  struct ClockOffset {
    std::int64_t offset_ns = 0;
    std::int64_t uncertainty_ns = 0;
  };
  std::optional<ClockOffset> clock_offset(SessionHandle session) const;
  HubLinkCounters counters() const;
  void kill_zap_handler_for_test();

 private:
  class Impl;
  explicit HubLink(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
  bool stopped_ = false;
};

}  // namespace thalweg::link
