#include "model/ids.h"

#include <catch2/catch.hpp>
#include <set>
#include <unordered_set>

#include "base/bytes.h"
#include "support/fake_clock.h"

namespace thalweg {

TEST_CASE("a UUID gives back the text it was read from", "[model]") {
  const std::string text = "01a0cb22-0700-72ba-8cdf-4dbde59622b1";
  const auto id = Uuid::parse(text);
  REQUIRE(id);
  CHECK(id->text() == text);
  CHECK(id->is_v7());
  CHECK(to_hex(id->bytes) == "01a0cb22070072ba8cdf4dbde59622b1");
  CHECK(*Uuid::parse("01A0CB22-0700-72BA-8CDF-4DBDE59622B1") == *id);
}

TEST_CASE("text that is no UUID is refused", "[model]") {
  for (std::string_view bad : {"", "01a0cb22-0700-72ba-8cdf-4dbde59622b", "01a0cb22-0700-72ba-8cdf-4dbde59622b12",
                               "01a0cb22007000-72ba-8cdf-4dbde59622b1", "g1a0cb22-0700-72ba-8cdf-4dbde59622b1",
                               "{1a0cb22-0700-72ba-8cdf-4dbde59622b1", "01a0cb22-0700-72ba-8cdf-4dbde5962 b1"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(Uuid::parse(bad));
    CHECK(Uuid::parse(bad).error().code == Code::kData);
  }
}

TEST_CASE("UUIDs of version 7 follow the example of RFC 9562 and sort by time", "[model]") {
  const std::array<std::uint8_t, 10> entropy = {0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};
  CHECK(Uuid::v7(0x017f22e279b0, entropy).text() == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  CHECK(Uuid::v7(1, entropy) < Uuid::v7(2, entropy));
  CHECK(Uuid::v7(255, entropy) < Uuid::v7(256, entropy));
  CHECK(Uuid::v7(-5, entropy) == Uuid::v7(0, entropy));
}

TEST_CASE("the same origin key gives the same record id, another one another", "[model]") {
  const RecordId id = record_id_for(1'790'114'400'000, "500153", "station-1", "A500226_0002/20260923060000/2011");
  CHECK(id == record_id_for(1'790'114'400'000, "500153", "station-1", "A500226_0002/20260923060000/2011"));
  CHECK(id.text() == "01a0cb22-0700-72ba-8cdf-4dbde59622b1");  // a station that re-sends after an update has the same
  CHECK(id.is_v7());
  std::set<RecordId> ids = {id};
  ids.insert(record_id_for(1'790'114'400'001, "500153", "station-1", "A500226_0002/20260923060000/2011"));
  ids.insert(record_id_for(1'790'114'400'000, "500111", "station-1", "A500226_0002/20260923060000/2011"));
  ids.insert(record_id_for(1'790'114'400'000, "500153", "station-", "1A500226_0002/20260923060000/2011"));
  ids.insert(record_id_for(1'790'114'400'000, "500153s", "tation-1", "A500226_0002/20260923060000/2011"));
  ids.insert(record_id_for(1'790'114'400'000, "500153", "station-1", ""));
  CHECK(ids.size() == 6);
}

TEST_CASE("random ids differ and carry the clock's time", "[model]") {
  const FakeClock clock;
  std::unordered_set<Uuid> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(random_uuid_v7(clock));
  CHECK(ids.size() == 1000);
  for (const Uuid& id : ids) {
    CHECK(id.is_v7());
    CHECK(to_hex(id.bytes).substr(0, 12) == "01a0cb220700");
  }
}

TEST_CASE("a code is 1 to 64 safe characters", "[model]") {
  for (std::string_view good : {"500153", "rongchang-1", "A500226_0002", "a", "v1.2"}) CHECK(valid_code(good));
  CHECK(valid_code(std::string(64, 'x')));
  for (std::string_view bad : {"", ".", "..", ".hidden", "-x", "a/b", "a b", "荣昌", "a\n", "a:b"}) {
    CAPTURE(bad);
    CHECK_FALSE(valid_code(bad));
  }
  CHECK_FALSE(valid_code(std::string(65, 'x')));
  CHECK_FALSE(valid_code({"a\0b", 3}));
}

TEST_CASE("streams differ by each of their four parts", "[model]") {
  const StreamId base{"500153", "g1", *Uuid::parse("01a0cb22-0700-72ba-8cdf-4dbde59622b1"), Lane::kRoutine};
  StreamId party = base, gate = base, incarnation = base, lane = base;
  party.party = "500111";
  gate.gate = "g2";
  incarnation.incarnation = Uuid{};
  lane.lane = Lane::kUrgent;
  const std::unordered_set<StreamId> streams = {base, party, gate, incarnation, lane, base};
  CHECK(streams.size() == 5);
  CHECK(base.text() == "500153/g1/01a0cb22-0700-72ba-8cdf-4dbde59622b1/routine");
}

TEST_CASE("a lane has a name and a number, and nothing else is one", "[model]") {
  for (Lane lane : kLanes) {
    CHECK(*lane_from(name(lane)) == lane);
    CHECK(*lane_from(static_cast<std::uint8_t>(lane)) == lane);
  }
  CHECK_FALSE(lane_from("Urgent"));
  CHECK_FALSE(lane_from(""));
  CHECK_FALSE(lane_from(std::uint8_t{2}));
}

}  // namespace thalweg
