// applied_log.cc: see applied_log.h.
#include "gate/applied_log.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"

namespace thalweg::gate {

/// Outbox and inbox keep what they need again in their own form; the log's copies are for those who look.
static constexpr std::size_t kRecentBytes = 1u << 20;
/// Who sends, who feeds an adapter and a person that looks read on from where they are: few segments at a time.
static constexpr std::size_t kOpenSegments = 4;

/// The writer thread posts through this; `target` is empty once the log is gone, so a late post finds nobody.
struct AppliedLog::Bridge {
  Loop& loop;
  AppliedLog* target;  // loop only
};

AppliedLog::AppliedLog(FileSystem& files, Path folder, LogOwner& owner)
    : owner_(owner), snapshots_(files, folder / "snapshot") {}

Result<std::unique_ptr<AppliedLog>> AppliedLog::open(FileSystem& files, const Path& folder, const Clock& clock,
                                                     Loop& loop, AppliedLogOptions options, LogOwner& owner) {
  std::unique_ptr<AppliedLog> self(new AppliedLog(files, folder, owner));
  // No folder is made before: the log makes what is missing, and syncs the names of what it made.
  ledger::SegmentOptions segments;
  segments.genesis_type = kGenesis;
  segments.genesis = std::move(options.genesis);
  segments.genesis_time_unix_ns = clock.wall_unix_ns();
  segments.segment_bytes = options.segment_bytes;
  segments.lock_folder = options.lock_folder;
  segments.recent_bytes = kRecentBytes;
  segments.open_segments = kOpenSegments;
  TW_ASSIGN(self->log_, ledger::SegmentLog::open(files, folder, std::move(segments), &self->report_));
  if (self->report_.torn) {
    log::warning("gate", "{}: a block torn by a crash was cut off: {} offset {}, {} bytes", folder.string(),
                 self->report_.torn->file, self->report_.torn->offset, self->report_.torn->bytes);
  }
  TW_TRY(self->replay());

  self->bridge_ = std::make_shared<Bridge>(Bridge{loop, self.get()});
  ledger::GroupCommitOptions commit;
  commit.max_waiting_bytes = options.max_waiting_bytes;
  commit.disk_reserve_share = options.reserve_percent / 100.0;
  commit.extra_sync_delay_ns = options.sync_delay_ns;
  commit.thread_name = std::move(options.thread_name);
  commit.on_block = [bridge = self->bridge_](const ledger::BlockOutcome& outcome) {
    bridge->loop.post([bridge, outcome] {
      if (bridge->target != nullptr) bridge->target->take(outcome);
    });
  };
  self->commit_ = std::make_unique<ledger::GroupCommit>(*self->log_, clock, std::move(commit));
  return self;
}

AppliedLog::~AppliedLog() {
  end_saving();
  if (commit_) commit_->stop();
  if (bridge_) bridge_->target = nullptr;
}

Status AppliedLog::apply_block(const ledger::Block& block) {
  for (std::uint32_t i = 0; i < block.entries.size(); ++i) {
    if (block.entries[i].type == kGenesis) continue;
    TW_TRY(owner_.apply(block.entries[i], {block.info.number, i}, block.info.time_unix_ns));
  }
  applied_block_ = block.info.number;
  applied_hash_ = block.info.hash;
  bytes_since_snapshot_ += block.info.bytes;
  return {};
}

Status AppliedLog::replay() {
  TW_ASSIGN(auto snapshot, snapshots_.load(*log_));
  std::uint64_t next = log_->first_block();
  if (snapshot) {
    ByteReader in(snapshot->state);
    if (owner_.decode_state(in) && in.done()) {
      next = snapshot->block + 1;
      applied_block_ = snapshot->block;
      applied_hash_ = snapshot->block_hash;
    } else {
      log::warning("gate", "{}: the snapshot is of another version; everything is read anew", log_->folder().string());
      owner_.clear_state();
    }
  }
  if (applied_block_ == 0 && next > 1) owner_.front_is_lost();
  constexpr std::size_t kRunBytes = 4u << 20;
  while (next <= log_->head().number) {
    TW_ASSIGN(const auto blocks, log_->read_run(next, kRunBytes));
    for (const ledger::BlockPtr& block : blocks) TW_TRY(apply_block(*block));
    next += blocks.size();
  }
  return {};
}

Status AppliedLog::submit(ledger::Submission entry) {
  TW_TRY(commit_->submit(std::move(entry)));
  ++under_way_;
  return {};
}

void AppliedLog::take(const ledger::BlockOutcome& outcome) {
  under_way_ -= outcome.tags.size();
  if (!outcome.error) {
    if (Status applied = apply_block(*outcome.block); !applied) {
      // What was just written came from this process: it cannot fail to be read back.
      log::error("gate", "{}: {}", log_->folder().string(), applied.error().message);
    }
    for (std::uint64_t tag : outcome.tags) owner_.settled(tag, nullptr);
  } else {
    for (std::uint64_t tag : outcome.tags) owner_.settled(tag, &*outcome.error);
    // Only when the last of the lost entries is told of may new ones be taken: they reuse the numbers.
    if (under_way_ == 0) {
      if (outcome.error->code != Code::kSyncFailed) commit_->resume();
      owner_.write_failed(*outcome.error);
    }
  }
  owner_.block_done();
}

ledger::Snapshot AppliedLog::state_now() {
  ledger::Snapshot snapshot;
  snapshot.block = applied_block_;
  snapshot.block_hash = applied_hash_;
  owner_.encode_state(snapshot.state);
  bytes_since_snapshot_ = 0;  // also if it fails: tried again after as many bytes, not at every block
  return snapshot;
}

/// True when a snapshot was being written and is saved.
bool AppliedLog::end_saving() {
  if (!saving_.valid()) return false;
  const Status saved = saving_.get();
  if (!saved) log::warning("gate", "{}: no snapshot: {}", log_->folder().string(), saved.error().message);
  return saved.has_value();
}

void AppliedLog::snapshot_if_due() {
  if (!ledger::SnapshotStore::due(bytes_since_snapshot_)) return;
  if (saving_.valid() && saving_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
  if (end_saving()) owner_.state_saved();
  saving_ = std::async(std::launch::async, [this, snapshot = state_now()] { return snapshots_.save(snapshot); });
}

Status AppliedLog::snapshot() {
  if (end_saving()) owner_.state_saved();
  if (applied_block_ == 0) return {};
  TW_TRY(snapshots_.save(state_now()));
  owner_.state_saved();
  return {};
}

Result<std::uint64_t> AppliedLog::drop_before(std::uint64_t block) {
  if (log_->segment_of(std::min(block, log_->head().number)) <= log_->first_block()) return log_->first_block();
  TW_TRY(snapshot());  // what the dropped blocks said must not be lost with them
  return log_->drop_before(block);
}

}  // namespace thalweg::gate
