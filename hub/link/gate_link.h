// gate_link.h: the gate's end of the link, for one lane: finds a hub, keeps a session, starts again when it is lost.
// See docs/formats/link.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/loop.h"
#include "link/chunks.h"
#include "link/message.h"

namespace thalweg::link {

struct HubAddress {
  std::string endpoint;          ///< "tcp://203.0.113.1:7710"
  std::string curve_public_z85;  ///< of that hub
};

struct GateLinkOptions {
  Lane lane = Lane::kRoutine;
  std::vector<HubAddress> hubs;  ///< tried in turn
  std::string curve_public_z85;
  std::string curve_secret_z85;
  std::uint64_t credit_bytes = 8u << 20;  ///< deliveries under way at one time: as much as the inbox takes in
  std::size_t queue_bytes = 8u << 20;     ///< send_parcel() says no while more than this waits
  std::uint32_t heartbeat_ms = 5000;      ///< until WELCOME names the hub's
  std::uint32_t handshake_ms = 5000;      ///< from connect to WELCOME; a line that carries bytes gets longer
  std::uint32_t backoff_first_ms = 100;   ///< doubled each time, up to the next, times 0.5 to 1 at random
  std::uint32_t backoff_most_ms = 10'000;
};

struct GateLinkCounters {
  std::uint64_t connects = 0, sessions = 0, parcels = 0, parcel_bytes = 0, resumed_bytes = 0, deliveries = 0,
                delivery_bytes = 0;
};

/// What the gate does with what comes. All are called on the loop; none may destroy the link.
struct GateLinkEvents {
  /// Fills in what the gate knows; called for every session. Session, wall clock, credit and partial are the link's.
  std::function<Hello()> make_hello;
  /// The session is open: send parcels from `accepted_head + 1` on. Return another code than kOk to end it again
  /// (kLedgerForeign: another ledger); the next hub is tried after the longest wait.
  std::function<Code(const Welcome&)> on_welcome;
  std::function<void(const Ack&)> on_ack;
  /// A whole delivery. Call taken() once its bytes are durable or refused: that gives the hub new credit.
  std::function<void(std::uint64_t sequence, Bytes)> on_delivery;
  std::function<void(const Progress&)> on_progress;
  std::function<void(const Found&)> on_found;
  std::function<void(const Document&)> on_document;
  /// send_parcel() said no and would now say yes.
  std::function<void()> on_room;
  /// The session, or the attempt to get one, has ended; parcels that were queued are forgotten. kLinkLost,
  /// kLinkHandshake, or what the hub said (kKeyRevoked, kLinkReplaced ...). The link goes on by itself.
  std::function<void(Code, std::string_view text, std::string_view endpoint)> on_down;
};

/// Owns: a ZeroMQ context with its I/O thread, one DEALER per session.
/// Threads: the loop, but for start and destruction.
class GateLink {
 public:
  /// Begins to connect. `loop` and `clock` outlive the link. Not on the loop. Errors: kConfig (endpoint, key).
  static Result<std::unique_ptr<GateLink>> start(Loop& loop, const Clock& clock, GateLinkOptions options,
                                                 GateLinkEvents events);
  /// stop().
  ~GateLink();
  /// Says BYE; no event is called any more once it has returned. Call it before you let go of the pointer that the
  /// events use. Not on the loop; the loop runs or has ended.
  void stop();

  bool open() const;
  /// Of the session, or of the last attempt at one.
  const std::string& endpoint() const;
  /// Queues a parcel; its bytes are shared, not copied. In the order of numbers, from on_welcome on. Goes on at the
  /// chunk where an earlier session was cut, when the hub kept it. False: no session, or no room (on_room follows).
  bool send_parcel(std::uint64_t number, SharedBytes parcel);
  /// `bytes` of deliveries have left the link's window. See on_delivery.
  void taken(std::uint64_t bytes);
  /// False: no session; send it again after on_welcome.
  bool settle(const Settle& settle);
  bool lookup(const Lookup& lookup);
  /// Drops the session and connects anew, at once or after a while; for changed keys, after faults, and for tests.
  void reconnect(std::uint32_t after_ms = 0);

  /// Clock of the hub minus clock of the gate, and how sure that is; nothing before the first PONG.
  struct ClockOffset {
    std::int64_t offset_ns = 0;
    std::int64_t uncertainty_ns = 0;
  };
  std::optional<ClockOffset> clock_offset() const;
  GateLinkCounters counters() const;

 private:
  class Impl;
  explicit GateLink(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
  bool stopped_ = false;
};

}  // namespace thalweg::link
