#include "ledger/segment_format.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "ledger/entries.h"
#include "ledger/recovery.h"
#include "support/faulty_files.h"
#include "support/ledger_script.h"
#include "trust/keys.h"

using namespace thalweg;
using namespace thalweg::ledger;

namespace {

std::string page() {
  std::ifstream in(THALWEG_SOURCE_DIR "/docs/formats/segment.md");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The bytes of the page's example: hex digits up to ';' in each line.
Bytes example() {
  std::istringstream lines(page());
  std::string line, digits;
  bool inside = false;
  while (std::getline(lines, line)) {
    if (line == "```hex segment") {
      inside = true;
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      for (char c : line.substr(0, line.find(';')))
        if (c != ' ') digits += c;
    }
  }
  auto bytes = from_hex(digits);
  REQUIRE(bytes.has_value());
  return *std::move(bytes);
}

}  // namespace

TEST_CASE("the example of segment.md is a ledger of two blocks, field by field, and is encoded the same", "[ledger]") {
  const Bytes bytes = example();
  REQUIRE(bytes.size() == 477);
  auto header = decode_segment_header(bytes);
  REQUIRE(header.has_value());
  CHECK(header->flags == SegmentHeader::kOpensWithBlock);
  CHECK(header->salt == 0x1122334455667788);
  CHECK(header->first_block == 1);

  FaultyFiles files;
  files.put("/example.seg", bytes);
  auto file = files.open("/example.seg", OpenMode::kRead);
  REQUIRE(file.has_value());
  Bytes again;
  encode(*header, again);
  std::vector<BlockInfo> infos;
  auto scan =
      scan_segment(**file, bytes.size(), {*header, true}, [&](const Block& block, std::uint64_t offset) -> Status {
        CHECK(offset == again.size());
        BlockInfo info = block.info;
        info.hash = {};
        encode_block(info, block.entries, header->salt, again);
        CHECK(info == block.info);
        infos.push_back(info);
        if (block.info.number == 1) {
          REQUIRE(block.entries.size() == 1);
          auto genesis = decode_genesis(block.entries[0].bytes);
          REQUIRE(genesis.has_value());
          CHECK(genesis->hub == "hub-laixi");
          std::array<std::uint8_t, 32> seed;
          for (std::uint8_t i = 0; i < 32; ++i) seed[i] = i;
          CHECK(genesis->signing_key == trust::SigningKey::from_seed(seed).public_key().bytes);
          CHECK(genesis->created_unix_ns == 1'790'114'400'000'000'000);
        } else {
          REQUIRE(block.entries.size() == 2);
          CHECK(block.entries[0].type == static_cast<std::uint8_t>(EntryType::kAct));
          auto act = decode_act(block.entries[0].bytes);
          REQUIRE(act.has_value());
          CHECK(act->who == "王");
          CHECK(act->what == "clock.confirm");
          CHECK(act->args_json == "{}");
          auto epoch = decode_epoch(block.entries[1].bytes);
          REQUIRE(epoch.has_value());
          CHECK(epoch->epoch == 1);
          CHECK(epoch->why == "restored");
        }
        return {};
      });
  REQUIRE(scan.has_value());
  CHECK(scan->end == ScanResult::End::kClean);
  REQUIRE(infos.size() == 2);
  CHECK(again == bytes);
  CHECK(page().find(to_hex(infos[0].hash)) != std::string::npos);
  CHECK(page().find(to_hex(infos[1].hash)) != std::string::npos);
  // The hash as the page defines it, without the code that writes it.
  Bytes hashed{1};
  ByteWriter w(hashed);
  w.u64(2);
  w.i64(infos[1].time_unix_ns);
  w.u64(0);
  w.u8(0);
  w.u32(2);
  w.raw(infos[0].hash);
  const std::size_t payload = 112 + 112 + 77 + 112;
  const Bytes zero{0};
  w.raw(sha256({zero, ByteView(bytes).subspan(payload, 1), ByteView(bytes).subspan(payload + 5, 35)}));
  w.raw(sha256({zero, ByteView(bytes).subspan(payload + 40, 1), ByteView(bytes).subspan(payload + 45, 19)}));
  CHECK(sha256(hashed) == infos[1].hash);
}

TEST_CASE("segment.md names every entry type with its number", "[ledger]") {
  const std::string text = page();
  for (std::uint8_t type = 1; type <= 11; ++type) {
    const std::string row = "| " + std::to_string(type) + " | " + std::string(name(static_cast<EntryType>(type)));
    CAPTURE(row);
    CHECK(text.find(row) != std::string::npos);
  }
  CHECK(name(static_cast<EntryType>(12)) == "unknown");
}

TEST_CASE("headers with any flipped bit are refused", "[ledger]") {
  const Bytes bytes = example();
  for (std::size_t bit = 0; bit < kSegmentHeaderBytes * 8; ++bit) {
    Bytes flipped(bytes.begin(), bytes.begin() + kSegmentHeaderBytes);
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    CHECK_FALSE(decode_segment_header(flipped).has_value());
  }
  for (std::size_t bit = 0; bit < kBlockHeaderBytes * 8; ++bit) {
    Bytes flipped(bytes.begin() + kSegmentHeaderBytes, bytes.begin() + kSegmentHeaderBytes + kBlockHeaderBytes);
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    CHECK_FALSE(decode_block_header(flipped, 0x1122334455667788).has_value());
  }
  CHECK_FALSE(decode_block_header(ByteView(bytes).subspan(kSegmentHeaderBytes), 1).has_value());
}

TEST_CASE("a payload is split only when its entries fill it exactly", "[ledger]") {
  const Bytes payload{2, 1, 0, 0, 0, 'a', 3, 0, 0, 0, 0};
  CHECK(split_payload(payload, 2).size() == 2);
  CHECK(split_payload(payload, 1).empty());
  CHECK(split_payload(payload, 3).empty());
  CHECK(split_payload(payload, UINT32_MAX).empty());
  Bytes huge = payload;
  huge[4] = 0xff;
  CHECK(split_payload(huge, 2).empty());
  Bytes untyped = payload;
  untyped[6] = 0;
  CHECK(split_payload(untyped, 2).empty());
}

TEST_CASE("segment names are numbers of twenty digits and nothing else is", "[ledger]") {
  CHECK(segment_name(1) == "00000000000000000001.seg");
  CHECK(segment_name(UINT64_MAX) == "18446744073709551615.seg");
  CHECK(segment_number(segment_name(UINT64_MAX)) == UINT64_MAX);
  for (const char* bad : {"1.seg", "0000000000000000000x.seg", "00000000000000000001.idx", "99999999999999999999.seg",
                          "00000000000000000001.seg.new", ""})
    CHECK_FALSE(segment_number(bad).has_value());
}
