// outbox.h: what a site sends, from the moment it is taken until the hub has acknowledged it and 30 days beyond.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "base/log.h"
#include "base/loop.h"
#include "gate/applied_log.h"
#include "gate/gate_config.h"
#include "gate/outbox_state.h"
#include "gate/parcel_builder.h"
#include "link/message.h"
#include "model/verdict.h"
#include "trust/keys.h"

namespace thalweg::gate {

using SharedBytes = std::shared_ptr<const Bytes>;

/// What an outbox needs and tells. All callbacks are on the loop.
struct OutboxOptions {
  Lane lane = Lane::kRoutine;
  Hash256 ledger_id{};             ///< from the hub card; zero: learned from the first WELCOME
  std::int64_t sync_delay_ns = 0;  ///< benchmarks
  std::uint64_t segment_bytes = 64u << 20;
  bool lock_folder = true;

  std::function<void()> on_stored;        ///< parcels became durable: send from there
  std::function<void()> on_room;          ///< something was stored, and it is not congested()
  std::function<void()> on_answers_lost;  ///< a failing disk lost answers of the hub: to be asked for again
  std::function<void()> on_stream;        ///< a new incarnation became durable, or may begin now: connect anew
  /// The hub refused a record of an adapter instance.
  std::function<void(const AcknowledgedEntry::Refused&)> on_refused;
  /// Writing ended for good (kSyncFailed): the process should start anew.
  std::function<void(const Error&)> on_fatal;
};

/// What to do after a WELCOME.
struct Resume {
  enum class How {
    kContinue,        ///< send from `next` on
    kHubBehind,       ///< the hub was restored: the same, and say so
    kNewIncarnation,  ///< this outbox was restored, or the hub lost too much: a new stream begins; connect anew
    kForeign,         ///< another ledger: do not go on
    kLater,           ///< the disk does not say what is held: ask again after a while
  };
  How how = How::kContinue;
  std::uint64_t next = 0;
};

/// The durable outbox of one lane: gathers drafts into parcels, checks and signs them, stores them, answers, keeps what
/// the hub says.
///
/// Owns: the folder. Borrows: all references, which outlive it.
/// Threads: the loop; log() from any.
/// Durability: a draft answered ACCEPTED is on disk and will reach the hub once.
class Outbox final : private LogOwner {
 public:
  /// Errors: as AppliedLog::open(); kLedgerForeign when it belongs to another ledger than `options` name.
  static Result<std::unique_ptr<Outbox>> open(FileSystem& files, const Path& folder, const Clock& clock, Loop& loop,
                                              const GateConfig& config, const trust::SigningKey& key,
                                              const SchemaSet& schemas, OutboxOptions options);
  ~Outbox() override;

  /// Takes drafts; `answered` is called once, when each is ACCEPTED (durable), REJECTED (with every fault), or to be
  /// offered again. The drafts are copied. A key that was accepted before, or is on its way, makes no second record.
  void submit(const Submitter& who, std::span<const link::LocalDraft> drafts,
              std::function<void(Submission&)> answered);
  /// No further drafts, please, until on_room. They would be answered RETRY.
  bool congested() const;

  /// Compares what the hub has of this stream with what is here (rule 8).
  Resume on_welcome(const link::Welcome& welcome);
  /// On failure the acknowledgement was not taken: the parcel has to be sent again, and is then answered again; so do
  /// those behind it. Errors: kIo, kBusy.
  Status on_ack(const link::Ack& ack);
  /// The hub will never take this parcel as it was sealed (other keys since, another ledger): what it has not
  /// acknowledged is sealed anew in a new stream. False when that was tried already and did not help.
  bool seal_anew(Code code);
  void on_progress(const link::Progress& progress);
  /// The hub's newest signed checkpoint, already verified.
  void on_checkpoint(ByteView signed_checkpoint);

  /// What HELLO says of the outbox.
  void fill(link::Hello& hello) const;
  std::uint64_t head() const { return state_.head(); }
  /// The bytes of a held parcel: from memory when it is new. Errors: kNotFound, kDamaged, kIo.
  Result<SharedBytes> parcel(std::uint64_t number);

  const OutboxState& state() const { return state_; }
  std::shared_ptr<const ledger::SegmentLog> log() const { return log_->shared_log(); }
  /// Retries or drops a dead letter: `done` when the act is durable. Errors: kNotFound.
  void act(std::uint64_t letter, ActEntry::What what, std::string_view who, std::function<void(Status)> done);
  /// Expires, writes what waits for company, drops old segments. Every second or so.
  void tick();

