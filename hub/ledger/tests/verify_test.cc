// A ledger with keys, parcels and settlements, and every way in which it can be wrong.
#include "ledger/verify.h"

#include <catch2/catch.hpp>

#include "ledger/entries.h"
#include "model/parcel.h"
#include "support/faulty_files.h"
#include "support/ledger_script.h"
#include "trust/certificate.h"
#include "trust/checkpoint.h"
#include "trust/seal.h"
#include "trust/settlement.h"

using namespace thalweg;
using namespace thalweg::ledger;

namespace {

const Path kFolder = "/ledger";
constexpr std::int64_t kNow = 1'790'114'400'000'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;

trust::SigningKey key_of(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(seed);
  return trust::SigningKey::from_seed(bytes);
}

/// Writes a hub's ledger by hand, so that a test can write a wrong one.
struct Writer {
  FaultyFiles files;
  trust::SigningKey hub = key_of(1), identity = key_of(2), gate = key_of(3);
  std::unique_ptr<SegmentLog> log;
  std::uint64_t number = 0;
  Hash256 root{};
  std::uint64_t sequence = 0;
  std::vector<Hash256> roots;  // of the deliveries
  std::int64_t time = kNow;

  explicit Writer(std::uint64_t segment_bytes = 1u << 20) {
    Genesis genesis;
    genesis.hub = "hub";
    genesis.signing_key = hub.public_key().bytes;
    SegmentOptions options = small_segments(segment_bytes);
    options.genesis = encode(genesis);
    options.genesis_time_unix_ns = kNow;
    options.opener = [this](const BlockInfo& last) -> Result<Bytes> {
      return trust::sign_checkpoint({log->id(), Lane::kRoutine, last.epoch, last.number, last.hash, last.time_unix_ns},
                                    hub);
    };
    auto opened = SegmentLog::open(files, kFolder, options);
    REQUIRE(opened.has_value());
    log = *std::move(opened);
    certify(1);
  }
  void add(EntryType type, const Bytes& bytes, ByteView more = {}) {
    const EntryRef entry{static_cast<std::uint8_t>(type), bytes, more};
    REQUIRE(log->append({&entry, 1}, time += kSecond).has_value());
  }
  void certify(std::uint64_t serial) {
    trust::GateCertificate c;
    c.party = "500153";
    c.gate = "g1";
    c.serial = serial;
    c.identity = identity.public_key();
    c.signing = gate.public_key();
    c.curve_z85 = trust::CurveKeyPair::generate().public_z85;
    c.valid_from_unix_ns = kNow;
    c.valid_to_unix_ns = kNow + 3600 * kSecond;
    auto document = trust::sign(c, identity);
    if (!document) FAIL(document.error().message);
    add(EntryType::kCertificate, Bytes(document->document().begin(), document->document().end()));
  }
  void revoke() {
    trust::Revocation r;
    r.party = "500153";
    r.gate = "g1";
    r.serial = 1;
    r.revoked_at_unix_ns = kNow;
    r.signer = identity.public_key();
    auto document = trust::sign(r, identity);
    if (!document) FAIL(document.error().message);
    add(EntryType::kRevocation, Bytes(document->document().begin(), document->document().end()));
  }
  ParcelHeader next_header() {
    ParcelHeader header;
    header.ledger_id = log->id();
    header.party = "500153";
    header.gate = "g1";
    header.incarnation.bytes[0] = 7;
    header.number = ++number;
    header.previous_root = root;
    header.sent_unix_ns = time;
    return header;
  }
  void parcel(ParcelHeader header, bool with_right_key = true) {
    const Bytes a = some_bytes(header.number, 200), b = some_bytes(header.number + 1000, 300);
    const ByteView records[] = {a, b};
    auto bytes = trust::seal_parcel(header, records, with_right_key ? gate : identity, Compression::kNone);
    REQUIRE(bytes.has_value());
    root = header.merkle_root;
    Decision d;
    d.grants.push_back({"a", 1, 0, {{0, 2}}, {"500153"}});
    d.sequences.push_back({"500153", ++sequence});
    roots.push_back(root);
    add(EntryType::kParcel, encode_parcel_head({}, d), *bytes);
  }
  void parcel() { parcel(next_header()); }
  Settlement settlement(std::uint64_t up_to = 1, std::optional<Hash256> with_root = {}) {
    Settlement s;
    s.receiver = "500153";
    s.gate = "g1";
    s.sequence = s.taken_sequence = up_to;
    s.root = with_root ? *with_root : roots.at(up_to - 1);
    const Bytes statement =
        trust::statement_bytes({log->id(), Lane::kRoutine, s.receiver, s.gate, s.epoch, up_to, up_to, 0, s.root});
    s.signature = gate.sign(trust::domain::kSettlement, {statement});
    return s;
  }
  VerifyReport report(VerifyOptions options = {}) {
    auto done = verify_ledger(files, kFolder, options);
    if (!done) FAIL(done.error().message);
    return *std::move(done);
  }
  void check_fault(Code code, VerifyOptions options = {}) {
    const VerifyReport r = report(std::move(options));
    REQUIRE(r.fault.has_value());
    CAPTURE(r.fault->message);
    CHECK(r.fault->code == code);
    CHECK(r.fault->block == log->head().number);
    CHECK(r.fault->offset > 0);
  }
};

}  // namespace

