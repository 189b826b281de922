// outbox_hub_test.cc: what follows from what the hub says: restores on both sides, refusals, other ledgers.
#include <catch2/catch.hpp>

#include "gate_fixture.h"

using namespace thalweg;
using namespace thalweg::gate;
using namespace thalweg::gate::test;

namespace {

link::Ack ack_of(std::uint64_t number, std::vector<RecordVerdict> exceptions = {}) {
  link::Ack ack;
  ack.number = number;
  ack.block = number + 10;
  ack.block_unix_ns = FakeClock::kStart_unix_ns;
  ParcelVerdicts verdicts;
  verdicts.exceptions = std::move(exceptions);
  verdicts.encode(ack.verdicts);
  Decision().encode(ack.decision);
  return ack;
}

/// Three parcels, the first two acknowledged.
void fill(OutboxBench& bench) {
  must(bench.open());
  CHECK(bench.box->on_welcome(bench.welcome(0, {})).how == Resume::How::kContinue);
  for (int i = 0; i < 3; ++i) CHECK(bench.submit_one("k" + std::to_string(i)).code == Code::kOk);
  must(bench.box->on_ack(ack_of(1)));
  must(bench.box->on_ack(ack_of(2)));
  bench.settle_all();
}

/// A second stream, as after a change of keys.
void begin_another(OutboxBench& bench) {
  const int before = bench.streams;
  REQUIRE(bench.box->seal_anew(Code::kKeyUnknown));
  bench.run_until([&] { return bench.streams > before && bench.box->state().to_resubmit.empty(); });
}

}  // namespace

TEST_CASE("after a reconnect the gate goes on behind what was answered, a lost answer is fetched again") {
  OutboxBench bench;
  fill(bench);
  const Resume resume = bench.box->on_welcome(bench.welcome(3, bench.header(3).merkle_root));
  CHECK(resume.how == Resume::How::kContinue);
  CHECK(resume.next == 3);
}

TEST_CASE("a hub that was restored is refilled from its own head") {
  OutboxBench bench;
  fill(bench);
  const Resume resume = bench.box->on_welcome(bench.welcome(1, bench.header(1).merkle_root));
  CHECK(resume.how == Resume::How::kHubBehind);
  CHECK(resume.next == 2);
  CHECK(bench.box->on_welcome(bench.welcome(0, {})).next == 1);
}

TEST_CASE("a hub restored from a copy older than the gate's stream is given what it had acknowledged of those before") {
  OutboxBench bench;
  fill(bench);
  auto all = bench.records();
  begin_another(bench);  // takes over the third parcel alone
  ++all[bench.submit_one("later").id];
  for (const std::uint64_t number : {1, 2}) must(bench.box->on_ack(ack_of(number)));
  bench.settle_all();
  REQUIRE(bench.box->head() == 2);
  const bool restarted = GENERATE(false, true);
  if (restarted) {
    bench.close();
    must(bench.open());
  }

  link::Hello hello;
  bench.box->fill(hello);
  CHECK(hello.checkpoint_block == 12);  // by which the hub sees that it was set back

  link::Welcome older = bench.welcome(0, {});
  older.epoch = 2;
  CHECK(bench.box->on_welcome(older).how == Resume::How::kNewIncarnation);
  bench.run_until([&] { return bench.box->state().why == IncarnationEntry::Why::kRefillAll; });
  bench.run_until([&] { return bench.box->state().to_resubmit.empty(); });
  REQUIRE(bench.box->head() == 4);
  CHECK(bench.records() == all);
  CHECK((bench.header(1).flags & ParcelHeader::kResubmission) != 0);

  // Told once more of the same epoch, it goes on; after the next one, this stream holds all that is needed.
  CHECK(bench.box->on_welcome(older).how == Resume::How::kContinue);
  bench.settle_all();
  older.epoch = 3;
  CHECK(bench.box->on_welcome(older).how == Resume::How::kContinue);
}

