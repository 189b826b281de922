// segment_log.cc: the ledger in local segment files.
#include "ledger/segment_log.h"

#include <algorithm>

#include "base/invariant.h"
#include "ledger/segment_file.h"
#include "ledger/segment_state.h"

namespace thalweg::ledger {
namespace {

constexpr std::size_t kSmallBlock = 128u << 10;  // larger ones gain nothing from room filled ahead: measured
constexpr std::size_t kTouched = 4;

/// What a block takes in memory: small ones more than their bytes.
std::size_t memory_of(const Block& block) {
  return sizeof(Block) + sizeof(Bytes) + 64 + block.entries.size() * sizeof(EntryRef) +
         static_cast<std::size_t>(block.info.bytes);
}

/// The longest run of blocks that is not over a limit.
struct Run {
  std::uint64_t begin = 0, end = 0;
  std::size_t count = 0;
};

/// Of blocks that begin at `offsets`, the last ending at `stop`: from index `at`, always one, up to `max_bytes`.
Run choose_run(const std::vector<std::uint32_t>& offsets, std::uint64_t stop, std::size_t at, std::size_t max_bytes) {
  const std::uint64_t limit = offsets[at] + std::uint64_t{max_bytes};
  const auto beyond = std::upper_bound(offsets.begin() + static_cast<std::ptrdiff_t>(at) + 1, offsets.end(), limit);
  std::size_t next = static_cast<std::size_t>(beyond - offsets.begin());
  if (next < offsets.size() || stop > limit) --next;
  next = std::max(next, at + 1);
  return {offsets[at], next == offsets.size() ? stop : offsets[next], next - at};
}

}  // namespace

/// Closes the active segment at its exact length and begins the next.
Status SegmentLog::State::roll(const AppendAs& as) {
  BlockInfo last;
  std::vector<std::uint32_t> offsets;
  std::uint64_t end = 0;
  {
    std::lock_guard guard(mutex);
    last = head;
    end = active_end;
    offsets = active_offsets;
  }
  Bytes opener;
  if (options.opener) {
    TW_ASSIGN(opener, options.opener(last));
  }
  if (filled != end || dirty_tail) {
    TW_TRY(active_file->truncate(end));
    if (auto synced = active_file->sync(); !synced) return poison(Error(std::move(synced).error()));
    filled = end;
    dirty_tail = false;
  }
  const SegmentKey key{active, last.number, end, end, false, false};
  auto old = std::make_shared<SealedSegment>();
  old->name = segment_name(active.first_block);
  old->salt = active.salt;
  old->first_block = active.first_block;
  old->file = active_file;
  old->offsets = offsets;
  old->end = end;
  {
    // Readers find the old segment among the sealed ones from the moment the new one takes its place; blocks of it are
    // never in neither: `sealed` is searched first.
    std::lock_guard guard(mutex);
    sealed.push_back(key);
    open_sealed.push_front(std::move(old));
    if (open_sealed.size() > options.open_segments) open_sealed.pop_back();
  }
  auto begun =
      begin_segment(last, key.header.first_block, options.opener_type, opener, bool{options.opener}, as, false);
  if (!begun) {
    std::lock_guard guard(mutex);
    sealed.pop_back();
    std::erase_if(open_sealed, [&](const auto& s) { return s->first_block == key.header.first_block; });
    return begun;
  }
  save_offsets(*files, folder, key.header.first_block, offsets);
  return {};
}

Status SegmentLog::State::write_block(BlockInfo& info, std::span<const EntryRef> entries,
                                      std::shared_ptr<Bytes>& storage) {
  const std::uint64_t end = active_end;  // only this thread changes it
  if (dirty_tail) {
    TW_TRY(active_file->truncate(end));
    filled = end;
    dirty_tail = false;
  }
  encode_block(info, entries, active.salt, *storage);
  if (auto written = active_file->write_at(end, *storage); !written) {
    // Nothing of it was promised. Cut it off, so that room returns at once; and once more before the next write or
    // before sealing, where a sync follows: until then a power cut could bring these bytes back.
    (void)active_file->truncate(end).has_value();
    dirty_tail = true;
    filled = end;
    return written;
  }
  const std::uint64_t new_end = end + storage->size();
  if (new_end > filled) {
    filled = new_end;
    if (options.fill_bytes != 0 && storage->size() < kSmallBlock) {
      const std::uint64_t room = options.segment_bytes > new_end ? options.segment_bytes - new_end : 0;
      const Bytes zeros(static_cast<std::size_t>(std::min<std::uint64_t>(options.fill_bytes, room)), 0);
      // No harm if the disk has no room for this: it is only room.
      if (!zeros.empty() && active_file->write_at(new_end, zeros)) filled = new_end + zeros.size();
      // A failed one may have left some zeros, and those are what is expected there.
    }
  }
  if (auto synced = active_file->sync(); !synced) return poison(Error(std::move(synced).error()));
  return {};
}

BlockPtr SegmentLog::State::publish(const BlockInfo& info, std::shared_ptr<const Bytes> storage, std::uint64_t offset) {
  auto block = std::make_shared<Block>();
  block->info = info;
  block->entries = split_payload(ByteView(*storage).subspan(kBlockHeaderBytes), info.entries);
  block->storage = std::move(storage);
  std::vector<std::shared_ptr<Watcher>> told;
  {
    std::lock_guard guard(mutex);
    active_offsets.push_back(static_cast<std::uint32_t>(offset));
    active_end = offset + info.bytes;
    head = info;
    recent.push_back(block);
    recent_bytes += memory_of(*recent.back());
    while (recent.size() > 1 && recent_bytes > options.recent_bytes) {
      recent_bytes -= memory_of(*recent.front());
      recent.pop_front();
    }
    std::erase_if(watchers, [&](const std::weak_ptr<Watcher>& weak) {
      auto watcher = weak.lock();
      if (watcher) told.push_back(std::move(watcher));
      return weak.expired();
    });
  }
  const BlockPtr shown = std::move(block);
  for (const auto& watcher : told) {
    std::lock_guard guard(watcher->mutex);
    if (watcher->on_block) watcher->on_block(shown);
  }
  return shown;
}

Result<std::shared_ptr<const SealedSegment>> SegmentLog::State::sealed_for(std::uint64_t block) const {
  SegmentKey key;
  {
    std::lock_guard guard(mutex);
    auto at = std::upper_bound(sealed.begin(), sealed.end(), block,
                               [](std::uint64_t b, const SegmentKey& k) { return b < k.header.first_block; });
    if (at == sealed.begin()) return Error{Code::kNotFound, "block " + std::to_string(block) + " is not held any more"};
    key = *std::prev(at);
    for (auto it = open_sealed.begin(); it != open_sealed.end(); ++it) {
      if ((*it)->first_block == key.header.first_block) {
        open_sealed.splice(open_sealed.begin(), open_sealed, it);
        return open_sealed.front();
      }
    }
  }
  const KeepOffsets keep = options.read_only ? KeepOffsets::kNo : KeepOffsets::kYes;
  auto opened = ledger::open_sealed(*files, folder, key, keep);
  // Between the two names of a segment that is just being compressed there is a moment without either.
  if (!opened && opened.error().code == Code::kNotFound) opened = ledger::open_sealed(*files, folder, key, keep);
  if (!opened) return opened;
  std::lock_guard guard(mutex);
  open_sealed.push_front(*opened);
  if (open_sealed.size() > options.open_segments) open_sealed.pop_back();
  return opened;
}

SegmentLog::SegmentLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
SegmentLog::~SegmentLog() = default;

Hash256 SegmentLog::id() const { return state_->ledger_id; }
const Path& SegmentLog::folder() const { return state_->folder; }
FileSystem& SegmentLog::files() const { return *state_->files; }

BlockInfo SegmentLog::head() const {
  std::lock_guard guard(state_->mutex);
  return state_->head;
}

std::uint64_t SegmentLog::first_block() const {
  std::lock_guard guard(state_->mutex);
  return state_->sealed.empty() ? state_->active.first_block : state_->sealed.front().header.first_block;
}

Status SegmentLog::set_epoch(std::uint64_t epoch) {
  if (epoch < state_->epoch) return Error{Code::kInvalid, "an epoch never falls"};
  state_->epoch = epoch;
  return {};
}

Result<BlockPtr> SegmentLog::append(std::span<const EntryRef> entries, const AppendAs& as) {
  State& s = *state_;
  if (s.options.read_only) return Error{Code::kState, "the ledger was opened for reading"};
  if (s.poisoned) return Error{Code::kSyncFailed, "an earlier sync failed: " + s.poisoned->message};
  std::uint64_t payload = 0;
  for (const EntryRef& e : entries) {
    const std::uint64_t size = e.bytes.size() + e.more.size();
    if (e.type == 0 || size > kMaxEntryBytes) return Error{Code::kInvalid, "an entry without type or over 16 MiB"};
    payload += kEntryHeaderBytes + size;
  }
  if (entries.empty() || payload > kMaxPayloadBytes)
    return Error{Code::kInvalid, "a block of no entries or over 32 MiB"};

  const std::uint64_t size = kBlockHeaderBytes + payload;
  const bool opened = (s.active.flags & SegmentHeader::kOpensWithBlock) != 0;
  // Invariant: every segment holds a block beside its opener, so that a small limit cannot roll for ever.
  if (s.active_offsets.size() > (opened ? 1u : 0u) && s.active_end + size > s.options.segment_bytes) TW_TRY(s.roll(as));

  BlockInfo info;
  info.number = s.head.number + 1;
  info.time_unix_ns = std::max(as.time_unix_ns, s.head.time_unix_ns);
  info.epoch = s.epoch;
  info.flags = as.flags;
  info.previous = s.head.hash;
  auto storage = std::make_shared<Bytes>();
  const std::uint64_t offset = s.active_end;
  TW_TRY(s.write_block(info, entries, storage));
  return s.publish(info, std::move(storage), offset);
}

Result<std::vector<BlockPtr>> SegmentLog::read_run(std::uint64_t first, std::size_t max_bytes) const {
  const State& s = *state_;
  std::shared_ptr<const File> file;
  std::string name;
  std::uint64_t salt = 0;
  Run run;
  {
    std::lock_guard guard(s.mutex);
    if (first > s.head.number) return std::vector<BlockPtr>();
    if (!s.recent.empty() && first >= s.recent.front()->info.number) {
      std::vector<BlockPtr> out;
      std::size_t bytes = 0;
      for (std::size_t i = first - s.recent.front()->info.number; i < s.recent.size(); ++i) {
        bytes += s.recent[i]->info.bytes;
        if (!out.empty() && bytes > max_bytes) break;
        out.push_back(s.recent[i]);
      }
      return out;
    }
    if (first >= s.active.first_block) {
      file = s.active_file;
      name = segment_name(s.active.first_block);
      salt = s.active.salt;
      run = choose_run(s.active_offsets, s.active_end, first - s.active.first_block, max_bytes);
    }
  }
  if (!file) {
    TW_ASSIGN(auto segment, s.sealed_for(first));
    const std::size_t at = first - segment->first_block;
    if (at >= segment->offsets.size())
      return Error{Code::kDamaged, segment->name + ": ends before block " + std::to_string(first)};
    file = segment->file;
    name = segment->name;
    salt = segment->salt;
    run = choose_run(segment->offsets, segment->end, at, max_bytes);
  }
  auto bytes = std::make_shared<Bytes>(static_cast<std::size_t>(run.end - run.begin));
  TW_ASSIGN(std::size_t got, file->read_at(run.begin, *bytes));
  bytes->resize(got);
  return parse_blocks(std::move(bytes), salt, first, run.count, name, run.begin);
}

Result<BlockPtr> SegmentLog::read(std::uint64_t block) const {
  {
    std::lock_guard guard(state_->mutex);
    if (block > state_->head.number || block == 0)
      return Error{Code::kNotFound, "there is no block " + std::to_string(block) + " yet"};
    for (const BlockPtr& held : state_->touched)
      if (held->info.number == block) return held;
  }
  TW_ASSIGN(auto run, read_run(block, 1));
  THALWEG_INVARIANT(!run.empty());
  BlockPtr found = run.front();
  std::lock_guard guard(state_->mutex);
  if (!state_->recent.empty() && block >= state_->recent.front()->info.number) return found;
  state_->touched.push_front(found);
  if (state_->touched.size() > kTouched) state_->touched.pop_back();
  return found;
}

Result<std::uint64_t> SegmentLog::drop_before(std::uint64_t block) {
  State& s = *state_;
  if (s.options.read_only) return Error{Code::kState, "the ledger was opened for reading"};
  std::lock_guard not_while_compressing(s.compress_mutex);  // or one of two files of a segment would stay
  // Invariant: never the segment that holds the head, even while it is about to be sealed.
  block = std::min(block, head().number);
  while (true) {
    SegmentKey front;
    {
      std::lock_guard guard(s.mutex);
      if (s.sealed.empty() || s.sealed.front().last_block >= block) break;
      front = s.sealed.front();
      s.sealed.pop_front();
      std::erase_if(s.open_sealed, [&](const auto& o) { return o->first_block == front.header.first_block; });
    }
    const Path path = s.folder / (front.compressed ? compressed_name(front.header.first_block)
                                                   : segment_name(front.header.first_block));
    const Path offsets = s.folder / offsets_name(front.header.first_block);
    auto removed = s.files->remove(path);
    // One by one, each made durable: a later segment must not go before an earlier one, or the chain had a hole.
    if (removed) removed = s.files->sync_folder(s.folder);
    if (!removed) {
      if (s.files->exists(path)) {
        std::lock_guard guard(s.mutex);
        s.sealed.push_front(front);
      }
      return Error(std::move(removed).error());
    }
    if (s.files->exists(offsets)) TW_TRY(s.files->remove(offsets));
  }
  return first_block();
}

std::vector<SegmentInfo> SegmentLog::segments() const {
  std::vector<SegmentInfo> out;
  std::lock_guard guard(state_->mutex);
  for (const SegmentKey& k : state_->sealed) {
    if (!out.empty()) out.back().last_hash = k.header.previous;
    const std::uint64_t first = k.header.first_block;
    out.push_back(
        {first, k.last_block, {}, k.stored, true, k.compressed ? compressed_name(first) : segment_name(first)});
  }
  // A segment that is about to be sealed is in both places.
  if (!out.empty() && out.back().first_block == state_->active.first_block) out.pop_back();
  if (!out.empty()) out.back().last_hash = state_->active.previous;
  out.push_back({state_->active.first_block, state_->head.number, state_->head.hash, state_->active_end, false,
                 segment_name(state_->active.first_block)});
  return out;
}

std::uint64_t SegmentLog::segment_of(std::uint64_t block) const {
  std::lock_guard guard(state_->mutex);
  if (block == 0 || block > state_->head.number) return 0;
  if (block >= state_->active.first_block) return state_->active.first_block;
  auto at = std::upper_bound(state_->sealed.begin(), state_->sealed.end(), block,
                             [](std::uint64_t b, const SegmentKey& k) { return b < k.header.first_block; });
  return at == state_->sealed.begin() ? 0 : std::prev(at)->header.first_block;
}

std::uint64_t SegmentLog::total_bytes() const {
  std::uint64_t sum = 0;
  for (const SegmentInfo& segment : segments()) sum += segment.bytes;
  return sum;
}

Result<bool> SegmentLog::compress_one() {
  State& s = *state_;
  if (s.options.read_only) return Error{Code::kState, "the ledger was opened for reading"};
  std::lock_guard one_at_a_time(s.compress_mutex);
  SegmentKey key;
  {
    std::lock_guard guard(s.mutex);
    auto at = std::find_if(s.sealed.begin(), s.sealed.end(), [&](const SegmentKey& k) {
      // One that is about to be sealed still has writers.
      return !k.compressed && !k.incompressible && k.header.first_block != s.active.first_block;
    });
    if (at == s.sealed.end()) return false;
    key = *at;
  }
  const std::uint64_t first = key.header.first_block;
  TW_ASSIGN(SegmentFile plain, open_segment(*s.files, s.folder, first, OpenMode::kRead));
  TW_ASSIGN(const bool worth, worth_compressing(*plain.file, key.bytes));
  if (worth) {
    TW_ASSIGN(key.stored, compress_segment(*s.files, s.folder, first, *plain.file, key.bytes));
    key.compressed = true;
  } else {
    key.incompressible = true;
  }
  {
    std::lock_guard guard(s.mutex);
    auto at = std::find_if(s.sealed.begin(), s.sealed.end(),
                           [&](const SegmentKey& k) { return k.header.first_block == first; });
    *at = key;
    std::erase_if(s.open_sealed, [&](const auto& o) { return o->first_block == first; });
  }
  if (!key.compressed) return true;
  TW_TRY(s.files->remove(s.folder / segment_name(first)));
  TW_TRY(s.files->sync_folder(s.folder));
  return true;
}

Result<FileSystem::Space> SegmentLog::space() const { return state_->files->space(state_->folder); }

Ledger::Watch SegmentLog::watch(std::function<void(const BlockPtr&)> on_block) {
  auto watcher = std::make_shared<Watcher>();
  watcher->on_block = std::move(on_block);
  {
    std::lock_guard guard(state_->mutex);
    state_->watchers.push_back(watcher);
  }
  // The handle's end waits for a call that is under way.
  return Watch(watcher.get(), [watcher](void*) {
    std::lock_guard guard(watcher->mutex);
    watcher->on_block = nullptr;
  });
}

}  // namespace thalweg::ledger