TEST_CASE("a whole ledger is found to be so, and everything in it is counted", "[ledger][verify]") {
  Writer w(4000);
  for (int i = 0; i < 20; ++i) w.parcel();
  w.add(EntryType::kSettlement, encode(w.settlement()));
  w.add(EntryType::kAct, encode(Act{"who", "what", kNow, "{}"}));
  w.add(EntryType::kRegionVersion, encode(RegionVersion{1, "who", {}}));
  w.revoke();
  std::uint64_t done = 0, total = 0;
  VerifyOptions options;
  options.hub_key = w.hub.public_key().bytes;
  options.witness = std::pair(w.log->head().number, w.log->head().hash);
  options.progress = [&](std::uint64_t d, std::uint64_t t) { done = d, total = t; };
  const VerifyReport r = w.report(options);
  if (r.fault) FAIL(r.fault->message);
  CHECK(r.from_genesis);
  CHECK(r.ledger_id == w.log->id());
  CHECK(r.last_hash == w.log->head().hash);
  CHECK(r.blocks == w.log->head().number);
  CHECK(r.parcels == 20);
  CHECK(r.records == 40);
  CHECK(r.settlements == 1);
  CHECK(r.checkpoints == w.log->segments().size() - 1);
  CHECK(r.signatures == 20 + 1 + 2 + r.checkpoints);
  CHECK(r.unproven == 0);
  CHECK(r.streams == 1);
  CHECK(r.receivers == 1);
  CHECK(done == total);
}

TEST_CASE("a ledger whose front was dropped is verified from its first checkpoint", "[ledger][verify]") {
  Writer w(4000);
  for (int i = 0; i < 20; ++i) w.parcel();
  REQUIRE(w.log->drop_before(w.log->segments()[2].first_block).has_value());
  VerifyOptions options;
  options.hub_key = w.hub.public_key().bytes;
  const VerifyReport r = w.report(options);
  if (r.fault) FAIL(r.fault->message);
  CHECK_FALSE(r.from_genesis);
  CHECK(r.first_block == w.log->first_block());
  CHECK(r.ledger_id == w.log->id());
  CHECK(r.unproven == r.parcels);  // the certificate stood in front
  CHECK(r.signatures == r.checkpoints);
  options.hub_key = w.identity.public_key().bytes;
  CHECK(w.report(options).fault->code == Code::kProofInvalid);
}

TEST_CASE("a summary carries keys and ends over what was dropped, and must be true where that is still there",
          "[ledger][verify]") {
  Writer w(4000);
  const Bytes genesis(w.log->read(1).value()->entries[0].bytes.begin(), w.log->read(1).value()->entries[0].bytes.end());
  const ByteView certificate = w.log->read(2).value()->entries[0].bytes;
  Summary summary;
  summary.genesis = genesis;
  summary.genesis_unix_ns = kNow;
  summary.documents.push_back({EntryType::kCertificate, w.time, Bytes(certificate.begin(), certificate.end())});
  for (int i = 0; i < 20; ++i) w.parcel();
  summary.as_of = w.log->head().number;
  Uuid incarnation;
  incarnation.bytes[0] = 7;
  summary.streams.push_back({"500153", "g1", incarnation, w.number, w.root});
  summary.receivers.push_back({"500153", w.sequence, 0, 0, 0, 0, {}});
  SECTION("true, with its front dropped: what comes behind it is proven again, without the hub's card") {
    w.add(EntryType::kSummary, encode(summary));
    const std::uint64_t kept = w.log->segment_of(w.log->head().number);
    w.parcel();
    CHECK(w.report().content());
    REQUIRE(w.log->drop_before(kept).has_value());
    const VerifyReport r = w.report();
    if (r.fault) FAIL(r.fault->message);
    CHECK_FALSE(r.from_genesis);
    CHECK(r.unproven < r.parcels + r.checkpoints);
    ParcelHeader gap = w.next_header();
    gap.number += 1;
    w.parcel(gap);
    w.check_fault(Code::kParcelGap);
  }
  SECTION("another end of a stream") {
    summary.streams[0].root[0] ^= 1;
    w.add(EntryType::kSummary, encode(summary));
    w.check_fault(Code::kLedgerFormat);
  }
  SECTION("a stream that there never was") {
    summary.streams.push_back({"500153", "g2", incarnation, 0, {}});
    w.add(EntryType::kSummary, encode(summary));
    w.check_fault(Code::kLedgerFormat);
  }
  SECTION("deliveries that never were") {
    summary.receivers[0].delivered += 1;
    w.add(EntryType::kSummary, encode(summary));
    w.check_fault(Code::kLedgerFormat);
  }
  SECTION("the genesis of another ledger, when nothing else says which it is") {
    summary.genesis_unix_ns += 1;
    w.add(EntryType::kSummary, encode(summary));
    REQUIRE(w.log->drop_before(w.log->segment_of(w.log->head().number)).has_value());
    w.check_fault(Code::kProofInvalid);
  }
}

