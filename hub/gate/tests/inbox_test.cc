// inbox_test.cc: each record once, whatever is sent again; nothing is settled that is not on disk.
#include <catch2/catch.hpp>

#include "inbox_fixture.h"

using namespace thalweg;
using namespace thalweg::gate;
using namespace thalweg::gate::test;

TEST_CASE("a delivery is settled when it is on disk, and is there after a restart") {
  InboxBench bench;
  must(bench.open());
  bench.welcome(1, 1);
  const auto parcel = bench.parcel(1, {"a", "b"});
  must(bench.deliver(1, parcel));
  REQUIRE_FALSE(bench.stands.empty());
  CHECK(bench.stands.back().sequence == 1);
  CHECK(bench.stands.back().epoch == 1);
  CHECK(bench.stands.back().root == must(ParcelView::parse(parcel)).header.merkle_root);
  bench.close();
  must(bench.open());
  CHECK(bench.box->state().last_sequence == 1);
  CHECK(bench.box->state().records == 2);
  CHECK(must(bench.box->item(1))->delivered->records().size() == 2);
}

TEST_CASE("what comes again is skipped, its number is used all the same") {
  InboxBench bench;
  must(bench.open());
  bench.welcome(1, 1);
  const auto parcel = bench.parcel(1, {"a"});
  must(bench.deliver(1, parcel));
  SECTION("the same sequence in a new session") {
    bench.welcome(1, 1);
    must(bench.deliver(1, parcel));
    CHECK(bench.box->state().last_sequence == 1);
  }
  SECTION("the same parcel under another sequence, as after a refill in a new epoch") {
    bench.welcome(2, 1);
    must(bench.deliver(1, parcel, 2));
    CHECK(bench.box->state().epoch == 2);
    CHECK(bench.box->state().last_sequence == 1);
  }
  CHECK(bench.box->state().records == 1);
  CHECK(bench.box->state().last_ordinal() == 1);
}

TEST_CASE("a replay on a person's word comes in although it is held") {
  InboxBench bench;
  must(bench.open());
  bench.welcome(1, 1);
  const auto parcel = bench.parcel(1, {"a"});
  must(bench.deliver(1, parcel));
  must(bench.deliver(2, parcel, 1, Delivery::kReplay));
  CHECK(bench.box->state().last_ordinal() == 2);
}

TEST_CASE("a part is verified by its paths, and the rest of the parcel may follow") {
  InboxBench bench;
  must(bench.open());
  bench.welcome(1, 1);
  const auto parcel = bench.parcel(1, {"a", "b", "c"});
  const auto part = bench.part(parcel, {0, 2});
  must(bench.deliver(1, part, 1, Delivery::kPart));
  CHECK(bench.box->state().records == 2);
  must(bench.deliver(2, parcel));
  CHECK(bench.box->state().records == 3);
  const auto item = must(bench.box->item(2));
  CHECK(item->held == std::vector<std::uint32_t>{0, 2});
}

TEST_CASE("a gap or a repeat within a session is the hub's fault and is not stored") {
  InboxBench bench;
  must(bench.open());
  bench.welcome(1, 1);
  CHECK(bench.deliver(2, bench.parcel(1, {"a"})).error().code == Code::kLinkFrame);
  CHECK(bench.box->state().last_ordinal() == 0);
}

TEST_CASE("what cannot be believed is kept apart as a dead letter, and can be judged again") {
  InboxBench bench;
  must(bench.open());
  bench.welcome(1, 1);
  auto parcel = bench.parcel(1, {"a"});
  Code expected = Code::kParcelSignature;
  SECTION("a signature that does not fit") { parcel[parcel.size() / 2] ^= 1; }
  SECTION("a gate that nobody certified") {
    bench.header.gate = "stranger";
    parcel = bench.parcel(1, {"a"});
    expected = Code::kKeyUnknown;
  }
  must(bench.deliver(1, parcel));
  REQUIRE(bench.box->state().letters.size() == 1);
  const InboundLetter letter = bench.box->state().letters.begin()->second;
  CHECK(letter.instance.empty());
  if (expected == Code::kKeyUnknown) CHECK(letter.code == expected);
  CHECK(bench.box->state().records == 0);
  CHECK(bench.stands.back().sequence == 1);
  CHECK(bench.stands.back().dead == 1);

  if (expected == Code::kKeyUnknown) {
    must(bench.trust->learn_certificate(as_bytes(bench.certificate("stranger"))));
    std::optional<Status> done;
    bench.box->act_doubtful(letter, ActEntry::What::kRetry, "zhang", [&](Status status) { done = std::move(status); });
    bench.run_until([&] { return done.has_value(); });
    CHECK(done->has_value());
    CHECK(bench.box->state().letters.empty());
    CHECK(bench.box->state().records == 1);
    CHECK(bench.box->state().last_sequence == 1);
  }
}

