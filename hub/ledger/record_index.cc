// record_index.cc: record id -> where it stands.
#include "ledger/record_index.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "ledger/segment_format.h"
#include "ledger/side_file.h"

namespace thalweg::ledger {
namespace {

constexpr std::string_view kMagic = "TWRECv2\n";
constexpr std::string_view kEnding = ".records";
constexpr std::size_t kRow = 28;        // id, block behind the file's first, entry, index
constexpr std::size_t kLinkBytes = 32;  // before the rows: hash of the block before the file's first

struct Row {
  RecordId id;
  std::uint32_t block = 0;  ///< behind the first of the run
  std::uint32_t entry = 0;
  std::uint32_t index = 0;
  auto operator<=>(const Row&) const = default;
  RecordPlace at(std::uint64_t first_block) const { return {{first_block + block, entry}, index}; }
};

/// What is known of a file without opening it. Few files span an id, since ids begin with the time.
struct Part {
  SideKey key;
  Hash256 previous{};  ///< of the block before; zero at the beginning of a segment
  std::uint64_t rows = 0;
  RecordId least, greatest;
};
using Parts = std::vector<Part>;

Bytes encode(const Hash256& previous, const std::vector<Row>& rows) {
  Bytes out;
  out.reserve(kLinkBytes + rows.size() * kRow);
  ByteWriter w(out);
  w.raw(previous);
  for (const Row& row : rows) {
    w.raw(row.id.bytes);
    w.u32(row.block);
    w.u32(row.entry);
    w.u32(row.index);
  }
  return out;
}

Row decode_row(ByteView bytes) {
  ByteReader r(bytes);
  Row row;
  row.id.bytes = r.array<16>();
  row.block = r.u32();
  row.entry = r.u32();
  row.index = r.u32();
  return row;
}

using Found = std::vector<std::optional<RecordPlace>>;

void note(std::optional<RecordPlace>& found, const RecordPlace& place) {
  if (!found || place < *found) found = place;
}

/// The records of a run of blocks in the order in which they came, with a hash table over them.
class Rows {
 public:
  Rows(std::uint64_t salt, std::uint64_t first_block) : salt_(salt), first_block_(first_block) {}

  void add(const RecordId& id, const RecordPlace& at) {
    rows_.push_back({id, static_cast<std::uint32_t>(at.place.block - first_block_), at.place.entry, at.index});
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
      if (const Row& row = rows_[slots_[at] - 1]; row.id == id) note(found, row.at(first_block_));
  }
  const std::vector<Row>& rows() const { return rows_; }
  std::uint64_t first_block() const { return first_block_; }

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
  std::uint64_t first_block_;
  std::vector<Row> rows_;
  std::vector<std::uint32_t> slots_;  ///< row + 1, or 0; a power of two of them, at most half in use
};

/// Rows whose file is still to be written.
struct Unwritten {
  SideKey key;
  Hash256 previous{};
  Rows rows;
};

}  // namespace

struct RecordIndex::State {
  State(const SegmentLog& l, Path f, Extract e, std::size_t most)
      : log(l), folder(std::move(f)), extract(std::move(e)), most_rows(most) {}
  const SegmentLog& log;
  const Path folder;
  const Extract extract;
  const std::size_t most_rows;

  mutable std::mutex mutex;                                             // guards all below
  std::shared_ptr<const Parts> parts = std::make_shared<Parts>();       ///< replaced whole
  std::map<std::uint64_t, std::shared_ptr<const Unwritten>> unwritten;  ///< by first block
  bool write_due = false;
  const std::uint64_t salt = fresh_salt();
  Rows active{salt, 1};
  Hash256 active_previous{};  ///< as Part::previous
  std::uint64_t segment = 1;  ///< first block of the segment that `active` lies in
  std::uint64_t next_block = 1;
  std::uint64_t turned_to = 0;

