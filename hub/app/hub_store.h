// hub_store.h: the hub's ledger of one lane with all that is derived from it: indexes, books, documents.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "delivery/progress_book.h"
#include "delivery/receiver_book.h"
#include "intake/incident_book.h"
#include "intake/stream_book.h"
#include "ledger/entries.h"
#include "ledger/group_commit.h"
#include "ledger/place_index.h"
#include "ledger/record_index.h"
#include "ledger/segment_log.h"
#include "ledger/snapshot.h"
#include "trust/keys.h"

namespace thalweg::app {

/// A certificate or revocation as the ledger holds it.
struct HeldDocument {
  ledger::EntryType type{};
  Bytes bytes;
  std::int64_t block_unix_ns = 0;
};

/// The ledger is the only truth; everything else here can be thrown away and is rebuilt by open().
///
/// Owns: the ledger's folder, the indexes, the writer thread. Threads: the lane's loop, but for the functions marked.
class HubStore {
 public:
  struct Options {
    Lane lane = Lane::kRoutine;
    Path ledger_folder;
    Path derived_folder;
    /// Used when the folder is empty. Both lanes' chains grow from the same genesis block, so they are one ledger with
    /// one id.
    Bytes genesis;
    std::int64_t genesis_unix_ns = 0;
    std::size_t max_waiting_bytes = 64u << 20;
    std::int64_t extra_sync_delay_ns = 0;
    std::uint64_t segment_bytes = 64u << 20;
  };

  /// Opens or creates. Reads what came after the last snapshot: at most 64 MiB of blocks, when the hub ran before.
  /// `key` signs the checkpoints that open segments. Errors: as SegmentLog::open().
  static Result<std::unique_ptr<HubStore>> open(FileSystem& files, Options options, const trust::SigningKey& key);

  /// What a new ledger begins with.
  static Bytes make_genesis(const Clock& clock, const std::string& hub, const trust::SigningKey& key);
  /// The genesis entry of this ledger and its time: for the other lane.
  const std::pair<Bytes, std::int64_t>& genesis() const { return genesis_; }
  /// What stands in for the blocks up to now once they are dropped, as the entry kSummary.
  Bytes make_summary() const;

  /// Begins to write. `on_block` is called on the writer thread.
  void start(const Clock& clock, std::function<void(const ledger::BlockOutcome&)> on_block);
  /// Writes what waits and ends the writer.
  void stop();

  ledger::SegmentLog& log() { return *log_; }
  ledger::GroupCommit& commit() { return *commit_; }
  ledger::PlaceIndex& places() { return *places_; }
  ledger::RecordIndex& records() { return *records_; }
  const ledger::OpenReport& report() const { return report_; }

  /// A block is durable: indexes and books follow it. `ids` of its parcels are at hand, so nothing is opened twice.
  void follow(const ledger::Block& block);

  /// A snapshot is worth it: gives its bytes and the block it stands on, to be saved by save().
  std::optional<ledger::Snapshot> snapshot_due();
  ledger::Snapshot make_snapshot();
  /// Index files are to be written, by save(). True once for each time that there are new ones.
  bool indexes_due() { return records_->write_due(); }
  /// Writes index files, and the snapshot if there is one. On a thread that may wait; one at a time.
  Status save(const std::optional<ledger::Snapshot>& snapshot);

  /// Header of the parcel at a place, with its verdicts. Any thread. Errors: as Ledger::read().
  struct HeldParcel {
    ledger::BlockPtr block;
    ledger::ParcelEntry entry;
    ParcelView parcel;
  };
  Result<HeldParcel> read_parcel(const ledger::Place& place) const;
  /// Where a record stands. Any thread.
  Result<std::optional<ledger::RecordPlace>> find_record(const RecordId& id) const { return records_->find(id); }

  intake::StreamBook streams;
  delivery::ReceiverBook receivers;
  delivery::ProgressBook progress;
  intake::IncidentBook incidents;
  std::vector<HeldDocument> documents;
  std::optional<ledger::RegionVersion> region;  ///< the newest
  /// Where the texts of the versions stand, oldest first: in an entry of their own, or in a summary.
  struct RegionPlace {
    std::uint64_t since_block = 0;  ///< from which on the version held
    ledger::Place place;
  };
  std::vector<RegionPlace> region_places;

 private:
  explicit HubStore(Options options, FileSystem& files)
      : options_(std::move(options)), snapshots_(files, options_.derived_folder) {}
  Status restore();
  Status decode_state(ByteView state);
  void take_in(const ledger::Block& block, std::uint32_t index);
  void take_in_act(const ledger::Act& act);
  void take_in_summary(const ledger::Summary& summary, const ledger::Place& place);
  void book_incidents(const ledger::ParcelEntry& entry);

  Options options_;
  ledger::OpenReport report_;
  std::unique_ptr<ledger::SegmentLog> log_;
  std::unique_ptr<ledger::PlaceIndex> places_;
  std::unique_ptr<ledger::RecordIndex> records_;
  ledger::SnapshotStore snapshots_;
  std::unique_ptr<ledger::GroupCommit> commit_;
  std::pair<Bytes, std::int64_t> genesis_;
  std::uint64_t bytes_since_snapshot_ = 0;
  ledger::BlockInfo followed_;  ///< the block that indexes and books stand at; the log may be ahead
};

/// The act by which operators give a receiver up; its arguments name the `receiver`.
inline constexpr std::string_view kGiveUp = "receiver.give_up";

/// What PlaceIndex and RecordIndex must know of the hub's blocks: deliveries, the parcels of streams, record ids.
Status places_of_block(const ledger::Block& block, const std::function<void(const ledger::Delivered&)>& give);
Status records_of_block(const ledger::Block& block, const ledger::RecordIndex::Give& give);

}  // namespace thalweg::app
