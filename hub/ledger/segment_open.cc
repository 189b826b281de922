// segment_open.cc: opening a folder of segments, and beginning new ones.
#include <algorithm>

#include "ledger/recovery.h"
#include "ledger/segment_file.h"
#include "ledger/segment_state.h"

namespace thalweg::ledger {
namespace {

constexpr std::string_view kUnfinished = ".new";

/// Creates what is missing of `folder`, with names that a power cut leaves in place.
Status make_durable_folders(FileSystem& files, const Path& folder) {
  std::vector<Path> missing;
  for (Path p = folder; !p.empty() && !files.exists(p); p = p.parent_path()) {
    missing.push_back(p);
    if (p == p.parent_path()) break;  // a disk that does not answer denies its root too
  }
  if (missing.empty()) return {};
  TW_TRY(files.create_folders(folder));
  for (const Path& made : missing) TW_TRY(files.sync_folder(made.has_parent_path() ? made.parent_path() : Path(".")));
  return {};
}

/// Hash of block 1, as its header says; whether it is true is for those who read the block.
Result<Hash256> genesis_hash(const File& file, const SegmentHeader& header) {
  Bytes bytes(kBlockHeaderBytes);
  TW_ASSIGN(std::size_t got, file.read_at(kSegmentHeaderBytes, bytes));
  bytes.resize(got);
  auto block = decode_block_header(bytes, header.salt);
  if (!block || block->info.number != 1)
    return Error{Code::kDamaged,
                 segment_name(1) + ", offset " + std::to_string(kSegmentHeaderBytes) + ": no genesis block"};
  return block->info.hash;
}

/// What the header of a segment's last block says.
Result<BlockInfo> last_block_of(const SealedSegment& segment) {
  Bytes bytes(kBlockHeaderBytes);
  TW_ASSIGN(std::size_t got, segment.file->read_at(segment.offsets.back(), bytes));
  bytes.resize(got);
  auto block = decode_block_header(bytes, segment.salt);
  if (!block)
    return Error{Code::kDamaged, segment.name + ", offset " + std::to_string(segment.offsets.back()) + ": no block"};
  return block->info;
}

Error at(Error error, const std::string& file, std::uint64_t offset) {
  return std::move(error).in(file + ", offset " + std::to_string(offset));
}

}  // namespace

/// Makes <first>.seg with its first block and takes it as the active one. It gets its name after it was synced, so a
/// segment that can be seen is whole.
Status SegmentLog::State::begin_segment(const BlockInfo& last, std::uint64_t previous_first, std::uint8_t type,
                                        ByteView opener, bool has_opener, const AppendAs& as, bool genesis) {
  SegmentHeader header;
  header.flags = has_opener ? SegmentHeader::kOpensWithBlock : 0;
  header.salt = fresh_salt();
  header.first_block = last.number + 1;
  header.previous_first_block = previous_first;
  header.previous = last.hash;
  if (!genesis) header.ledger_id = ledger_id;
  auto storage = std::make_shared<Bytes>();
  Bytes content;
  encode(header, content);
  BlockInfo info;
  if (has_opener) {
    info.number = header.first_block;
    info.time_unix_ns = std::max(last.time_unix_ns, as.time_unix_ns);
    info.epoch = epoch;
    info.flags = as.flags;
    info.previous = last.hash;
    const EntryRef entry{type, opener};
    encode_block(info, {&entry, 1}, header.salt, *storage);
    content.insert(content.end(), storage->begin(), storage->end());
  }

  const Path path = folder / segment_name(header.first_block);
  Path unfinished = path;
  unfinished += kUnfinished;
  if (files->exists(unfinished)) TW_TRY(files->remove(unfinished));
  TW_ASSIGN(std::unique_ptr<File> file, files->open(unfinished, OpenMode::kCreate));
  if (auto written = file->write_at(0, content); !written) {
    (void)files->remove(unfinished).has_value();
    return written;
  }
  if (auto synced = file->sync(); !synced) return poison(Error(std::move(synced).error()));
  if (auto named = files->rename(unfinished, path); !named) {
    (void)files->remove(unfinished).has_value();
    return named;
  }
  if (auto synced = files->sync_folder(folder); !synced) return poison(Error(std::move(synced).error()));

  filled = content.size();
  dirty_tail = false;
  if (genesis) ledger_id = info.hash;
  {
    std::lock_guard guard(mutex);
    active_file = std::move(file);
    active = header;
    active_offsets.clear();
    active_end = kSegmentHeaderBytes;
  }
  if (has_opener) publish(info, std::move(storage), kSegmentHeaderBytes);
  return {};
}

Status SegmentLog::State::begin_genesis() {
  epoch = 0;
  return begin_segment({}, 0, options.genesis_type, options.genesis, true, {options.genesis_time_unix_ns, 0}, true);
}

/// Takes the last segment as the active one.
Status SegmentLog::State::load_active(const SegmentHeader& header, std::unique_ptr<File> file, std::uint64_t size,
                                      OpenReport& report) {
  const std::string name = segment_name(header.first_block);
  TW_ASSIGN(ScanResult scan, scan_segment(*file, size, {header, true}));
  if (scan.end == ScanResult::End::kDamaged) return at({Code::kDamaged, scan.message}, name, scan.end_offset);
  report.checked_bytes = scan.end_offset;
  filled = size;
  if (scan.end == ScanResult::End::kTorn) {
    report.torn = OpenReport::Torn{name, scan.end_offset, size - scan.end_offset};
    if (!options.read_only) {
      TW_TRY(file->truncate(scan.end_offset));
      filled = scan.end_offset;
    }
  }
  if (!options.read_only) {
    // The last block is proven by nothing: its writer may have ended, or its sync failed, before it was on disk, and
    // still it reads well from the system's cache. Written and synced again it is as good as acknowledged.
    if (scan.last.number != 0) {
      Bytes last(static_cast<std::size_t>(scan.last.bytes));
      TW_ASSIGN(std::size_t got, file->read_at(scan.last_offset, last));
      if (got != last.size()) return at({Code::kIo, "the last block cannot be read again"}, name, scan.last_offset);
      TW_TRY(file->write_at(scan.last_offset, last));
    }
    TW_TRY(file->sync());
    // The same holds for the segment's name.
    TW_TRY(files->sync_folder(folder));
  }
  active = header;
  active_file = std::move(file);
  active_offsets = std::move(scan.offsets);
  active_end = scan.end_offset;
  if (scan.last.number != 0) head = scan.last;
  epoch = head.epoch;
  return {};
}

/// Reads what is in the folder.
Status SegmentLog::State::load(OpenReport& report) {
  TW_ASSIGN(std::vector<std::string> names, files->list(folder));
  std::vector<std::uint64_t> numbers;
  for (const std::string& entry : names) {
    if (auto number = any_segment_number(entry)) {
      if (entry == compressed_name(*number) && files->exists(folder / segment_name(*number))) {
        // The power went before the plain one was removed. It is the one that was synced block by block.
        report.leftover.push_back(entry);
        if (!options.read_only) TW_TRY(files->remove(folder / entry));
        continue;
      }
      numbers.push_back(*number);
    } else if (entry.ends_with(kUnfinished)) {
      report.leftover.push_back(entry);
      if (!options.read_only) TW_TRY(files->remove(folder / entry));
    }
  }
  if (numbers.empty()) {
    if (options.read_only) return Error{Code::kNotFound, folder.string() + ": no ledger here"};
    report.created = true;
    return begin_genesis();
  }
  std::sort(numbers.begin(), numbers.end());
  SegmentHeader before;
  for (std::uint64_t number : numbers) {
    const bool last = number == numbers.back();
    const OpenMode mode = last && !options.read_only ? OpenMode::kWrite : OpenMode::kRead;
    TW_ASSIGN(SegmentFile segment, open_segment(*files, folder, number, mode));
    std::unique_ptr<File>& file = segment.file;
    const std::string& name = segment.name;
    const std::uint64_t size = segment.size;
    if (last && segment.compressed) return at({Code::kDamaged, "the newest segment is missing"}, name, 0);
    Bytes bytes(kSegmentHeaderBytes);
    TW_ASSIGN(std::size_t got, file->read_at(0, bytes));
    bytes.resize(got);
    auto header = decode_segment_header(bytes);
    if (!header) return at(Error(std::move(header).error()), name, 0);
    if (header->first_block != number)
      return at({Code::kDamaged, "the file is named for another block than it begins with"}, name, 0);
    if (number == 1) {
      TW_ASSIGN(ledger_id, genesis_hash(*file, *header));
    } else if (number == numbers.front()) {
      ledger_id = header->ledger_id;
    }
    if (number != 1 && header->ledger_id != ledger_id)
      return at({Code::kDamaged, "the segment belongs to another ledger"}, name, 0);
    if (number != numbers.front()) {
      if (header->previous_first_block != before.first_block)
        return at({Code::kDamaged, "the segment before it is missing"}, name, 0);
      sealed.back().last_block = number - 1;
    }
    before = *header;
    if (last) {
      // What the chain holds before this segment; its own blocks follow in load_active().
      head.number = header->first_block - 1;
      head.hash = header->previous;
      TW_TRY(load_active(*header, std::move(file), size, report));
    } else {
      sealed.push_back({*header, 0, size, segment.stored, segment.compressed, false});
    }
  }
  if (head.number + 1 == active.first_block && !sealed.empty()) {
    // The active segment is empty: the head is the last block of the one before.
    TW_ASSIGN(auto segment, sealed_for(head.number));
    TW_ASSIGN(head, last_block_of(*segment));
    epoch = head.epoch;
  }
  return {};
}

Result<std::unique_ptr<SegmentLog>> SegmentLog::open(FileSystem& files, const Path& folder, SegmentOptions options,
                                                     OpenReport* report) {
  OpenReport unasked;
  auto state = std::make_unique<State>();
  state->files = &files;
  state->folder = folder;
  state->options = std::move(options);
  if (!state->options.read_only) {
    TW_TRY(make_durable_folders(files, folder));
    if (state->options.lock_folder) {
      TW_ASSIGN(state->lock, FolderLock::take(folder));
    }
  }
  TW_TRY(state->load(report != nullptr ? *report : unasked));
  return std::unique_ptr<SegmentLog>(new SegmentLog(std::move(state)));
}

}  // namespace thalweg::ledger
