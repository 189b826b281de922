// segment_state.h: the inside of a SegmentLog; for segment_log.cc and segment_open.cc alone.
#pragma once

#include <deque>
#include <list>
#include <mutex>

#include "ledger/sealed_segment.h"
#include "ledger/segment_log.h"

namespace thalweg::ledger {

/// A function that can be taken away while others call it.
struct Watcher {
  std::mutex mutex;
  std::function<void(const BlockPtr&)> on_block;  // guarded by mutex
};

struct SegmentLog::State {
  // Constant after open().
  FileSystem* files = nullptr;
  Path folder;
  SegmentOptions options;
  std::optional<FolderLock> lock;
  Hash256 ledger_id{};

  // Appending thread only.
  std::uint64_t epoch = 0;
  std::uint64_t filled = 0;  ///< the active file holds zeros from `active_end` up to here
  bool dirty_tail = false;   ///< a failed write may have left bytes behind the end, at least on the disk
  std::optional<Error> poisoned;
  std::shared_ptr<File> active_file;  ///< also read by others, through the pointer they take under the mutex

  std::mutex compress_mutex;  ///< held while a segment is compressed; taken before `mutex`

  // Guarded by mutex.
  mutable std::mutex mutex;
  std::deque<SegmentKey> sealed;
  SegmentHeader active;
  std::vector<std::uint32_t> active_offsets;
  std::uint64_t active_end = 0;
  BlockInfo head;
  std::deque<BlockPtr> recent;
  std::size_t recent_bytes = 0;
  mutable std::list<std::shared_ptr<const SealedSegment>> open_sealed;  ///< most recently used first
  mutable std::deque<BlockPtr> touched;                                 ///< older blocks asked for lately
  std::vector<std::weak_ptr<Watcher>> watchers;

  Status begin_genesis();
  Status load(OpenReport& report);
  Status load_active(const SegmentHeader& header, std::unique_ptr<File> file, std::uint64_t size, OpenReport& report);
  Status begin_segment(const BlockInfo& last, std::uint64_t previous_first, std::uint8_t type, ByteView opener,
                       bool has_opener, const AppendAs& as, bool genesis);
  Status roll(const AppendAs& as);
  Status write_block(BlockInfo& info, std::span<const EntryRef> entries, std::shared_ptr<Bytes>& storage);
  BlockPtr publish(const BlockInfo& info, std::shared_ptr<const Bytes> storage, std::uint64_t offset);
  Error poison(Error error) {
    poisoned = error;
    return error;
  }
  Result<std::shared_ptr<const SealedSegment>> sealed_for(std::uint64_t block) const;
};

}  // namespace thalweg::ledger
