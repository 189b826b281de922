// uplink.h: one lane's session with the hub: parcels out of the outbox, deliveries into the inbox, what the hub tells.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "gate/gate_trust.h"
#include "gate/inbox.h"
#include "gate/outbox.h"
#include "link/gate_link.h"

namespace thalweg::gate {

struct UplinkOptions {
  Lane lane = Lane::kRoutine;
  link::GateLinkOptions link;
  std::string program;  ///< for the hub's status page
};

/// What `status` says of the line.
struct UplinkView {
  bool open = false;
  std::string hub;      ///< address of the last attempt
  std::string problem;  ///< why the last one ended; empty when open
  Code code = Code::kOk;
  std::int64_t since_unix_ns = 0;  ///< of the state it is in
  std::optional<link::GateLink::ClockOffset> clock_offset;
  link::GateLinkCounters counters;
  std::uint64_t next_parcel = 0;
  std::uint64_t disbelieved = 0;  ///< documents of the hub that did not hold
};

/// Drives GateLink. Borrows: all references, which outlive it. Threads: the loop, but for start() and destruction.
class Uplink {
 public:
  Uplink(Loop& loop, const Clock& clock, const GateConfig& config, const trust::SigningKey& key, GateTrust& trust,
         Outbox& outbox, Inbox& inbox, UplinkOptions options);
  /// Before the loop starts. Errors: kConfig.
  Status start();
  /// Says BYE. Not on the loop; it must run or have ended.
  void stop();

  /// There are new parcels.
  void pump();
  /// Answers of the hub are not kept: after a pause they are asked for with a new HELLO.
  void ask_again();
  /// The outbox has begun a new stream.
  void on_new_stream();
  /// Tells the hub what the inbox holds; several calls within 10 ms are one settlement.
  void settle(const InboxStand& stand);
  void give_credit(std::uint64_t bytes);
  /// Something went wrong on this side of the session: begin anew.
  void reconnect(std::uint32_t after_ms = 0);
  UplinkView view() const;

 private:
  link::Hello make_hello();
  Code on_welcome(const link::Welcome& welcome);
  void on_ack(const link::Ack& ack);
  void on_document(const link::Document& document);
  void wait_and_reconnect();
  void send_settlement();

  Loop& loop_;
  const Clock& clock_;
  const GateConfig& config_;
  const trust::SigningKey& key_;
  GateTrust& trust_;
  Outbox& outbox_;
  Inbox& inbox_;
  UplinkOptions options_;
  std::unique_ptr<link::GateLink> link_;
  boost::asio::steady_timer pause_;
  boost::asio::steady_timer settle_pause_;
  bool settle_paused_ = false;
  std::optional<InboxStand> unsettled_;  // what the next settlement says
  std::uint64_t next_ = 0;               // parcel to be sent; 0: not now
  std::uint64_t acked_ = 0;
  std::uint64_t under_way_bytes_ = 0;
  std::deque<std::pair<std::uint64_t, std::size_t>> under_way_;  // number, bytes
  UplinkView view_;
};

}  // namespace thalweg::gate
