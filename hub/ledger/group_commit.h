// group_commit.h: what waits goes into one block with one sync.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "ledger/ledger.h"

namespace thalweg::ledger {

/// How an entry stands when room is short.
enum class Claim : std::uint8_t {
  kNormal,   ///< refused when the waiting room or the disk is down to its reserve
  kReserve,  ///< settlements and what is urgent: may use the reserve
};

/// What became of one entry. Block time and hash are in the outcome of its block.
struct Committed {
  Place place;
  std::int64_t time_unix_ns = 0;
};
using Done = std::function<void(const Result<Committed>&)>;

/// An entry on its way into the ledger. Its bytes are `bytes` followed by `*more`.
struct Submission {
  std::uint8_t type = 0;
  Bytes bytes = {};
  std::shared_ptr<const Bytes> more = {};  ///< may be null
  Claim claim = Claim::kNormal;
  std::uint64_t tag = 0;  ///< given back in BlockOutcome
  Done done = {};         ///< may be empty; on the writer thread
  /// Nobody waits for it, and what is lost with it comes again: it may wait GroupCommitOptions::patience_ns for
  /// company, and spares the disk a sync and the process a turn of three threads.
  bool patient = false;
};

/// The end of one attempt to write a block: with `error` none of these entries is in the ledger, and they are all that
/// was waiting.
struct BlockOutcome {
  std::optional<Error> error;
  BlockPtr block;                   ///< null with error; openers of segments are blocks of their own, not shown here
  std::vector<std::uint64_t> tags;  ///< of the entries, in order: tags[i] is entry i of the block
};

struct GroupCommitOptions {
  std::size_t max_block_bytes = 1u << 20;             ///< a larger entry gets a block of its own
  std::size_t max_waiting_bytes = 16u << 20;          ///< entries that wait, without the reserve
  std::size_t reserve_waiting_bytes = 2u << 20;       ///< on top, for Claim::kReserve
  double disk_reserve_share = 0.05;                   ///< of the disk, kept for Claim::kReserve (rule 18)
  std::int64_t patience_ns = 5'000'000;               ///< of patient entries, while no other comes
  std::int64_t extra_sync_delay_ns = 0;               ///< benchmarks: as if the disk were slower
  std::function<void(const BlockOutcome&)> on_block;  ///< once per block, after the entries' `done`; writer thread
  std::string thread_name = "ledger";                 ///< at most 15 characters
};

/// Writes submitted entries to a ledger, in the order of submit(), as many per block as are waiting. One record alone
/// is written at once; while a sync runs, those that come meanwhile make up the next block. Patient ones alone wait a
/// little for another.
///
/// When a block fails, all that waits fails with it, in order, and submit() answers the same error until
/// resume(): the owner first takes back what it had derived from the lost entries (numbers, sequences).
///
/// Owns: the writer thread. Borrows: `ledger` and `clock`, which outlive it.
/// Threads: any. `done` and `on_block` run on the writer thread and must not wait for it.
class GroupCommit {
 public:
  GroupCommit(Ledger& ledger, const Clock& clock, GroupCommitOptions options);
  /// Writes what waits, then ends the thread.
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  /// Takes the entry for the next block. On failure nothing was taken and `done` is not called.
  /// Errors: kBusy (waiting room full), kDiskFull (down to the reserve), the error of a failed block (until resume()),
  /// kClosed (stopping), kInvalid (entry over 16 MiB).
  Status submit(Submission entry);
  /// What submit() would answer to an entry of `bytes` now, so that nothing need be derived from one that is refused.
  Status room(std::size_t bytes, Claim claim);
  Status submit(std::uint8_t type, Bytes bytes, Done done) {
    return submit(Submission{type, std::move(bytes), nullptr, Claim::kNormal, 0, std::move(done)});
  }
  /// After a failed block: takes entries again. Useless after kSyncFailed, where every block will fail.
  void resume();
  /// The error that holds submissions back, if any.
  std::optional<Error> failure() const;

  /// Waits until all that was submitted before is written or failed. Not from the writer thread.
  void flush();
  /// Writes what waits and ends the thread; submit() answers kClosed from now on.
  void stop();

  std::size_t waiting_bytes() const;
  /// True when the wall clock stepped by over 5 minutes against the steady clock, or started before the last block
  /// (rule 26): nothing may expire, be deleted or come into force until confirm_clock().
  bool clock_doubtful() const;
  /// For who has another reason to doubt it: another chain by the same clock, or the last block's mark.
  void doubt_clock();
  void confirm_clock();

  struct Counters {
    std::uint64_t blocks = 0, entries = 0, bytes = 0, failures = 0;
    std::int64_t last_append_ns = 0;  ///< how long the last one took
  };
  Counters counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace thalweg::ledger
