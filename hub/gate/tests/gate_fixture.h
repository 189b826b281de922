// gate_fixture.h: outbox and inbox on a disk that can lose power, driven by hand: nothing here waits for time.
#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gate/inbox.h"
#include "gate/outbox.h"
#include "model/decision.h"
#include "model/parcel.h"
#include "support/fake_clock.h"
#include "support/faulty_files.h"
#include "support/sample_records.h"
#include "trust/certificate.h"
#include "trust/seal.h"

namespace thalweg::gate::test {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}
inline void must(Status status) {
  if (!status) throw std::runtime_error(status.error().message);
}

inline const SchemaSet& schemas() {
  static const SchemaSet set = must(SchemaSet::load_builtin());
  return set;
}

inline GateConfig config() {
  GateConfig out;
  out.party = "510521";
  out.gate = "gate-1";
  out.folder = "/gate";
  out.state = "/gate/state";
  out.reserve_percent = 0;
  return out;
}

inline constexpr std::string_view kObservation = "thalweg.section.observation.v1";

/// A draft and the texts it points to.
struct DraftText {
  std::string key, data = samples::observation_data(), type{kObservation}, subject = "laixi-gaodong",
                   time = "2026-09-23T06:00:00+08:00", exercise;
  Lane lane = Lane::kRoutine;
  link::LocalDraft draft(std::uint64_t ticket = 0) const {
    link::LocalDraft out;
    out.ticket = ticket;
    out.lane = lane;
    out.type = type;
    out.subject = subject;
    out.time = time;
    out.exercise = exercise;
    out.origin_key = key;
    out.data = data;
    return out;
  }
};

/// One outbox over restarts of its process.
class OutboxBench {
 public:
  explicit OutboxBench(std::shared_ptr<FaultyFiles> disk = std::make_shared<FaultyFiles>(), Lane lane = Lane::kRoutine)
      : files(std::move(disk)), lane_(lane) {
    filter.types = {"*"};
  }
  ~OutboxBench() { close(); }

  Status open() {
    loop = std::make_unique<Loop>("test");
    OutboxOptions options;
    options.lane = lane_;
    options.lock_folder = false;
    options.segment_bytes = segment_bytes;
    options.sync_delay_ns = sync_delay_ns;
    options.on_fatal = [this](const Error& error) { fatal = error; };
    options.on_refused = [this](const AcknowledgedEntry::Refused& one) { refused.push_back(one); };
    options.on_stream = [this] { ++streams; };
    options.on_answers_lost = [this] { ++answers_lost; };
    options.on_room = [this] { ++rooms; };
    auto opened = Outbox::open(*files, config_.outbox_folder(lane_), clock, *loop, config_, key, schemas(), options);
    if (!opened) return Error(std::move(opened).error());
    box = *std::move(opened);
    congested_at_first = box->congested();
    settle_all();
    return {};
  }
  void close() {
    box.reset();
    loop.reset();
  }
  /// Runs the loop until `done`; the writer thread's posts wake it.
  void run_until(const std::function<bool()>& done) {
    while (!done()) loop->io().run_one();
  }
  /// Runs what is ready and waits for what the writer has under way, also where its last entry is refused at once
  /// because one before it failed.
  void settle_all() {
    bool passed = false;
    box->flush_for_test([&passed] { passed = true; });
    run_until([&] { return passed && box->under_way() == 0; });
  }
  std::vector<Outcome> submit(const std::vector<DraftText>& texts) {
    std::vector<link::LocalDraft> drafts;
    for (const DraftText& text : texts) drafts.push_back(text.draft(drafts.size()));
    auto outcomes = std::make_shared<std::optional<std::vector<Outcome>>>();
    box->submit({"station", "station", &filter}, drafts,
                [outcomes](Submission& submission) { *outcomes = submission.outcomes; });
    run_until([&] { return outcomes->has_value(); });
    return **outcomes;
  }
  Outcome submit_one(const std::string& origin_key) {
    DraftText text;
    text.key = origin_key;
    return submit({text}).front();
  }
  ParcelHeader header(std::uint64_t number) {
    const SharedBytes bytes = must(box->parcel(number));
    return must(ParcelView::parse(*bytes)).header;
  }
  /// How often each record stands in the parcels of the current stream, and that their numbers and roots chain.
  std::map<RecordId, int> records() {
    std::map<RecordId, int> out;
    RecordReader reader;
    Hash256 previous{};
    for (std::uint64_t number = box->state().first_held(); number <= box->head(); ++number) {
      const SharedBytes bytes = must(box->parcel(number));
      const ParcelView view = must(ParcelView::parse(*bytes));
      if (view.header.number != number) throw std::runtime_error("a number is missing");
      if (number > 1 && number > box->state().first_held() && view.header.previous_root != previous) {
        throw std::runtime_error("roots do not chain");
      }
      previous = view.header.merkle_root;
      const ParcelBody body = must(ParcelBody::expand(view));
      must(trust::check_parcel(view, body, key.public_key()));
      for (std::size_t i = 0; i < body.count(); ++i) ++out[must(reader.read(body.record(i))).record_id];
    }
    return out;
  }
  link::Welcome welcome(std::uint64_t head, Hash256 root) {
    link::Welcome out;
    out.ledger_id[0] = 7;
    out.epoch = 1;
    out.accepted_head = head;
    out.accepted_root = root;
    return out;
  }

  std::shared_ptr<FaultyFiles> files;
  FakeClock clock;
  GateConfig config_ = config();
  trust::SigningKey key = trust::SigningKey::generate();
  RecordFilter filter;
  std::unique_ptr<Loop> loop;
  std::unique_ptr<Outbox> box;
  std::optional<Error> fatal;
  std::vector<AcknowledgedEntry::Refused> refused;
  int streams = 0, rooms = 0, answers_lost = 0;
  bool congested_at_first = false;  ///< when it was opened, before anything was written
  std::uint64_t segment_bytes = 64u << 10;
  std::int64_t sync_delay_ns = 0;  ///< what is written meanwhile goes into one block

 private:
  const Lane lane_;
};

}  // namespace thalweg::gate::test