TEST_CASE("a party whose identity is not the pinned one is not believed") {
  InboxBench bench;
  must(bench.open());
  bench.identity = trust::SigningKey::generate();
  CHECK(bench.trust->learn_certificate(as_bytes(bench.certificate("gate-2"))).error().code == Code::kPinMismatch);
}

TEST_CASE("a gate's own identity is pinned by its own papers, not by what the hub shows") {
  FaultyFiles files;
  FakeClock clock;
  InboxBench bench;
  const Hash256 own = bench.identity.public_key().fingerprint();
  {
    auto trust = must(GateTrust::open(files, "/pins.json", clock, nullptr, {}));
    must(trust->pin_own("500153", own));
    bench.identity = trust::SigningKey::generate();
    CHECK(trust->learn_certificate(as_bytes(bench.certificate("gate-2"))).error().code == Code::kPinMismatch);
  }
  // The pin lasts; a new identity in the gate's own papers takes its place.
  auto trust = must(GateTrust::open(files, "/pins.json", clock, nullptr, {}));
  REQUIRE(trust->directory()->pin("500153") != nullptr);
  CHECK(*trust->directory()->pin("500153") == own);
  must(trust->pin_own("500153", bench.identity.public_key().fingerprint()));
  must(trust->learn_certificate(as_bytes(bench.certificate("gate-2"))));
}

TEST_CASE("a withdrawn delivery uses its number and brings nothing") {
  InboxBench bench;
  must(bench.open());
  bench.welcome(1, 1);
  must(bench.deliver(1, Bytes{}, 1, Delivery::kWithdrawn));
  CHECK(bench.box->state().last_sequence == 1);
  CHECK(bench.box->state().records == 0);
  CHECK(bench.stands.back().root == Hash256{});
}

TEST_CASE("what a failing disk lost, or the inbox refused, takes no room from later sessions") {
  InboxBench bench;
  must(bench.open());
  bench.welcome(1, 1);
  const auto parcel = bench.parcel(1, {"a"});
  SECTION("it was being written") {
    bench.files->fail(FileOp::kWrite, Code::kIo);
    must(bench.deliver(1, parcel));
  }
  SECTION("it waited for room") {
    bench.config_.inbox_bytes = 0;
    bench.files->fail(FileOp::kWrite, Code::kDiskFull);
    must(bench.deliver(1, parcel));
  }
  SECTION("it came out of order") { CHECK_FALSE(bench.deliver(2, parcel)); }
  CHECK(bench.box->state().last_ordinal() == 0);
  CHECK(bench.given_back == bench.handed_in);
  // The disk is well again: the next session brings it.
  bench.config_.inbox_bytes = UINT64_MAX;
  bench.welcome(1, 1);
  must(bench.deliver(1, parcel));
  CHECK(bench.box->state().records == 1);
  CHECK(bench.given_back == bench.handed_in);
}

TEST_CASE("power fails at every write: what was settled is there, nothing is doubled", "[durability]") {
  const Loss loss = GENERATE(Loss::kAll, Loss::kNone, Loss::kTorn, Loss::kShuffled);
  for (std::uint64_t step = 1;; ++step) {
    InboxBench bench;
    std::vector<Bytes> parcels;
    for (std::uint64_t n = 1; n <= 5; ++n) parcels.push_back(bench.parcel(n, {"k" + std::to_string(n)}));
    bench.files->cut_at(bench.files->steps() + step);
    std::uint64_t settled = 0;
    if (bench.open()) {
      bench.welcome(1, 1);
      for (std::uint64_t n = 1; n <= 5 && !bench.files->power_is_off(); ++n) (void)bench.deliver(n, parcels[n - 1]);
      if (!bench.stands.empty()) settled = bench.stands.back().sequence;
    }
    const bool cut = bench.files->power_is_off();
    bench.close();
    if (cut) bench.files->restart(loss, step);
    bench.files->cut_at(0);
    must(bench.open());
    INFO("step " << step);
    const std::uint64_t held = bench.box->state().last_sequence;
    CHECK(held >= settled);
    bench.welcome(1, held + 1);
    for (std::uint64_t n = held + 1; n <= 5; ++n) must(bench.deliver(n, parcels[n - 1]));
    CHECK(bench.box->state().records == 5);
    CHECK(bench.box->state().last_ordinal() == 5);
    if (!cut) break;
    REQUIRE(step < 500);
  }
}

