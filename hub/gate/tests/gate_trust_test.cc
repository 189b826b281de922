// gate_trust_test.cc: what a gate believes of the manifest that its hub hands out.
#include "gate/gate_trust.h"

#include <catch2/catch.hpp>

#include "gate_fixture.h"

using namespace thalweg;
using namespace thalweg::gate;
using namespace thalweg::gate::test;

namespace {

/// A gate of 510521 that knows its hub by the card.
struct Believer {
  Believer() {
    card.hub = "laixi-hub";
    card.ledger_id[0] = 7;
    card.signing = hub.public_key();
    trust = must(GateTrust::open(files, "/pins.json", clock, &card, {}));
  }
  /// As the hub would sign it for this gate.
  trust::Manifest manifest(std::uint64_t version = 3) const {
    trust::Manifest out;
    out.ledger_id = card.ledger_id;
    out.party = "510521";
    out.version = version;
    out.region = R"({"version":)" + std::to_string(version) + "}";
    out.signing = card.signing;
    return out;
  }
  Code learn(const trust::Manifest& content, const trust::SigningKey& key) {
    return learn(must(trust::sign(content, key)).document());
  }
  Code learn(const trust::Manifest& content) { return learn(content, hub); }
  Code learn(const std::string& document) {
    const Status learned = trust->learn_manifest(as_bytes(document), "510521");
    return learned ? Code::kOk : learned.error().code;
  }

  FaultyFiles files;
  FakeClock clock;
  const trust::SigningKey hub = trust::SigningKey::generate();
  trust::HubCard card;
  std::unique_ptr<GateTrust> trust;
};

}  // namespace

TEST_CASE("a manifest that the hub has signed for this party is believed, and a newer one takes its place") {
  Believer gate;
  CHECK(gate.trust->manifest().empty());
  CHECK(gate.learn(gate.manifest(3)) == Code::kOk);
  CHECK(gate.trust->manifest() == R"({"version":3})");
  CHECK(gate.learn(gate.manifest(3)) == Code::kOk);  // both lanes bring it
  CHECK(gate.learn(gate.manifest(4)) == Code::kOk);
  CHECK(gate.trust->manifest() == R"({"version":4})");
}

TEST_CASE("a manifest with another signature than the hub's is not believed, whatever it says of the signer") {
  Believer gate;
  REQUIRE(gate.learn(gate.manifest(3)) == Code::kOk);
  const trust::SigningKey thief = trust::SigningKey::generate();
  trust::Manifest forged = gate.manifest(4);
  forged.signing = thief.public_key();
  CHECK(gate.learn(forged, thief) == Code::kKeyUnknown);

  // The hub's own, with one character of it changed: payload, name of the signer or signature.
  const std::string good = must(trust::sign(gate.manifest(4), gate.hub)).document();
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string changed = good;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    CHECK(gate.learn(changed) != Code::kOk);
  }
  CHECK(gate.trust->manifest() == R"({"version":3})");
  CHECK(gate.learn(good) == Code::kOk);
}

TEST_CASE("a manifest for another party, or of another ledger, is not believed though the hub has signed it") {
  Believer gate;
  trust::Manifest other = gate.manifest();
  other.party = "500153";
  CHECK(gate.learn(other) == Code::kDenied);
  other = gate.manifest();
  other.ledger_id[0] = 8;
  CHECK(gate.learn(other) == Code::kLedgerForeign);
  CHECK(gate.trust->manifest().empty());
}

TEST_CASE("a manifest of an older region version is not believed, unless a restored hub began a new epoch") {
  Believer gate;
  REQUIRE(gate.learn(gate.manifest(3)) == Code::kOk);
  CHECK(gate.learn(gate.manifest(2)) == Code::kExists);
  CHECK(gate.trust->manifest() == R"({"version":3})");
  trust::Manifest restored = gate.manifest(2);
  restored.epoch = 1'790'000'000;
  CHECK(gate.learn(restored) == Code::kOk);
  CHECK(gate.trust->manifest() == R"({"version":2})");
  CHECK(gate.learn(gate.manifest(3)) == Code::kExists);
}

TEST_CASE("a gate without its hub's card believes no manifest") {
  Believer gate;
  gate.trust = must(GateTrust::open(gate.files, "/pins.json", gate.clock, nullptr, {}));
  CHECK(gate.learn(gate.manifest()) == Code::kKeyUnknown);
}
