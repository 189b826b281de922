// The power fails in every single step of what a gate's outbox and inbox do; what stations and the hub were told holds
// afterwards.
#include <catch2/catch.hpp>
#include <cstdio>

#include "gate/tests/inbox_fixture.h"

using namespace thalweg;
using namespace thalweg::gate;
using namespace thalweg::gate::test;

namespace {

struct Cut {
  Loss loss;
  std::uint64_t seed;
};
constexpr Cut kCuts[] = {{Loss::kAll, 1},  {Loss::kNone, 1},     {Loss::kTorn, 1},     {Loss::kTorn, 2},
                         {Loss::kTorn, 3}, {Loss::kShuffled, 1}, {Loss::kShuffled, 2}, {Loss::kShuffled, 3}};
constexpr std::uint64_t kSmallSegments = 3000;

/// Counted in docs/reliability.md.
void tell(const char* box, std::uint64_t cuts) { std::printf("%s: %llu cuts\n", box, (unsigned long long)cuts); }

link::Ack ack_of(std::uint64_t number, bool with_refusal) {
  link::Ack ack;
  ack.number = number;
  ack.block = number + 10;
  ack.block_unix_ns = FakeClock::kStart_unix_ns;
  ParcelVerdicts verdicts;
  if (with_refusal) verdicts.exceptions = {{0, Code::kNoAgreement, "no agreement lets this go"}};
  verdicts.encode(ack.verdicts);
  Decision().encode(ack.decision);
  return ack;
}

constexpr int kBatches = 14;

std::vector<DraftText> batch(int number) {
  std::vector<DraftText> texts(1 + static_cast<std::size_t>(number) % 4);
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i].key = std::to_string(number) + "-" + std::to_string(i);
  return texts;
}

/// What the stations and the program above were told before the power went.
struct Told {
  std::map<std::string, RecordId> accepted;
  std::uint64_t letters = 0;  ///< durable before something that was accepted later
  bool whole = false;
};

/// Batches, acknowledgements, refusals, progress of receivers; closed and opened again on the way.
void run_outbox(OutboxBench& bench, Told& told) {
  if (!bench.open()) return;
  (void)bench.box->on_welcome(bench.welcome(0, {}));
  for (int number = 0; number < kBatches; ++number) {
    const auto texts = batch(number);
    const auto outcomes = bench.submit(texts);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (outcomes[i].answer != link::Answer::kAccepted) return;
      told.accepted[texts[i].key] = outcomes[i].id;
    }
    told.letters = bench.box->state().letters.size();
    (void)bench.box->on_ack(ack_of(bench.box->head(), number % 5 == 4)).has_value();
    link::Progress progress;
    progress.receiver = "500153";
    progress.in_inbox = bench.box->head();
    bench.box->on_progress(progress);
    bench.settle_all();
    if (number == kBatches / 2) {
      bench.close();
      if (!bench.open()) return;
      (void)bench.box->on_welcome(bench.welcome(bench.box->head(), bench.box->state().head_root));
    }
  }
  told.whole = !bench.files->power_is_off();
}

}  // namespace

