// segment.cc: files of a ledger, outbox or inbox, plain or compressed, from a damaged disk or a stranger's copy.
#include <cstring>

#include "base/hash.h"
#include "base/invariant.h"
#include "ledger/recovery.h"
#include "ledger/segment_file.h"
#include "ledger/segment_log.h"
#include "support/faulty_files.h"

namespace {

using namespace thalweg;

constexpr std::size_t kHeader = 40, kRow = 8;  // docs/formats/segment.md, compressed segments

template <class Number>
Number number_at(const Bytes& bytes, std::size_t at) {
  Number out;
  std::memcpy(&out, bytes.data() + at, sizeof out);
  return out;
}
void put_crc(Bytes& bytes, std::size_t at, ByteView over) {
  const std::uint32_t crc = crc32c(over);
  std::memcpy(bytes.data() + at, &crc, sizeof crc);
}

/// No fuzzer guesses a checksum: behind those is what must stand by itself.
void mend_checksums(Bytes& bytes) {
  if (bytes.size() < kHeader) return;
  const auto table = number_at<std::uint64_t>(bytes, 16);
  if (table >= kHeader && table <= bytes.size()) {
    std::uint64_t frame = kHeader;
    for (std::uint64_t row = table; row + kRow <= bytes.size(); row += kRow) {
      const auto size = number_at<std::uint32_t>(bytes, row);
      if (size > table - frame) break;
      put_crc(bytes, row + 4, ByteView(bytes).subspan(frame, size));
      frame += size;
    }
    put_crc(bytes, 32, ByteView(bytes).subspan(table));
  }
  put_crc(bytes, 36, ByteView(bytes).first(36));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace thalweg::ledger;
  if (size == 0) return 0;
  const bool compressed = (data[0] & 1) != 0;
  Bytes content(data + 1, data + size);
  if (compressed) mend_checksums(content);
  FaultyFiles files;
  const Path folder = "/ledger";
  THALWEG_INVARIANT(files.create_folders(folder).has_value());
  files.put(folder / (compressed ? compressed_name(1) : segment_name(1)), std::move(content));
  if (const auto segment = open_segment(files, folder, 1, OpenMode::kRead); segment && segment->size < (16u << 20)) {
    Bytes head(kSegmentHeaderBytes);
    const auto got = segment->file->read_at(0, head);
    head.resize(got ? *got : 0);
    if (const auto header = decode_segment_header(head)) {
      const auto scan = scan_segment(*segment->file, segment->size, {*header, true});
      if (scan && scan->end != ScanResult::End::kDamaged)
        THALWEG_INVARIANT(scan->end_offset <= std::max<std::uint64_t>(segment->size, kSegmentHeaderBytes));
      (void)scan_offsets(*segment->file, segment->size, *header, header->first_block + 3);
    }
  }
  SegmentOptions options;
  options.read_only = true;
  if (const auto log = SegmentLog::open(files, folder, options))
    for (std::uint64_t block = (*log)->first_block(); block <= (*log)->head().number; ++block)
      THALWEG_INVARIANT((*log)->read(block).has_value());
  return 0;
}