TEST_CASE("any flipped byte of a ledger is found, with its file, block and a place at or before it",
          "[ledger][verify]") {
  Writer w(3000);
  for (int i = 0; i < 6; ++i) w.parcel();
  w.add(EntryType::kSettlement, encode(w.settlement()));
  for (const Path& path : w.files.all_files()) {
    if (path.extension() != ".seg") continue;
    const bool active = path.filename() == w.log->segments().back().file;
    const std::uint64_t size = active ? w.log->segments().back().bytes : w.files.content(path).size();
    for (std::uint64_t at = 0; at < size; at += 7) {
      auto damaged = w.files.copy();
      damaged->flip_byte(path, at, 0x20);
      auto r = verify_ledger(*damaged, kFolder, {});
      REQUIRE(r.has_value());
      CAPTURE(path.string(), at);
      if (r->fault) {
        CHECK(r->fault->file == path.filename().string());
        CHECK(r->fault->offset <= at);
      } else {
        REQUIRE(r->torn.has_value());  // only the last block can pass for one that was being written
        CHECK(r->torn->file == path.filename().string());
        CHECK(r->torn->offset <= at);
        CHECK(active);
      }
    }
  }
}

TEST_CASE("what is well formed and chained but untrue is named", "[ledger][verify]") {
  Writer w;
  w.parcel();
  SECTION("a parcel signed by another key") {
    w.parcel(w.next_header(), false);
    w.check_fault(Code::kParcelSignature);
  }
  SECTION("a parcel number left out") {
    ParcelHeader header = w.next_header();
    header.number += 1;
    w.parcel(header);
    w.check_fault(Code::kParcelGap);
  }
  SECTION("a parcel that follows another history") {
    ParcelHeader header = w.next_header();
    header.previous_root[0] ^= 1;
    w.parcel(header);
    w.check_fault(Code::kParcelConflict);
  }
  SECTION("a parcel for another ledger") {
    ParcelHeader header = w.next_header();
    header.ledger_id[0] ^= 1;
    w.parcel(header);
    w.check_fault(Code::kParcelLedger);
  }
  SECTION("a parcel of the other lane") {
    ParcelHeader header = w.next_header();
    header.lane = Lane::kUrgent;
    w.parcel(header);
    w.check_fault(Code::kLedgerFormat);
  }
  SECTION("a parcel of an unknown gate") {
    ParcelHeader header = w.next_header();
    header.gate = "g2";
    w.parcel(header);
    w.check_fault(Code::kKeyUnknown);
  }
  SECTION("a parcel after the gate was revoked; those before stay good") {
    w.revoke();
    CHECK(w.report().content());
    w.parcel();
    w.check_fault(Code::kKeyRevoked);
  }
  SECTION("a parcel after the certificate ended") {
    w.time += 4000 * kSecond;
    w.parcel();
    w.check_fault(Code::kKeyExpired);
  }
  SECTION("a delivery left out") {
    ++w.sequence;
    w.parcel();
    w.check_fault(Code::kLedgerFormat);
  }
  SECTION("a settlement signed by nobody") {
    Settlement s = w.settlement();
    s.sequence += 1;
    w.add(EntryType::kSettlement, encode(s));
    w.check_fault(Code::kSettlementInvalid);
  }
  SECTION("a settlement of another delivery than the one with that number") {
    w.parcel();
    w.add(EntryType::kSettlement, encode(w.settlement(1)));
    w.add(EntryType::kSettlement, encode(w.settlement(2)));
    w.add(EntryType::kSettlement, encode(w.settlement(1)));  // as from an inbox set back to an older copy
    w.parcel();
    w.add(EntryType::kSettlement, encode(w.settlement(3, Hash256{})));  // withdrawn: no root
    CHECK(w.report().content());
    w.parcel();
    w.add(EntryType::kSettlement, encode(w.settlement(4, w.roots[2])));
    w.check_fault(Code::kSettlementInvalid);
  }
  SECTION("a settlement of a delivery that never was") {
    w.add(EntryType::kSettlement, encode(w.settlement(2, Hash256{})));
    w.check_fault(Code::kSettlementInvalid);
  }
  SECTION("a checkpoint by another key") {
    const BlockInfo head = w.log->head();
    w.add(EntryType::kCheckpoint,
          trust::sign_checkpoint({w.log->id(), Lane::kRoutine, 0, head.number, head.hash, kNow}, w.gate));
    w.check_fault(Code::kProofInvalid);
  }
  SECTION("a checkpoint over another history") {
    const BlockInfo head = w.log->head();
    w.add(EntryType::kCheckpoint,
          trust::sign_checkpoint({w.log->id(), Lane::kRoutine, 0, head.number, Hash256{}, kNow}, w.hub));
    w.check_fault(Code::kProofInvalid);
  }
  SECTION("a hub with another key than the asker knows") {
    VerifyOptions options;
    options.hub_key = w.gate.public_key().bytes;
    const VerifyReport r = w.report(options);
    REQUIRE(r.fault.has_value());
    CHECK(r.fault->code == Code::kLedgerForeign);
    CHECK(r.fault->block == 1);
  }
  SECTION("another history than the one a gate witnessed") {
    VerifyOptions options;
    options.witness = std::pair(w.log->head().number, Hash256{});
    w.check_fault(Code::kProofInvalid, options);
  }
  SECTION("a ledger that ends before what a gate witnessed") {
    VerifyOptions options;
    options.witness = std::pair(w.log->head().number + 5, Hash256{});
    const VerifyReport r = w.report(options);
    REQUIRE(r.fault.has_value());
    CHECK(r.fault->code == Code::kLedgerBehind);
  }
  SECTION("an entry of no known type") {
    const Bytes bytes{1};
    const EntryRef entry{99, bytes};
    REQUIRE(w.log->append({&entry, 1}, w.time).has_value());
    w.check_fault(Code::kLedgerFormat);
    VerifyOptions chain;
    chain.chain_only = true;
    CHECK(w.report(chain).content());
  }
}