TEST_CASE("what the hub acknowledged of a former stream is kept as long as of the present one") {
  OutboxBench bench;
  fill(bench);
  constexpr std::int64_t kDay_ns = 86'400'000'000'000;
  const auto needed_since = [&](std::int64_t since) {
    return bench.box->state().first_needed_block(since, bench.box->log()->head().number);
  };
  const std::uint64_t first = needed_since(FakeClock::kStart_unix_ns - kDay_ns);
  begin_another(bench);
  must(bench.box->on_ack(ack_of(1)));
  bench.settle_all();
  CHECK(needed_since(FakeClock::kStart_unix_ns - kDay_ns) == first);
  CHECK(needed_since(FakeClock::kStart_unix_ns + kDay_ns) > bench.box->log()->head().number);
}

TEST_CASE("another ledger is refused, whatever it says of the stream") {
  OutboxBench bench;
  fill(bench);
  link::Welcome other = bench.welcome(0, {});
  other.ledger_id[0] = 8;
  CHECK(bench.box->on_welcome(other).how == Resume::How::kForeign);
  bench.close();
  must(bench.open());
  CHECK(bench.box->on_welcome(other).how == Resume::How::kForeign);
}

TEST_CASE("an outbox restored from an older copy begins a new stream with what the hub may lack, flagged") {
  OutboxBench bench;
  fill(bench);
  auto copy = std::shared_ptr<FaultyFiles>(bench.files->copy());
  CHECK(bench.submit_one("later").code == Code::kOk);
  const Hash256 root4 = bench.header(4).merkle_root;
  bench.close();

  OutboxBench restored(copy);
  restored.key = bench.key;
  must(restored.open());
  const bool took_others = GENERATE(false, true);  // under the number that the hub has with other content
  if (took_others) CHECK(restored.submit_one("other").code == Code::kOk);
  CHECK(restored.box->on_welcome(restored.welcome(4, root4)).how == Resume::How::kNewIncarnation);
  const std::size_t unanswered = restored.box->head() - 2;
  const Uuid old = restored.box->state().incarnation;
  restored.run_until([&] { return restored.streams == 1; });
  restored.run_until([&] { return restored.box->state().to_resubmit.empty(); });
  CHECK(restored.box->state().incarnation != old);
  CHECK(restored.box->head() == unanswered);
  const auto held = restored.records();
  CHECK(held.size() == unanswered);
  for (std::uint64_t number = 1; number <= unanswered; ++number) {
    CHECK((restored.header(number).flags & ParcelHeader::kResubmission) != 0);
  }
  // What sources bring again may be in the hub too, so later parcels are looked up as well.
  CHECK(restored.submit_one("new").code == Code::kOk);
  CHECK((restored.header(restored.box->head()).flags & ParcelHeader::kResubmission) != 0);
  CHECK(restored.box->on_welcome(restored.welcome(0, {})).how == Resume::How::kContinue);

  restored.close();
  must(restored.open());
  CHECK(restored.records().size() == unanswered + 1);
}

