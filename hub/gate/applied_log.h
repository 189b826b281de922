// applied_log.h: a log on disk and the state that follows from it: the same entries give the same state, live as at a
// start. What outbox and inbox stand on.
#pragma once

#include <functional>
#include <future>
#include <memory>

#include "base/loop.h"
#include "ledger/group_commit.h"
#include "ledger/segment_log.h"
#include "ledger/snapshot.h"

namespace thalweg::gate {

/// What an AppliedLog tells its owner, always on the loop (at open(): on the calling thread).
class LogOwner {
 public:
  virtual ~LogOwner() = default;
  /// Takes an entry into the state; `entry` is valid during the call. Errors: kDamaged.
  virtual Status apply(const ledger::EntryRef& entry, ledger::Place place, std::int64_t time_unix_ns) = 0;
  /// The end of the submission with this tag: applied and durable, or (`error`) not in the log. In order.
  virtual void settled(std::uint64_t tag, const Error* error) = 0;
  /// A block was handled whole; a good moment to send what follows from it.
  virtual void block_done() = 0;
  /// Writing failed and what was under way is lost; numbers given since the last settled() are free again.
  /// After kSyncFailed nothing will be written any more until the process starts anew.
  virtual void write_failed(const Error& error) = 0;
  virtual void encode_state(Bytes& out) const = 0;
  /// False when the bytes are none of encode_state(): then all is replayed.
  virtual bool decode_state(ByteReader& in) = 0;
  virtual void clear_state() = 0;
  /// Before entries are applied without a snapshot, when the front of the log was dropped: what follows from it is
  /// not known any more.
  virtual void front_is_lost() {}
  /// What encode_state() gave last is on disk: what only older states need may go.
  virtual void state_saved() {}
};

/// Settings of an AppliedLog.
struct AppliedLogOptions {
  Bytes genesis;
  std::string thread_name;
  std::uint32_t reserve_percent = 5;
  std::int64_t sync_delay_ns = 0;  ///< benchmarks
  std::uint64_t segment_bytes = 64u << 20;
  std::size_t max_waiting_bytes = 16u << 20;
  bool lock_folder = true;
};

/// A SegmentLog with its writer thread, snapshots and replay.
///
/// Owns: the folder. Borrows: `files`, `clock`, `loop` and the owner, which outlive it; nothing reaches the owner once
/// this is destroyed.
/// Threads: the loop, but for log(), which any thread may read.
class AppliedLog {
 public:
  /// Entry types of AppliedLog itself; owners use numbers from 2.
  static constexpr std::uint8_t kGenesis = 1;

  /// Opens or creates the log, loads the newest snapshot and applies what came after it.
  /// Errors: as SegmentLog::open(), kDamaged from the owner.
  static Result<std::unique_ptr<AppliedLog>> open(FileSystem& files, const Path& folder, const Clock& clock, Loop& loop,
                                                  AppliedLogOptions options, LogOwner& owner);
  /// Writes what waits first.
  ~AppliedLog();

  /// Takes an entry for the next block; settled() follows. On failure nothing was taken. Errors: as
  /// GroupCommit::submit().
  Status submit(ledger::Submission entry);
  /// Submissions that are not settled yet.
  std::size_t under_way() const { return under_way_; }
  std::size_t waiting_bytes() const { return commit_->waiting_bytes(); }
  bool clock_doubtful() const { return commit_->clock_doubtful(); }

  /// Begins a snapshot when enough was added since the last one. The state is copied here, written on a thread of its
  /// own: a lane does not wait for it.
  void snapshot_if_due();
  /// Writes one and waits for it.
  Status snapshot();
  /// Drops whole segments before `block`, after a snapshot. Says which block is first now.
  Result<std::uint64_t> drop_before(std::uint64_t block);

  const ledger::SegmentLog& log() const { return *log_; }
  std::shared_ptr<const ledger::SegmentLog> shared_log() const { return log_; }
  const ledger::OpenReport& report() const { return report_; }

 private:
  struct Bridge;  // what the writer thread may reach; outlives this
  AppliedLog(FileSystem& files, Path folder, LogOwner& owner);
  Status replay();
  ledger::Snapshot state_now();
  bool end_saving();
  void take(const ledger::BlockOutcome& outcome);
  Status apply_block(const ledger::Block& block);

  LogOwner& owner_;
  std::shared_ptr<ledger::SegmentLog> log_;
  ledger::SnapshotStore snapshots_;
  ledger::OpenReport report_;
  std::shared_ptr<Bridge> bridge_;
  std::unique_ptr<ledger::GroupCommit> commit_;
  std::size_t under_way_ = 0;
  std::uint64_t applied_block_ = 0;
  Hash256 applied_hash_{};
  std::uint64_t bytes_since_snapshot_ = 0;
  std::future<Status> saving_;  // a snapshot that is being written
};

}  // namespace thalweg::gate
