// record_index.cc: record id -> where it stands.
#include "ledger/record_index.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>

#include "ledger/side_file.h"

namespace thalweg::ledger {
namespace {

constexpr std::string_view kMagic = "TWRECv1\n";
constexpr std::string_view kEnding = ".records";
constexpr std::size_t kRow = 28;  // id, block within the segment, entry, index

struct Row {
  RecordId id;
  RecordPlace at;
  auto operator<=>(const Row&) const = default;
};

/// What is known of a sealed segment without its file at hand. Few segments hold an id, since ids begin with the time.
struct Sealed {
  SideKey key;
  std::uint64_t rows = 0;
  RecordId least, greatest;
};

/// The records of a segment whose file is still to be written.
struct Rows {
  SideKey key;
  std::vector<Row> rows;
};

Bytes encode(const Rows& part) {
  Bytes out;
  out.reserve(part.rows.size() * kRow);
  ByteWriter w(out);
  for (const Row& row : part.rows) {
    w.raw(row.id.bytes);
    w.u32(static_cast<std::uint32_t>(row.at.place.block - part.key.first_block));
    w.u32(row.at.place.entry);
    w.u32(row.at.index);
  }
  return out;
}

Row decode_row(ByteView bytes, std::uint64_t first_block) {
  ByteReader r(bytes);
  Row row;
  row.id.bytes = r.array<16>();
  row.at.place.block = first_block + r.u32();
  row.at.place.entry = r.u32();
  row.at.index = r.u32();
  return row;
}

using Wanted = std::unordered_multimap<RecordId, std::size_t>;
using Found = std::vector<std::optional<RecordPlace>>;

void note(Found& found, std::size_t at, const RecordPlace& place) {
  if (!found[at] || place < *found[at]) found[at] = place;
}

void search(const std::vector<Row>& rows, const Wanted& wanted, Found& found) {
  for (const Row& row : rows) {
    auto [first, last] = wanted.equal_range(row.id);
    for (auto it = first; it != last; ++it) note(found, it->second, row.at);
  }
}

}  // namespace

struct RecordIndex::State {
  State(const SegmentLog& l, Path f, Extract e) : log(l), folder(std::move(f)), extract(std::move(e)) {}
  const SegmentLog& log;
  const Path folder;
  const Extract extract;

  mutable std::mutex mutex;  // guards all below
  std::vector<Sealed> sealed;
  std::map<std::uint64_t, std::shared_ptr<Rows>> unwritten;  ///< by first block; not sorted
  std::vector<Row> active;
  std::uint64_t active_first = 1;
  std::uint64_t next_block = 1;

  Status gather(const Block& block, std::vector<Row>& rows) const {
    return extract(block, [&](const RecordId& id, std::uint32_t entry, std::uint32_t index) {
      rows.push_back({id, {{block.info.number, entry}, index}});
    });
  }
  void turn_to_segment_of(std::uint64_t block);
  Status take(const Block& block) {
    turn_to_segment_of(block.info.number);
    TW_TRY(gather(block, active));
    next_block = block.info.number + 1;
    return {};
  }
  Status write(Rows& part);
  bool look_at_file(const SideKey& key);
  Status search_file(const Sealed& segment, std::span<const RecordId> ids, Found& found) const;
};

/// When `block` lies in a newer segment than the active rows, these become a sealed segment's.
void RecordIndex::State::turn_to_segment_of(std::uint64_t block) {
  if (block <= active_first) return;
  const std::uint64_t segment = log.segment_of(block);
  if (segment == active_first || segment == 0) return;
  for (const SegmentInfo& s : log.segments()) {
    if (s.first_block != active_first) continue;
    auto part = std::make_shared<Rows>(Rows{SideKey::of(s), std::move(active)});
    unwritten[s.first_block] = std::move(part);
  }
  active.clear();
  active_first = segment;
}

/// Sorts and writes one part. Not under the mutex: nothing else changes a part that waits for this.
Status RecordIndex::State::write(Rows& part) {
  auto sorted = Rows{part.key, part.rows};
  std::sort(sorted.rows.begin(), sorted.rows.end());
  return save_side(log.files(), side_path(folder, part.key.first_block, kEnding), kMagic, part.key, encode(sorted));
}

/// Takes a sealed segment's file into the list when it fits.
bool RecordIndex::State::look_at_file(const SideKey& key) {
  const Path path = side_path(folder, key.first_block, kEnding);
  auto bytes = side_fits(log.files(), path, kMagic, key);
  if (!bytes || *bytes % kRow != 0) return false;
  Sealed segment{key, *bytes / kRow, {}, {}};
  if (segment.rows != 0) {
    auto file = log.files().open(path, OpenMode::kRead);
    if (!file) return false;
    std::array<std::uint8_t, 16> least{}, greatest{};
    auto first = (*file)->read_at(kSideHeaderBytes, least);
    auto last = (*file)->read_at(kSideHeaderBytes + (segment.rows - 1) * kRow, greatest);
    if (!first || !last || *first != 16 || *last != 16 || greatest < least) return false;
    segment.least.bytes = least;
    segment.greatest.bytes = greatest;
  }
  sealed.push_back(segment);
  return true;
}

/// Binary search for each id. `ids` are within the segment's range or not: those that are not cost nothing.
Status RecordIndex::State::search_file(const Sealed& segment, std::span<const RecordId> ids, Found& found) const {
  std::unique_ptr<File> file;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (segment.rows == 0 || ids[i] < segment.least || segment.greatest < ids[i]) continue;
    if (!file) {
      TW_ASSIGN(file, log.files().open(side_path(folder, segment.key.first_block, kEnding), OpenMode::kRead));
    }
    std::uint64_t low = 0, high = segment.rows;
    std::array<std::uint8_t, kRow> bytes;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      TW_ASSIGN(std::size_t got, file->read_at(kSideHeaderBytes + middle * kRow, bytes));
      if (got != kRow) return Error{Code::kDamaged, "an index of records is cut short"};
      const Row row = decode_row(bytes, segment.key.first_block);
      if (row.id < ids[i]) {
        low = middle + 1;
      } else {
        high = middle;
        if (row.id == ids[i]) note(found, i, row.at);
      }
    }
  }
  return {};
}

