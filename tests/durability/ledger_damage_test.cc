// Damaged files: what can be an interrupted write is cut off and said; everything else is refused with its place.
#include <catch2/catch.hpp>

#include "support/faulty_files.h"
#include "support/ledger_script.h"

using namespace thalweg;
using namespace thalweg::ledger;

namespace {

const Path kFolder = "/ledger";

std::uint64_t add(SegmentLog& log, std::size_t size, std::uint64_t seed) {
  const Bytes bytes = some_bytes(seed, size);
  const EntryRef entry{2, bytes};
  auto block = log.append({&entry, 1}, static_cast<std::int64_t>(seed));
  REQUIRE(block.has_value());
  return block->number;
}

/// Twelve blocks of 300 bytes in one segment; gives where each begins and the end of the last.
std::vector<std::uint64_t> one_segment(FaultyFiles& files, const SegmentOptions& options) {
  auto log = SegmentLog::open(files, kFolder, options);
  REQUIRE(log.has_value());
  std::vector<std::uint64_t> begins;
  for (std::uint64_t i = 0; i < 12; ++i) {
    begins.push_back((*log)->total_bytes());
    add(**log, 300, i + 1);
  }
  begins.push_back((*log)->total_bytes());
  return begins;
}

SegmentOptions large() { return small_segments(1u << 20); }

}  // namespace

TEST_CASE("a flipped byte in any block but the last is refused with file and offset", "[ledger][durability]") {
  FaultyFiles files;
  const auto begins = one_segment(files, large());
  const Path path = kFolder / segment_name(1);
  for (std::size_t block = 0; block + 2 < begins.size(); ++block) {
    for (std::uint64_t at = begins[block]; at < begins[block + 1]; at += 13) {
      auto damaged = files.copy();
      damaged->flip_byte(path, at, 0x10);
      auto log = SegmentLog::open(*damaged, kFolder, large());
      CAPTURE(block, at);
      REQUIRE_FALSE(log.has_value());
      CHECK(log.error().code == Code::kDamaged);
      CHECK(log.error().message.find(segment_name(1) + ", offset " + std::to_string(begins[block]) + ":") !=
            std::string::npos);
    }
  }
}

TEST_CASE("a flipped byte in the last block cuts it off and says where", "[ledger][durability]") {
  FaultyFiles files;
  const auto begins = one_segment(files, large());
  const std::uint64_t last = begins[begins.size() - 2];
  for (std::uint64_t at = last; at < begins.back(); at += 7) {
    auto damaged = files.copy();
    damaged->flip_byte(kFolder / segment_name(1), at, 0x10);
    OpenReport report;
    auto log = SegmentLog::open(*damaged, kFolder, large(), &report);
    REQUIRE(log.has_value());
    REQUIRE(report.torn.has_value());
    CHECK(report.torn->file == segment_name(1));
    CHECK(report.torn->offset == last);
    CHECK(report.torn->bytes >= begins.back() - last);
    CHECK((*log)->head().number == 12);
    CHECK(faults_of(**log, {}) == "");
  }
}

TEST_CASE("a file that ends anywhere in its last blocks opens at the last whole one", "[ledger][durability]") {
  FaultyFiles files;
  const auto begins = one_segment(files, large());
  for (std::uint64_t size = begins[8]; size <= begins.back(); size += 11) {
    auto cut = files.copy();
    cut->cut_file(kFolder / segment_name(1), size);
    OpenReport report;
    auto log = SegmentLog::open(*cut, kFolder, large(), &report);
    REQUIRE(log.has_value());
    const auto whole = static_cast<std::size_t>(std::upper_bound(begins.begin(), begins.end(), size) - begins.begin());
    CHECK((*log)->head().number == whole);  // begins[i] is the end of block i + 1
    CHECK(report.torn.has_value() == (begins[whole - 1] != size));
    CHECK(faults_of(**log, {}) == "");
  }
}

