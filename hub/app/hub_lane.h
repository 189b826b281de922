// hub_lane.h: one lane of the hub: from the link to the ledger and on to the receivers. Start here.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "app/hub_store.h"
#include "app/hub_voice.h"
#include "base/log.h"
#include "base/loop.h"
#include "delivery/dispatcher.h"
#include "intake/parcel_check.h"
#include "link/hub_link.h"

namespace thalweg::app {

/// What both lanes share; set before start.
struct HubLaneContext {
  const Clock* clock = nullptr;
  const trust::SigningKey* key = nullptr;       ///< the hub's: checkpoints, its own records
  std::string hub;                              ///< the hub's party code
  std::size_t refused_quota_bytes = 64u << 20;  ///< refused records that are kept per party and day (rule 22)
  /// Origin party of a record in the ledger of either lane; nothing when it is in none. Any thread. Errors: kIo,
  /// kDamaged.
  std::function<Result<std::optional<std::string>>(const RecordId&)> origin_of;
  /// The ledger of either lane began a new epoch a moment ago: gates refill it. Any thread.
  std::function<bool()> refilling;
  /// Runs work that may wait for the disk, on another thread, one after another.
  std::function<void(std::function<void()>)> keep;
  /// The lane cannot go on.
  std::function<void(Error)> on_fatal;
};

/// Figures of a lane, for status pages and /metrics.
struct HubLaneCounters {
  std::uint64_t parcels = 0, records = 0, refused_records = 0, marked_records = 0, repeats = 0, gaps = 0,
                refused_parcels = 0, settlements = 0;
  std::map<Code, std::uint64_t> refused_by_code;  ///< parcels
};

/// An entry that no gate sent.
struct SystemEntry {
  ledger::EntryType type{};
  Bytes bytes;
};

/// One gate that is connected.
struct SessionView {
  std::string user;
  std::string address;
  std::string program;
  std::optional<std::int64_t> clock_offset_ns;
};

/// The two lanes of a hub share nothing but the policy and the keeper thread: an urgent record waits for no routine
/// one, in no queue and no file.
///
/// Owns: loop, link, store. Threads: as marked; everything else happens on its loop.
class HubLane {
 public:
  HubLane(Lane lane, HubLaneContext context, std::unique_ptr<HubStore> store, intake::PolicyPtr policy);
  ~HubLane();

  /// Starts loop and writer: entries may be appended. Once, not on the loop.
  void start();
  /// Lets gates in. Not on the loop. Errors: as HubLink::start().
  Status listen(link::HubLinkOptions options);
  /// Ends link, loop and writer; what was acknowledged is on the disk.
  void stop();
  const std::string& endpoint() const { return link_->endpoint(); }

  Loop& loop() { return loop_; }
  /// Loop: the rules for the parcels from now on. Sessions of keys that are no longer admitted are closed by the hub.
  void set_policy(intake::PolicyPtr policy);
  /// Loop: writes a system entry (region version, certificate, revocation, act); `done` on the loop, once durable. One
  /// that could not be read again is refused.
  void append(ledger::EntryType type, Bytes bytes, std::function<void(Status)> done);
  /// Loop: puts `policy` in force together with the entries that say so. Whatever the lane takes afterwards stands
  /// behind them in the chain, and what it had taken before in front of them. When the first entry fails, the policy
  /// before holds again. `done` on the loop, once all are durable or failed.
  void change(intake::PolicyPtr policy, std::vector<SystemEntry> entries, std::function<void(Status)> done);
  /// Loop: a record of the hub's own. It goes the way of every parcel: into the ledger, then to those of its receivers
  /// that have a gate. What cannot be said is logged: no act of the hub fails for it.
  void say(HubEvent event);
  /// Loop: to every connected gate; or to the gates of one user ("party/gate").
  void broadcast(const link::Document& document);
  void send_document(const std::string& user, const link::Document& document);
  /// Loop: what every gate is sent after its welcome.
  void set_greeting(std::function<std::vector<link::Document>(const std::string& party)> greeting) {
    greeting_ = std::move(greeting);
  }
  void close_user(std::string_view user, Code code, std::string_view text) { link_->close_user(user, code, text); }
  /// Loop.
  std::vector<SessionView> sessions() const;
  /// Loop: which blocks receivers wait for. Errors: as PlaceIndex::read().
  struct Needed {
    std::uint64_t first_block = 0;  ///< behind the head when nobody waits
    std::string receiver;           ///< who waits for it
  };
  Result<Needed> needed() const;
  HubStore& store() { return *store_; }
  const HubLaneCounters& counters() const { return counters_; }
  link::HubLinkCounters link_counters() const { return link_->counters(); }
  Lane lane() const { return lane_; }
  /// Steady time at which an epoch began since the start; 0: none did. Any thread.
  std::int64_t epoch_begun_ns() const { return epoch_begun_ns_; }