  Path path_of(std::uint64_t first_block) const { return side_path(folder, first_block, kEnding); }
  void begin(std::uint64_t first_block, const Hash256& previous) {
    active = Rows(salt, first_block);
    active_previous = previous;
  }
  void close(std::uint64_t last_block, const Hash256& last_hash);
  void turn_to(std::uint64_t block);
  Status take(const Block& block) {
    turn_to(block.info.number);
    TW_TRY(extract(block, [&](const RecordId& id, std::uint32_t entry, std::uint32_t index) {
      active.add(id, {{block.info.number, entry}, index});
    }));
    next_block = block.info.number + 1;
    return {};
  }
  Status write_waiting();
  std::optional<Part> look_at_file(std::uint64_t first_block) const;
  Parts files_of(const SegmentInfo& s) const;
  Status search_file(const Part& part, std::span<const RecordId> ids, Found& found) const;
  Status load();
};

/// The active rows end with `last_block` and wait to be written.
void RecordIndex::State::close(std::uint64_t last_block, const Hash256& last_hash) {
  const SideKey key{active.first_block(), last_block, last_hash};
  unwritten[key.first_block] = std::make_shared<const Unwritten>(Unwritten{key, active_previous, std::move(active)});
  write_due = true;
  begin(last_block + 1, last_hash);
}

/// `block` is the next with records. When it lies in a newer segment, or the active rows are many, a file ends before
/// it.
void RecordIndex::State::turn_to(std::uint64_t block) {
  if (block == turned_to) return;
  turned_to = block;
  if (const std::uint64_t of = log.segment_of(block); of != segment && of != 0) {
    for (const SegmentInfo& s : log.segments())
      if (s.first_block == segment && s.last_block >= active.first_block()) close(s.last_block, s.last_hash);
    segment = of;
    begin(of, {});
  }
  if (active.rows().size() < most_rows) return;
  // Rows of one block stay together. Should the block before not be readable now, the file ends a block later.
  if (const auto before = log.read(block - 1)) close(block - 1, (*before)->info.hash);
}

Status RecordIndex::State::write_waiting() {
  while (true) {
    std::shared_ptr<const Unwritten> next;
    {
      std::lock_guard guard(mutex);
      if (unwritten.empty()) return {};
      next = unwritten.begin()->second;
    }
    std::vector<Row> rows = next->rows.rows();
    std::sort(rows.begin(), rows.end());
    const std::uint64_t first = next->key.first_block;
    TW_TRY(save_side(log.files(), path_of(first), kMagic, next->key, encode(next->previous, rows)));
    const auto part = look_at_file(first);
    if (!part) return Error{Code::kIo, "an index of records does not read back"};
    std::lock_guard guard(mutex);
    auto more = std::make_shared<Parts>(*parts);
    more->push_back(*part);
    parts = std::move(more);
    unwritten.erase(first);
  }
}

/// What a file says of itself; nothing when it is not whole.
std::optional<Part> RecordIndex::State::look_at_file(std::uint64_t first_block) const {
  auto file = log.files().open(path_of(first_block), OpenMode::kRead);
  if (!file) return std::nullopt;
  Part part;
  const auto payload = read_side_header(**file, kMagic, part.key);
  if (!payload || part.key.first_block != first_block || part.key.last_block < first_block || *payload < kLinkBytes ||
      (*payload - kLinkBytes) % kRow != 0)
    return std::nullopt;
  part.rows = (*payload - kLinkBytes) / kRow;
  const auto read = [&](std::uint64_t offset, std::span<std::uint8_t> into) {
    const auto got = (*file)->read_at(kSideHeaderBytes + offset, into);
    return got && *got == into.size();
  };
  if (!read(0, part.previous)) return std::nullopt;
  if (part.rows != 0 && (!read(kLinkBytes, part.least.bytes) ||
                         !read(kLinkBytes + (part.rows - 1) * kRow, part.greatest.bytes) || part.greatest < part.least))
    return std::nullopt;
  return part;
}

/// The files that cover a segment from its first block on without a gap and stand on its chain.
Parts RecordIndex::State::files_of(const SegmentInfo& s) const {
  Parts chain;
  Hash256 previous{};
  for (std::uint64_t at = s.first_block; at <= s.last_block;) {
    const auto part = look_at_file(at);
    if (!part || part->key.last_block > s.last_block || part->previous != previous) break;
    previous = part->key.last_hash;
    at = part->key.last_block + 1;
    chain.push_back(*part);
  }
  if (chain.empty()) return chain;
  // Each names the hash of the one before, so the last one vouches for all.
  const SideKey& last = chain.back().key;
  if (last.last_block == s.last_block) return last.last_hash == s.last_hash ? chain : Parts();
  const auto block = log.read(last.last_block);
  return block && (*block)->info.hash == last.last_hash ? chain : Parts();
}

/// Takes the files that fit, removes the others, and reads what no file covers.
Status RecordIndex::State::load() {
  const std::vector<SegmentInfo> segments = log.segments();
  std::vector<SideKey> covered(segments.size());  // the last file of each; number 0: none
  auto known = std::make_shared<Parts>();
  std::set<std::string> kept;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    for (const Part& part : files_of(segments[i])) {
      covered[i] = part.key;
      kept.insert(path_of(part.key.first_block).filename());
      known->push_back(part);
    }
  }
  parts = std::move(known);
  TW_ASSIGN(const std::vector<std::string> names, log.files().list(folder));
  for (const std::string& name : names)
    if (name.ends_with(kEnding) && !kept.contains(name)) (void)log.files().remove(folder / name).has_value();

