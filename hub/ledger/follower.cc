// follower.cc: reading a ledger block after block, with read-ahead.
#include "ledger/follower.h"

#include <mutex>

namespace thalweg::ledger {

/// A wake-up that happens once. Shared with the ledger's watch.
struct Follower::Waiting {
  std::mutex mutex;
  std::uint64_t for_block = 0;  // both guarded by mutex
  std::function<void()> wake;

  void reached(std::uint64_t head) {
    std::function<void()> due;
    {
      std::lock_guard guard(mutex);
      if (head >= for_block) due.swap(wake);
    }
    if (due) due();
  }
};

Follower::Follower(Ledger& ledger, std::uint64_t next_block, std::size_t read_ahead_bytes)
    : ledger_(ledger), next_(next_block), read_ahead_bytes_(read_ahead_bytes), waiting_(std::make_shared<Waiting>()) {}

Follower::~Follower() = default;

Result<BlockPtr> Follower::next() {
  if (ahead_at_ == ahead_.size()) {
    ahead_.clear();
    ahead_at_ = 0;
    TW_ASSIGN(ahead_, ledger_.read_run(next_, read_ahead_bytes_));
    if (ahead_.empty()) return BlockPtr();
  }
  ++next_;
  return std::move(ahead_[ahead_at_++]);
}

void Follower::seek(std::uint64_t block) {
  ahead_.clear();
  ahead_at_ = 0;
  next_ = block;
}

void Follower::wait(std::function<void()> wake) {
  {
    std::lock_guard guard(waiting_->mutex);
    waiting_->for_block = next_;
    waiting_->wake = std::move(wake);
  }
  if (!watch_) {
    watch_ = ledger_.watch([waiting = waiting_](const BlockPtr& block) { waiting->reached(block->info.number); });
  }
  // A block that came between next() and here would wake nobody.
  waiting_->reached(ledger_.head().number);
}

}  // namespace thalweg::ledger
