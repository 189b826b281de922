// group_commit.cc: what waits goes into one block with one sync.
#include "ledger/group_commit.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "ledger/clock_watch.h"
#include "ledger/segment_format.h"

namespace thalweg::ledger {
namespace {

constexpr std::size_t kMaxBlockEntries = 65'536;
// Beside its bytes an entry costs its place in the queue; without this many tiny ones would pass the bound.
constexpr std::size_t kQueueCost = 64;
constexpr std::int64_t kSpaceEvery_ns = 250'000'000;
constexpr std::uint64_t kSpaceEveryBytes = 16u << 20;

std::size_t size_of(const Submission& e) { return e.bytes.size() + (e.more ? e.more->size() : 0); }

}  // namespace

struct GroupCommit::State {
  State(Ledger& l, const Clock& c, GroupCommitOptions o)
      : ledger(l), clock(c), options(std::move(o)), watch(c, l.head().time_unix_ns) {}

  Ledger& ledger;
  const Clock& clock;
  const GroupCommitOptions options;
  ClockWatch watch;

  mutable std::mutex mutex;
  std::condition_variable work;   ///< for the writer
  std::condition_variable idle;   ///< for flush()
  std::deque<Submission> queue;   // from here on guarded by mutex
  std::size_t pressing = 0;       ///< entries of the queue that are not patient
  std::uint64_t flush_until = 0;  ///< of `taken`: up to here patience is over
  std::size_t waiting = 0;        ///< bytes in the queue and in the block that is being written
  std::uint64_t taken = 0;        ///< entries that were ever submitted
  std::uint64_t ended = 0;        ///< of these, written or failed, with their callbacks done
  bool writer_sleeps = false;
  bool stopping = false;
  std::optional<Error> failed;
  Counters counters;
  FileSystem::Space space;
  bool space_known = false;
  std::int64_t space_asked_ns = 0;
  std::uint64_t space_used_since = 0;

  std::mutex stop_mutex;  ///< stop() from two threads at once
  std::thread writer;

  void run();
  /// With the mutex held: waits until there is something to write. False: nothing more will come.
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  /// How many entries came to their end. `cost` is the batch's in `waiting`.
  std::uint64_t write(std::vector<Submission> batch, std::size_t batch_bytes, std::size_t cost);
  bool disk_reserve_reached();
  Status room_for(std::size_t size, Claim claim);  ///< with the mutex held
};

bool GroupCommit::State::disk_reserve_reached() {
  if (options.disk_reserve_share <= 0) return false;
  const std::int64_t now = clock.steady_ns();
  if (!space_known || now - space_asked_ns >= kSpaceEvery_ns || space_used_since >= kSpaceEveryBytes) {
    auto asked = ledger.space();
    // A disk that does not say how full it is does not stop the ledger: writes will tell.
    space = asked ? *asked : FileSystem::Space{};
    space_known = true;
    space_asked_ns = now;
    space_used_since = 0;
  }
  const auto reserve = static_cast<std::uint64_t>(static_cast<double>(space.total_bytes) * options.disk_reserve_share);
  return space.total_bytes != 0 && space.free_bytes < reserve + space_used_since + waiting;
}

bool GroupCommit::State::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto ready = [&] { return pressing != 0 || stopping || flush_until > ended; };
  writer_sleeps = true;
  work.wait(lock, [&] { return !queue.empty() || stopping; });
  if (!queue.empty() && !ready()) work.wait_for(lock, std::chrono::nanoseconds(options.patience_ns), ready);
  writer_sleeps = false;
  return !queue.empty();
}

void GroupCommit::State::run() {
  std::unique_lock lock(mutex);
  while (wait_for_work(lock)) {
    std::vector<Submission> batch;
    std::size_t bytes = 0;
    std::size_t cost = 0;
    while (!queue.empty() && batch.size() < kMaxBlockEntries) {
      const std::size_t size = size_of(queue.front()) + kEntryHeaderBytes;
      if (!batch.empty() && kBlockHeaderBytes + bytes + size > options.max_block_bytes) break;
      bytes += size;
      cost += size_of(queue.front()) + kQueueCost;
      pressing -= queue.front().patient ? 0 : 1;
      batch.push_back(std::move(queue.front()));
      queue.pop_front();
    }
    lock.unlock();
    const std::uint64_t done = write(std::move(batch), bytes, cost);
    lock.lock();
    ended += done;
    idle.notify_all();
  }
}