RecordIndex::RecordIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
RecordIndex::~RecordIndex() = default;

Result<std::unique_ptr<RecordIndex>> RecordIndex::open(const SegmentLog& log, const Path& folder, Extract extract) {
  auto state = std::make_unique<State>(log, folder, std::move(extract));
  TW_TRY(log.files().create_folders(folder));
  const std::vector<SegmentInfo> segments = log.segments();
  remove_strangers(log.files(), folder, kEnding, segments);
  for (const SegmentInfo& s : segments) {
    const SideKey key = SideKey::of(s);
    if (!s.sealed || state->look_at_file(key)) continue;
    Rows part{key, {}};
    TW_TRY(for_blocks(log, s.first_block, s.last_block,
                      [&](const Block& block) { return state->gather(block, part.rows); }));
    TW_TRY(state->write(part));
    if (!state->look_at_file(key)) return Error{Code::kIo, "an index of records does not read back"};
  }
  const SegmentInfo& last = segments.back();
  state->active_first = last.first_block;
  TW_TRY(for_blocks(log, last.first_block, last.last_block,
                    [&](const Block& block) { return state->gather(block, state->active); }));
  state->next_block = last.last_block + 1;
  return std::unique_ptr<RecordIndex>(new RecordIndex(std::move(state)));
}

Status RecordIndex::follow(const Block& block) {
  std::lock_guard guard(state_->mutex);
  while (state_->next_block < block.info.number) {
    TW_ASSIGN(BlockPtr skipped, state_->log.read(state_->next_block));
    TW_TRY(state_->take(*skipped));
  }
  return block.info.number < state_->next_block ? Status() : state_->take(block);
}

void RecordIndex::add(const RecordId& id, const RecordPlace& at) {
  std::lock_guard guard(state_->mutex);
  if (at.place.block + 1 < state_->next_block) return;
  state_->turn_to_segment_of(at.place.block);
  state_->active.push_back({id, at});
  state_->next_block = at.place.block + 1;
}

Status RecordIndex::write_sealed() {
  while (true) {
    std::shared_ptr<Rows> part;
    {
      std::lock_guard guard(state_->mutex);
      if (state_->unwritten.empty()) return {};
      part = state_->unwritten.begin()->second;
    }
    TW_TRY(state_->write(*part));
    std::lock_guard guard(state_->mutex);
    if (!state_->look_at_file(part->key)) return Error{Code::kIo, "an index of records does not read back"};
    state_->unwritten.erase(part->key.first_block);
  }
}

Status RecordIndex::trim() {
  std::lock_guard guard(state_->mutex);
  const std::uint64_t first = state_->log.first_block();
  std::erase_if(state_->sealed, [&](const Sealed& s) { return s.key.last_block < first; });
  std::erase_if(state_->unwritten, [&](const auto& u) { return u.second->key.last_block < first; });
  remove_strangers(state_->log.files(), state_->folder, kEnding, state_->log.segments());
  return {};
}

Result<std::vector<std::optional<RecordPlace>>> RecordIndex::find_all(std::span<const RecordId> ids) const {
  Found found(ids.size());
  Wanted wanted;
  for (std::size_t i = 0; i < ids.size(); ++i) wanted.emplace(ids[i], i);
  std::vector<Sealed> sealed;
  {
    std::lock_guard guard(state_->mutex);
    search(state_->active, wanted, found);
    for (const auto& [first, part] : state_->unwritten) search(part->rows, wanted, found);
    sealed = state_->sealed;
  }
  for (const Sealed& segment : sealed) TW_TRY(state_->search_file(segment, ids, found));
  return found;
}

Result<std::optional<RecordPlace>> RecordIndex::find(const RecordId& id) const {
  TW_ASSIGN(Found found, find_all({&id, 1}));
  return found.front();
}

}  // namespace thalweg::ledger
