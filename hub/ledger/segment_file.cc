// segment_file.cc: a segment's bytes, from a plain file or from one that was compressed after sealing.
#include "ledger/segment_file.h"

#include <lz4.h>
#include <lz4hc.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <list>
#include <mutex>

namespace thalweg::ledger {
namespace {

constexpr std::string_view kMagic = "TWSGZv1\n";
constexpr std::size_t kHeaderBytes = 40;
constexpr std::size_t kRowBytes = 8;
constexpr std::uint32_t kFrameBytes = 256u << 10;
constexpr std::uint64_t kMaxRawBytes = 4ull << 30;
constexpr std::size_t kCachedFrames = 2;
constexpr int kLevel = 9;

struct Frame {
  std::uint64_t offset = 0;  // in the compressed file
  std::uint32_t stored = 0;
  std::uint32_t crc = 0;
};

/// Reads a compressed segment as if it were plain. Only whole frames are expanded; the last few are kept for readers of
/// small blocks.
class CompressedFile final : public File, public StoredFrames {
 public:
  static Result<std::unique_ptr<CompressedFile>> open(std::unique_ptr<File> inner, std::string name,
                                                      std::uint64_t* damaged_at = nullptr);

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const override;
  Status write_at(std::uint64_t, ByteView) override { return fixed(); }
  Status sync() override { return fixed(); }
  Status truncate(std::uint64_t) override { return fixed(); }
  Result<std::uint64_t> size() const override { return raw_size_; }
  std::uint64_t frame_of(std::uint64_t offset) const override {
    const auto frame = static_cast<std::size_t>(offset / kFrameBytes);
    return frame < frames_.size() ? frames_[frame].offset : kHeaderBytes;
  }
  std::optional<std::uint64_t> damaged_frame() const override {
    const std::uint64_t at = damaged_at_;
    return at == 0 ? std::nullopt : std::optional(at);
  }

 private:
  static Error fixed() { return {Code::kState, "a compressed segment does not change"}; }
  Error damaged(std::uint64_t offset, std::string_view what) const {
    damaged_at_ = offset;
    return {Code::kDamaged, name_ + ", offset " + std::to_string(offset) + ": " + std::string(what)};
  }
  std::size_t raw_bytes_of(std::size_t frame) const {
    return static_cast<std::size_t>(
        std::min<std::uint64_t>(kFrameBytes, raw_size_ - frame * std::uint64_t{kFrameBytes}));
  }
  Status expand(std::size_t frame, std::span<std::uint8_t> into) const;

  // Constant after open().
  std::unique_ptr<File> inner_;
  std::string name_;
  std::uint64_t raw_size_ = 0;
  std::vector<Frame> frames_;