TEST_CASE("the genesis block and openers are never taken for torn", "[ledger][durability]") {
  FaultyFiles files;
  auto log = SegmentLog::open(files, kFolder, large());
  REQUIRE(log.has_value());
  log = Error{};  // closes it
  files.flip_byte(kFolder / segment_name(1), kSegmentHeaderBytes + kBlockHeaderBytes + 6);
  auto again = SegmentLog::open(files, kFolder, large());
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == Code::kDamaged);
  files.cut_file(kFolder / segment_name(1), kSegmentHeaderBytes);
  again = SegmentLog::open(files, kFolder, large());
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == Code::kDamaged);
}

TEST_CASE("zeros behind the last block are room, anything else is not", "[ledger][durability]") {
  FaultyFiles files;
  const auto begins = one_segment(files, large());
  const Path path = kFolder / segment_name(1);
  REQUIRE(files.content(path).size() > begins.back());
  OpenReport report;
  { auto log = SegmentLog::open(files, kFolder, large(), &report); }
  CHECK_FALSE(report.torn.has_value());
  files.flip_byte(path, files.content(path).size() - 1);
  auto log = SegmentLog::open(files, kFolder, large(), &report);
  REQUIRE(log.has_value());
  REQUIRE(report.torn.has_value());
  CHECK(report.torn->offset == begins.back());
  CHECK((*log)->head().number == 13);
}

TEST_CASE("a record that looks like a block header does not turn a torn block into damage", "[ledger][durability]") {
  FaultyFiles files;
  SegmentOptions options = large();
  auto log = SegmentLog::open(files, kFolder, options);
  REQUIRE(log.has_value());
  add(**log, 100, 1);
  const std::uint64_t begin = (*log)->total_bytes();
  // A whole block, made with a salt that the sender had to guess, inside an entry.
  Bytes inner;
  BlockInfo info;
  info.number = 9;
  const Bytes text = some_bytes(1, 50);
  const EntryRef small{2, text};
  encode_block(info, {&small, 1}, 12345, inner);
  const EntryRef entry{2, inner};
  REQUIRE((*log)->append({&entry, 1}, 1).has_value());
  log = Error{};
  files.flip_byte(kFolder / segment_name(1), begin + 30);
  OpenReport report;
  auto again = SegmentLog::open(files, kFolder, options, &report);
  REQUIRE(again.has_value());
  CHECK(report.torn.has_value());
}

TEST_CASE("a last block with valid checksums but an untrue hash, previous or time is damage, not a torn block",
          "[ledger][durability]") {
  FaultyFiles files;
  const auto begins = one_segment(files, large());
  const Path path = kFolder / segment_name(1);
  const std::uint64_t last = begins[begins.size() - 2];
  for (std::uint64_t field : {32u, 48u, 80u, 111u}) {  // the highest byte of the time is at 39
    Bytes bytes = files.content(path);
    bytes[last + (field == 32 ? 39 : field)] ^= field == 32 ? 0x80 : 0x01;
    Bytes covered(bytes.begin() + 16, bytes.begin() + 24);  // the salt
    covered.insert(covered.end(), bytes.begin() + static_cast<std::ptrdiff_t>(last) + 8,
                   bytes.begin() + static_cast<std::ptrdiff_t>(last) + kBlockHeaderBytes);
    const std::uint32_t crc = crc32c(covered);
    std::memcpy(bytes.data() + last + 4, &crc, 4);
    auto damaged = files.copy();
    damaged->put(path, bytes);
    auto log = SegmentLog::open(*damaged, kFolder, large());
    CAPTURE(field);
    REQUIRE_FALSE(log.has_value());
    CHECK(log.error().code == Code::kDamaged);
    CHECK(log.error().message.find("offset " + std::to_string(last)) != std::string::npos);
  }
}

