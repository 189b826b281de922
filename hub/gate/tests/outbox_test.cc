// outbox_test.cc: what is answered ACCEPTED is there, once; what is not is told why.
#include <catch2/catch.hpp>

#include "gate_fixture.h"
#include "link/local_message.h"

using namespace thalweg;
using namespace thalweg::gate;
using namespace thalweg::gate::test;

TEST_CASE("records that were accepted stand in signed parcels after a restart") {
  OutboxBench bench;
  must(bench.open());
  std::vector<RecordId> ids;
  for (int i = 0; i < 5; ++i) {
    const Outcome outcome = bench.submit_one("k" + std::to_string(i));
    REQUIRE(outcome.answer == link::Answer::kAccepted);
    CHECK(outcome.code == Code::kOk);
    ids.push_back(outcome.id);
  }
  bench.close();
  must(bench.open());
  const auto held = bench.records();
  CHECK(held.size() == 5);
  for (const RecordId& id : ids) CHECK(held.at(id) == 1);
}

TEST_CASE("who was asked to wait before the first block of a new outbox is told when there is room") {
  OutboxBench bench;
  must(bench.open());
  CHECK(bench.congested_at_first);
  CHECK_FALSE(bench.box->congested());
  CHECK(bench.rooms > 0);
}

TEST_CASE("a batch goes into one parcel and is answered in its order") {
  OutboxBench bench;
  must(bench.open());
  std::vector<DraftText> texts(100);
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i].key = "k" + std::to_string(i);
  const auto outcomes = bench.submit(texts);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    CHECK(outcomes[i].ticket == i);
    CHECK(outcomes[i].answer == link::Answer::kAccepted);
  }
  CHECK(bench.box->head() == 1);
  CHECK(bench.header(1).count == 100);
}

TEST_CASE("records of different types go into different parcels") {
  OutboxBench bench;
  must(bench.open());
  DraftText observation, enforcement;
  observation.key = "a";
  enforcement.key = "b";
  enforcement.type = "thalweg.enforcement.record.v1";
  enforcement.subject = "case-7";
  enforcement.data = samples::enforcement_data({"500153"});
  const auto outcomes = bench.submit({observation, enforcement});
  CHECK(outcomes[0].answer == link::Answer::kAccepted);
  INFO(outcomes[1].reason);
  CHECK(outcomes[1].answer == link::Answer::kAccepted);
  CHECK(bench.box->head() == 2);
}

TEST_CASE("a bad record is refused with every fault and its path, the others go through") {
  OutboxBench bench;
  must(bench.open());
  DraftText good, bad, no_json;
  good.key = "good";
  bad.key = "bad";
  bad.data = R"({"section":"laixi-gaodong","mode":"by ear","factors":[{"code":5}]})";
  no_json.key = "none";
  no_json.data = "{oops";
  const auto outcomes = bench.submit({bad, good, no_json});
  CHECK(outcomes[0].answer == link::Answer::kRejected);
  CHECK(outcomes[0].code == Code::kRecordSchema);
  INFO(outcomes[0].reason);
  CHECK(outcomes[0].reason.find("mode") != std::string::npos);
  CHECK(outcomes[0].reason.find("factors[0]") != std::string::npos);
  CHECK(outcomes[1].answer == link::Answer::kAccepted);
  CHECK(outcomes[2].answer == link::Answer::kRejected);
  CHECK(bench.records().size() == 1);

  SECTION("and its key is free for the corrected one") {
    bad.data = good.data;
    CHECK(bench.submit({bad}).front().code == Code::kOk);
    CHECK(bench.records().size() == 2);
  }
}

TEST_CASE("an adapter may send only what gate.toml lists") {
  OutboxBench bench;
  bench.filter.types = {"thalweg.enforcement.*"};
  must(bench.open());
  CHECK(bench.submit_one("a").code == Code::kAdapterNotAllowed);
  bench.filter.types = {"thalweg.section.observation.v1"};
  bench.filter.subjects = {"other-section"};
  CHECK(bench.submit_one("a").code == Code::kAdapterNotAllowed);
  bench.filter.subjects = {"laixi-*"};
  CHECK(bench.submit_one("a").code == Code::kOk);
  DraftText urgent;
  urgent.key = "u";
  urgent.lane = Lane::kUrgent;
  CHECK(bench.submit({urgent}).front().code == Code::kRecordLaneMismatch);
  DraftText keyless;
  CHECK(bench.submit({keyless}).front().code == Code::kInvalid);
}

