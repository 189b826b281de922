// segment_log.h: the ledger in local segment files.
// See docs/formats/segment.md.
#pragma once

#include <optional>
#include <string>

#include "ledger/ledger.h"

namespace thalweg::ledger {

/// What open() found and did.
struct OpenReport {
  bool created = false;
  struct Torn {
    std::string file;
    std::uint64_t offset = 0;  ///< where the whole blocks end
    std::uint64_t bytes = 0;   ///< cut off from there
  };
  std::optional<Torn> torn;           ///< a block that was being written when the power or the process went
  std::uint64_t checked_bytes = 0;    ///< of the last segment, read and hashed
  std::vector<std::string> leftover;  ///< unfinished files that were removed
};

/// Settings of a SegmentLog.
struct SegmentOptions {
  /// Entry 0 of block 1, used when the folder is empty; its block's hash is the ledger's id.
  std::uint8_t genesis_type = 1;
  Bytes genesis;
  std::int64_t genesis_time_unix_ns = 0;
  /// Gives the entry that opens each later segment: for the hub a signed checkpoint over the last block (rule 27).
  /// Absent: segments open with their header alone. Called on the appending thread.
  std::function<Result<Bytes>(const BlockInfo& last)> opener;
  std::uint8_t opener_type = 0;

  // Behaviour.
  std::uint64_t segment_bytes = 64u << 20;  ///< a new file begins when the next block would pass this
  bool lock_folder = true;                  ///< off only for file systems in memory, which have no locks
  bool read_only = false;                   ///< no lock, no repair, no append; a torn tail is reported and left

  // Performance.
  /// Zeros written behind a small block, so that the syncs of the next ones change no file size.
  /// See docs/adr/0012: 1 KB blocks 5,500 -> 9,300 a second. 0 turns it off.
  std::uint32_t fill_bytes = 256u << 10;
  std::size_t recent_bytes = 8u << 20;  ///< of memory: newest blocks kept for readers
  std::size_t open_segments = 12;       ///< descriptors for sealed segments
};

/// One sealed or active segment, for listings, indexes and retention.
struct SegmentInfo {
  std::uint64_t first_block = 0;
  std::uint64_t last_block = 0;  ///< first_block - 1 while it is empty
  Hash256 last_hash{};           ///< of last_block
  std::uint64_t bytes = 0;       ///< on the disk
  bool sealed = false;
  std::string file;
};

/// The ledger in a folder of segment files.
///
/// Owns: the folder (by a lock) and the files in it named *.seg, *.segz and *.idx. Borrows: `files`, which outlives it.
/// Threads and durability: as Ledger says.
class SegmentLog final : public Ledger {
 public:
  /// Opens the folder, creating it and the genesis block when there is none. Checks the last segment wholly and the
  /// headers of the others. A block torn by a crash is cut off; damage before a whole block is refused. The last block
  /// is written and synced once more, since a crash may have left it in memory only.
  /// Costs SHA-256 over at most one segment (35 ms for 64 MiB) and one small read per other segment.
  /// Errors: kDamaged (file and offset), kLedgerFormat, kLedgerLocked, kDiskFull, kSyncFailed, kIo, kNotFound
  /// (read_only).
  static Result<std::unique_ptr<SegmentLog>> open(FileSystem& files, const Path& folder, SegmentOptions options,
                                                  OpenReport* report = nullptr);
  ~SegmentLog() override;

  Hash256 id() const override;
  BlockInfo head() const override;
  std::uint64_t first_block() const override;
  Result<BlockPtr> append(std::span<const EntryRef> entries, const AppendAs& as) override;
  /// For those who have no flags to set.
  Result<BlockInfo> append(std::span<const EntryRef> entries, std::int64_t time_unix_ns) {
    TW_ASSIGN(BlockPtr block, append(entries, AppendAs{time_unix_ns, 0}));
    return block->info;
  }
  Status set_epoch(std::uint64_t epoch) override;
  Result<std::vector<BlockPtr>> read_run(std::uint64_t first, std::size_t max_bytes) const override;
  Result<BlockPtr> read(std::uint64_t block) const override;
  Result<std::uint64_t> drop_before(std::uint64_t block) override;
  Result<FileSystem::Space> space() const override;
  Watch watch(std::function<void(const BlockPtr&)> on_block) override;

  /// Compresses the oldest sealed segment that is not yet, if that saves a tenth; says whether there was one to look
  /// at. Call now and then from a thread that may take seconds, at low priority. Readers notice nothing. Errors:
  /// kDiskFull, kIo, kSyncFailed; the plain segment stays.
  Result<bool> compress_one();

  /// Ascending; the last is the active one.
  std::vector<SegmentInfo> segments() const;
  /// First block of the segment that holds `block`, or 0.
  std::uint64_t segment_of(std::uint64_t block) const;
  /// Bytes of all segments on the disk.
  std::uint64_t total_bytes() const;
  const Path& folder() const;
  FileSystem& files() const;

 private:
  struct State;
  explicit SegmentLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace thalweg::ledger