 private:
  /// What waits for its block.
  struct UnderWay {
    ledger::EntryType type{};
    std::uint64_t tag = 0;
    link::SessionHandle session = 0;
    ParcelHeader header;            // kParcel
    Bytes verdicts, decision;       // kParcel: for the acknowledgement
    std::vector<RecordId> ids;      // kParcel
    std::size_t refused_bytes = 0;  // kParcel: of refusals_
    std::vector<std::string> receivers;
    link::PoolShare share;          // kParcel: credit comes back when the block is written
    ledger::Settlement settlement;  // kSettlement
    std::function<void(Status)> done;
  };
  struct Gate {
    link::SessionHandle session = 0;
    std::string user, party, gate, address, program;
    Uuid incarnation;
    bool receives = false;
    std::uint64_t epoch = 0;                    // that of its welcome
    bool compared = false;                      // its first settlement was held against the ledger
    std::optional<ledger::Settlement> waiting;  // newer settlement that came while one is being written
    std::uint64_t waiting_serial = 0;           // of the certificate that `waiting` was judged by
    bool settling = false;
  };
  /// What was used up of what there is for a day.
  struct Quota {
    std::int64_t day = 0;
    std::size_t used = 0;
  };

  link::HubLinkEvents events();
  void on_hello(const link::Session& session);
  void on_parcel(const link::Session& session, link::Assembled assembled);
  void on_settle(const link::Session& session, const link::Settle& settle);
  void on_lookup(const link::Session& session, const link::Lookup& lookup);
  void on_closed(const link::Session& session, Code code);
  void on_block(const ledger::BlockOutcome& outcome);
  void on_parcel_written(UnderWay& entry, const ledger::Place& place, std::int64_t time);
  void answer_lost(UnderWay& entry, const Error& error);
  void end_halt();

  std::optional<std::string> hub_is_behind(const link::Hello& hello, bool receives) const;
  Result<bool> settles_another_history(const std::string& receiver, const link::Settle& settle) const;
  /// For a gate that knows what this ledger does not. Errors: kBusy (not for this gate again, or not now), kState; none
  /// began.
  Status open_epoch(const std::string& user, const std::string& why, std::uint64_t known_epoch);
  Result<std::uint64_t> start_of(const link::Hello& hello, const delivery::ReceiverState& state) const;
  void repeat(const link::Session& session, const ParcelView& parcel);
  void answer_here(const link::Session& session, const ParcelHeader& header);
  void refuse(const link::Session& session, std::uint64_t number, const Error& error);
  bool take_of(Quota& quota, std::size_t amount, std::size_t most) const;
  static void give_back(Quota& quota, std::size_t amount);
  void submit(UnderWay entry, ledger::Submission submission);
  void submit_settlement(Gate& gate);
  void pump(const std::string& receiver);
  void send_on(const std::string& receiver);
  void try_again();
  void tell_progress(const std::set<StreamId>& streams);
  Bytes checkpoint() const;
  void keep_house();
  /// Never falls, as block times never do: what is judged by it is in force at its block too.
  std::int64_t now_unix_ns();

  const Lane lane_;
  const HubLaneContext context_;
  Loop loop_;
  std::unique_ptr<HubStore> store_;
  intake::PolicyPtr policy_;
  intake::ParcelCheck check_;
  HubVoice voice_;
  bool doubt_told_ = false;  // that the clock is in doubt
  delivery::Dispatcher dispatcher_;
  std::unique_ptr<link::HubLink> link_;
  std::function<std::vector<link::Document>(const std::string&)> greeting_;

  std::deque<UnderWay> under_way_;
  std::uint64_t last_tag_ = 0;
  std::int64_t last_now_ = 0;
  std::map<std::string, std::int64_t> epochs_begun_ns_;  // steady, by the user for whom they began
  std::atomic<std::int64_t> epoch_begun_ns_{0};
  std::optional<Error> halted_;  // the ledger failed: nothing is taken until what was under way is answered
  std::map<link::SessionHandle, Gate> gates_;
  std::map<std::string, link::SessionHandle> receiver_sessions_;  // by party
  std::set<std::string> pumping_;                                 // receivers whose pump() is posted
  std::map<std::string, std::string> standing_;                   // receivers whose deliveries cannot be read, and why
  boost::asio::steady_timer again_;
  bool again_armed_ = false;
  std::unordered_map<std::string, Quota> refusals_;       // bytes that are kept, by party
  std::unordered_map<std::string, Quota> streams_begun_;  // by party/gate
  bool saving_ = false;
  bool running_ = false;   // of the thread that starts and stops the lane
  bool stopping_ = false;  // on the loop: the link goes
  HubLaneCounters counters_;
  log::Limit log_limit_;  // of refused parcels and failed writes
};

}  // namespace thalweg::app
