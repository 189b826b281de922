#include <catch2/catch.hpp>

#include "base/hash.h"
#include "link/heartbeat.h"
#include "link/parcel_intake.h"
#include "link_rig.h"

namespace thalweg::link {
namespace {

/// All chunks of a transfer, into an intake that has the credit for them.
std::vector<Assembled> send_all(ParcelIntake& intake, ChunkSplitter splitter, std::uint64_t backlog = 0) {
  std::vector<Assembled> whole;
  while (!splitter.done()) {
    const std::size_t credit = static_cast<std::size_t>(std::min<std::uint64_t>(intake.credit_left(), kMaxChunkBytes));
    if (credit == 0) break;
    const Chunk chunk = splitter.peek(credit, backlog);
    REQUIRE(intake.add(chunk));
    splitter.advance(chunk.bytes.size());
    while (auto one = intake.next()) whole.push_back(std::move(*one));
  }
  return whole;
}

AssemblyPool::Options small_pool(std::size_t capacity) {
  AssemblyPool::Options options;
  options.capacity_bytes = capacity;
  options.party_bytes = capacity;
  options.urgent_bytes = 0;
  return options;
}

}  // namespace

TEST_CASE("a transfer cut into chunks is put together again", "[link][chunks]") {
  for (const std::size_t size : {1u, 65535u, 65536u, 65537u, 1u << 20}) {
    const SharedBytes whole = random_bytes(size);
    ChunkSplitter splitter(Transfer::kDelivery, 4, whole);
    ChunkAssembler assembler(Transfer::kDelivery, 1u << 20);
    std::optional<Bytes> got;
    while (!splitter.done()) {
      const Chunk chunk = splitter.peek(kMaxChunkBytes, 0);
      auto added = assembler.add(chunk);
      REQUIRE(added);
      splitter.advance(chunk.bytes.size());
      if (*added) got = std::move(**added);
    }
    REQUIRE(got);
    CHECK(*got == *whole);
  }
}

TEST_CASE("a chunk of another number, total or offset is a fault, one at the start begins anew", "[link][chunks]") {
  const SharedBytes whole = random_bytes(200'000);
  ChunkSplitter splitter(Transfer::kParcel, 4, whole);
  ChunkAssembler assembler(Transfer::kParcel, 1u << 20);
  Chunk chunk = splitter.peek(kMaxChunkBytes, 0);
  REQUIRE(assembler.add(chunk));
  splitter.advance(chunk.bytes.size());
  chunk = splitter.peek(kMaxChunkBytes, 0);
  SECTION("number") { chunk.number = 5; }
  SECTION("total") { chunk.total += 1; }
  SECTION("offset") { chunk.offset += 1; }
  SECTION("kind") { chunk.kind = Transfer::kDelivery; }
  CHECK(assembler.add(chunk).error().code == Code::kLinkFrame);
  CHECK(assembler.held_bytes() == 0);
  CHECK(assembler.add(ChunkSplitter(Transfer::kParcel, 9, whole).peek(kMaxChunkBytes, 0)));
  CHECK(assembler.partial().number == 9);
}

TEST_CASE("a transfer goes on where it was cut only if the bytes are the same", "[link][chunks]") {
  const SharedBytes whole = random_bytes(200'000);
  const Partial held{4, 65536, crc32c(ByteView(*whole).first(65536))};
  CHECK(ChunkSplitter(Transfer::kParcel, 4, whole, held).offset() == 65536);
  CHECK(ChunkSplitter(Transfer::kParcel, 5, whole, held).offset() == 0);
  CHECK(ChunkSplitter(Transfer::kParcel, 4, random_bytes(200'000, 2), held).offset() == 0);
  CHECK(ChunkSplitter(Transfer::kParcel, 4, random_bytes(65536, 1), held).offset() ==
        0);  // it would leave nothing to send
  const Partial beyond{4, 300'000, 1};
  CHECK(ChunkSplitter(Transfer::kParcel, 4, whole, beyond).offset() == 0);
}

TEST_CASE("the pool keeps a part for urgent parcels and bounds each party", "[link][pool]") {
  AssemblyPool::Options options;
  options.capacity_bytes = 100;
  options.party_bytes = 60;
  options.urgent_bytes = 20;
  const auto pool = AssemblyPool::make(options);
  PoolShare a = pool->take("a", Lane::kRoutine, 60, 60);
  CHECK(a.bytes() == 60);
  CHECK(pool->take("a", Lane::kRoutine, 1, 1).bytes() == 0);    // its share
  CHECK(pool->take("b", Lane::kRoutine, 21, 21).bytes() == 0);  // the routine part
  PoolShare b = pool->take("b", Lane::kRoutine, 20, 20);
  CHECK(b.bytes() == 20);
  PoolShare c = pool->take("c", Lane::kUrgent, 20, 20);
  CHECK(c.bytes() == 20);
  CHECK(pool->used_bytes() == 100);
  PoolShare part = a.split(10);
  a.release();
  CHECK(pool->used_bytes() == 50);
  part.release();
  b.release();
  c.release();
  CHECK(pool->used_bytes() == 0);
}

TEST_CASE("what waits behind gets at most half of the pool, so that what has begun can end", "[link][pool]") {
  const auto pool = AssemblyPool::make(small_pool(100));
  const PoolShare ahead = pool->take("a", Lane::kRoutine, 1000, 0);
  CHECK(ahead.bytes() == 50);
  const PoolShare more = pool->take("a", Lane::kRoutine, 1000, 0);
  CHECK(more.bytes() == 0);
  const PoolShare need = pool->take("b", Lane::kRoutine, 50, 50);
  CHECK(need.bytes() == 50);
}

TEST_CASE("a large parcel gets the credit it needs with its first chunk", "[link][credit]") {
  const auto pool = AssemblyPool::make({});
  ParcelIntake intake(pool, "a", Lane::kRoutine, {});
  const SharedBytes parcel = random_bytes(4u << 20);
  ChunkSplitter splitter(Transfer::kParcel, 1, parcel);
  const Chunk first = splitter.peek(kMaxChunkBytes, 0);
  REQUIRE(intake.add(first));
  splitter.advance(first.bytes.size());
  CHECK(intake.credit_left() >= splitter.left_bytes());
  CHECK(intake.credit_due() == intake.credit_limit());
  auto whole = send_all(intake, std::move(splitter));
  REQUIRE(whole.size() == 1);
  CHECK(whole[0].bytes == *parcel);
  CHECK(pool->used_bytes() == parcel->size());
  whole.clear();
  CHECK(pool->used_bytes() == 0);
}

TEST_CASE("a chunk beyond the credit is a breach", "[link][credit]") {
  const auto pool = AssemblyPool::make(small_pool(0));
  ParcelIntake intake(pool, "a", Lane::kRoutine, {});
  const SharedBytes parcel = random_bytes(1u << 20);
  ChunkSplitter splitter(Transfer::kParcel, 1, parcel);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(intake.add(splitter.peek(kMaxChunkBytes, 0)));
    splitter.advance(kMaxChunkBytes);
  }
  CHECK(intake.credit_left() == 0);
  CHECK(intake.add(splitter.peek(kMaxChunkBytes, 0)).error().code == Code::kLinkCredit);
}

TEST_CASE("whole parcels wait until the pool has room, and go on in order", "[link][credit]") {
  const auto pool = AssemblyPool::make(small_pool(100'000));
  PoolShare other = pool->take("b", Lane::kRoutine, 100'000, 100'000);
  ParcelIntake intake(pool, "a", Lane::kRoutine, {});
  for (std::uint64_t n = 1; n <= 3; ++n)
    CHECK(send_all(intake, ChunkSplitter(Transfer::kParcel, n, random_bytes(30'000, static_cast<std::uint32_t>(n))))
              .empty());
  CHECK(intake.starving());
  other.release();
  std::vector<std::uint64_t> order;
  while (auto one = intake.next()) order.push_back(one->number);
  CHECK(order == std::vector<std::uint64_t>{1, 2, 3});
  CHECK_FALSE(intake.starving());
}

TEST_CASE("many sessions that all begin a large parcel in a small pool end one after another", "[link][credit]") {
  const auto pool = AssemblyPool::make(small_pool(3u << 20));
  constexpr std::size_t kSessions = 12;
  std::vector<std::unique_ptr<ParcelIntake>> intakes;
  std::vector<ChunkSplitter> splitters;
  for (std::size_t i = 0; i < kSessions; ++i) {
    intakes.push_back(
        std::make_unique<ParcelIntake>(pool, "p" + std::to_string(i), Lane::kRoutine, ParcelIntake::Options{}));
    splitters.emplace_back(Transfer::kParcel, 1, random_bytes(2u << 20));
  }
  std::size_t ended = 0, rounds = 0;
  while (ended < kSessions && ++rounds < 10'000)
    for (std::size_t i = 0; i < kSessions; ++i) {
      // One chunk each in turn: the worst order.
      if (!splitters[i].done() && intakes[i]->credit_left() > 0) {
        const Chunk chunk = splitters[i].peek(
            static_cast<std::size_t>(std::min<std::uint64_t>(intakes[i]->credit_left(), kMaxChunkBytes)), 10u << 20);
        REQUIRE(intakes[i]->add(chunk));
        splitters[i].advance(chunk.bytes.size());
      }
      if (intakes[i]->next()) ++ended;  // its share is given back at once
      CHECK(pool->used_bytes() <= 3u << 20);
    }
  CHECK(ended == kSessions);
}

TEST_CASE("a parcel cut in the middle is kept and goes on in the next session", "[link][credit]") {
  const auto pool = AssemblyPool::make({});
  const SharedBytes parcel = random_bytes(1u << 20);
  ParcelIntake first(pool, "a", Lane::kRoutine, {});
  ChunkSplitter splitter(Transfer::kParcel, 6, parcel);
  for (int i = 0; i < 5; ++i) {
    const Chunk chunk = splitter.peek(kMaxChunkBytes, 0);
    REQUIRE(first.add(chunk));
    splitter.advance(chunk.bytes.size());
  }
  ParcelIntake second(pool, "a", Lane::kRoutine, {});
  second.resume(std::move(first).keep());
  const Partial partial = second.partial();
  CHECK(partial.offset == 5 * kMaxChunkBytes);
  ChunkSplitter again(Transfer::kParcel, 6, parcel, partial);
  CHECK(again.offset() == partial.offset);
  const auto whole = send_all(second, std::move(again));
  REQUIRE(whole.size() == 1);
  CHECK(whole[0].bytes == *parcel);
}

TEST_CASE("a line is dead after three silent intervals, and alive while a large frame crosses", "[link][heartbeat]") {
  constexpr std::int64_t kSecond = 1'000'000'000;
  Heartbeat heart(kSecond, 0);
  CHECK_FALSE(heart.dead(3 * kSecond));
  CHECK(heart.dead(3 * kSecond + 1));
  heart.sample({100, 0}, 4 * kSecond);
  CHECK_FALSE(heart.dead(7 * kSecond));
  SECTION("sending that the other side takes") {
    heart.sample({100, 64 * 1024}, 7 * kSecond);
    CHECK_FALSE(heart.dead(10 * kSecond));
  }
  SECTION("its kernel takes all that is sent, but nothing ever comes: the program hangs") {
    for (std::int64_t second = 5; second <= 11; ++second)
      heart.sample({100, static_cast<std::uint64_t>(second) * 64 * 1024}, second * kSecond);
    CHECK_FALSE(heart.dead(10 * kSecond));
    CHECK(heart.dead(10 * kSecond + 1));
  }
  SECTION("its kernel takes only our PINGs: the program hangs") {
    heart.sample({100, 500}, 7 * kSecond);
    CHECK(heart.dead(8 * kSecond));
  }
}

TEST_CASE("the difference of two clocks is measured from PING and PONG", "[link][heartbeat]") {
  constexpr std::int64_t kMs = 1'000'000;
  Heartbeat heart(1000 * kMs, 0);
  const auto ping = heart.due(0, 5000 * kMs);
  REQUIRE(ping);
  CHECK_FALSE(heart.due(999 * kMs, 0));
  // 10 ms there, 1 ms inside, 10 ms back; the other clock is 300 s ahead.
  Pong pong{ping->count, ping->sent_unix_ns, 305'010 * kMs, 305'011 * kMs};
  heart.pong_came(pong, 21 * kMs);
  REQUIRE(heart.clock());
  CHECK(heart.clock()->offset_ns == 300'000 * kMs);
  CHECK(heart.clock()->uncertainty_ns == 10 * kMs + 1);
  pong.count = 77;  // never sent
  pong.received_unix_ns = 0;
  heart.pong_came(pong, 22 * kMs);
  CHECK(heart.clock()->offset_ns == 300'000 * kMs);
}

}  // namespace thalweg::link