TEST_CASE("a disk that cannot be read is not taken for an outbox that was set back") {
  OutboxBench bench;
  fill(bench);
  const Hash256 root = bench.header(2).merkle_root;
  bench.close();
  must(bench.open());  // nothing is in memory any more
  const int streams = bench.streams;
  bench.files->fail(FileOp::kRead, Code::kIo, 0, 1'000);
  CHECK(bench.box->on_welcome(bench.welcome(2, root)).how == Resume::How::kLater);
  bench.files->clear_faults();
  const Resume resume = bench.box->on_welcome(bench.welcome(2, root));
  CHECK(resume.how == Resume::How::kContinue);
  CHECK(resume.next == 3);
  bench.settle_all();
  CHECK(bench.streams == streams);
}

TEST_CASE("copying to a new stream goes on when the disk can be read again") {
  OutboxBench bench;
  fill(bench);
  Hash256 other{};
  other[3] = 9;
  bench.close();
  must(bench.open());
  bench.files->fail(FileOp::kRead, Code::kIo, 0, 1'000);
  CHECK(bench.box->on_welcome(bench.welcome(5, other)).how == Resume::How::kNewIncarnation);
  bench.settle_all();
  REQUIRE_FALSE(bench.box->state().to_resubmit.empty());
  CHECK_FALSE(bench.box->broken());
  bench.files->clear_faults();
  bench.box->tick();
  bench.run_until([&] { return bench.box->state().to_resubmit.empty(); });
  CHECK(bench.submit_one("after").code == Code::kOk);
}

TEST_CASE("an answer with a refused record is not taken while the record cannot be read") {
  OutboxBench bench;
  fill(bench);
  bench.close();
  must(bench.open());
  bench.files->fail(FileOp::kRead, Code::kIo, 0, 1'000);
  const link::Ack ack = ack_of(3, {{0, Code::kNoAgreement, "no agreement lets this go"}});
  CHECK(bench.box->on_ack(ack).error().code == Code::kIo);
  bench.files->clear_faults();
  bench.settle_all();
  CHECK(bench.box->state().acknowledged == 2);
  must(bench.box->on_ack(ack));
  bench.settle_all();
  CHECK(bench.box->state().acknowledged == 3);
  CHECK(bench.box->state().letters.size() == 1);
}

TEST_CASE("answers that a failing disk lost are asked for again, and none behind them is taken before") {
  OutboxBench bench;
  must(bench.open());
  CHECK(bench.box->on_welcome(bench.welcome(0, {})).how == Resume::How::kContinue);
  for (int i = 0; i < 3; ++i) CHECK(bench.submit_one("k" + std::to_string(i)).code == Code::kOk);
  bench.settle_all();
  bench.files->fail(FileOp::kWrite, Code::kIo, 0, 1'000);
  must(bench.box->on_ack(ack_of(1, {{0, Code::kNoAgreement, "no agreement lets this go"}})));
  bench.settle_all();
  bench.files->clear_faults();
  CHECK(bench.answers_lost == 1);
  CHECK(bench.box->on_ack(ack_of(2)).error().code == Code::kBusy);
  CHECK(bench.box->on_welcome(bench.welcome(3, bench.header(3).merkle_root)).next == 1);
  must(bench.box->on_ack(ack_of(1, {{0, Code::kNoAgreement, "no agreement lets this go"}})));
  must(bench.box->on_ack(ack_of(2)));
  must(bench.box->on_ack(ack_of(3)));
  bench.settle_all();
  CHECK(bench.box->state().acknowledged == 3);
  CHECK(bench.box->state().letters.size() == 1);
}

TEST_CASE("an answer about a parcel that is damaged for good does not keep the lane waiting") {
  OutboxBench bench;
  fill(bench);
  bench.close();
  must(bench.open());
  for (const Path& path : bench.files->all_files()) {
    if (path.extension() != ".seg") continue;
    const std::uint64_t size = must(read_file(*bench.files, path, 16u << 20)).size();
    for (std::uint64_t at = 256; at < size; at += 8) bench.files->flip_byte(path, at);
  }
  must(bench.box->on_ack(ack_of(3, {{0, Code::kNoAgreement, "no agreement lets this go"}})));
  bench.settle_all();
  CHECK(bench.box->state().acknowledged == 3);
  CHECK(bench.box->state().letters.empty());
}

TEST_CASE("a parcel that becomes durable together with a new stream is not sent as one of it") {
  OutboxBench bench;
  fill(bench);
  auto copy = std::shared_ptr<FaultyFiles>(bench.files->copy());
  CHECK(bench.submit_one("later").code == Code::kOk);
  const Hash256 root4 = bench.header(4).merkle_root;
  bench.close();

  OutboxBench restored(copy);
  restored.key = bench.key;
  restored.sync_delay_ns = 20'000'000;
  must(restored.open());
  // While the disk is busy with something else, a record and then the new stream wait for it.
  restored.box->flush_for_test([] {});
  DraftText text;
  text.key = "other";
  bool answered = false;
  restored.box->submit({"station", "station", &restored.filter}, std::vector{text.draft()},
                       [&](Submission&) { answered = true; });
  restored.loop->io().run_one();  // seals it
  CHECK(restored.box->on_welcome(restored.welcome(4, root4)).how == Resume::How::kNewIncarnation);
  restored.run_until([&] { return answered && restored.streams == 1 && restored.box->state().to_resubmit.empty(); });
  // In the former stream it was number 4; now another one is.
  for (const char* key : {"third", "fourth"}) CHECK(restored.submit_one(key).code == Code::kOk);
  REQUIRE(restored.box->head() == 4);
  for (std::uint64_t number = 1; number <= 4; ++number)
    CHECK(restored.header(number).incarnation == restored.box->state().incarnation);
}

TEST_CASE("a hub that is back while records are still copied to a new stream is sent what there is") {
  OutboxBench bench;
  fill(bench);
  auto copy = std::shared_ptr<FaultyFiles>(bench.files->copy());
  CHECK(bench.submit_one("later").code == Code::kOk);
  const Hash256 root4 = bench.header(4).merkle_root;
  bench.close();

  OutboxBench restored(copy);
  restored.key = bench.key;
  must(restored.open());
  CHECK(restored.box->on_welcome(restored.welcome(4, root4)).how == Resume::How::kNewIncarnation);
  CHECK(restored.box->on_welcome(restored.welcome(4, root4)).how == Resume::How::kNewIncarnation);
  restored.run_until([&] { return restored.streams == 1; });
  REQUIRE(!restored.box->state().to_resubmit.empty());
  const Resume resume = restored.box->on_welcome(restored.welcome(0, {}));
  CHECK(resume.how == Resume::How::kContinue);
  CHECK(resume.next == 1);

  SECTION("and one that knows more of it than there is waits until all is copied") {
    CHECK(restored.box->on_welcome(restored.welcome(9, root4)).how == Resume::How::kNewIncarnation);
    CHECK(restored.streams == 1);
    restored.run_until([&] { return restored.streams == 2; });
    CHECK(restored.box->state().to_resubmit.empty());
  }
}

TEST_CASE("a disk that fills up while records are copied to the new stream is asked again later, not at once") {
  OutboxBench bench;
  fill(bench);
  bench.files->fail(FileOp::kWrite, Code::kDiskFull, 1, UINT64_MAX);  // the new stream is written, no copy
  REQUIRE(bench.box->seal_anew(Code::kKeyUnknown));
  bench.run_until([&] { return bench.streams == 2; });
  bench.settle_all();  // comes to its end
  REQUIRE(bench.box->state().to_resubmit.size() == 1);

  bench.files->clear_faults();
  bench.box->tick();
  bench.run_until([&] { return bench.box->state().to_resubmit.empty(); });
  CHECK(bench.box->head() == 1);
}

TEST_CASE("a crash while records are copied to the new stream copies each of them once", "[durability]") {
  auto disk = std::make_shared<FaultyFiles>();
  trust::SigningKey key = trust::SigningKey::generate();
  {
    OutboxBench bench(disk);
    bench.key = key;
    must(bench.open());
    (void)bench.box->on_welcome(bench.welcome(0, {}));
    for (int i = 0; i < 5; ++i) CHECK(bench.submit_one("k" + std::to_string(i)).code == Code::kOk);
  }
  for (std::uint64_t step = 1; step < 60; ++step) {
    auto machine = std::shared_ptr<FaultyFiles>(disk->copy());
    {
      OutboxBench bench(machine);
      bench.key = key;
      machine->cut_at(machine->steps() + step);
      if (bench.open()) {
        Hash256 other{};
        other[3] = 9;
        (void)bench.box->on_welcome(bench.welcome(5, other));
        bench.settle_all();
        bench.settle_all();
      }
    }
    const bool cut = machine->power_is_off();
    if (cut) machine->restart(Loss::kTorn, step);
    machine->cut_at(0);
    OutboxBench bench(machine);
    bench.key = key;
    must(bench.open());
    bench.run_until([&] { return bench.box->state().to_resubmit.empty(); });
    bench.settle_all();
    INFO("step " << step);
    CHECK(bench.records().size() == 5);
    CHECK(bench.box->head() == 5);
    if (!cut) break;
  }
}

TEST_CASE("a refused record becomes a dead letter, retried, it goes out once more under the same id") {
  OutboxBench bench;
  must(bench.open());
  (void)bench.box->on_welcome(bench.welcome(0, {}));
  const Outcome outcome = bench.submit_one("k");
  must(bench.box->on_ack(ack_of(1, {{0, Code::kNoAgreement, "no agreement lets this go"}})));
  bench.settle_all();
  REQUIRE(bench.box->state().letters.size() == 1);
  const OutboundLetter letter = bench.box->state().letters.begin()->second;
  CHECK(letter.record == outcome.id);
  CHECK(letter.code == Code::kNoAgreement);
  REQUIRE(bench.refused.size() == 1);
  CHECK(bench.refused[0].origin_key == "k");
  CHECK(bench.refused[0].instance == "station");

  bench.close();
  must(bench.open());
  REQUIRE(bench.box->state().letters.size() == 1);
  std::optional<Status> done;
  SECTION("retried") {
    bench.box->act(letter.id, ActEntry::What::kRetry, "zhang", [&](Status status) { done = std::move(status); });
    bench.run_until([&] { return done.has_value(); });
    CHECK(done->has_value());
    CHECK(bench.box->state().letters.empty());
    CHECK(bench.box->head() == 2);
    CHECK(bench.records().at(outcome.id) == 2);
  }
  SECTION("dropped") {
    bench.box->act(letter.id, ActEntry::What::kDrop, "zhang", [&](Status status) { done = std::move(status); });
    bench.run_until([&] { return done.has_value(); });
    CHECK(bench.box->state().letters.empty());
    CHECK(bench.box->state().dropped == 1);
    CHECK(bench.box->head() == 1);
  }
  bench.close();
  must(bench.open());
  CHECK(bench.box->state().letters.empty());
}

TEST_CASE("marks and duplicates are no dead letters") {
  OutboxBench bench;
  must(bench.open());
  DraftText a, b;
  a.key = "a";
  b.key = "b";
  bench.submit({a, b});
  must(bench.box->on_ack(ack_of(1, {{0, Code::kRecordDuplicate, "here"}, {1, Code::kClockOffset, "late"}})));
  bench.settle_all();
  CHECK(bench.box->state().letters.empty());
  CHECK(bench.box->state().acknowledged == 1);
}

TEST_CASE("parcels sealed with keys that are replaced since are sealed anew, once") {
  OutboxBench bench;
  fill(bench);
  CHECK(bench.box->seal_anew(Code::kParcelSignature));
  bench.run_until([&] { return bench.streams == 2 && bench.box->state().to_resubmit.empty(); });
  CHECK(bench.box->head() == 1);
  CHECK_FALSE(bench.box->seal_anew(Code::kParcelSignature));
}

TEST_CASE("progress of receivers survives a restart") {
  OutboxBench bench;
  fill(bench);
  bench.box->on_progress({"500153", 2, 1});
  bench.box->tick();
  bench.settle_all();
  bench.close();
  must(bench.open());
  CHECK(bench.box->state().progress.at("500153") == std::pair<std::uint64_t, std::uint64_t>{2, 1});
}