TEST_CASE("a segment that is missing from the middle is named by the one behind it", "[ledger][verify]") {
  Writer w(3000);
  for (int i = 0; i < 12; ++i) w.parcel();
  const auto segments = w.log->segments();
  REQUIRE(segments.size() > 3);
  REQUIRE(w.files.remove(kFolder / segments[1].file));
  const VerifyReport r = w.report();
  REQUIRE(r.fault.has_value());
  CHECK(r.fault->file == segments[2].file);
}

TEST_CASE("damage in a compressed segment is named with block, file and the offset there of what does not expand",
          "[ledger][verify]") {
  Writer w(2u << 20);
  // Records of random bytes do not shrink, so that the segment would stay as it is: a region does.
  const std::string text(120'000, 'x');
  for (int i = 0; i < 40; ++i)
    w.add(EntryType::kRegionVersion, encode(RegionVersion{1, "who", {{"region.toml", text}}}));
  REQUIRE(w.log->segments().size() > 2);
  REQUIRE(w.log->compress_one().value() == true);
  const std::string name = w.log->segments().front().file;
  REQUIRE(name.ends_with(".segz"));
  const std::uint64_t last = w.log->segments().front().last_block;
  const std::uint64_t size = w.files.content(kFolder / name).size();
  REQUIRE(w.report().content());
  for (std::uint64_t at = 0; at < size; at += 97) {
    CAPTURE(at, size);
    auto damaged = w.files.copy();
    damaged->flip_byte(kFolder / name, at, 0x20);
    const auto r = verify_ledger(*damaged, kFolder, {});
    REQUIRE(r.has_value());
    REQUIRE(r->fault.has_value());
    CHECK(r->fault->file == name);
    CHECK(r->fault->offset <= at);
    CHECK(r->fault->block <= last);
    if (at >= 40) CHECK(r->fault->offset >= 40);  // behind the header of the file
  }
}