  mutable std::atomic<std::uint64_t> damaged_at_{0};  // 0: nowhere; no frame begins there
  mutable std::mutex mutex_;
  mutable std::list<std::pair<std::size_t, Bytes>> cache_;  // newest first; guarded by mutex_
};

Result<std::unique_ptr<CompressedFile>> CompressedFile::open(std::unique_ptr<File> inner, std::string name,
                                                             std::uint64_t* damaged_at) {
  auto out = std::make_unique<CompressedFile>();
  out->inner_ = std::move(inner);
  out->name_ = std::move(name);
  TW_ASSIGN(const std::uint64_t stored, out->inner_->size());
  Bytes header(kHeaderBytes);
  TW_ASSIGN(std::size_t got, out->inner_->read_at(0, header));
  if (got != kHeaderBytes) return out->damaged(0, "the header is cut short");
  ByteReader r(header);
  if (as_text(r.raw(8)) != kMagic) return Error{Code::kLedgerFormat, out->name_ + ": not a compressed segment"};
  out->raw_size_ = r.u64();
  const std::uint64_t table_at = r.u64();
  const std::uint32_t frame_bytes = r.u32(), frames = r.u32(), table_crc = r.u32();
  if (r.u32() != crc32c(ByteView(header).first(kHeaderBytes - 4)))
    return out->damaged(0, "the checksum of the header does not fit");
  const std::uint64_t expected = (out->raw_size_ + kFrameBytes - 1) / kFrameBytes;
  if (frame_bytes != kFrameBytes || out->raw_size_ > kMaxRawBytes || frames != expected ||
      table_at + std::uint64_t{frames} * kRowBytes != stored)
    return out->damaged(0, "the sizes of the header do not fit the file");
  Bytes table(std::size_t{frames} * kRowBytes);
  TW_ASSIGN(got, out->inner_->read_at(table_at, table));
  if (damaged_at != nullptr) *damaged_at = table_at;  // whatever is wrong from here on
  if (got != table.size() || crc32c(table) != table_crc)
    return out->damaged(table_at, "the table of frames does not fit");
  ByteReader rows(table);
  std::uint64_t offset = kHeaderBytes;
  for (std::uint32_t i = 0; i < frames; ++i) {
    const std::uint32_t bytes = rows.u32();
    out->frames_.push_back({offset, bytes, rows.u32()});
    offset += bytes;
    if (bytes > out->raw_bytes_of(i)) return out->damaged(table_at, "a frame is larger than what it holds");
  }
  if (offset != table_at) return out->damaged(table_at, "the frames do not fill the file");
  return out;
}

Status CompressedFile::expand(std::size_t frame, std::span<std::uint8_t> into) const {
  const Frame& f = frames_[frame];
  Bytes stored(f.stored);
  TW_ASSIGN(const std::size_t got, inner_->read_at(f.offset, stored));
  if (got != stored.size() || crc32c(stored) != f.crc) return damaged(f.offset, "the checksum of a frame does not fit");
  if (f.stored == into.size()) {
    std::copy(stored.begin(), stored.end(), into.begin());
    return {};
  }
  const int size =
      LZ4_decompress_safe(reinterpret_cast<const char*>(stored.data()), reinterpret_cast<char*>(into.data()),
                          static_cast<int>(stored.size()), static_cast<int>(into.size()));
  if (size < 0 || static_cast<std::size_t>(size) != into.size()) return damaged(f.offset, "a frame does not expand");
  return {};
}

Result<std::size_t> CompressedFile::read_at(std::uint64_t offset, std::span<std::uint8_t> into) const {
  std::size_t done = 0;
  while (done < into.size() && offset < raw_size_) {
    const auto frame = static_cast<std::size_t>(offset / kFrameBytes);
    const auto within = static_cast<std::size_t>(offset % kFrameBytes);
    const std::size_t all = raw_bytes_of(frame);
    const std::size_t size = std::min(into.size() - done, all - within);
    if (size == all) {
      TW_TRY(expand(frame, into.subspan(done, size)));
    } else {
      std::lock_guard guard(mutex_);
      auto at = std::find_if(cache_.begin(), cache_.end(), [&](const auto& c) { return c.first == frame; });
      if (at == cache_.end()) {
        Bytes bytes(all);
        TW_TRY(expand(frame, bytes));
        cache_.emplace_front(frame, std::move(bytes));
        if (cache_.size() > kCachedFrames) cache_.pop_back();
        at = cache_.begin();
      }
      std::memcpy(into.data() + done, at->second.data() + within, size);
    }
    done += size;
    offset += size;
  }
  return done;
}

/// Expects `plain` and `copy` to be equal.
Status compare(const File& plain, const File& copy, std::uint64_t size) {
  Bytes a(kFrameBytes), b(kFrameBytes);
  for (std::uint64_t offset = 0; offset < size; offset += kFrameBytes) {
    TW_ASSIGN(const std::size_t left, plain.read_at(offset, a));
    TW_ASSIGN(const std::size_t right, copy.read_at(offset, b));
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kFrameBytes, size - offset));
    if (left < wanted || right != wanted || std::memcmp(a.data(), b.data(), wanted) != 0)
      return Error{Code::kIo, "a compressed segment does not read back"};
  }
  return {};
}

}  // namespace

std::string compressed_name(std::uint64_t first_block) { return segment_name(first_block) + "z"; }

std::optional<std::uint64_t> any_segment_number(std::string_view name) {
  if (name.ends_with(".segz")) name.remove_suffix(1);
  return segment_number(name);
}

