// inbox_fixture.h: an inbox on a disk that can lose power, with an origin that signs what it delivers.
#pragma once

#include "gate_fixture.h"

namespace thalweg::gate::test {

class InboxBench {
 public:
  InboxBench() {
    header.party = "500153";
    header.gate = "gate-1";
    header.incarnation.bytes[0] = 1;
    trust = must(GateTrust::open(*pins, "/pins.json", clock, nullptr, {}));
    must(trust->learn_certificate(as_bytes(certificate("gate-1"))));
  }
  ~InboxBench() { close(); }

  std::string certificate(const std::string& gate) {
    trust::GateCertificate out;
    out.party = "500153";
    out.gate = gate;
    out.serial = 1;
    out.identity = identity.public_key();
    out.signing = signer(gate).public_key();
    out.curve_z85 = trust::CurveKeyPair::generate().public_z85;
    out.valid_from_unix_ns = FakeClock::kStart_unix_ns - 3600'000'000'000;
    out.valid_to_unix_ns = FakeClock::kStart_unix_ns + 3600'000'000'000;
    return must(trust::sign(out, identity)).document();
  }
  const trust::SigningKey& signer(const std::string& gate) {
    return signers.try_emplace(gate, trust::SigningKey::generate()).first->second;
  }

  Status open() {
    receipts = std::make_unique<ReceiptBook>();
    loop = std::make_unique<Loop>("test");
    InboxOptions options;
    options.lock_folder = false;
    options.segment_bytes = segment_bytes;
    options.sinks = sinks;
    options.on_taken = [this](std::uint64_t bytes) { given_back += bytes; };
    options.on_stand = [this](const InboxStand& stand) { stands.push_back(stand); };
    options.on_block = [this] {
      if (on_block) on_block();
    };
    options.on_fatal = [this](const Error& error) { fatal = error; };
    auto opened =
        Inbox::open(*files, config_.inbox_folder(Lane::kRoutine), clock, *loop, config_, *trust, *receipts, options);
    if (!opened) return Error(std::move(opened).error());
    box = *std::move(opened);
    return {};
  }
  void close() {
    box.reset();
    loop.reset();
  }
  void run_until(const std::function<bool()>& done) {
    while (!done()) loop->io().run_one();
  }
  /// Waits until what the log was given has come to its end. Its last entry may be refused at once, because one before
  /// it failed: then the outcome of that one is still to come.
  void settle_all() {
    bool passed = false;
    box->write(InboxType::kTaken, TakenEntry{0}.encode(), [&passed](const Error*) { passed = true; });
    run_until([&] { return passed && box->under_way() == 0; });
  }
  void welcome(std::uint64_t epoch, std::uint64_t next) {
    link::Welcome welcome;
    welcome.epoch = epoch;
    welcome.next_sequence = next;
    epoch_ = epoch;
    box->on_welcome(welcome);
  }
  /// A sealed parcel of observations, one per key.
  Bytes parcel(std::uint64_t number, const std::vector<std::string>& keys, const std::string& exercise = {}) {
    std::vector<Bytes> records;
    for (const std::string& key : keys) {
      const std::string data = samples::observation_data();
      Draft draft;
      draft.id = record_id_for(1'790'114'400'000, "500153", "test", key);
      draft.party = "500153";
      draft.type = kObservation;
      draft.subject = "laixi-gaodong";
      draft.time = "2026-09-23T06:00:00+08:00";
      draft.exercise = exercise;
      draft.submitter = "test";
      draft.data_json = data;
      records.emplace_back();
      must(build_record(draft, records.back()));
    }
    return sealed(number, records);
  }
  Bytes sealed(std::uint64_t number, const std::vector<Bytes>& records) {
    ParcelHeader made = header;
    made.number = number;
    made.sent_unix_ns = FakeClock::kStart_unix_ns;
    const std::vector<ByteView> views(records.begin(), records.end());
    return must(trust::seal_parcel(made, views, signer(header.gate), Compression::kLz4));
  }
  Bytes part(const Bytes& whole, const std::vector<std::uint32_t>& indexes) {
    const ParcelView view = must(ParcelView::parse(whole));
    const ParcelBody body = must(ParcelBody::expand(view));
    return must(trust::make_part(view, body, indexes, Compression::kLz4));
  }
  /// Hands it in and waits until it is settled or lost.
  Status deliver(std::uint64_t sequence, const Bytes& parcel, std::uint64_t epoch = 0, std::uint8_t flags = 0) {
    Delivery delivery;
    delivery.epoch = epoch != 0 ? epoch : epoch_;
    delivery.sequence = sequence;
    delivery.flags = flags;
    delivery.block_unix_ns = FakeClock::kStart_unix_ns;
    Grant grant;
    grant.agreement = "laixi-data";
    grant.version = 3;
    grant.records = {{0, 4096}};
    delivery.grants = {grant};
    delivery.parcel = parcel;
    Bytes bytes;
    delivery.encode(bytes);
    handed_in += bytes.size();
    TW_TRY(box->on_delivery(sequence, std::move(bytes)));
    settle_all();
    return {};
  }

  std::shared_ptr<FaultyFiles> files = std::make_shared<FaultyFiles>();
  std::shared_ptr<FaultyFiles> pins = std::make_shared<FaultyFiles>();
  FakeClock clock;
  GateConfig config_ = config();
  std::unique_ptr<ReceiptBook> receipts;
  trust::SigningKey identity = trust::SigningKey::generate();
  std::map<std::string, trust::SigningKey> signers;
  std::unique_ptr<GateTrust> trust;
  ParcelHeader header;
  std::vector<std::string> sinks;
  std::unique_ptr<Loop> loop;
  std::unique_ptr<Inbox> box;
  std::vector<InboxStand> stands;
  std::uint64_t handed_in = 0, given_back = 0;  ///< bytes of deliveries
  std::function<void()> on_block;
  std::uint64_t segment_bytes = 64u << 10;
  std::optional<Error> fatal;

 private:
  std::uint64_t epoch_ = 1;
};

}  // namespace thalweg::gate::test
