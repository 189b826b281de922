// origin_keys.cc: see origin_keys.h.
#include "gate/origin_keys.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "base/hash.h"
#include "base/log.h"

namespace thalweg::gate {
namespace {

constexpr std::int64_t kHourNs = 3600ll * 1'000'000'000;
constexpr std::uint32_t kLastHour = INT64_MAX / kHourNs;
constexpr std::string_view kMagic = "TWKEYv1\n";
constexpr std::string_view kEnding = ".keys";
constexpr std::size_t kHeaderBytes = 32;  // magic, name, newest hour, count, CRC of the keys, CRC of the header
constexpr std::size_t kFence = 256;
constexpr std::size_t kFilterBits = 20, kSetBits = 5;  // of a key, all in one word: one new key in 500 passes

std::uint32_t hour_of(std::int64_t unix_ns) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(unix_ns / kHourNs, 0)) + 1;
}

/// The keys are hashes: their own bytes say where they stand in a filter.
std::uint64_t bits_of(const OriginKeys::Key& key) {
  std::uint32_t bits;
  std::memcpy(&bits, key.data() + 8, sizeof bits);
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < kSetBits; ++i, bits >>= 6) mask |= std::uint64_t{1} << (bits & 63);
  return mask;
}

ByteView bytes_of(std::span<const OriginKeys::Key> keys) {
  static_assert(sizeof(OriginKeys::Key) == 16);
  return {reinterpret_cast<const std::uint8_t*>(keys.data()), keys.size_bytes()};
}

}  // namespace

OriginKeys::Run::Run(std::uint64_t n, std::uint32_t hour, Keys sorted)
    : name(n),
      count(static_cast<std::uint32_t>(sorted.size())),
      newest_hour(hour),
      crc(crc32c(bytes_of(sorted))),
      filter(sorted.size() * kFilterBits / 64 + 1) {
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    filter[word_of(sorted[i])] |= bits_of(sorted[i]);
    if (i % kFence == 0) fence.push_back(sorted[i]);
  }
  keys = std::make_shared<const Keys>(std::move(sorted));
}

std::size_t OriginKeys::Run::word_of(const Key& key) const {
  std::uint64_t hash;
  std::memcpy(&hash, key.data(), sizeof hash);
  return hash % filter.size();
}

Result<bool> OriginKeys::in_run(const Run& run, const Key& key) const {
  const std::uint64_t bits = bits_of(key);
  if ((run.filter[run.word_of(key)] & bits) != bits) return false;
  if (run.keys) return std::binary_search(run.keys->begin(), run.keys->end(), key);
  const auto behind = std::upper_bound(run.fence.begin(), run.fence.end(), key);
  if (behind == run.fence.begin()) return false;
  const std::size_t first = static_cast<std::size_t>(behind - run.fence.begin() - 1) * kFence;
  const std::size_t number = std::min<std::size_t>(kFence, run.count - first);
  std::array<Key, kFence> some;
  const std::span<std::uint8_t> into(reinterpret_cast<std::uint8_t*>(some.data()), number * sizeof(Key));
  TW_ASSIGN(const auto file, disk_.files->open(path_of(run.name), OpenMode::kRead));  // no descriptor for every file
  TW_ASSIGN(const std::size_t got, file->read_at(kHeaderBytes + first * sizeof(Key), into));
  if (got != into.size()) return Error{Code::kDamaged, "a file of origin keys is cut short"};
  return std::binary_search(some.begin(), some.begin() + static_cast<std::ptrdiff_t>(number), key);
}

OriginKeys::OriginKeys(std::uint64_t at_most, std::int64_t keep_ns, KeyFolder disk)
    : at_most_(at_most),
      keep_ns_(keep_ns),
      disk_(std::move(disk)),
      in_table_(std::clamp<std::size_t>(at_most / 8, 1, kInTable)) {}

OriginKeys::Key OriginKeys::of(std::string_view instance, std::string_view origin_key) {
  static constexpr std::uint8_t kBetween[1] = {0};  // no instance name holds a zero byte
  const Hash256 whole = sha256({as_bytes(instance), kBetween, as_bytes(origin_key)});
  Key key;
  std::copy_n(whole.begin(), key.size(), key.begin());
  return key;
}

