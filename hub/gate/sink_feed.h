// sink_feed.h: gives one adapter instance what the inbox holds for it, in order, until it is taken or dead.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gate/gate_config.h"
#include "gate/inbox.h"
#include "link/local_message.h"

namespace thalweg::gate {

/// Hands a batch to the runner. The views are valid during the call. False: it cannot take one now.
using SendBatch = std::function<bool(const link::LocalDeliver&)>;

/// The feed of one sink: its cursor, the batch that is out, what has to wait, dead letters to be tried again.
///
/// One batch is out at a time. After a RETRY the record and all behind it wait; when its attempts or its age are used
/// up it becomes a dead letter and the feed goes on (rule 21). After a crash the next batch holds one record, so that
/// the one that crashes the adapter is found. Exercise records are passed by unless the adapter can tell them apart.
/// While a dead letter is not on disk nothing more is given: what a failing disk lost is written again, in order.
/// Borrows: all references, which outlive it. Threads: the loop.
class SinkFeed {
 public:
  SinkFeed(const AdapterConfig& adapter, const RetryRule& rule, Inbox& inbox, const Clock& clock)
      : adapter_(adapter), rule_(rule), inbox_(inbox), clock_(clock) {}

  /// A runner is there and has started its plugin.
  void attach(SendBatch send, bool exercise_aware);
  /// It has gone; `crashed` counts as an attempt at the record that was out first.
  void detach(bool crashed, std::string_view why);
  /// Sends the next batch if there is one and nothing is out. Call it when a block was written, and at every tick.
  void pump();
  /// The verdicts of the batch that is out. Errors: kPluginContract (another batch, another count).
  Status on_verdicts(const link::LocalVerdicts& verdicts);
  /// Retries or drops a dead letter of this sink.
  void act(const InboundLetter& letter, ActEntry::What what, std::string_view who, std::function<void(Status)> done);

  /// A batch is out for longer than the plugin was given, and then some: the runner hangs.
  bool overdue() const;
  bool attached() const { return static_cast<bool>(send_); }
  const std::string& instance() const { return adapter_.instance; }
  /// Deliveries that are not wholly answered.
  std::uint64_t lag() const;
  struct Counters {
    std::uint64_t delivered = 0, accepted = 0, retried = 0, rejected = 0, dead = 0, exercises_passed_by = 0;
  };
  const Counters& counters() const { return counters_; }
  const std::string& last_problem() const { return last_problem_; }

 private:
  struct Item {
    std::uint64_t ordinal = 0;
    std::uint32_t index = 0;     ///< of the record in the parcel
    std::uint32_t position = 0;  ///< in the delivery
    std::uint32_t attempts = 0;
    std::int64_t first_attempt_unix_ns = 0;
    std::uint64_t letter = 0;  ///< a dead letter that is tried again
    RecordId record;
    InboxItemRef from;
    bool replay = false;
  };
  void fill();
  bool next_letter();
  bool send(std::vector<Item>& items);
  void refused(Item& item, Code code, std::string_view text);
  bool used_up(const Item& item, std::int64_t now) const;
  void wait_after(const Item& item);
  void save_cursor();
  /// An entry on its way into the inbox.
  struct Saving {
    InboxType type;
    Bytes bytes;
    std::int64_t not_before_ns = 0;
    bool under_way = false, durable = false;
  };
  void save(InboxType type, Bytes bytes);
  void save_again();
  bool letters_are_safe() const;

  const AdapterConfig& adapter_;
  const RetryRule& rule_;
  Inbox& inbox_;
  const Clock& clock_;
  RecordReader reader_;

  SendBatch send_;
  bool exercise_aware_ = false;
  bool placed_ = false;
  std::uint64_t ordinal_ = 1;  // next to be looked at, behind what is waiting
  std::uint32_t position_ = 0;
  std::vector<Item> waiting_;  // read, not answered; first of them is where the cursor stands
  std::size_t out_ = 0;        // how many of waiting_ are with the runner
  std::vector<Item> letter_out_;
  std::uint64_t batch_ = 0;
  std::int64_t sent_steady_ns_ = 0;
  std::int64_t not_before_ns_ = 0;
  bool alone_ = false;
  InboxState::Cursor saved_;                    // durable, or in saving_
  std::deque<std::shared_ptr<Saving>> saving_;  // in order: no cursor passes a dead letter that is not there
  std::string last_problem_;
  Counters counters_;
};

}  // namespace thalweg::gate
