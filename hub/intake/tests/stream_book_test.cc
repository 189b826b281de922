#include "intake/stream_book.h"

#include <catch2/catch.hpp>

#include "intake/incident_book.h"

using namespace thalweg;
using namespace thalweg::intake;

namespace {

ParcelHeader parcel(std::uint64_t number, std::uint8_t root, std::uint8_t previous) {
  ParcelHeader header;
  header.party = "500153";
  header.gate = "gate-1";
  header.number = number;
  header.merkle_root.fill(root);
  header.previous_root.fill(previous);
  return header;
}

}  // namespace

TEST_CASE("a stream takes its parcels in order, each once") {
  StreamBook book;
  CHECK(book.turn(parcel(1, 1, 0)) == Turn::kNext);
  CHECK(book.turn(parcel(2, 2, 1)) == Turn::kGap);
  book.take(parcel(1, 1, 0));
  CHECK(book.turn(parcel(1, 1, 0)) == Turn::kUnderWay);
  CHECK(book.turn(parcel(2, 2, 1)) == Turn::kNext);
  book.settle(parcel(1, 1, 0));
  CHECK(book.turn(parcel(1, 1, 0)) == Turn::kRepeat);
}

TEST_CASE("a parcel that follows another root than the stream's is a conflict, not a gap") {
  StreamBook book;
  book.take(parcel(1, 1, 0));
  CHECK(book.turn(parcel(2, 2, 9)) == Turn::kConflict);
}

TEST_CASE("what the ledger lost is waited for again") {
  StreamBook book;
  book.take(parcel(1, 1, 0));
  book.settle(parcel(1, 1, 0));
  book.take(parcel(2, 2, 1));
  book.take_back();
  CHECK(book.turn(parcel(2, 7, 1)) == Turn::kNext);
  CHECK(book.durable(parcel(1, 1, 0).stream()).number == 1);
}

TEST_CASE("two gates of one party and two incarnations of one gate are different streams") {
  StreamBook book;
  book.take(parcel(1, 1, 0));
  ParcelHeader other = parcel(1, 5, 0);
  other.gate = "gate-2";
  CHECK(book.turn(other) == Turn::kNext);
  ParcelHeader later = parcel(1, 5, 0);
  later.incarnation.bytes[0] = 1;
  CHECK(book.turn(later) == Turn::kNext);
}

TEST_CASE("the book of streams comes back from its bytes, and cut bytes are refused") {
  StreamBook book;
  book.take(parcel(1, 1, 0));
  book.settle(parcel(1, 1, 0));
  Bytes bytes;
  book.encode(bytes);
  StreamBook again;
  ByteReader in(bytes);
  REQUIRE(again.decode(in, Lane::kRoutine));
  CHECK(in.done());
  CHECK(again.turn(parcel(2, 2, 1)) == Turn::kNext);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    StreamBook torn;
    ByteReader part(ByteView(bytes).first(cut));
    CHECK_FALSE(torn.decode(part, Lane::kRoutine));
  }
}

TEST_CASE("the end of an incident reaches everybody who was told of it, each once") {
  IncidentBook book;
  book.told("2026-09-23-01", "510521");
  book.told("2026-09-23-01", "500111");
  book.told("2026-09-23-01", "510521");
  CHECK(book.receivers("2026-09-23-01") == std::vector<std::string_view>{"510521", "500111"});
  CHECK(book.receivers("another").empty());
}

TEST_CASE("the book of incidents forgets the oldest beyond its bound") {
  IncidentBook book(2);
  book.told("a", "1");
  book.told("b", "1");
  book.told("c", "1");
  CHECK(book.receivers("a").empty());
  CHECK(book.receivers("c").size() == 1);
}