std::size_t OriginKeys::place_of(const Key& key) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = first_place_of(key);
  while (slots_[at].hour != 0 && slots_[at].key != key) at = (at + 1) & mask;
  return at;
}

Result<bool> OriginKeys::holds(const Key& key) const {
  if (!slots_.empty() && slots_[place_of(key)].hour != 0) return true;
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    TW_ASSIGN(const bool held, in_run(*run, key));
    if (held) return true;
  }
  return false;
}

void OriginKeys::add(const Key& key, std::int64_t time_unix_ns) {
  if (slots_.empty()) slots_.resize(1024);
  const std::uint32_t hour = hour_of(time_unix_ns);
  std::size_t at = place_of(key);
  if (slots_[at].hour != 0) {
    slots_[at].hour = std::max(slots_[at].hour, hour);
    return;
  }
  const bool full = count_ >= in_table_, crowded = (count_ + 1) * 10 > slots_.size() * 6;
  if (full)
    close_table();
  else if (crowded)
    rebuild(slots_.size() * 2, 0);
  if (full || crowded) at = place_of(key);
  slots_[at] = {key, hour};
  ++count_;
}

/// The table's keys become a run, and the table is empty.
void OriginKeys::close_table() {
  Keys keys;
  keys.reserve(count_);
  std::uint32_t newest = 0;
  for (Slot& slot : slots_) {
    if (slot.hour == 0) continue;
    keys.push_back(slot.key);
    newest = std::max(newest, slot.hour);
    slot = {};
  }
  std::sort(keys.begin(), keys.end());
  std::random_device random;
  runs_.emplace_back(std::uint64_t{random()} << 32 | random(), newest, std::move(keys));
  in_files_ += count_;
  count_ = 0;
  while (!runs_.empty() && in_files_ + in_table_ > at_most_) {
    forgotten_early_ += runs_.front().count;
    forget(1);
  }
  write_next();
}

/// The oldest so many.
void OriginKeys::forget(std::size_t runs) {
  for (std::size_t i = 0; i < runs; ++i) {
    in_files_ -= runs_[i].count;
    forgotten_.push_back(runs_[i].name);
  }
  runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(runs));
}

Path OriginKeys::path_of(std::uint64_t name) const {
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(name >> (56 - 8 * i));
  return disk_.folder / (to_hex(bytes) + std::string(kEnding));
}

/// One file at a time. One that cannot be written keeps its keys in memory and in every saved state, and is tried again
/// when the next is due.
void OriginKeys::write_next() {
  if (disk_.files == nullptr) return;
  if (written_.valid()) {
    if (written_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
    const Status written = written_.get();
    const auto run = std::ranges::find(runs_, writing_, &Run::name);
    if (!written) {
      log::warning("gate", "origin keys stay in memory: {}", written.error().message);
    } else if (run != runs_.end()) {
      run->keys.reset();
    }
  }
  const auto next = std::ranges::find_if(runs_, [](const Run& run) { return run.keys != nullptr; });
  if (next == runs_.end()) return;
  Bytes head;
  ByteWriter writer(head);
  writer.raw(as_bytes(kMagic));
  writer.u64(next->name);
  for (const std::uint32_t value : {next->newest_hour, next->count, next->crc}) writer.u32(value);
  writer.u32(crc32c(head));
  writing_ = next->name;
  written_ = std::async(
      std::launch::async,
      [files = disk_.files, path = path_of(next->name), head = std::move(head), keys = next->keys]() -> Status {
        Bytes all = head;
        const ByteView body = bytes_of(*keys);
        all.insert(all.end(), body.begin(), body.end());
        TW_TRY(files->create_folders(path.parent_path()));
        return write_file_atomically(*files, path, all);
      });
}

/// Reads the file of a run of which name, count, hour and CRC are known.
bool OriginKeys::load(Run& run) const {
  if (disk_.files == nullptr) return false;
  const Path path = path_of(run.name);
  const std::size_t size = kHeaderBytes + std::size_t{run.count} * sizeof(Key);
  const auto bytes = read_file(*disk_.files, path, size);
  if (!bytes || bytes->size() != size || crc32c(ByteView(*bytes).subspan(kHeaderBytes)) != run.crc) return false;
  Keys keys(run.count);
  if (run.count > 0) std::memcpy(static_cast<void*>(keys.data()), bytes->data() + kHeaderBytes, size - kHeaderBytes);
  Run loaded(run.name, run.newest_hour, std::move(keys));
  loaded.keys.reset();
  run = std::move(loaded);
  return true;
}

void OriginKeys::expire(std::int64_t now_unix_ns) {
  write_next();
  if (now_unix_ns < keep_ns_) return;
  const std::uint32_t first_hour = hour_of(now_unix_ns - keep_ns_);
  if (!slots_.empty()) rebuild(slots_.size(), first_hour);
  std::size_t old = 0;
  while (old < runs_.size() && runs_[old].newest_hour < first_hour) ++old;
  forget(old);
}

void OriginKeys::rebuild(std::size_t slots, std::uint32_t first_hour) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  count_ = 0;
  for (const Slot& slot : old) {
    if (slot.hour == 0 || slot.hour < first_hour) continue;
    slots_[place_of(slot.key)] = slot;
    ++count_;
  }
}