Result<SegmentFile> open_segment(FileSystem& files, const Path& folder, std::uint64_t first_block, OpenMode mode,
                                 std::uint64_t* damaged_at) {
  if (damaged_at != nullptr) *damaged_at = 0;
  SegmentFile out;
  out.name = segment_name(first_block);
  auto plain = files.open(folder / out.name, mode);
  if (plain) {
    out.file = *std::move(plain);
    TW_ASSIGN(out.size, out.file->size());
    out.stored = out.size;
    return out;
  }
  if (plain.error().code != Code::kNotFound) return Error(std::move(plain).error());
  out.name = compressed_name(first_block);
  auto inner = files.open(folder / out.name, OpenMode::kRead);
  if (!inner) return Error(std::move(plain).error());
  TW_ASSIGN(out.stored, (*inner)->size());
  TW_ASSIGN(auto file, CompressedFile::open(*std::move(inner), out.name, damaged_at));
  TW_ASSIGN(out.size, file->size());
  out.frames = file.get();
  out.file = std::move(file);
  out.compressed = true;
  return out;
}

Result<bool> worth_compressing(const File& file, std::uint64_t size) {
  constexpr std::uint64_t kSamples = 8;
  Bytes raw(kFrameBytes / 2);
  Bytes packed(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(raw.size()))));
  std::uint64_t before = 0, after = 0;
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    TW_ASSIGN(const std::size_t got, file.read_at(size / kSamples * i, raw));
    if (got == 0) break;
    const int made =
        LZ4_compress_default(reinterpret_cast<const char*>(raw.data()), reinterpret_cast<char*>(packed.data()),
                             static_cast<int>(got), static_cast<int>(packed.size()));
    before += got;
    after += made > 0 ? std::min<std::uint64_t>(static_cast<std::uint64_t>(made), got) : got;
  }
  return after * 10 <= before * 9;
}

namespace {

/// Writes the compressed file under `path` and gives its size.
Result<std::uint64_t> write_compressed(FileSystem& files, const Path& path, const File& plain, std::uint64_t size) {
  TW_ASSIGN(std::unique_ptr<File> file, files.open(path, OpenMode::kCreate));
  Bytes raw(kFrameBytes), table;
  Bytes packed(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(kFrameBytes))));
  ByteWriter rows(table);
  std::uint64_t at = kHeaderBytes;
  std::uint32_t frames = 0;
  for (std::uint64_t offset = 0; offset < size; offset += kFrameBytes, ++frames) {
    raw.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kFrameBytes, size - offset)));
    TW_ASSIGN(const std::size_t got, plain.read_at(offset, raw));
    if (got != raw.size()) return Error{Code::kIo, "a segment is shorter than it was"};
    const int made = LZ4_compress_HC(reinterpret_cast<const char*>(raw.data()), reinterpret_cast<char*>(packed.data()),
                                     static_cast<int>(raw.size()), static_cast<int>(packed.size()), kLevel);
    ByteView stored(raw);
    if (made > 0 && static_cast<std::size_t>(made) < raw.size())
      stored = ByteView(packed).first(static_cast<std::size_t>(made));
    TW_TRY(file->write_at(at, stored));
    rows.u32(static_cast<std::uint32_t>(stored.size()));
    rows.u32(crc32c(stored));
    at += stored.size();
  }
  TW_TRY(file->write_at(at, table));
  Bytes header;
  ByteWriter w(header);
  w.raw(as_bytes(kMagic));
  w.u64(size);
  w.u64(at);
  w.u32(kFrameBytes);
  w.u32(frames);
  w.u32(crc32c(table));
  w.u32(crc32c(header));
  TW_TRY(file->write_at(0, header));
  TW_TRY(file->sync());
  TW_ASSIGN(const std::uint64_t stored, file->size());
  TW_ASSIGN(auto copy, CompressedFile::open(std::move(file), path.filename().string()));
  TW_TRY(compare(plain, *copy, size));
  return stored;
}

}  // namespace

Result<std::uint64_t> compress_segment(FileSystem& files, const Path& folder, std::uint64_t first_block,
                                       const File& plain, std::uint64_t size) {
  const Path path = folder / compressed_name(first_block);
  Path unfinished = path;
  unfinished += ".new";
  if (files.exists(unfinished)) TW_TRY(files.remove(unfinished));
  auto stored = write_compressed(files, unfinished, plain, size);
  Status named = stored ? files.rename(unfinished, path) : Status(stored.error());
  if (!named) {
    (void)files.remove(unfinished).has_value();  // it may be the space that is missing
    return Error(std::move(named).error());
  }
  TW_TRY(files.sync_folder(folder));
  return stored;
}

}  // namespace thalweg::ledger
