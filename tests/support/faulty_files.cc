// faulty_files.cc: a file system in memory that loses what was not synced.
#include "support/faulty_files.h"

#include <algorithm>
#include <set>

namespace thalweg {
namespace {

constexpr std::uint64_t kSector = 512;

/// A change of a file since its last sync: bytes at an offset, or a new length.
struct Change {
  bool is_truncate = false;
  std::uint64_t offset = 0;  // or the length
  Bytes bytes;
};

struct Node {
  bool folder = false;
  Bytes now;      // what programs see
  Bytes durable;  // what the platter holds
  std::vector<Change> pending;
};
using NodePtr = std::shared_ptr<Node>;
using Names = std::map<Path, NodePtr>;

void put_onto(Bytes& to, const Change& change) {
  if (change.is_truncate) {
    to.resize(change.offset);
    return;
  }
  if (to.size() < change.offset + change.bytes.size()) to.resize(change.offset + change.bytes.size());
  std::copy(change.bytes.begin(), change.bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

/// The part of a write that lies in the sectors `keep` says yes to, asked in order. The file reaches as far as the last
/// one kept; sectors between that were not kept are what they were, or zeros.
template <class Keep>
void apply_sectors(Bytes& to, const Change& change, Keep keep) {
  std::uint64_t at = change.offset;
  const std::uint64_t end = change.offset + change.bytes.size();
  while (at < end) {
    const std::uint64_t next = std::min(end, (at / kSector + 1) * kSector);
    if (keep()) {
      const auto first = change.bytes.begin() + static_cast<std::ptrdiff_t>(at - change.offset);
      put_onto(to, {false, at, Bytes(first, first + static_cast<std::ptrdiff_t>(next - at))});
    }
    at = next;
  }
}

std::uint64_t sectors(const Change& change) {
  if (change.is_truncate || change.bytes.empty()) return 1;
  return (change.offset + change.bytes.size() - 1) / kSector - change.offset / kSector + 1;
}

Error power_off() { return {Code::kIo, "the power is off"}; }

}  // namespace

struct FaultyFiles::Disk {
  mutable std::mutex mutex;  // guards all below
  Names names;               // what programs see
  Names durable;             // names that survive
  std::uint64_t steps = 0, cut = 0, writes = 0, syncs = 0, written = 0, generation = 0;
  std::uint64_t capacity = UINT64_MAX;
  bool off = false;
  struct Fault {
    FileOp op;
    Code code;
    std::uint64_t skip, times;
    std::string name_part;
  };
  std::vector<Fault> faults;

  /// Counts a step; false when the power goes in it.
  bool step() {
    ++steps;
    if (steps == cut) off = true;
    return !off;
  }
  std::optional<Error> fault(FileOp op, const Path& path) {
    for (Fault& f : faults) {
      if (f.op != op || f.times == 0 || path.string().find(f.name_part) == std::string::npos) continue;
      if (f.skip > 0) {
        --f.skip;
        continue;
      }
      --f.times;
      return Error{f.code, path.string() + ": ordered to fail"};
    }
    return std::nullopt;
  }
  std::uint64_t used() const {
    std::uint64_t sum = 0;
    for (const auto& [path, node] : names) sum += node->now.size();
    return sum;
  }
};

namespace {

class FaultyFile final : public File {
 public:
  FaultyFile(std::shared_ptr<FaultyFiles::Disk> disk, NodePtr node, Path path, bool writable)
      : disk_(std::move(disk)),
        node_(std::move(node)),
        path_(std::move(path)),
        writable_(writable),
        generation_(disk_->generation) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const override {
    std::lock_guard guard(disk_->mutex);
    if (gone()) return power_off();
    if (auto fault = disk_->fault(FileOp::kRead, path_)) return *fault;
    if (offset >= node_->now.size()) return std::size_t{0};
    const std::size_t size = std::min<std::size_t>(into.size(), node_->now.size() - offset);
    std::copy_n(node_->now.begin() + static_cast<std::ptrdiff_t>(offset), size, into.begin());
    return size;
  }

  Status write_at(std::uint64_t offset, ByteView bytes) override {
    std::lock_guard guard(disk_->mutex);
    if (gone()) return power_off();
    if (!writable_) return Error{Code::kDenied, path_.string() + ": opened for reading"};
    ++disk_->writes;
    const bool on = disk_->step();
    Bytes kept(bytes.begin(), bytes.end());
    std::optional<Error> fault = disk_->fault(FileOp::kWrite, path_);
    if (fault) kept.resize(kept.size() / 2);
    const std::uint64_t end = offset + kept.size();
    if (end > node_->now.size()) {
      const std::uint64_t used = disk_->used();
      const std::uint64_t room = disk_->capacity > used ? disk_->capacity - used : 0;
      if (end - node_->now.size() > room) {
        const std::uint64_t stop = node_->now.size() + room;
        kept.resize(stop > offset ? stop - offset : 0);
        fault = Error{Code::kDiskFull, path_.string() + ": no space left"};
      }
    }
    disk_->written += kept.size();
    if (!kept.empty()) change({false, offset, std::move(kept)});
    if (!on) return power_off();
    if (fault) return *fault;
    return {};
  }

  Status sync() override {
    std::lock_guard guard(disk_->mutex);
    if (gone()) return power_off();
    ++disk_->syncs;
    if (!disk_->step()) return power_off();
    if (auto fault = disk_->fault(FileOp::kSync, path_)) {
      // The system has marked the pages clean: they are in memory only, and no later sync writes them.
      node_->pending.clear();
      return *fault;
    }
    for (const Change& c : node_->pending) put_onto(node_->durable, c);
    node_->pending.clear();
    return {};
  }

  Status truncate(std::uint64_t size) override {
    std::lock_guard guard(disk_->mutex);
    if (gone()) return power_off();
    const bool on = disk_->step();
    if (on) {
      if (auto fault = disk_->fault(FileOp::kTruncate, path_)) return *fault;
    }
    change({true, size, {}});
    if (!on) return power_off();
    return {};
  }

  Result<std::uint64_t> size() const override {
    std::lock_guard guard(disk_->mutex);
    if (gone()) return power_off();
    return std::uint64_t{node_->now.size()};
  }

 private:
  bool gone() const { return disk_->off || generation_ != disk_->generation; }
  void change(Change c) {
    put_onto(node_->now, c);
    node_->pending.push_back(std::move(c));
  }
  std::shared_ptr<FaultyFiles::Disk> disk_;
  NodePtr node_;
  Path path_;
  bool writable_;
  std::uint64_t generation_;
};

/// What a file holds after the power came back.
void settle(Node& node, Loss loss, std::mt19937_64& random) {
  std::uint64_t left = UINT64_MAX;
  if (loss == Loss::kTorn) {
    std::uint64_t all = 0;
    for (const Change& c : node.pending) all += sectors(c);
    left = all == 0 ? 0 : random() % (all + 1);
  }
  // Of shuffled sectors most, half or few are kept, so that nearly whole blocks are seen as well as nearly empty ones.
  const std::uint64_t of_ten = loss == Loss::kShuffled ? 1 + random() % 9 : 10;
  for (const Change& c : node.pending) {
    switch (loss) {
      case Loss::kAll:
        break;
      case Loss::kNone:
        put_onto(node.durable, c);
        break;
      case Loss::kTorn:
        if (c.is_truncate) {
          if (left != 0) put_onto(node.durable, c), --left;
        } else {
          apply_sectors(node.durable, c, [&] { return left != 0 && left-- != 0; });
        }
        break;
      case Loss::kShuffled:
        if (c.is_truncate) {
          if (random() % 2 == 0) put_onto(node.durable, c);
        } else {
          apply_sectors(node.durable, c, [&] { return random() % 10 < of_ten; });
          // The length can reach the disk before the data does.
          if (random() % 2 == 0 && node.durable.size() < c.offset + c.bytes.size())
            node.durable.resize(c.offset + c.bytes.size());
        }
        break;
    }
  }
  node.pending.clear();
  node.now = node.durable;
}

}  // namespace

FaultyFiles::FaultyFiles() : disk_(std::make_shared<Disk>()) {
  auto root = std::make_shared<Node>();
  root->folder = true;
  disk_->names["/"] = disk_->durable["/"] = std::move(root);
}
FaultyFiles::~FaultyFiles() = default;

Result<std::unique_ptr<File>> FaultyFiles::open(const Path& path, OpenMode mode) {
  std::lock_guard guard(disk_->mutex);
  if (disk_->off) return power_off();
  if (auto fault = disk_->fault(FileOp::kOpen, path)) return *fault;
  auto at = disk_->names.find(path);
  if (mode == OpenMode::kCreate) {
    if (at != disk_->names.end()) return Error{Code::kExists, path.string()};
    auto parent = disk_->names.find(path.parent_path());
    if (parent == disk_->names.end() || !parent->second->folder) return Error{Code::kNotFound, path.string()};
    at = disk_->names.emplace(path, std::make_shared<Node>()).first;
    if (!disk_->step()) return power_off();
  }
  if (at == disk_->names.end() || at->second->folder) return Error{Code::kNotFound, path.string()};
  return std::unique_ptr<File>(std::make_unique<FaultyFile>(disk_, at->second, path, mode != OpenMode::kRead));
}

Status FaultyFiles::rename(const Path& from, const Path& to) {
  std::lock_guard guard(disk_->mutex);
  if (disk_->off) return power_off();
  if (auto fault = disk_->fault(FileOp::kRename, from)) return *fault;
  auto at = disk_->names.find(from);
  if (at == disk_->names.end()) return Error{Code::kNotFound, from.string()};
  disk_->names[to] = at->second;
  disk_->names.erase(at);
  if (!disk_->step()) return power_off();
  return {};
}

Status FaultyFiles::remove(const Path& path) {
  std::lock_guard guard(disk_->mutex);
  if (disk_->off) return power_off();
  if (auto fault = disk_->fault(FileOp::kRemove, path)) return *fault;
  if (disk_->names.erase(path) == 0) return Error{Code::kNotFound, path.string()};
  if (!disk_->step()) return power_off();
  return {};
}

Status FaultyFiles::sync_folder(const Path& folder) {
  std::lock_guard guard(disk_->mutex);
  if (disk_->off) return power_off();
  ++disk_->syncs;
  if (!disk_->step()) return power_off();
  if (auto fault = disk_->fault(FileOp::kSyncFolder, folder)) return *fault;
  std::erase_if(disk_->durable, [&](const auto& entry) { return entry.first.parent_path() == folder; });
  for (const auto& [path, node] : disk_->names)
    if (path.parent_path() == folder) disk_->durable[path] = node;
  return {};
}

Status FaultyFiles::create_folders(const Path& folder) {
  std::lock_guard guard(disk_->mutex);
  if (disk_->off) return power_off();
  Path so_far;
  for (const Path& part : folder) {
    so_far /= part;
    auto [at, made] = disk_->names.emplace(so_far, nullptr);
    if (made) {
      at->second = std::make_shared<Node>();
      at->second->folder = true;
    } else if (!at->second->folder) {
      return Error{Code::kExists, so_far.string()};
    }
  }
  if (!disk_->step()) return power_off();
  return {};
}

Result<std::vector<std::string>> FaultyFiles::list(const Path& folder) {
  std::lock_guard guard(disk_->mutex);
  if (disk_->off) return power_off();
  auto at = disk_->names.find(folder);
  if (at == disk_->names.end() || !at->second->folder) return Error{Code::kNotFound, folder.string()};
  std::vector<std::string> out;
  for (const auto& [path, node] : disk_->names)
    if (path.parent_path() == folder && path != folder) out.push_back(path.filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

bool FaultyFiles::exists(const Path& path) {
  std::lock_guard guard(disk_->mutex);
  return !disk_->off && disk_->names.contains(path);
}

Result<FileSystem::Space> FaultyFiles::space(const Path&) {
  std::lock_guard guard(disk_->mutex);
  if (disk_->off) return power_off();
  if (disk_->capacity == UINT64_MAX) return Space{1ull << 40, 1ull << 40};
  const std::uint64_t used = disk_->used();
  return Space{disk_->capacity > used ? disk_->capacity - used : 0, disk_->capacity};
}

std::uint64_t FaultyFiles::steps() const {
  std::lock_guard guard(disk_->mutex);
  return disk_->steps;
}
void FaultyFiles::cut_at(std::uint64_t step) {
  std::lock_guard guard(disk_->mutex);
  disk_->cut = step;
}
void FaultyFiles::cut_now() {
  std::lock_guard guard(disk_->mutex);
  disk_->off = true;
}
bool FaultyFiles::power_is_off() const {
  std::lock_guard guard(disk_->mutex);
  return disk_->off;
}

void FaultyFiles::restart(Loss loss, std::uint64_t seed) {
  std::lock_guard guard(disk_->mutex);
  Disk& d = *disk_;
  std::mt19937_64 random(seed);
  Names kept;
  std::set<Path> all;
  for (const auto& [path, node] : d.durable) all.insert(path);
  for (const auto& [path, node] : d.names) all.insert(path);
  std::set<Node*> moved;  // a renamed file never stands under both names, nor under none of them
  for (const Path& path : all) {
    auto was = d.durable.find(path);
    auto is = d.names.find(path);
    NodePtr before = was == d.durable.end() ? nullptr : was->second;
    NodePtr after = is == d.names.end() ? nullptr : is->second;
    const bool newer = loss == Loss::kNone || (loss == Loss::kShuffled && random() % 2 == 0);
    if (NodePtr node = newer ? after : before) kept[path] = node;
  }
  // Lost in a shuffle of names: a file that had a durable name keeps it unless its new one was kept.
  for (const auto& [path, node] : kept) moved.insert(node.get());
  for (const auto& [path, node] : d.durable) {
    const bool still_wanted =
        std::any_of(d.names.begin(), d.names.end(), [&held = node](const auto& n) { return n.second == held; });
    if (still_wanted && !moved.contains(node.get()) && !kept.contains(path)) kept[path] = node;
  }
  // What lies in a folder that was lost is lost.
  for (auto at = kept.begin(); at != kept.end();) {
    const Path parent = at->first.parent_path();
    const bool root = parent.empty() || parent == at->first;
    at = root || kept.contains(parent) ? std::next(at) : kept.erase(at);
  }
  std::set<Node*> settled;
  for (auto& [path, node] : kept)
    if (settled.insert(node.get()).second) settle(*node, loss, random);
  d.names = kept;
  d.durable = std::move(kept);
  d.faults.clear();
  d.cut = 0;
  d.off = false;
  ++d.generation;
}

void FaultyFiles::fail(FileOp op, Code code, std::uint64_t skip, std::uint64_t times, std::string name_part) {
  std::lock_guard guard(disk_->mutex);
  disk_->faults.push_back({op, code, skip, times, std::move(name_part)});
}
void FaultyFiles::clear_faults() {
  std::lock_guard guard(disk_->mutex);
  disk_->faults.clear();
}
void FaultyFiles::set_capacity(std::uint64_t bytes) {
  std::lock_guard guard(disk_->mutex);
  disk_->capacity = bytes;
}
std::uint64_t FaultyFiles::used_bytes() const {
  std::lock_guard guard(disk_->mutex);
  return disk_->used();
}
std::uint64_t FaultyFiles::writes() const {
  std::lock_guard guard(disk_->mutex);
  return disk_->writes;
}
std::uint64_t FaultyFiles::syncs() const {
  std::lock_guard guard(disk_->mutex);
  return disk_->syncs;
}
std::uint64_t FaultyFiles::written_bytes() const {
  std::lock_guard guard(disk_->mutex);
  return disk_->written;
}

Bytes FaultyFiles::content(const Path& path) const {
  std::lock_guard guard(disk_->mutex);
  auto at = disk_->names.find(path);
  return at == disk_->names.end() ? Bytes() : at->second->now;
}

void FaultyFiles::flip_byte(const Path& path, std::uint64_t offset, std::uint8_t mask) {
  std::lock_guard guard(disk_->mutex);
  auto at = disk_->names.find(path);
  if (at == disk_->names.end() || offset >= at->second->now.size()) return;
  at->second->now[offset] ^= mask;
  if (offset < at->second->durable.size()) at->second->durable[offset] ^= mask;
}

void FaultyFiles::cut_file(const Path& path, std::uint64_t size) {
  std::lock_guard guard(disk_->mutex);
  auto at = disk_->names.find(path);
  if (at == disk_->names.end()) return;
  at->second->now.resize(std::min<std::size_t>(size, at->second->now.size()));
  at->second->durable.resize(std::min<std::size_t>(size, at->second->durable.size()));
}

void FaultyFiles::put(const Path& path, Bytes content) {
  std::lock_guard guard(disk_->mutex);
  auto node = std::make_shared<Node>();
  node->now = node->durable = std::move(content);
  disk_->names[path] = disk_->durable[path] = std::move(node);
}

std::vector<Path> FaultyFiles::all_files() const {
  std::lock_guard guard(disk_->mutex);
  std::vector<Path> out;
  for (const auto& [path, node] : disk_->names)
    if (!node->folder) out.push_back(path);
  return out;
}

std::unique_ptr<FaultyFiles> FaultyFiles::copy() const {
  std::lock_guard guard(disk_->mutex);
  auto out = std::make_unique<FaultyFiles>();
  std::map<Node*, NodePtr> made;
  auto clone = [&](const Names& from, Names& to) {
    for (const auto& [path, node] : from) {
      NodePtr& twin = made[node.get()];
      if (!twin) twin = std::make_shared<Node>(*node);
      to[path] = twin;
    }
  };
  clone(disk_->names, out->disk_->names);
  clone(disk_->durable, out->disk_->durable);
  out->disk_->capacity = disk_->capacity;
  return out;
}

}  // namespace thalweg
