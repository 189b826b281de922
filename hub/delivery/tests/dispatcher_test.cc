#include "delivery/dispatcher.h"

#include <catch2/catch.hpp>

#include "ledger/segment_log.h"
#include "model/parcel_part.h"
#include "region/load.h"
#include "support/sample_records.h"
#include "trust/keys.h"
#include "trust/seal.h"

using namespace thalweg;
using namespace thalweg::delivery;

namespace {

/// A ledger of the Laixi region into which parcels of 荣昌 are written by hand.
struct Bench {
  Bench() {
    ledger::SegmentOptions options;
    options.genesis = {1};
    log = *ledger::SegmentLog::open(real_files(), folder / "log", options);
    places = *ledger::PlaceIndex::open(*log, folder / "log", ledger::hub_deliveries);
    std::vector<region::Mistake> mistakes;
    region = *region::load_folder(real_files(), std::string(THALWEG_SOURCE_DIR) + "/examples/regions/laixi", mistakes);
    routes = std::make_unique<routing::RouteTable>(region, 1'790'114'400'000'000'000);
    dispatcher = std::make_unique<Dispatcher>(*log, *places, receivers, progress);
  }

  /// Writes a parcel of `records` observations of which 泸县 may see `seen`.
  void write(std::uint64_t number, std::uint32_t records, std::vector<IndexRange> seen,
             const char* agreement = "section-rongchang-luxian") {
    std::vector<Bytes> made;
    for (std::uint32_t i = 0; i < records; ++i)
      made.push_back(samples::observation("500153", std::to_string(number * 100 + i)));
    ParcelHeader header;
    header.party = "500153";
    header.gate = "gate-1";
    header.number = number;
    const Bytes parcel =
        *trust::seal_parcel(header, std::vector<ByteView>(made.begin(), made.end()), key, Compression::kLz4);
    Decision decision;
    decision.grants.push_back({agreement, 1, 0, std::move(seen), {"510521"}});
    decision.sequences.push_back({"510521", 0});
    receivers.give(decision);
    const Bytes head = ledger::encode_parcel_head({}, decision);
    const ledger::EntryRef entry{static_cast<std::uint8_t>(ledger::EntryType::kParcel), head, parcel};
    REQUIRE(log->append(std::span(&entry, 1), std::int64_t(number)));
    REQUIRE(places->follow(**log->read(log->head().number)));
    receivers.settle_given(decision);
  }

  void connect(std::uint64_t from, std::size_t room) {
    dispatcher->connect("510521", from, 7, [this, room](std::uint64_t sequence, std::shared_ptr<const Bytes> bytes) {
      if (got.size() >= room) return false;
      got.emplace_back(sequence, std::move(bytes));
      return true;
    });
  }

  TempFolder folder;
  trust::SigningKey key = trust::SigningKey::generate();
  std::unique_ptr<ledger::SegmentLog> log;
  std::unique_ptr<ledger::PlaceIndex> places;
  std::shared_ptr<const region::Region> region;
  std::unique_ptr<routing::RouteTable> routes;
  ReceiverBook receivers;
  ProgressBook progress;
  std::unique_ptr<Dispatcher> dispatcher;
  std::vector<std::pair<std::uint64_t, std::shared_ptr<const Bytes>>> got;
};

}  // namespace

TEST_CASE("a receiver that may see all of a parcel gets the origin's own bytes") {
  Bench b;
  b.write(1, 3, {{0, 3}});
  b.connect(1, 10);
  REQUIRE(b.dispatcher->pump("510521", *b.routes));
  REQUIRE(b.got.size() == 1);
  const auto delivery = Delivery::decode(*b.got[0].second);
  REQUIRE(delivery);
  CHECK(delivery->sequence == 1);
  CHECK(delivery->flags == 0);
  CHECK(delivery->grants.at(0).agreement == "section-rongchang-luxian");
  const auto parcel = ParcelView::parse(delivery->parcel);
  REQUIRE(parcel);
  CHECK(trust::check_parcel(*parcel, *ParcelBody::expand(*parcel), b.key.public_key()));
}

TEST_CASE("a receiver that may see some of a parcel gets these with their proof and nothing of the others") {
  Bench b;
  b.write(1, 5, {{1, 1}, {3, 2}});
  b.connect(1, 10);
  REQUIRE(b.dispatcher->pump("510521", *b.routes));
  const auto delivery = Delivery::decode(*b.got.at(0).second);
  REQUIRE(delivery);
  CHECK(delivery->flags == Delivery::kPart);
  const auto part = PartView::parse(delivery->parcel);
  REQUIRE(part);
  const auto body = PartBody::expand(*part);
  REQUIRE(body);
  REQUIRE(body->count() == 3);
  CHECK(body->record(0).index == 1);
  CHECK(body->record(2).index == 4);
}

TEST_CASE("a receiver without room is not sent more, and goes on where it stopped") {
  Bench b;
  for (std::uint64_t n = 1; n <= 5; ++n) b.write(n, 1, {{0, 1}});
  b.connect(1, 2);
  REQUIRE(b.dispatcher->pump("510521", *b.routes));
  CHECK(b.got.size() == 2);
  b.connect(3, 10);
  REQUIRE(b.dispatcher->pump("510521", *b.routes));
  REQUIRE(b.got.size() == 5);
  for (std::uint64_t i = 0; i < 5; ++i) CHECK(b.got[i].first == i + 1);
}

TEST_CASE("a receiver with much to catch up gives way after each batch") {
  Bench b;
  const std::uint64_t many = Dispatcher::kBatch * 2 + 3;
  for (std::uint64_t n = 1; n <= many; ++n) b.write(n, 1, {{0, 1}});
  b.connect(1, 1000);
  int calls = 1;
  while (*b.dispatcher->pump("510521", *b.routes)) ++calls;
  CHECK(calls == 3);
  CHECK(b.got.size() == many);
}

TEST_CASE("a permission withdrawn stops what is not yet delivered, and the number is used all the same") {
  Bench b;
  b.write(1, 1, {{0, 1}}, "an-agreement-that-was-ended");
  b.write(2, 1, {{0, 1}});
  b.connect(1, 10);
  REQUIRE(b.dispatcher->pump("510521", *b.routes));
  REQUIRE(b.got.size() == 2);
  const auto withdrawn = Delivery::decode(*b.got[0].second);
  REQUIRE(withdrawn);
  CHECK(withdrawn->flags == Delivery::kWithdrawn);
  CHECK(withdrawn->parcel.empty());
  CHECK(Delivery::decode(*b.got[1].second)->flags == 0);
}

TEST_CASE("nobody is sent anything before it is in the ledger") {
  Bench b;
  b.write(1, 1, {{0, 1}});
  Decision waiting;
  waiting.sequences.push_back({"510521", 0});
  b.receivers.give(waiting);
  b.connect(1, 10);
  REQUIRE(b.dispatcher->pump("510521", *b.routes));
  CHECK(b.got.size() == 1);
}