std::uint64_t GroupCommit::State::write(std::vector<Submission> batch, std::size_t batch_bytes, std::size_t cost) {
  BlockOutcome outcome;
  std::vector<EntryRef> entries;
  entries.reserve(batch.size());
  for (const Submission& e : batch) entries.push_back({e.type, e.bytes, e.more ? ByteView(*e.more) : ByteView()});
  if (options.extra_sync_delay_ns > 0)
    std::this_thread::sleep_for(std::chrono::nanoseconds(options.extra_sync_delay_ns));
  const std::int64_t now = watch.now_unix_ns();
  const std::int64_t begun = clock.steady_ns();
  auto appended = ledger.append(entries, {now, watch.doubtful() ? BlockInfo::kClockDoubtful : std::uint8_t{0}});
  {
    std::lock_guard guard(mutex);
    counters.last_append_ns = clock.steady_ns() - begun;
    if (appended) {
      outcome.block = *std::move(appended);
      counters.blocks += 1;
      counters.entries += batch.size();
      counters.bytes += batch_bytes;
      space_used_since += batch_bytes;
    } else {
      counters.failures += 1;
      space_known = false;
      failed = outcome.error = appended.error();
      // Invariant: while `failed` is set the queue is empty, so nothing that was submitted before a failure can be
      // written after resume().
      for (Submission& e : queue) {
        cost += size_of(e) + kQueueCost;
        batch.push_back(std::move(e));
      }
      queue.clear();
      pressing = 0;
    }
    waiting -= cost;  // before anybody is told: who then asks for room finds it
  }
  outcome.tags.reserve(batch.size());
  for (const Submission& e : batch) outcome.tags.push_back(e.tag);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!batch[i].done) continue;
    if (outcome.error) {
      batch[i].done(*outcome.error);
    } else {
      batch[i].done(
          Committed{{outcome.block->info.number, static_cast<std::uint32_t>(i)}, outcome.block->info.time_unix_ns});
    }
  }
  if (options.on_block) options.on_block(outcome);
  return batch.size();
}

GroupCommit::GroupCommit(Ledger& ledger, const Clock& clock, GroupCommitOptions options)
    : state_(std::make_unique<State>(ledger, clock, std::move(options))) {
  state_->writer = std::thread([s = state_.get()] { s->run(); });
  ::pthread_setname_np(state_->writer.native_handle(), state_->options.thread_name.substr(0, 15).c_str());
}

GroupCommit::~GroupCommit() { stop(); }

Status GroupCommit::submit(Submission entry) {
  const std::size_t size = size_of(entry);
  if (entry.type == 0 || size > kMaxEntryBytes) return Error{Code::kInvalid, "an entry without type or over 16 MiB"};
  State& s = *state_;
  std::lock_guard guard(s.mutex);
  TW_TRY(s.room_for(size, entry.claim));
  s.waiting += size + kQueueCost;
  s.taken += 1;
  // A patient one wakes the writer only to begin its wait.
  const bool wake = s.writer_sleeps && (!entry.patient || s.queue.empty());
  s.pressing += entry.patient ? 0 : 1;
  s.queue.push_back(std::move(entry));
  if (wake) s.work.notify_one();
  return {};
}

Status GroupCommit::State::room_for(std::size_t size, Claim claim) {
  if (stopping) return Error{Code::kClosed, "the ledger is closing"};
  if (failed) return *failed;
  const bool reserve = claim == Claim::kReserve;
  const std::size_t room = options.max_waiting_bytes + (reserve ? options.reserve_waiting_bytes : 0);
  // An entry larger than the whole room is taken when nothing else waits, or it never could be.
  if (waiting != 0 && waiting + size + kQueueCost > room)
    return Error{Code::kBusy, "the ledger's waiting room is full"};
  if (!reserve && disk_reserve_reached())
    return Error{Code::kDiskFull, "the rest of the disk is kept for urgent records and settlements"};
  return {};
}

Status GroupCommit::room(std::size_t bytes, Claim claim) {
  std::lock_guard guard(state_->mutex);
  return state_->room_for(bytes, claim);
}

void GroupCommit::resume() {
  std::lock_guard guard(state_->mutex);
  state_->failed.reset();
}

std::optional<Error> GroupCommit::failure() const {
  std::lock_guard guard(state_->mutex);
  return state_->failed;
}

void GroupCommit::flush() {
  std::unique_lock lock(state_->mutex);
  const std::uint64_t until = state_->flush_until = state_->taken;
  state_->work.notify_one();
  state_->idle.wait(lock, [&] { return state_->ended >= until; });
}

void GroupCommit::stop() {
  State& s = *state_;
  std::lock_guard once(s.stop_mutex);
  {
    std::lock_guard guard(s.mutex);
    s.stopping = true;
    s.work.notify_one();
  }
  if (s.writer.joinable()) s.writer.join();
}

std::size_t GroupCommit::waiting_bytes() const {
  std::lock_guard guard(state_->mutex);
  return state_->waiting;
}

bool GroupCommit::clock_doubtful() const { return state_->watch.doubtful(); }
void GroupCommit::doubt_clock() { state_->watch.doubt(); }
void GroupCommit::confirm_clock() { state_->watch.confirm(); }

GroupCommit::Counters GroupCommit::counters() const {
  std::lock_guard guard(state_->mutex);
  return state_->counters;
}

}  // namespace thalweg::ledger