TEST_CASE("the same origin key makes one record: in one frame, on the way, later, and after a restart") {
  OutboxBench bench;
  must(bench.open());
  DraftText text;
  text.key = "k";
  auto outcomes = bench.submit({text, text});
  CHECK(outcomes[0].code == Code::kOk);
  CHECK(outcomes[1].answer == link::Answer::kAccepted);
  CHECK(outcomes[1].code == Code::kRecordDuplicate);
  CHECK(outcomes[1].id == outcomes[0].id);

  int answered = 0;
  DraftText second;
  second.key = "second";
  for (int i = 0; i < 2; ++i) {
    const link::LocalDraft draft = second.draft();
    bench.box->submit({"station", "station", &bench.filter}, {&draft, 1}, [&](Submission& submission) {
      CHECK(submission.outcomes[0].answer == link::Answer::kAccepted);
      ++answered;
    });
  }
  bench.run_until([&] { return answered == 2; });
  CHECK(bench.submit_one("k").code == Code::kRecordDuplicate);
  bench.close();
  must(bench.open());
  CHECK(bench.submit_one("k").code == Code::kRecordDuplicate);
  CHECK(bench.records().size() == 2);
}

TEST_CASE("keys of two instances are two keys, and an old one is forgotten by the gate's time") {
  OriginKeys keys(1000, 2 * 3600ll * 1'000'000'000);
  const auto key = OriginKeys::of("a", "1");
  CHECK(key != OriginKeys::of("b", "1"));
  keys.add(key, 10 * 3600ll * 1'000'000'000);
  keys.expire(11 * 3600ll * 1'000'000'000);
  CHECK(*keys.holds(key));
  keys.expire(14 * 3600ll * 1'000'000'000);
  CHECK_FALSE(*keys.holds(key));
}

TEST_CASE("the memory of keys is bounded: the oldest go first, and are counted") {
  OriginKeys keys(1000, INT64_MAX);
  for (int i = 0; i < 5000; ++i) keys.add(OriginKeys::of("a", std::to_string(i)), i * 60ll * 1'000'000'000);
  CHECK(keys.size() <= 1000);
  CHECK(*keys.holds(OriginKeys::of("a", "4999")));
  CHECK_FALSE(*keys.holds(OriginKeys::of("a", "0")));
  CHECK(keys.forgotten_early() >= 4000);
  Bytes stored;
  keys.encode(stored);
  OriginKeys again(1000, INT64_MAX);
  ByteReader in(stored);
  REQUIRE(again.decode(in));
  CHECK(again.size() == keys.size());
  CHECK(*again.holds(OriginKeys::of("a", "4999")));
}

TEST_CASE("an answer about a parcel that was dropped makes no dead letter: there is nothing to send again") {
  AcknowledgedEntry answer;
  answer.number = 7;
  answer.refused.push_back({0, {}, Code::kNoAgreement, "no agreement lets this go", "station", "k"});
  answer.parcel = {3, 0};
  OutboxState state(1000, INT64_MAX);
  must(state.apply(static_cast<std::uint8_t>(OutboxType::kAcknowledged), answer.encode(), {20, 0}, 1));
  CHECK(state.acknowledged == 7);
  CHECK(state.letters.empty());
  CHECK(state.first_needed_block(0, 20) == 21);
}

TEST_CASE("keys that went to files are known after a restart, and forgotten ones leave no file", "[durability]") {
  FaultyFiles files;
  const KeyFolder folder{&files, "/keys"};
  const auto key = [](int i) { return OriginKeys::of("a", std::to_string(i)); };
  constexpr std::int64_t kHour = 3600ll * 1'000'000'000;
  const auto held = [&] {
    std::size_t count = 0;
    for (const Path& path : files.all_files()) count += path.extension() == ".keys" ? 1 : 0;
    return count;
  };
  Bytes state;
  {
    OriginKeys keys(8000, 100 * kHour, folder);
    for (int i = 0; i < 6500; ++i) keys.add(key(i), i * kHour / 100);
    do {               // until the state names all six files and holds the keys of the table alone, 20 bytes each
      keys.expire(0);  // writes the next when one is written
      state.clear();
      keys.encode(state);
    } while (state.size() > 500 * 20 + 1000);
    for (int i = 0; i < 6500; ++i) REQUIRE(*keys.holds(key(i)));
    for (int i = 6500; i < 16'000; ++i) REQUIRE_FALSE(*keys.holds(key(i)));
  }
  CHECK(held() == 6);

  OriginKeys again(8000, 100 * kHour, folder);
  ByteReader in(state);
  REQUIRE(again.decode(in));
  CHECK(again.size() == 6500);
  for (int i = 0; i < 6500; ++i) REQUIRE(*again.holds(key(i)));
  for (int i = 6500; i < 16'000; ++i) REQUIRE_FALSE(*again.holds(key(i)));

  SECTION("what is too old goes, and its files with the next state that is saved") {
    const std::size_t before = held();
    again.expire(140 * kHour);
    CHECK_FALSE(*again.holds(key(0)));
    CHECK(*again.holds(key(6499)));
    CHECK(held() == before);
    state.clear();
    again.encode(state);
    again.saved();
    CHECK(held() < before);
    OriginKeys third(8000, 100 * kHour, folder);
    ByteReader later(state);
    REQUIRE(third.decode(later));
    CHECK(third.size() == again.size());
  }
  SECTION("a file that is missing or damaged is noticed: all is read anew") {
    for (const Path& path : files.all_files()) {
      if (path.extension() != ".keys") continue;
      files.flip_byte(path, 100);
      break;
    }
    OriginKeys third(8000, 100 * kHour, folder);
    ByteReader later(state);
    CHECK_FALSE(third.decode(later));
  }
}

TEST_CASE("keys beyond the table are known after a restart of the outbox") {
  OutboxBench bench;
  bench.config_.origin_keys = 1000;
  must(bench.open());
  for (int i = 0; i < 600; ++i) CHECK(bench.submit_one(std::to_string(i)).code == Code::kOk);
  for (int i = 600; i < 700; ++i) CHECK(bench.submit_one(std::to_string(i)).code == Code::kOk);
  bench.close();
  must(bench.open());
  for (int i = 0; i < 700; ++i) REQUIRE(bench.submit_one(std::to_string(i)).code == Code::kRecordDuplicate);
}

TEST_CASE("power fails at every write: nothing that was accepted is lost, nothing is doubled", "[durability]") {
  const Loss loss = GENERATE(Loss::kAll, Loss::kNone, Loss::kTorn, Loss::kShuffled);
  for (std::uint64_t step = 1;; ++step) {
    OutboxBench bench;
    bench.files->cut_at(step);
    std::map<std::string, RecordId> accepted;
    bool whole = false;
    if (bench.open()) {
      for (int i = 0; i < 6; ++i) {
        const std::string key = "k" + std::to_string(i);
        const Outcome outcome = bench.submit_one(key);
        if (outcome.answer != link::Answer::kAccepted) break;
        accepted[key] = outcome.id;
        whole = i == 5;
      }
    }
    const bool survived = !bench.files->power_is_off();
    bench.close();
    if (bench.files->power_is_off()) bench.files->restart(loss, step);
    bench.fatal.reset();
    bench.files->clear_faults();
    bench.files->cut_at(0);
    must(bench.open());
    auto held = bench.records();
    INFO("step " << step << " loss " << static_cast<int>(loss) << " head " << bench.box->head() << " first "
                 << bench.box->state().first_held() << " block " << bench.box->log()->head().number << " accepted "
                 << accepted.size());
    for (const auto& [key, id] : accepted) CHECK(held[id] == 1);
    // The source sends all again, as it does when it did not hear.
    for (int i = 0; i < 6; ++i) CHECK(bench.submit_one("k" + std::to_string(i)).answer == link::Answer::kAccepted);
    held = bench.records();
    CHECK(held.size() == 6);
    for (const auto& [id, times] : held) CHECK(times == 1);
    if (survived && whole) break;
    REQUIRE(step < 500);
  }
}

TEST_CASE("a crash between the sync and the answer: the key again makes no second record") {
  auto disk = std::make_shared<FaultyFiles>();
  OutboxBench bench(disk);
  must(bench.open());
  bool answered = false;
  DraftText text;
  text.key = "k";
  const link::LocalDraft draft = text.draft();
  bench.box->submit({"station", "station", &bench.filter}, {&draft, 1}, [&](Submission&) { answered = true; });
  // The writer has synced, the loop has not heard of it yet when the process dies.
  const std::uint64_t before = disk->syncs();
  bench.loop->io().run_one();
  while (disk->syncs() == before) {
  }
  bench.close();
  CHECK_FALSE(answered);
  must(bench.open());
  CHECK(bench.submit_one("k").code == Code::kRecordDuplicate);
  CHECK(bench.records().size() == 1);
}

TEST_CASE("a full disk is answered with retry, and work goes on when there is room") {
  auto disk = std::make_shared<FaultyFiles>();
  OutboxBench bench(disk);
  must(bench.open());
  CHECK(bench.submit_one("a").code == Code::kOk);
  disk->fail(FileOp::kWrite, Code::kDiskFull, 0, 1);
  const Outcome outcome = bench.submit_one("b");
  CHECK(outcome.answer == link::Answer::kRetry);
  CHECK(outcome.code == Code::kDiskFull);
  CHECK_FALSE(bench.fatal);
  CHECK(bench.submit_one("b").code == Code::kOk);
  CHECK(bench.box->head() == 2);
  CHECK(bench.records().size() == 2);
}

TEST_CASE("what came behind a record that could not be written comes again behind it") {
  OutboxBench bench;
  must(bench.open());
  CHECK(bench.submit_one("a").code == Code::kOk);
  DraftText observation, enforcement;  // of two types: two parcels
  observation.key = "b";
  enforcement.key = "c";
  enforcement.type = "thalweg.enforcement.record.v1";
  enforcement.subject = "case-7";
  enforcement.data = samples::enforcement_data({"500153"});
  bench.files->fail(FileOp::kWrite, Code::kIo, 0, 1);
  for (const Outcome& outcome : bench.submit({observation, enforcement})) {
    CHECK(outcome.answer == link::Answer::kRetry);
    CHECK(outcome.code == Code::kIo);
  }
  for (const Outcome& outcome : bench.submit({observation, enforcement})) CHECK(outcome.code == Code::kOk);
  CHECK(bench.records().size() == 3);
}

TEST_CASE("a failed sync ends the outbox until the process starts anew") {
  auto disk = std::make_shared<FaultyFiles>();
  OutboxBench bench(disk);
  must(bench.open());
  disk->fail(FileOp::kSync, Code::kSyncFailed, 0, 1);
  CHECK(bench.submit_one("a").answer == link::Answer::kRetry);
  REQUIRE(bench.fatal);
  CHECK(bench.fatal->code == Code::kSyncFailed);
  CHECK(bench.submit_one("a").answer == link::Answer::kRetry);
  bench.close();
  disk->restart(Loss::kAll);
  must(bench.open());
  CHECK(bench.submit_one("a").answer == link::Answer::kAccepted);
  CHECK(bench.records().size() == 1);
}

TEST_CASE("a full outbox says so, and drops what the hub has before it refuses") {
  OutboxBench bench;
  bench.config_.outbox_bytes = 600u << 10;
  must(bench.open());
  // Urgent ones would be taken: their folder is another.
  std::string noise;
  int taken = 0;
  Outcome last;
  for (int i = 0; i < 3000; ++i) {
    last = bench.submit_one("k" + std::to_string(i));
    if (last.answer != link::Answer::kAccepted) break;
    ++taken;
  }
  REQUIRE(last.answer == link::Answer::kRetry);
  CHECK(last.code == Code::kOutboxFull);
  for (std::uint64_t number = 1; number <= bench.box->head(); ++number) {
    link::Ack ack;
    ack.number = number;
    ParcelVerdicts().encode(ack.verdicts);
    Decision().encode(ack.decision);
    must(bench.box->on_ack(ack));
  }
  bench.settle_all();
  CHECK(bench.submit_one("again").answer == link::Answer::kAccepted);
  CHECK(bench.box->state().first_held() > 1);
}