  /// Calls `done` when all that was given to the log before is settled.
  void flush_for_test(std::function<void()> done) {
    write(OutboxType::kProgress, ProgressEntry().encode(), [done = std::move(done)](const Error*) { done(); });
  }

  struct Counters {
    std::uint64_t accepted = 0, repeated = 0, rejected = 0, busy = 0, parcels = 0, raw_bytes = 0, stored_bytes = 0;
  };
  const Counters& counters() const { return counters_; }
  std::uint64_t total_bytes() const { return log_->log().total_bytes(); }
  /// Entries in the log's hands whose outcome is not known yet.
  std::size_t under_way() const { return log_->under_way(); }
  const std::optional<Error>& broken() const { return broken_; }

 private:
  /// A parcel in the log with what belongs to it. `parcel` points into `block`.
  struct Read {
    ledger::BlockPtr block;
    ParcelEntryHead head;
    ByteView parcel;
  };
  struct Opened {
    FileSystem& files;
    const Clock& clock;
    Loop& loop;
    Path folder;
  };
  Outbox(Opened opened, const GateConfig& config, const trust::SigningKey& key, const SchemaSet& schemas,
         OutboxOptions options);

  // LogOwner
  Status apply(const ledger::EntryRef& entry, ledger::Place place, std::int64_t time_unix_ns) override;
  void settled(std::uint64_t tag, const Error* error) override;
  void block_done() override;
  void write_failed(const Error& error) override;
  void encode_state(Bytes& out) const override { state_.encode(out); }
  bool decode_state(ByteReader& in) override { return state_.decode(in); }
  void clear_state() override { state_.clear(); }
  void state_saved() override { state_.keys.saved(); }

  void take(const Submitter& who, const link::LocalDraft& draft, const OriginKeys::Key& hash,
            const SubmissionRef& submission, std::size_t index);
  std::optional<Error> no_room();
  bool held() const;
  bool may_seal() const;
  void append(const Submitter& who, const link::LocalDraft& draft, const OriginKeys::Key& hash, Bytes& record,
              Waiter waiter);
  void schedule_flush();
  void flush();
  bool seal(OpenParcel& parcel, std::uint64_t copy_of);
  void fail(OpenParcel& parcel, const Error& error);
  void stored(OpenParcel& parcel, ByteView bytes);
  Result<Read> read(ledger::Place place) const;
  Status add_refused(const ParcelVerdicts& verdicts, std::uint64_t number, AcknowledgedEntry& entry);
  void begin_incarnation(IncarnationEntry::Why why, std::uint64_t resubmit_after);
  void resubmit();
  /// Without `done` it waits for company (GroupCommit's patience): a crash before costs that the hub says it again.
  void write(OutboxType type, Bytes bytes, std::function<void(const Error*)> done = {});
  void keep_in_memory(std::uint64_t number, SharedBytes parcel);
  void retire();
  Result<Hash256> root_of(std::uint64_t number);

  Opened with_;
  const GateConfig& config_;
  const trust::SigningKey& key_;
  OutboxOptions options_;
  RecordMaker maker_;
  OutboxState state_;
  std::unique_ptr<AppliedLog> log_;

  OpenParcel open_;
  std::unordered_map<std::uint64_t, std::function<void(const Error*)>> completions_;  // by tag
  std::uint64_t next_tag_ = 1;
  struct HashOfKey {
    std::size_t operator()(const OriginKeys::Key& key) const {
      std::size_t hash;
      std::memcpy(&hash, key.data(), sizeof hash);
      return hash;
    }
  };
  std::unordered_map<OriginKeys::Key, std::vector<Waiter>, HashOfKey> on_the_way_;
  std::uint64_t next_number_ = 1;
  Hash256 last_root_{};
  std::size_t parcels_under_way_ = 0;
  bool flush_scheduled_ = false;
  Uuid incarnation_;                             // of what is sealed now; the state follows when its entry is durable
  std::uint64_t answered_ = 0;                   // the state's, and what is under way
  std::size_t copies_under_way_ = 0;             // of state_.to_resubmit, from its front
  std::map<std::uint64_t, SharedBytes> recent_;  // newest parcels, until the hub has acknowledged them
  std::size_t recent_bytes_ = 0;
  bool copies_wait_ = false;  // for tick(): a write failed, the next would as well
  bool ask_again_ = false;    // a new stream was due while records were still copied to this one
  bool progress_dirty_ = false;
  std::int64_t next_expiry_ns_ = 0;
  std::optional<Error> broken_;
  log::Limit log_limit_;  // of writes that fail
  Counters counters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // posts that come too late find it gone
};

}  // namespace thalweg::gate
