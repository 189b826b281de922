// entry_places_test.cc: parcels and deliveries are found where they stand, and knowing where takes little memory.
#include "gate/entry_places.h"

#include <catch2/catch.hpp>

#include "gate_fixture.h"

using namespace thalweg;
using namespace thalweg::gate;
using namespace thalweg::gate::test;

namespace {

constexpr std::uint8_t kWanted = 3, kOther = 4;

/// A log with entries of two types, some of them in one block, and the places of the wanted ones.
struct Log {
  FaultyFiles files;
  std::unique_ptr<ledger::SegmentLog> log;
  std::vector<ledger::Place> places;
  EntryPlaces known{kWanted, 11};

  explicit Log(int blocks) {
    ledger::SegmentOptions options;
    options.genesis = {'g'};
    options.lock_folder = false;
    options.segment_bytes = 64u << 10;
    log = must(ledger::SegmentLog::open(files, "/log", options));
    for (int i = 0; i < blocks; ++i) {
      std::vector<ledger::EntryRef> entries;
      const Bytes body(static_cast<std::size_t>(i % 7) * 100 + 1, 'x');
      for (int j = 0; j <= i % 4; ++j) entries.push_back({(i + j) % 3 == 0 ? kOther : kWanted, body});
      const auto block = must(log->append(entries, ledger::AppendAs{1'000 + i, 0}));
      for (std::uint32_t j = 0; j < entries.size(); ++j) {
        if (entries[j].type != kWanted) continue;
        places.push_back({block->info.number, j});
        known.add(places.back(), body.size(), block->info.time_unix_ns);
      }
    }
  }
};

/// How many are not found where they stand.
std::size_t not_found(const EntryPlaces& known, const Log& log) {
  std::size_t count = 0;
  for (std::uint64_t number = known.first(); number <= known.last(); ++number) {
    const auto place = known.find(*log.log, number);
    if (!place || *place != log.places[number - 11]) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("every entry is found, in any order, also after a restart and when the oldest are gone") {
  Log log(2000);
  CHECK(log.known.size() == log.places.size());
  CHECK(not_found(log.known, log) == 0);
  for (std::uint64_t i = 0; i < log.places.size(); ++i) {
    const std::uint64_t at = i * 7919 % log.places.size();
    REQUIRE(must(log.known.find(*log.log, at + 11)) == log.places[at]);
  }
  CHECK(log.known.find(*log.log, 10).error().code == Code::kNotFound);
  CHECK(log.known.find(*log.log, log.known.last() + 1).error().code == Code::kNotFound);

  Bytes stored;
  ByteWriter writer(stored);
  log.known.encode(writer);
  EntryPlaces again(kWanted);
  ByteReader in(stored);
  REQUIRE(again.decode(in));
  REQUIRE(in.done());
  CHECK(not_found(again, log) == 0);
  const std::uint64_t next = again.last() + 1;
  again.add({log.log->head().number + 1, 0}, 1, 9'000);
  CHECK(again.last() == next);

  const std::uint64_t needed = 11 + log.places.size() / 2;
  const std::uint64_t keep = again.first_block_of(needed, INT64_MAX, 0);
  CHECK(keep <= log.places[needed - 11].block);
  const std::uint64_t first = must(log.log->drop_before(keep));
  CHECK(first > 1);
  log.known.forget_before(first);
  CHECK(log.known.first() > 11);
  CHECK(log.known.holds(needed));
  CHECK(not_found(log.known, log) == 0);
}

TEST_CASE("what is young or behind a number stays, all else may go") {
  Log log(2000);
  const auto time_of = [&](std::size_t at) { return static_cast<std::int64_t>(998 + log.places[at].block); };
  const std::size_t middle = log.places.size() / 2;
  const std::uint64_t by_time = log.known.first_block_of(log.known.last() + 1, time_of(middle), 0);
  CHECK(by_time <= log.places[middle].block);
  CHECK(by_time >= log.places[middle - EntryPlaces::kMarkEntries].block);
  CHECK(log.known.first_block_of(log.known.last() + 1, INT64_MAX, 77) == 77);
  CHECK(log.known.first_block_of(11, INT64_MAX, 77) == log.places.front().block);
  EntryPlaces none(kWanted);
  CHECK(none.first_block_of(1, 0, 77) == 77);
}

TEST_CASE("a million places take less than a hundred kilobytes") {
  EntryPlaces known(kWanted);
  for (std::uint64_t i = 0; i < 1'000'000; ++i) known.add({i + 2, 0}, 100, static_cast<std::int64_t>(i));
  Bytes stored;
  ByteWriter writer(stored);
  known.encode(writer);
  CHECK(stored.size() < 100'000);
}

TEST_CASE("a log that lost what places name is damaged, not a crash") {
  Log log(600);
  Log shorter(20);
  std::size_t damaged = 0;
  for (std::uint64_t number = log.known.first(); number <= log.known.last(); ++number)
    if (const auto place = log.known.find(*shorter.log, number); !place && place.error().code == Code::kDamaged)
      ++damaged;
  CHECK(damaged > 100);
  Bytes stored;
  ByteWriter writer(stored);
  log.known.encode(writer);
  for (std::size_t cut = 0; cut < stored.size(); cut += 3) {
    EntryPlaces half(kWanted);
    ByteReader in(ByteView(stored).first(cut));
    REQUIRE_FALSE(half.decode(in));
  }
}

TEST_CASE("a state of an outbox that names every place is read, and what was not copied to the new stream is") {
  Log log(300);
  Bytes bytes;
  ByteWriter old(bytes);
  const Uuid stream = random_uuid_v7(FakeClock());
  old.u8(2);
  old.raw(stream.bytes);
  old.u8(1);
  old.i64(5);
  old.u64(11);
  old.u64(100);
  for (std::size_t i = 0; i < 100; ++i) {
    log.places[i].encode(old);
    (i < 60 ? ledger::Place{i + 500, 1} : ledger::Place{}).encode(old);
    old.u32(10);
    old.u32(1);
    old.i64(1'000);
  }
  old.raw(Hash256{});
  old.u64(70);  // acknowledged
  old.u64(20);
  for (std::uint64_t i = 0; i < 20; ++i) {
    old.u64(40 + i);
    log.places[29 + i].encode(old);
  }
  old.raw(Hash256{});
  old.u64(1);
  old.blob({});
  OriginKeys(1000, INT64_MAX).encode(bytes);
  old.u64(0);
  old.u64(0);
  for (const std::uint64_t value : {1, 100, 0, 0}) old.u64(value);

  OutboxState state(1000, INT64_MAX);
  ByteReader in(bytes);
  REQUIRE(state.decode(in));
  REQUIRE(in.done());
  CHECK(state.first_held() == 11);
  CHECK(state.head() == 110);
  CHECK(state.newest_answer == ledger::Place{559, 1});
  REQUIRE(state.to_resubmit.size() == 20);
  CHECK(must(state.to_resubmit.at(*log.log, 0)).number == 40);
  CHECK(must(state.to_resubmit.at(*log.log, 15)).place == log.places[44]);
  for (std::uint64_t number = 11; number <= 110; ++number)
    REQUIRE(must(state.parcels.find(*log.log, number)) == log.places[number - 11]);
  Bytes now;
  state.encode(now);
  OutboxState again(1000, INT64_MAX);
  ByteReader in_now(now);
  REQUIRE(again.decode(in_now));
  CHECK(again.to_resubmit.size() == 20);
  CHECK(again.newest_answer == state.newest_answer);
}

TEST_CASE("a state of an inbox that names every place is read, with how far adapters are") {
  Log log(300);
  Bytes bytes;
  ByteWriter old(bytes);
  old.u8(1);
  old.u8(0);
  old.u64(2);    // epoch
  old.u64(900);  // last sequence
  old.raw(Hash256{});
  HeldLeaves().encode(bytes);
  old.u64(11);
  old.u64(100);
  for (std::size_t i = 0; i < 100; ++i) {
    log.places[i].encode(old);
    old.u64(i < 50 ? 1 : 2);
    old.u64(i < 50 ? 7'000 + i : 801 + i);
    old.u32(1);
    old.u32(0);
    old.i64(1'000);
  }
  old.u32(1);
  old.short_text("sink");
  old.u64(81);  // ordinal
  old.u32(0);
  old.u32(0);
  old.i64(0);
  old.u64(0);
  for (const std::uint64_t value : {1, 100, 0, 0}) old.u64(value);

  InboxState state;
  ByteReader in(bytes);
  REQUIRE(state.decode(in));
  REQUIRE(in.done());
  CHECK(state.last_ordinal() == 110);
  CHECK(state.taken_sequence({"sink"}) == 870);  // of the 70th delivery
  Bytes now;
  state.encode(now);
  InboxState again;
  ByteReader in_now(now);
  REQUIRE(again.decode(in_now));
  CHECK(again.taken_sequence({"sink"}) == 870);
  again.cursors["sink"].ordinal = 61;  // the last it took is of the epoch before
  CHECK(again.taken_sequence({"sink"}) == 0);
  again.cursors["sink"].ordinal = 62;
  CHECK(again.taken_sequence({"sink"}) == 851);
}
