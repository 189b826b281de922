// own_gate.h: a gate whose every word is the test's: the keys of an enrolled one, its line to the hub, no boxes.
#pragma once

#include <catch2/catch.hpp>

#include "base/loop.h"
#include "link/gate_link.h"
#include "support/exchange.h"
#include "trust/seal.h"
#include "trust/settlement.h"

namespace thalweg {

/// Keeps one session, and comes back by itself only after minutes. Another OwnGate with the same keys replaces it.
class OwnGate {
 public:
  /// `name`: folder of an enrolled gate that does not run; `change`: what HELLO says of its boxes.
  OwnGate(Exchange& exchange, const std::string& name, const std::function<void(link::Hello&)>& change = {},
          Lane lane = Lane::kRoutine)
      : signing_(must(trust::SigningKey::load(exchange.path(name) / "keys" / "signing.key"))) {
    std::vector<gate::ConfigMistake> mistakes;
    const auto config = must(gate::GateConfig::load(real_files(), exchange.path(name) / "gate.toml", mistakes));
    const auto curve = must(trust::CurveKeyPair::load(exchange.path(name) / "keys" / "curve.key"));
    const auto card =
        must(trust::open_hub_card(must(read_file(real_files(), exchange.path("hub") / "hub.card", 65536))));
    hello_.party = config.party;
    hello_.gate = config.gate;
    hello_.lane = lane;
    hello_.incarnation = random_uuid_v7(system_clock());
    hello_.program = "test";
    if (change) change(hello_);
    link::GateLinkOptions options;
    options.lane = lane;
    options.hubs = {{exchange.hub().endpoint(lane), card->curve_z85}};
    options.curve_public_z85 = curve.public_z85;
    options.curve_secret_z85 = curve.secret_z85;
    options.backoff_first_ms = options.backoff_most_ms = 600'000;
    options.handshake_ms = 60'000;  // this one is all it has
    link::GateLinkEvents events;
    events.make_hello = [this] { return hello_; };
    events.on_welcome = [this](const link::Welcome& welcome) {
      welcome_ = welcome;
      return Code::kOk;
    };
    events.on_ack = [this](const link::Ack& ack) { acks_.push_back(ack); };
    events.on_delivery = [this](std::uint64_t sequence, const Bytes&) { delivered_ = sequence; };
    events.on_progress = [](const link::Progress&) {};
    events.on_found = [this](const link::Found& found) { found_ = found.request; };
    events.on_document = [](const link::Document&) {};
    events.on_room = [] {};
    events.on_down = [this](Code code, std::string_view text, std::string_view) {
      if (!ended_) ended_ = code;
      why_ = text;
    };
    loop_.start();
    link_ = must(link::GateLink::start(loop_, system_clock(), std::move(options), std::move(events)));
  }
  ~OwnGate() { link_->stop(); }

  /// True: it was let in; false: it was refused, `ended()` says with which code.
  bool in() {
    REQUIRE(eventually([&] { return loop_.run([&] { return welcome_ || ended_; }); }));
    return loop_.run([&] { return welcome_.has_value(); });
  }
  link::Welcome welcome() {
    REQUIRE(in());
    return loop_.run([&] { return *welcome_; });
  }
  std::optional<Code> ended() {
    return loop_.run([&] { return ended_; });
  }
  /// The code with which the session ended.
  Code end() {
    REQUIRE(eventually([&] { return ended().has_value(); }));
    INFO(loop_.run([&] { return why_; }));
    return *ended();
  }
  std::uint64_t delivered() {
    return loop_.run([&] { return delivered_; });
  }
  std::vector<link::Ack> acks() {
    return loop_.run([&] { return acks_; });
  }
  /// The hub's answer to parcel `number`.
  Code answer(std::uint64_t number) {
    link::Ack ack;
    REQUIRE(eventually([&] {
      for (link::Ack& one : acks())
        if (one.number == number) return ack = std::move(one), true;
      return false;
    }));
    INFO(ack.text);
    return ack.code;
  }

  /// A parcel of one record as it would be the next of this gate's stream.
  Bytes parcel(ByteView record) {
    ParcelHeader header;
    header.lane = hello_.lane;
    header.ledger_id = welcome().ledger_id;
    header.party = hello_.party;
    header.gate = hello_.gate;
    header.incarnation = hello_.incarnation;
    header.number = number_ + 1;
    header.previous_root = root_;
    header.sent_unix_ns = system_clock().wall_unix_ns();
    const ByteView records[] = {record};
    Bytes sealed = must(trust::seal_parcel(header, records, signing_, Compression::kNone));
    number_ = header.number;
    root_ = header.merkle_root;
    return sealed;
  }
  void send(std::uint64_t number, Bytes parcel) {
    const auto shared = std::make_shared<const Bytes>(std::move(parcel));
    REQUIRE(in());
    REQUIRE(loop_.run([&] { return link_->send_parcel(number, shared); }));
  }
  /// Waits until the hub has taken in all that was sent before.
  void sync() {
    link::Lookup lookup;
    lookup.request = ++asked_;
    REQUIRE(loop_.run([&] { return link_->lookup(lookup); }));
    REQUIRE(eventually([&] { return loop_.run([&] { return found_ == asked_; }); }));
  }
  /// Signed as the hub wants it, whatever it says.
  void settle(std::uint64_t sequence, std::uint64_t taken, const Hash256& root = {}) {
    const link::Welcome on = welcome();
    link::Settle settle;
    settle.epoch = on.epoch;
    settle.sequence = sequence;
    settle.taken = taken;
    settle.root = root;
    settle.algorithm = kEd25519;
    const Bytes statement = trust::statement_bytes(
        {on.ledger_id, hello_.lane, hello_.party, hello_.gate, on.epoch, sequence, taken, 0, root});
    const trust::Signature signature = signing_.sign(trust::domain::kSettlement, {statement});
    settle.signature.assign(signature.begin(), signature.end());
    REQUIRE(loop_.run([&] { return link_->settle(settle); }));
  }

 private:
  trust::SigningKey signing_;
  link::Hello hello_;
  std::uint64_t number_ = 0;
  Hash256 root_{};
  std::uint64_t asked_ = 0;
  std::optional<link::Welcome> welcome_;  // from here on: the loop's
  std::optional<Code> ended_;
  std::string why_;
  std::uint64_t delivered_ = 0, found_ = 0;
  std::vector<link::Ack> acks_;
  Loop loop_{"own-gate"};
  std::unique_ptr<link::GateLink> link_;
};

}  // namespace thalweg