TEST_CASE("while the inbox cannot be read, what a gate sends again waits and is not taken for new") {
  InboxBench bench;
  must(bench.open());
  bench.welcome(1, 1);
  must(bench.deliver(1, bench.parcel(1, {"a"})));
  must(bench.deliver(2, bench.parcel(2, {"b"})));
  bench.close();
  must(bench.open());  // nothing of it is in memory
  bench.welcome(1, 3);
  // Set back to an older copy, the gate sends in a new stream what it had sent in its former one.
  bench.header.incarnation.bytes[0] = 2;
  bench.header.flags = ParcelHeader::kResubmission;
  bench.files->fail(FileOp::kRead, Code::kIo, 0, UINT64_MAX, "inbox");
  must(bench.deliver(3, bench.parcel(1, {"a", "b"})));
  CHECK(bench.box->state().records == 2);
  CHECK(bench.box->waiting() == 1);
  bench.files->clear_faults();
  bench.box->tick();
  bench.settle_all();
  CHECK(bench.box->waiting() == 0);
  CHECK(bench.box->state().last_sequence == 3);
  CHECK(bench.box->state().records == 2);
}

TEST_CASE("an inbox restored from an older copy takes again exactly what it lacks") {
  InboxBench bench;
  must(bench.open());
  bench.welcome(1, 1);
  std::vector<Bytes> parcels;
  for (std::uint64_t n = 1; n <= 4; ++n) parcels.push_back(bench.parcel(n, {"k" + std::to_string(n)}));
  must(bench.deliver(1, parcels[0]));
  must(bench.deliver(2, parcels[1]));
  auto copy = std::shared_ptr<FaultyFiles>(bench.files->copy());
  must(bench.deliver(3, parcels[2]));
  bench.close();
  bench.files = copy;
  must(bench.open());
  link::Hello hello;
  bench.box->fill(hello);
  CHECK(hello.inbox_sequence == 2);
  CHECK_FALSE(hello.inbox_fresh);
  bench.welcome(1, 3);
  must(bench.deliver(3, parcels[2]));
  must(bench.deliver(4, parcels[3]));
  CHECK(bench.box->state().records == 4);
}

TEST_CASE("held leaves: gaps, parts and whole parcels in any order") {
  HeldLeaves held;
  const StreamId stream{"500153", "gate-1", {}, Lane::kRoutine};
  const std::vector<std::uint32_t> both{0, 1};
  held.add_whole(stream, 5);
  held.add_whole(stream, 1);
  CHECK(held.missing(stream, 1, 2, both).empty());
  CHECK(held.missing(stream, 2, 2, both) == both);
  const std::vector<std::uint32_t> first{0};
  held.add(stream, 2, 2, first);
  CHECK(held.missing(stream, 2, 2, both) == std::vector<std::uint32_t>{1});
  held.add_whole(stream, 3);
  held.add_whole(stream, 4);
  CHECK(held.missing(stream, 2, 2, both) == std::vector<std::uint32_t>{1});
  held.add(stream, 2, 2, both);
  for (std::uint64_t n = 1; n <= 5; ++n) CHECK(held.missing(stream, n, 2, both).empty());
  CHECK(held.missing(stream, 6, 2, both) == both);
  Bytes stored;
  held.encode(stored);
  HeldLeaves again;
  ByteReader in(stored);
  REQUIRE(again.decode(in));
  CHECK(again.missing(stream, 5, 2, both).empty());
  CHECK(again.missing(stream, 6, 2, both) == both);
}
