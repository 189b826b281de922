// Indexes over a ledger: they answer, they are rebuilt equal, and they notice another history.
#include <catch2/catch.hpp>
#include <set>

#include "ledger/entries.h"
#include "ledger/place_index.h"
#include "ledger/record_index.h"
#include "support/faulty_files.h"
#include "support/ledger_script.h"

using namespace thalweg;
using namespace thalweg::ledger;

namespace {

const Path kFolder = "/ledger";
const Path kIndexes = "/indexes";

/// A ledger with parcels for two or three receivers each; remembers where everything is.
struct World {
  FaultyFiles files;
  std::unique_ptr<SegmentLog> log;
  std::map<std::string, std::vector<Place>> expected;
  std::uint64_t made = 0;

  World() { reopen(); }
  void reopen() {
    log.reset();
    auto opened = SegmentLog::open(files, kFolder, small_segments(6000));
    REQUIRE(opened.has_value());
    log = *std::move(opened);
  }
  void add_block() {
    std::vector<Bytes> bytes;
    std::vector<std::pair<std::string, std::uint32_t>> given;
    std::mt19937_64 random(made++);
    const std::uint32_t parcels = 1 + static_cast<std::uint32_t>(random() % 3);
    for (std::uint32_t e = 0; e < parcels; ++e) {
      Decision d;
      d.grants.push_back({"a", 1, 0, {{0, 1}}, {}});
      for (int r = 0; r < 5; ++r) {
        if (random() % 3 == 0) continue;
        if (r == 4 && made < 60) continue;  // comes late
        const std::string receiver = "r" + std::to_string(r);
        given.emplace_back(receiver, e);
        std::uint64_t before = expected[receiver].size();
        for (const auto& [other, entry] : given) before += other == receiver;
        d.sequences.push_back({receiver, before});
      }
      Bytes b = encode_parcel_head({}, d);
      b.resize(b.size() + 200, 'p');
      bytes.push_back(std::move(b));
    }
    std::vector<EntryRef> entries;
    for (const Bytes& b : bytes) entries.push_back({static_cast<std::uint8_t>(EntryType::kParcel), b});
    auto block = log->append(entries, 1);
    REQUIRE(block.has_value());
    for (const auto& [receiver, entry] : given) expected[receiver].push_back({block->number, entry});
  }
  std::unique_ptr<PlaceIndex> places() {
    auto index = PlaceIndex::open(*log, kIndexes, hub_deliveries);
    if (!index) FAIL(index.error().message);
    return *std::move(index);
  }
  void check(const PlaceIndex& index, std::uint64_t from_block = 0) const {
    for (const auto& [receiver, all] : expected) {
      CHECK(index.last(receiver) == all.size());
      std::uint64_t first = 0;
      for (std::size_t i = 0; i < all.size(); ++i) {
        auto place = index.find(receiver, i + 1);
        if (all[i].block < from_block) {
          CHECK_FALSE(place.has_value());
          continue;
        }
        if (first == 0) first = i + 1;
        REQUIRE(place.has_value());
        CHECK(*place == all[i]);
      }
      CHECK(index.first(receiver).value() == first);
      CHECK_FALSE(index.find(receiver, all.size() + 1).has_value());
      for (std::uint64_t from : {first, first + 7, std::uint64_t{all.size()}}) {
        if (from == 0 || from > all.size()) continue;
        auto read = index.read(receiver, from, 100'000);
        REQUIRE(read.has_value());
        CHECK(*read == std::vector<Place>(all.begin() + static_cast<std::ptrdiff_t>(from - 1), all.end()));
        CHECK(index.read(receiver, from, 3)->size() == std::min<std::size_t>(3, all.size() - from + 1));
      }
    }
    CHECK_FALSE(index.find("nobody", 1).has_value());
    CHECK(index.last("nobody") == 0);
  }
};

}  // namespace

TEST_CASE("the place index finds every delivery, live and rebuilt, with and without its files", "[ledger]") {
  World w;
  auto live = w.places();
  for (int i = 0; i < 150; ++i) {
    w.add_block();
    // Openers of segments are blocks of their own that nobody shows to the index; some blocks come twice.
    REQUIRE(live->follow(**w.log->read(w.log->head().number)));
    if (i % 20 == 0) REQUIRE(live->follow(**w.log->read(w.log->head().number)));
    if (i == 80) REQUIRE(live->write_sealed());
  }
  REQUIRE(w.log->segments().size() > 15);
  w.check(*live);
  REQUIRE(live->write_sealed());
  w.check(*live);
  live.reset();
  w.check(*w.places());
  SECTION("a file is missing") {
    const auto segments = w.log->segments();
    REQUIRE(w.files.remove("/indexes/" + segment_name(segments[3].first_block).substr(0, 20) + ".places"));
    w.check(*w.places());
  }
  SECTION("a file is damaged") {
    const auto segments = w.log->segments();
    w.files.flip_byte("/indexes/" + segment_name(segments[3].first_block).substr(0, 20) + ".places", 90);
    w.check(*w.places());
  }
  SECTION("all files are missing") {
    for (const Path& p : w.files.all_files())
      if (p.extension() == ".places") REQUIRE(w.files.remove(p));
    w.check(*w.places());
  }
  SECTION("the front was dropped") {
    auto index = w.places();
    const std::uint64_t first = *w.log->drop_before(w.log->segments()[5].first_block);
    REQUIRE(index->trim());
    w.check(*index, first);
    index.reset();
    w.check(*w.places(), first);
  }
}

TEST_CASE("an index that cannot be read does not say that nothing is held", "[ledger]") {
  World w;
  for (int i = 0; i < 150; ++i) w.add_block();
  (void)w.places();
  w.reopen();
  auto index = w.places();
  w.files.fail(FileOp::kRead, Code::kIo, 0, 100'000);
  CHECK(index->first("r0").error().code == Code::kIo);
  CHECK(index->read("r0", 1, 10).error().code == Code::kIo);
  w.files.clear_faults();
  CHECK(index->first("r0").value() == 1);
}

TEST_CASE("a delivery that does not follow the one before is damage", "[ledger]") {
  World w;
  w.add_block();
  Decision d;
  d.sequences.push_back({"r0", 77});
  Bytes b = encode_parcel_head({}, d);
  b.push_back('p');
  const EntryRef entry{static_cast<std::uint8_t>(EntryType::kParcel), b};
  for (int i = 0; i < 5; ++i) w.add_block();
  REQUIRE(w.log->append({&entry, 1}, 1).has_value());
  auto index = PlaceIndex::open(*w.log, kIndexes, hub_deliveries);
  REQUIRE_FALSE(index.has_value());
  CHECK(index.error().code == Code::kDamaged);
}

namespace {

RecordId id_of(std::uint64_t block, std::uint32_t index) {
  std::array<std::uint8_t, 10> entropy{};
  std::memcpy(entropy.data(), &block, 8);
  entropy[8] = static_cast<std::uint8_t>(index);
  // Times that jump about: back-filled records.
  return Uuid::v7(static_cast<std::int64_t>(1'790'000'000'000 + block * 977 % 500'000), entropy);
}

/// Three records per block, and one of block 5 again in block 9.
Status ids_of(const Block& block, const RecordIndex::Give& give) {
  for (std::uint32_t i = 0; i < 3; ++i) give(id_of(block.info.number, i), 0, i);
  if (block.info.number == 9) give(id_of(5, 1), 0, 3);
  return {};
}

constexpr std::size_t kFewRows = 10;  // several files a segment

std::unique_ptr<RecordIndex> records(const SegmentLog& log, const RecordIndex::Extract& extract = ids_of) {
  auto index = RecordIndex::open(log, kIndexes, extract, kFewRows);
  if (!index) FAIL(index.error().message);
  return *std::move(index);
}

void check_records(const RecordIndex& index, std::uint64_t first, std::uint64_t last) {
  std::vector<RecordId> ids;
  for (std::uint64_t block = 1; block <= last; ++block) {
    for (std::uint32_t i = 0; i < 3; ++i) {
      if (block == 5 && i == 1) continue;
      ids.push_back(id_of(block, i));
      auto found = index.find(ids.back());
      REQUIRE(found.has_value());
      if (block < first) {
        CHECK_FALSE(found->has_value());
      } else {
        CHECK(*found == RecordPlace{{block, 0}, i});
      }
    }
  }
  ids.push_back(id_of(1'000'000, 0));
  auto all = index.find_all(ids);
  REQUIRE(all.has_value());
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) CHECK((*all)[i] == *index.find(ids[i]));
  CHECK_FALSE(all->back().has_value());
}

}  // namespace

TEST_CASE("the record index finds every record and the first place of one that stands twice", "[ledger]") {
  World w;
  auto live = records(*w.log);
  Ledger::Watch watch = w.log->watch([&](const BlockPtr& block) { (void)live->follow(*block).has_value(); });
  for (int i = 0; i < 100; ++i) {
    w.add_block();
    if (i == 40) REQUIRE(live->write_files());
  }
  const std::uint64_t head = w.log->head().number;
  REQUIRE(w.log->segments().size() > 10);
  check_records(*live, 1, head);
  CHECK((*live->find(id_of(5, 1)))->place.block == 5);
  REQUIRE(live->write_files());
  check_records(*live, 1, head);
  watch.reset();
  live.reset();
  check_records(*records(*w.log), 1, head);
  for (const Path& p : w.files.all_files())
    if (p.extension() == ".records") w.files.flip_byte(p, 20);
  check_records(*records(*w.log), 1, head);
  auto index = records(*w.log);
  const std::uint64_t first = *w.log->drop_before(w.log->segments()[4].first_block);
  REQUIRE(index->trim());
  check_records(*index, first, head);
}

TEST_CASE("a start reads only the blocks that no file of the record index covers", "[ledger]") {
  World w;
  auto live = records(*w.log);
  Ledger::Watch watch = w.log->watch([&](const BlockPtr& block) { (void)live->follow(*block).has_value(); });
  for (int i = 0; i < 100; ++i) {
    w.add_block();
    if (live->write_due()) REQUIRE(live->write_files());
  }
  const std::uint64_t head = w.log->head().number;
  watch.reset();
  live.reset();
  std::set<std::uint64_t> read;
  const auto watched = [&](const Block& block, const RecordIndex::Give& give) {
    read.insert(block.info.number);
    return ids_of(block, give);
  };
  check_records(*records(*w.log, watched), 1, head);
  CHECK(read.size() <= kFewRows / 3 + 2);
  CHECK((read.empty() || *read.begin() + read.size() == head + 1));

  // One file in the middle is gone: it is made anew from its own segment.
  std::vector<Path> files;
  for (const Path& p : w.files.all_files())
    if (p.extension() == ".records") files.push_back(p);
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() > 20);
  REQUIRE(w.files.remove(files[files.size() / 2]));
  read.clear();
  check_records(*records(*w.log, watched), 1, head);
  CHECK(read.size() <= 20);
}

TEST_CASE("index files of another history with the same numbers are not believed", "[ledger]") {
  World w;
  for (int i = 0; i < 20; ++i) w.add_block();
  auto older = w.files.copy();
  const auto expected_then = w.expected;
  for (int i = 0; i < 60; ++i) w.add_block();
  { auto index = w.places(); }
  REQUIRE(records(*w.log)->write_files());
  // The ledger is restored from the older copy, the folder of indexes is not; then it goes another way.
  World restored;
  restored.log.reset();
  for (const Path& p : w.files.all_files()) {
    if (p.parent_path() == kIndexes) {
      REQUIRE(restored.files.create_folders(kIndexes));
      restored.files.put(p, w.files.content(p));
    }
  }
  for (const Path& p : restored.files.all_files())
    if (p.parent_path() == kFolder) REQUIRE(restored.files.remove(p));
  for (const Path& p : older->all_files())
    if (p.parent_path() == kFolder) restored.files.put(p, older->content(p));
  restored.expected = expected_then;
  restored.made = 5000;
  restored.reopen();
  for (int i = 0; i < 60; ++i) restored.add_block();
  restored.check(*restored.places());
  check_records(*records(*restored.log), 1, restored.log->head().number);
}