TEST_CASE("power fails in any step of an outbox: what was accepted is there once, and its key is known",
          "[gate][durability]") {
  std::uint64_t cuts = 0;
  for (std::uint64_t step = 1;; ++step) {
    bool whole = false;
    for (const Cut& cut : kCuts) {
      OutboxBench bench;
      bench.segment_bytes = kSmallSegments;
      bench.files->cut_at(step);
      Told told;
      run_outbox(bench, told);
      whole = told.whole;
      bench.close();
      if (whole) break;
      ++cuts;
      bench.files->restart(cut.loss, step * 10 + cut.seed);
      bench.fatal.reset();
      INFO("step " << step << " loss " << static_cast<int>(cut.loss) << " seed " << cut.seed);
      must(bench.open());
      const auto held = bench.records();
      for (const auto& [key, id] : told.accepted) CHECK((held.contains(id) && held.at(id) == 1));
      CHECK(bench.box->state().letters.size() >= told.letters);
      // The stations send all again, as they do when they did not hear.
      std::vector<DraftText> again;
      for (int number = 0; number < kBatches; ++number)
        for (const DraftText& text : batch(number)) again.push_back(text);
      const auto outcomes = bench.submit(again);
      for (std::size_t i = 0; i < again.size(); ++i) {
        CHECK(outcomes[i].answer == link::Answer::kAccepted);
        const auto before = told.accepted.find(again[i].key);
        if (before != told.accepted.end()) CHECK(outcomes[i].id == before->second);
      }
      const auto all = bench.records();
      CHECK(all.size() == again.size());
      for (const auto& [id, times] : all) CHECK(times == 1);
    }
    if (whole) break;
    REQUIRE(step < 2'000);
  }
  tell("outbox", cuts);
  CHECK(cuts > 1'000);
}

TEST_CASE("power fails in any step of an inbox: what was settled and what an adapter took is there once",
          "[gate][durability]") {
  constexpr std::uint64_t kDeliveries = 14;
  std::uint64_t cuts = 0;
  // The same parcels every time: an inbox that lost some is sent those again.
  InboxBench origin;
  std::vector<Bytes> parcels;
  for (std::uint64_t n = 1; n <= kDeliveries; ++n) {
    std::vector<std::string> keys;
    for (std::uint64_t i = 0; i <= n % 3; ++i) keys.push_back(std::to_string(n) + "-" + std::to_string(i));
    parcels.push_back(origin.parcel(n, keys));
  }
  std::uint64_t records = 0;
  for (std::uint64_t n = 1; n <= kDeliveries; ++n) records += 1 + n % 3;
  for (std::uint64_t step = 1;; ++step) {
    bool whole = false;
    for (const Cut& cut : kCuts) {
      InboxBench bench;
      bench.trust = must(GateTrust::open(*origin.pins, "/pins.json", origin.clock, nullptr, {}));
      must(bench.trust->learn_certificate(as_bytes(origin.certificate("gate-1"))));
      bench.segment_bytes = kSmallSegments;
      bench.sinks = {"table"};
      bench.files->cut_at(bench.files->steps() + step);
      std::uint64_t settled = 0, taken = 0;
      if (bench.open()) {
        bench.welcome(1, 1);
        for (std::uint64_t n = 1; n <= kDeliveries && !bench.files->power_is_off(); ++n) {
          (void)bench.deliver(n, parcels[n - 1]).has_value();
          // The adapter has taken all that came.
          CursorEntry cursor;
          cursor.instance = "table";
          cursor.ordinal = bench.box->state().last_ordinal() + 1;
          bool written = false;
          bool good = false;
          bench.box->write(InboxType::kCursor, cursor.encode(), [&](const Error* error) {
            written = true;
            good = error == nullptr;
          });
          bench.run_until([&] { return written; });
          if (good) taken = cursor.ordinal;
          if (n == kDeliveries / 2) {
            bench.close();
            if (!bench.open()) break;
            bench.welcome(1, bench.box->state().last_sequence + 1);
          }
        }
      }
      for (const InboxStand& stand : bench.stands) settled = std::max(settled, stand.sequence);
      whole = !bench.files->power_is_off();
      bench.close();
      if (whole) break;
      ++cuts;
      bench.files->restart(cut.loss, step * 10 + cut.seed);
      INFO("step " << step << " loss " << static_cast<int>(cut.loss) << " seed " << cut.seed);
      must(bench.open());
      const std::uint64_t held = bench.box->state().last_sequence;
      CHECK(held >= settled);
      if (taken != 0) {
        REQUIRE(bench.box->state().cursors.contains("table"));
        CHECK(bench.box->state().cursors.at("table").ordinal >= taken);
      }
      bench.welcome(1, held + 1);
      for (std::uint64_t n = held + 1; n <= kDeliveries; ++n) must(bench.deliver(n, parcels[n - 1]));
      CHECK(bench.box->state().records == records);
      CHECK(bench.box->state().last_ordinal() == kDeliveries);
      for (std::uint64_t n = 1; n <= kDeliveries; ++n) {
        const auto item = bench.box->item(n);
        REQUIRE(item.has_value());
        CHECK((*item)->doubt == Code::kOk);
        CHECK((*item)->delivered->header().number == n);
      }
    }
    if (whole) break;
    REQUIRE(step < 2'000);
  }
  tell("inbox", cuts);
  CHECK(cuts > 1'000);
}