TEST_CASE("a segment that is missing, foreign or misnamed is refused by name", "[ledger][durability]") {
  FaultyFiles files;
  const SegmentOptions options = small_segments(2048);
  {
    auto log = SegmentLog::open(files, kFolder, options);
    REQUIRE(log.has_value());
    for (std::uint64_t i = 1; i < 20; ++i) add(**log, 400, i);
    REQUIRE((*log)->segments().size() > 4);
  }
  std::vector<Path> segments;
  for (const Path& p : files.all_files())
    if (p.extension() == ".seg") segments.push_back(p);
  SECTION("missing") {
    auto holed = files.copy();
    REQUIRE(holed->remove(segments[2]));
    auto log = SegmentLog::open(*holed, kFolder, options);
    REQUIRE_FALSE(log.has_value());
    CHECK(log.error().code == Code::kDamaged);
    CHECK(log.error().message.find(segments[3].filename().string()) != std::string::npos);
  }
  SECTION("misnamed") {
    auto renamed = files.copy();
    REQUIRE(renamed->rename(segments[2], kFolder / segment_name(*segment_number(segments[2].filename().string()) + 1)));
    auto log = SegmentLog::open(*renamed, kFolder, options);
    REQUIRE_FALSE(log.has_value());
    CHECK(log.error().code == Code::kDamaged);
  }
  SECTION("foreign") {
    FaultyFiles other;
    SegmentOptions theirs = options;
    theirs.genesis = {'x'};
    {
      auto log = SegmentLog::open(other, kFolder, theirs);
      REQUIRE(log.has_value());
      for (std::uint64_t i = 1; i < 20; ++i) add(**log, 400, i);
    }
    auto mixed = files.copy();
    mixed->put(segments[3], other.content(segments[3]));
    auto log = SegmentLog::open(*mixed, kFolder, options);
    REQUIRE_FALSE(log.has_value());
    CHECK(log.error().code == Code::kDamaged);
  }
  SECTION("of another version") {
    Bytes header;
    encode(SegmentHeader{0, 0, 1, 0, {}, {}}, header);
    header[8] = 2;
    const std::uint32_t crc = crc32c(ByteView(header).first(kSegmentHeaderBytes - 4));
    std::memcpy(header.data() + kSegmentHeaderBytes - 4, &crc, 4);
    auto newer = files.copy();
    newer->put(segments[0], header);
    auto log = SegmentLog::open(*newer, kFolder, options);
    REQUIRE_FALSE(log.has_value());
    CHECK(log.error().code == Code::kLedgerFormat);
  }
}

TEST_CASE("a flipped byte in a sealed segment is found when the block is read", "[ledger][durability]") {
  FaultyFiles files;
  const SegmentOptions options = small_segments(2048);
  {
    auto log = SegmentLog::open(files, kFolder, options);
    REQUIRE(log.has_value());
    for (std::uint64_t i = 1; i < 20; ++i) add(**log, 400, i);
  }
  const Path path = kFolder / segment_name(1);
  files.flip_byte(path, files.content(path).size() - 5);
  auto log = SegmentLog::open(files, kFolder, options);
  REQUIRE(log.has_value());
  const std::uint64_t last = (*log)->segments().front().last_block;
  auto block = (*log)->read(last);
  REQUIRE_FALSE(block.has_value());
  CHECK(block.error().code == Code::kDamaged);
  CHECK(block.error().message.find(segment_name(1) + ", offset ") != std::string::npos);
  CHECK((*log)->read(last + 1).has_value());
}

TEST_CASE("a derived offset file that is missing, cut or wrong is made anew", "[ledger][durability]") {
  FaultyFiles files;
  const SegmentOptions options = small_segments(2048);
  {
    auto log = SegmentLog::open(files, kFolder, options);
    REQUIRE(log.has_value());
    for (std::uint64_t i = 1; i < 20; ++i) add(**log, 400, i);
  }
  const Path index = "/ledger/00000000000000000001.idx";
  const Bytes whole = files.content(index);
  REQUIRE(whole.size() > 28);
  SECTION("missing") { REQUIRE(files.remove(index)); }
  SECTION("cut") { files.cut_file(index, whole.size() - 3); }
  SECTION("flipped") { files.flip_byte(index, 26); }
  auto log = SegmentLog::open(files, kFolder, options);
  REQUIRE(log.has_value());
  CHECK(faults_of(**log, {}) == "");
  CHECK(files.content(index) == whole);
}
