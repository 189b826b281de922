// record_index.cc: record id -> where it stands.
#include "ledger/record_index.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

#include "ledger/segment_format.h"
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

Bytes encode(const std::vector<Row>& rows, std::uint64_t first_block) {
  Bytes out;
  out.reserve(rows.size() * kRow);
  ByteWriter w(out);
  for (const Row& row : rows) {
    w.raw(row.id.bytes);
    w.u32(static_cast<std::uint32_t>(row.at.place.block - first_block));
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

using Found = std::vector<std::optional<RecordPlace>>;

void note(std::optional<RecordPlace>& found, const RecordPlace& place) {
  if (!found || place < *found) found = place;
}

/// The records of one segment in the order in which they came, with a hash table over them.
class Rows {
 public:
  explicit Rows(std::uint64_t salt) : salt_(salt) {}

  void add(const Row& row) {
    rows_.push_back(row);
    if (rows_.size() * 2 > slots_.size()) {
      slots_.assign(std::max<std::size_t>(1024, slots_.size() * 2), 0);
      for (std::size_t i = 0; i < rows_.size(); ++i) put(i);
    } else {
      put(rows_.size() - 1);
    }
  }
  void find(const RecordId& id, std::optional<RecordPlace>& found) const {
    if (slots_.empty()) return;
    for (std::size_t at = slot_of(id); slots_[at] != 0; at = (at + 1) & (slots_.size() - 1))
      if (const Row& row = rows_[slots_[at] - 1]; row.id == id) note(found, row.at);
  }
  const std::vector<Row>& rows() const { return rows_; }

 private:
  /// Salted: ids come from parties, who must not be able to choose ones that share a slot.
  std::size_t slot_of(const RecordId& id) const {
    std::uint64_t a, b;
    std::memcpy(&a, id.bytes.data(), 8);
    std::memcpy(&b, id.bytes.data() + 8, 8);
    std::uint64_t h = (a ^ salt_) * 0x9e3779b97f4a7c15u;
    h = ((h ^ h >> 29) + b + salt_) * 0xbf58476d1ce4e5b9u;
    return static_cast<std::size_t>(h ^ h >> 32) & (slots_.size() - 1);
  }
  void put(std::size_t row) {
    std::size_t at = slot_of(rows_[row].id);
    while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = static_cast<std::uint32_t>(row + 1);
  }

  std::uint64_t salt_;
  std::vector<Row> rows_;
  std::vector<std::uint32_t> slots_;  ///< row + 1, or 0; a power of two of them, at most half in use
};

/// A sealed segment whose file is still to be written.
struct Unwritten {
  SideKey key;
  Rows rows;
};

}  // namespace

struct RecordIndex::State {
  State(const SegmentLog& l, Path f, Extract e) : log(l), folder(std::move(f)), extract(std::move(e)) {}
  const SegmentLog& log;
  const Path folder;
  const Extract extract;

  mutable std::mutex mutex;  // guards all below
  std::vector<Sealed> sealed;
  std::map<std::uint64_t, std::shared_ptr<const Unwritten>> unwritten;  ///< by first block
  const std::uint64_t salt = fresh_salt();
  Rows active{salt};
  std::uint64_t active_first = 1;
  std::uint64_t next_block = 1;

  template <class Add>
  Status gather(const Block& block, Add&& add) const {
    return extract(block, [&](const RecordId& id, std::uint32_t entry, std::uint32_t index) {
      add(Row{id, {{block.info.number, entry}, index}});
    });
  }
  void turn_to_segment_of(std::uint64_t block);
  Status take(const Block& block) {
    turn_to_segment_of(block.info.number);
    TW_TRY(gather(block, [&](const Row& row) { active.add(row); }));
    next_block = block.info.number + 1;
    return {};
  }
  Status write(const SideKey& key, std::vector<Row> rows) const;
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
    unwritten[s.first_block] = std::make_shared<const Unwritten>(Unwritten{SideKey::of(s), std::move(active)});
  }
  active = Rows(salt);
  active_first = segment;
}

Status RecordIndex::State::write(const SideKey& key, std::vector<Row> rows) const {
  std::sort(rows.begin(), rows.end());
  return save_side(log.files(), side_path(folder, key.first_block, kEnding), kMagic, key,
                   encode(rows, key.first_block));
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
        if (row.id == ids[i]) note(found[i], row.at);
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
    std::vector<Row> rows;
    auto keep = [&](const Row& row) { rows.push_back(row); };
    TW_TRY(
        for_blocks(log, s.first_block, s.last_block, [&](const Block& block) { return state->gather(block, keep); }));
    TW_TRY(state->write(key, std::move(rows)));
    if (!state->look_at_file(key)) return Error{Code::kIo, "an index of records does not read back"};
  }
  const SegmentInfo& last = segments.back();
  state->active_first = last.first_block;
  auto add = [&](const Row& row) { state->active.add(row); };
  TW_TRY(for_blocks(log, last.first_block, last.last_block,
                    [&](const Block& block) { return state->gather(block, add); }));
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
  state_->active.add({id, at});
  state_->next_block = at.place.block + 1;
}

Status RecordIndex::write_sealed() {
  while (true) {
    std::shared_ptr<const Unwritten> part;
    {
      std::lock_guard guard(state_->mutex);
      if (state_->unwritten.empty()) return {};
      part = state_->unwritten.begin()->second;
    }
    TW_TRY(state_->write(part->key, part->rows.rows()));
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
  std::vector<Sealed> sealed;
  {
    std::lock_guard guard(state_->mutex);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      state_->active.find(ids[i], found[i]);
      for (const auto& [first, part] : state_->unwritten) part->rows.find(ids[i], found[i]);
    }
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
