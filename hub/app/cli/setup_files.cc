#include "app/cli/setup_files.h"

#include <fmt/format.h>

#include "app/hub_store.h"
#include "region/load.h"

namespace thalweg::app {
namespace {

constexpr std::int64_t kSecond_ns = 1'000'000'000;
constexpr std::int64_t kDay_ns = 86'400 * kSecond_ns;

Status write_text(const Path& path, std::string_view text) {
  return write_file_atomically(real_files(), path, as_bytes(text));
}

/// A card or an enrolment file is carried to others by whoever is at hand: everybody may read it.
Status write_public(const Path& path, std::string_view text) {
  TW_TRY(write_text(path, text));
  std::error_code error;
  std::filesystem::permissions(path, std::filesystem::perms(0644), error);
  if (error) return Error{Code::kIo, "cannot make " + path.string() + " readable: " + error.message()};
  return {};
}

Status must_be_new(const Path& file) {
  if (!real_files().exists(file)) return {};
  return Error{Code::kExists, file.string() + " is there already; choose another folder"};
}

/// The next port, for the urgent lane of "HOST:PORT". Errors: kInvalid.
Result<std::string> next_port(const std::string& address) {
  const auto colon = address.rfind(':');
  int port = 0;
  if (colon != std::string::npos)
    for (const char c : address.substr(colon + 1))
      port = c >= '0' && c <= '9' && port < 100'000 ? port * 10 + (c - '0') : 100'000;
  if (port <= 0 || port > 65'534) return Error{Code::kInvalid, "'" + address + "' is not HOST:PORT"};
  return fmt::format("{}:{}", address.substr(0, colon), port + 1);
}

}  // namespace

Result<trust::HubCard> create_hub(const Clock& clock, const NewHub& wanted, std::string& mistakes) {
  FileSystem& files = real_files();
  const Path folder = std::filesystem::absolute(wanted.folder);
  TW_TRY(must_be_new(folder / "hub.toml"));
  std::vector<region::Mistake> wrong;
  auto loaded = region::load_folder(files, wanted.region, wrong);
  for (const region::Mistake& mistake : wrong) mistakes += mistake.text(wanted.language) + "\n";
  if (!loaded) return Error(std::move(loaded).error());
  const region::Region& region = **loaded;

  TW_TRY(files.create_folders(folder / "keys"));
  for (const auto& [name, text] : region.texts()) {
    TW_TRY(files.create_folders((folder / "region" / name).parent_path()));
    TW_TRY(write_text(folder / "region" / name, text));
  }
  const trust::SigningKey signing = trust::SigningKey::generate();
  TW_TRY(signing.save(folder / "keys" / "hub-signing.key"));
  const trust::CurveKeyPair curve = trust::CurveKeyPair::generate();
  TW_TRY(curve.save(folder / "keys" / "hub-curve.key"));

  // Both chains of the ledger begin with the same block.
  HubStore::Options options;
  options.genesis = HubStore::make_genesis(clock, region.hub().code, signing);
  options.genesis_unix_ns = clock.wall_unix_ns();
  trust::HubCard card;
  for (const Lane lane : {Lane::kRoutine, Lane::kUrgent}) {
    options.lane = lane;
    options.ledger_folder = folder / "state" / "ledger" / std::string(name(lane));
    options.derived_folder = folder / "state" / "derived" / std::string(name(lane));
    TW_ASSIGN(const auto store, HubStore::open(files, options, signing));
    card.ledger_id = store->log().id();
  }

  card.hub = region.hub().code;
  card.signing = signing.public_key();
  card.curve_z85 = curve.public_z85;
  card.addresses = {{fmt::format("{}:{}", wanted.public_host, wanted.routine_port),
                     fmt::format("{}:{}", wanted.public_host, wanted.urgent_port)}};
  card.issued_unix_ns = clock.wall_unix_ns() / kSecond_ns * kSecond_ns;
  TW_ASSIGN(const auto document, trust::sign(card, signing));
  TW_TRY(write_public(folder / "hub.card", document.document()));
  TW_TRY(
      write_text(folder / "hub.toml",
                 fmt::format(R"(# The hub of region {0}. Every key: docs/operate.md. 交换中枢配置
format = 1
region = "region"   # folder of the region's files; after a change: thalweg reload
keys = "keys"       # private keys, readable by their owner only
state = "state"     # ledgers: back this folder up
operators = []      # users who may use the admin socket, beside root and the hub's own

[listen]
address = "{1}"
routine_port = {2}  # gates need both ports, outbound
urgent_port = {3}

[http]
address = "127.0.0.1"
port = {4}          # /metrics and /healthz; 0: none
)",
                             region.code(), wanted.listen, wanted.routine_port, wanted.urgent_port, wanted.http_port)));
  return card;
}

Result<CreatedGate> create_gate(const Clock& clock, const NewGate& wanted) {
  FileSystem& files = real_files();
  const Path folder = std::filesystem::absolute(wanted.folder);
  TW_TRY(must_be_new(folder / "gate.toml"));
  if (!valid_code(wanted.party) || !valid_code(wanted.gate))
    return Error{Code::kInvalid, "party and gate are codes: 1 to 64 of 0-9 A-Z a-z . _ -"};
  std::string addresses;
  if (!wanted.hub.empty()) {
    TW_ASSIGN(const std::string urgent, next_port(wanted.hub));
    addresses = fmt::format("routine = [\"{}\"]\nurgent = [\"{}\"]\n", wanted.hub, urgent);
  }
  Bytes card;
  if (wanted.card) {
    TW_ASSIGN(card, read_file(files, *wanted.card, trust::kMaxDocumentBytes));
    TW_TRY(trust::open_hub_card(card));
  }

  TW_TRY(files.create_folders(folder / "keys"));
  CreatedGate out;
  std::optional<trust::SigningKey> identity;
  if (wanted.identity) {
    TW_ASSIGN(identity, trust::SigningKey::load(*wanted.identity));
  } else {
    identity = trust::SigningKey::generate();
    TW_TRY(identity->save(folder / "identity.key"));
    out.new_identity = true;
  }
  const trust::SigningKey signing = trust::SigningKey::generate();
  TW_TRY(signing.save(folder / "keys" / "signing.key"));
  const trust::CurveKeyPair curve = trust::CurveKeyPair::generate();
  TW_TRY(curve.save(folder / "keys" / "curve.key"));

  trust::GateCertificate& certificate = out.certificate;
  certificate.party = wanted.party;
  certificate.gate = wanted.gate;
  const std::int64_t now = clock.wall_unix_ns() / kSecond_ns * kSecond_ns;
  // Seconds count up by themselves: nobody need know the serial of the machine that is replaced.
  certificate.serial = static_cast<std::uint64_t>(now / kSecond_ns);
  certificate.identity = identity->public_key();
  certificate.signing = signing.public_key();
  certificate.curve_z85 = curve.public_z85;
  certificate.valid_from_unix_ns = now - 3600 * kSecond_ns;  // clocks of the two machines may differ
  certificate.valid_to_unix_ns = now + wanted.valid_days * kDay_ns;
  certificate.receives = wanted.receives;
  TW_ASSIGN(const auto document, trust::sign(certificate, *identity));
  TW_TRY(write_text(folder / "keys" / "gate.cert", document.document()));
  out.enrolment = folder / fmt::format("enrol-{}-{}.json", wanted.party, wanted.gate);
  TW_TRY(write_public(out.enrolment, document.document()));
  if (!card.empty()) TW_TRY(write_text(folder / "hub.card", as_text(card)));

  TW_TRY(write_text(folder / "gate.toml", fmt::format(R"(# The gate of party {0}. Every key: docs/operate.md. 前置端配置
party = "{0}"
gate = "{1}"
keys = "keys"       # private keys, readable by their owner only
state = "state"     # outbox and inbox: on a disk of its own if possible
plugins = "{3}" # one folder per adapter
people = []         # users who may use the local socket, beside root and the gate's own

[hub]
card = "hub.card"   # the hub's public file: thalweg gate trust FILE
{2}
# One table for each adapter instance; samples are in the adapters' folders.
# [[adapter]]
# instance = "stations"
# plugin = "hj212"
# lanes = ["routine"]
# submit = {{ types = ["thalweg.section.observation.v1"] }}
# config_file = "stations.json"
)",
                                                      wanted.party, wanted.gate, addresses, wanted.plugins.string())));
  return out;
}

}  // namespace thalweg::app