void OriginKeys::encode(Bytes& out) const {
  ByteWriter writer(out);
  writer.u64(count_);
  for (const Slot& slot : slots_) {
    if (slot.hour == 0) continue;
    writer.raw(slot.key);
    writer.u32(slot.hour);
  }
  writer.u32(static_cast<std::uint32_t>(runs_.size()));
  for (const Run& run : runs_) {
    writer.u64(run.name);
    for (const std::uint32_t value : {run.newest_hour, run.count, run.crc}) writer.u32(value);
    writer.u8(run.keys ? 1 : 0);
    if (run.keys) writer.raw(bytes_of(*run.keys));
  }
  forgotten_before_ = forgotten_.size();
}

bool OriginKeys::decode(ByteReader& in, bool with_files) {
  *this = emptied();
  const std::uint64_t count = in.u64();
  if (count > in.left() / 20) return false;
  std::vector<Slot> table(count);
  for (Slot& slot : table) {
    slot.key = in.array<16>();
    slot.hour = in.u32();
    if (slot.hour == 0 || slot.hour > kLastHour) return false;
  }
  std::ranges::stable_sort(table, {}, &Slot::hour);  // a former version's may be larger than a table is now
  for (const Slot& slot : table) add(slot.key, (std::int64_t{slot.hour} - 1) * kHourNs);
  if (!with_files) return in.ok();
  std::vector<Run> older;
  const std::uint32_t runs = in.u32();
  for (std::uint32_t i = 0; i < runs && in.ok(); ++i) {
    const std::uint64_t name = in.u64();
    Run run(name, in.u32(), {});
    run.count = in.u32();
    run.crc = in.u32();
    if (in.u8() == 0) {
      if (!load(run)) return false;
    } else {
      const ByteView bytes = in.raw(std::size_t{run.count} * sizeof(Key));
      if (!in.ok() || crc32c(bytes) != run.crc) return false;
      Keys keys(run.count);
      if (run.count > 0) std::memcpy(static_cast<void*>(keys.data()), bytes.data(), bytes.size());
      run = Run(run.name, run.newest_hour, std::move(keys));
    }
    in_files_ += run.count;
    older.push_back(std::move(run));
  }
  if (!in.ok()) return false;
  runs_.insert(runs_.begin(), std::make_move_iterator(older.begin()), std::make_move_iterator(older.end()));
  if (disk_.files != nullptr) {
    if (const auto names = disk_.files->list(disk_.folder))
      for (const std::string& name : *names)
        if (name.ends_with(kEnding) &&
            std::ranges::none_of(runs_, [&](const Run& run) { return path_of(run.name).filename() == name; }))
          (void)disk_.files->remove(disk_.folder / name).has_value();
  }
  return true;
}

void OriginKeys::saved() {
  const auto end = forgotten_.begin() + static_cast<std::ptrdiff_t>(std::min(forgotten_before_, forgotten_.size()));
  for (auto name = forgotten_.begin(); name != end; ++name)
    if (disk_.files != nullptr && *name != writing_) (void)disk_.files->remove(path_of(*name)).has_value();
  forgotten_.erase(forgotten_.begin(), end);
  forgotten_before_ = 0;
}

}  // namespace thalweg::gate
