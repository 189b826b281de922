// inbox.h: what a site receives: each record once, on disk before the hub hears so, kept for the adapters.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "base/loop.h"
#include "gate/applied_log.h"
#include "gate/delivered.h"
#include "gate/gate_config.h"
#include "gate/gate_trust.h"
#include "gate/inbox_state.h"
#include "gate/origin_keys.h"
#include "gate/receipt_book.h"
#include "link/message.h"

namespace thalweg::gate {

/// A delivery in the inbox, opened, with the indexes of its records that came before.
struct InboxItem {
  std::shared_ptr<const Delivered> delivered;
  std::vector<std::uint32_t> held;
  Code doubt = Code::kOk;
  std::string doubt_text;
  std::int64_t received_unix_ns = 0;

  bool was_held(std::uint32_t index) const;
};
using InboxItemRef = std::shared_ptr<const InboxItem>;

/// Opens the delivery of an inbox entry. Any thread. Errors: kDamaged, kParcelFormat ...
Result<InboxItemRef> open_item(const ledger::BlockPtr& block, std::uint32_t entry);

/// How far the inbox is, to be signed and told to the hub.
struct InboxStand {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::uint64_t taken = 0;
  std::uint32_t dead = 0;
  Hash256 root{};  ///< Merkle root of the parcel that came with `sequence`; zero when it was withdrawn
  bool operator==(const InboxStand&) const = default;
};

/// What an inbox needs and tells. All callbacks are on the loop.
struct InboxOptions {
  Lane lane = Lane::kRoutine;
  std::int64_t sync_delay_ns = 0;  ///< benchmarks
  std::uint64_t segment_bytes = 64u << 20;
  bool lock_folder = true;
  std::vector<std::string> sinks;  ///< instances that take from this inbox

  /// Bytes of deliveries that the inbox holds no more in memory, durable, refused or lost: the link may grant new
  /// credit. Once for each on_delivery().
  std::function<void(std::uint64_t bytes)> on_taken;
  std::function<void(const InboxStand&)> on_stand;                          ///< changed; settle
  std::function<void(std::uint64_t ordinal, const InboxItemRef&)> on_item;  ///< a new delivery is durable
  std::function<void()> on_block;
  std::function<void(const Error&)> on_fatal;
};

/// The durable inbox of one lane.
///
/// Owns: the folder. Borrows: all references, which outlive it.
/// Threads: the loop; log() from any.
/// Durability: what on_stand names is on disk, and so is the last sequence, in the same block.
class Inbox final : private LogOwner {
 public:
  /// Errors: as AppliedLog::open().
  static Result<std::unique_ptr<Inbox>> open(FileSystem& files, const Path& folder, const Clock& clock, Loop& loop,
                                             const GateConfig& config, const GateTrust& trust, ReceiptBook& receipts,
                                             InboxOptions options);

  void fill(link::Hello& hello) const;
  void on_welcome(const link::Welcome& welcome);
  /// Verifies and stores. Records that are held are not stored as new again (rule 9); what cannot be believed is kept
  /// as a dead letter. Errors: kLinkFrame when the hub breaks the sequence: the session should end.
  Status on_delivery(std::uint64_t sequence, Bytes bytes);
  InboxStand stand() const;

  /// A held delivery: from memory when it is new. Errors: kNotFound, kDamaged, kIo.
  Result<InboxItemRef> item(std::uint64_t ordinal);
  /// Durable, some time soon; `patient` waits for company. Claims the reserve: a full disk must not make adapters see
  /// records twice. What is written before another entry is never lost without it. `done` may be called at once.
  void write(InboxType type, Bytes bytes, std::function<void(const Error*)> done = {}, bool patient = false);
  /// Retries or drops a dead letter that no sink owns: judged anew. Errors: kNotFound, and why it is still in doubt.
  void act_doubtful(const InboundLetter& letter, ActEntry::What what, std::string_view who,
                    std::function<void(Status)> done);

  const InboxState& state() const { return state_; }
  const ledger::SegmentLog& log_for_read() const { return log_->log(); }
  std::shared_ptr<const ledger::SegmentLog> log() const { return log_->shared_log(); }
  /// Stores what had to wait for room, drops old segments. Every second or so.
  void tick();

  struct Counters {
    std::uint64_t deliveries = 0, skipped = 0, doubtful = 0, repeated_records = 0, settled = 0;
  };
  const Counters& counters() const { return counters_; }
  std::uint64_t total_bytes() const { return log_->log().total_bytes(); }
  std::size_t waiting() const { return pending_.size(); }
  /// Entries in the log's hands whose outcome is not known yet.
  std::size_t under_way() const { return log_->under_way(); }
  const std::optional<Error>& broken() const { return broken_; }

 private:
  struct With {
    FileSystem& files;
    const Clock& clock;
    Loop& loop;
    const GateTrust& trust;
    ReceiptBook& receipts;
  };
  Inbox(With with, const GateConfig& config, InboxOptions options)
      : with_(with), config_(config), options_(std::move(options)) {}

  Status apply(const ledger::EntryRef& entry, ledger::Place place, std::int64_t time_unix_ns) override;
  void settled(std::uint64_t tag, const Error* error) override;
  void block_done() override;
  void write_failed(const Error& error) override;
  void encode_state(Bytes& out) const override;
  bool decode_state(ByteReader& in) override;
  void clear_state() override;
  void front_is_lost() override { begins_anew_ = true; }

  struct Pending {
    std::uint64_t epoch = 0;
    std::uint64_t sequence = 0;
    std::shared_ptr<const Bytes> bytes;
  };
  void store_pending();
  void give_back(std::uint64_t bytes);
  bool is_receipt(ByteView record);
  Status store(const Pending& pending);
  bool full();
  Result<std::vector<std::uint32_t>> fresh_of(const Delivered& delivered);
  Status know_all();
  void know(const Delivered& delivered, std::int64_t received_unix_ns);
  void remember(std::uint64_t ordinal, InboxItemRef item);

  With with_;
  const GateConfig& config_;
  InboxOptions options_;
  InboxState state_;
  std::unique_ptr<AppliedLog> log_;
  RecordReader reader_;

  std::deque<Pending> pending_;      // came and is not in the log's queue yet
  HeldLeaves held_;                  // the state's, and what is under way
  std::optional<OriginKeys> known_;  // by id and root, in memory alone; made by know_all()
  std::uint64_t unknown_from_ = 0;   // ordinal up to which known_ has come; 0: all is in it
  std::uint64_t session_epoch_ = 0;
  std::uint64_t expected_ = 0;      // next sequence on this session; 0: no session
  std::uint64_t stored_epoch_ = 0;  // of what was given to the log last
  std::uint64_t stored_sequence_ = 0;
  std::unordered_map<std::uint64_t, std::function<void(const Error*)>> completions_;
  std::uint64_t next_tag_ = 1;
  std::deque<InboxItemRef> under_way_;  // deliveries given to the log, in order, until they are applied
  std::map<std::uint64_t, InboxItemRef> recent_;
  std::size_t recent_bytes_ = 0;
  InboxStand told_;
  std::int64_t next_expiry_ns_ = 0;
  bool told_no_room_ = false;
  bool begins_anew_ = false;  // while it is opened: without the front of the log
  std::optional<Error> broken_;
  log::Limit log_limit_;  // of writes that fail
  Counters counters_;
};

}  // namespace thalweg::gate
