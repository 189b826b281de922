// gate_lane.h: one lane of a gate: its loop, outbox, inbox, line to the hub, runners, and the local socket.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/loop.h"
#include "gate/gate_shared.h"
#include "gate/inbox.h"
#include "gate/outbox.h"
#include "gate/sink_feed.h"
#include "gate/supervisor.h"
#include "gate/uplink.h"
#include "link/local_socket.h"

namespace thalweg::gate {

class PeopleDesk;

/// Lanes share nothing that moves but the registries of GateShared.
///
/// Threads: open() and stop() from the owner's; all else on the lane's loop.
class GateLane {
 public:
  GateLane(GateShared& shared, Lane lane);
  ~GateLane();

  /// Opens outbox, inbox and socket, starts the loop, the line and the runners. Errors: what any of them gives.
  Status open();
  /// Ends runners, line, socket and loop, in this order.
  void stop();
  /// The other lane, for questions about the whole gate. Before open().
  void set_other(GateLane* other) { other_ = other; }

  Lane lane() const { return lane_; }
  Loop& loop() { return loop_; }
  GateShared& shared() { return shared_; }
  GateLane* other() { return other_; }
  Outbox& outbox() { return *outbox_; }
  Inbox& inbox() { return *inbox_; }
  Uplink& uplink() { return *uplink_; }
  Supervisor& supervisor() { return *supervisor_; }
  PeopleDesk* desk() { return desk_.get(); }
  SinkFeed* feed(std::string_view instance);
  const std::map<std::string, std::unique_ptr<SinkFeed>, std::less<>>& feeds() const { return feeds_; }

 private:
  /// One connection to the socket.
  struct Peer : std::enable_shared_from_this<Peer> {
    link::LocalConnectionRef connection;
    bool greeted = false;
    const AdapterConfig* adapter = nullptr;  // a runner's
    std::string person;                      // a person's user name
    Submitter submitter;
    std::deque<std::shared_ptr<Bytes>> answers;  // SETTLED frames in the order of SUBMIT; empty while open
    bool paused = false;
    std::uint32_t lines = 0;  // log lines in this second
  };
  using PeerRef = std::shared_ptr<Peer>;

  Status open_logs();
  Status open_socket();
  void tick();
  void arm_tick();
  void on_records();

  void on_frame(const PeerRef& peer, link::LocalType type, ByteView body);
  void on_hello(const PeerRef& peer, ByteView body);
  void welcome_runner(const PeerRef& peer);
  void on_runner_request(const PeerRef& peer, ByteView body);
  void on_submit(const PeerRef& peer, ByteView body);
  void flush_answers(const PeerRef& peer);
  void on_verdicts(const PeerRef& peer, ByteView body);
  void on_log(const PeerRef& peer, ByteView body);
  void on_closed(const PeerRef& peer);
  void on_room();
  void tell_refused(const AcknowledgedEntry::Refused& refused);
  PeerRef runner_of(std::string_view instance);
  void close(const PeerRef& peer, std::string_view why);

  GateShared& shared_;
  const Lane lane_;
  GateLane* other_ = nullptr;
  Loop loop_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<Inbox> inbox_;
  std::unique_ptr<Uplink> uplink_;
  std::unique_ptr<Supervisor> supervisor_;
  std::map<std::string, std::unique_ptr<SinkFeed>, std::less<>> feeds_;
  std::unique_ptr<link::LocalServer> server_;
  std::unique_ptr<PeopleDesk> desk_;
  std::map<link::LocalConnection*, PeerRef> peers_;
  boost::asio::steady_timer timer_;
  std::uint32_t ticks_ = 0;
  bool stopping_ = false;
  bool started_ = false;
  link::LocalSubmit scratch_;
};

}  // namespace thalweg::gate