  for (std::size_t i = 0; i < segments.size(); ++i) {
    const SegmentInfo& s = segments[i];
    segment = s.first_block;
    begin(covered[i].last_block == 0 ? s.first_block : covered[i].last_block + 1, covered[i].last_hash);
    TW_TRY(for_blocks(log, active.first_block(), s.last_block, [&](const Block& block) { return take(block); }));
    if (!s.sealed || s.last_block < active.first_block()) continue;
    close(s.last_block, s.last_hash);
    TW_TRY(write_waiting());
  }
  next_block = segments.back().last_block + 1;
  return {};
}

/// Binary search for each id. Ids out of the file's range cost nothing.
Status RecordIndex::State::search_file(const Part& part, std::span<const RecordId> ids, Found& found) const {
  std::unique_ptr<File> file;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (part.rows == 0 || ids[i] < part.least || part.greatest < ids[i]) continue;
    if (!file) {
      TW_ASSIGN(file, log.files().open(path_of(part.key.first_block), OpenMode::kRead));
    }
    std::uint64_t low = 0, high = part.rows;
    std::array<std::uint8_t, kRow> bytes;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      TW_ASSIGN(std::size_t got, file->read_at(kSideHeaderBytes + kLinkBytes + middle * kRow, bytes));
      if (got != kRow) return Error{Code::kDamaged, "an index of records is cut short"};
      const Row row = decode_row(bytes);
      if (row.id < ids[i]) {
        low = middle + 1;
      } else {
        high = middle;
        if (row.id == ids[i]) note(found[i], row.at(part.key.first_block));
      }
    }
  }
  return {};
}

RecordIndex::RecordIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
RecordIndex::~RecordIndex() = default;

Result<std::unique_ptr<RecordIndex>> RecordIndex::open(const SegmentLog& log, const Path& folder, Extract extract,
                                                       std::size_t rows_in_memory) {
  auto state = std::make_unique<State>(log, folder, std::move(extract), rows_in_memory);
  TW_TRY(log.files().create_folders(folder));
  TW_TRY(state->load());
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
  state_->turn_to(at.place.block);
  state_->active.add(id, at);
  state_->next_block = at.place.block + 1;
}

bool RecordIndex::write_due() {
  std::lock_guard guard(state_->mutex);
  return std::exchange(state_->write_due, false);
}

Status RecordIndex::write_files() { return state_->write_waiting(); }

Status RecordIndex::trim() {
  std::lock_guard guard(state_->mutex);
  const std::uint64_t first = state_->log.first_block();
  auto left = std::make_shared<Parts>();
  for (const Part& part : *state_->parts) {
    if (part.key.last_block >= first) {
      left->push_back(part);
    } else {
      (void)state_->log.files().remove(state_->path_of(part.key.first_block)).has_value();
    }
  }
  state_->parts = std::move(left);
  std::erase_if(state_->unwritten, [&](const auto& u) { return u.second->key.last_block < first; });
  return {};
}

Result<std::vector<std::optional<RecordPlace>>> RecordIndex::find_all(std::span<const RecordId> ids) const {
  Found found(ids.size());
  std::shared_ptr<const Parts> parts;
  {
    std::lock_guard guard(state_->mutex);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      state_->active.find(ids[i], found[i]);
      for (const auto& [first, part] : state_->unwritten) part->rows.find(ids[i], found[i]);
    }
    parts = state_->parts;
  }
  for (const Part& part : *parts) TW_TRY(state_->search_file(part, ids, found));
  return found;
}

Result<std::optional<RecordPlace>> RecordIndex::find(const RecordId& id) const {
  TW_ASSIGN(Found found, find_all({&id, 1}));
  return found.front();
}

}  // namespace thalweg::ledger
