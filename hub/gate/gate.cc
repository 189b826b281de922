// gate.cc: see gate.h.
#include "gate/gate.h"

#include <pwd.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/prompt_threads.h"
#include "gate/gate_lane.h"
#include "gate/people_desk.h"

namespace thalweg::gate {

using nlohmann::json;

Result<GatePapers> GatePapers::load(FileSystem& files, const GateConfig& config) {
  auto signing = trust::SigningKey::load(config.keys / "signing.key");
  if (!signing) return Error(std::move(signing).error()).in("the gate's signing key (thalweg init gate makes it)");
  auto curve = trust::CurveKeyPair::load(config.keys / "curve.key");
  if (!curve) return Error(std::move(curve).error()).in("the gate's link key (thalweg init gate makes it)");
  auto document = read_file(files, config.hub_card, trust::kMaxDocumentBytes);
  if (!document) return Error(std::move(document).error()).in("the hub's card (the hub's operator hands it out)");
  auto card = trust::open_hub_card(*document);
  if (!card) return Error(std::move(card).error()).in(config.hub_card.string());
  GatePapers papers{*std::move(signing), *std::move(curve), card->content(), std::nullopt};
  const Path own = config.keys / "gate.cert";
  if (!files.exists(own)) return papers;
  TW_ASSIGN(const Bytes bytes, read_file(files, own, trust::kMaxDocumentBytes));
  auto certificate = trust::open_certificate(bytes);
  if (!certificate) return Error(std::move(certificate).error()).in(own.string());
  const trust::GateCertificate& says = certificate->content();
  if (says.party != config.party || says.gate != config.gate)
    return Error{Code::kCertificateInvalid, own.string() + " is of " + says.party + "/" + says.gate +
                                                ", gate.toml says " + config.party + "/" + config.gate};
  if (says.signing != papers.signing.public_key() || says.curve_z85 != papers.curve.public_z85)
    return Error{Code::kCertificateInvalid, own.string() + " is of other keys than those beside it"};
  papers.identity = says.identity.fingerprint();
  return papers;
}

Gate::Gate(std::unique_ptr<GateShared> shared) : shared_(std::move(shared)) {}

Result<std::unique_ptr<Gate>> Gate::start(FileSystem& files, const Clock& clock, GateConfig config, Options options) {
  TW_ASSIGN(auto papers, GatePapers::load(files, config));
  TW_ASSIGN(auto schemas, SchemaSet::load_builtin());
  auto shared = std::make_unique<GateShared>(files, clock, std::move(config), std::move(schemas), std::move(papers));
  shared->program = std::move(options.program);
  shared->tuning = options.tuning;
  shared->runner = shared->config.runner.empty() ? std::move(options.runner) : shared->config.runner;
  shared->on_stop_asked = std::move(options.on_stop_asked);
  shared->on_fatal = std::move(options.on_fatal);
  shared->people = {::geteuid()};
  if (::geteuid() != 0) shared->people.push_back(0);
  for (const std::string& user : shared->config.people) {
    const passwd* entry = ::getpwnam(user.c_str());
    if (entry == nullptr) return Error{Code::kConfig, "people: there is no user '" + user + "' on this machine"};
    shared->people.push_back(entry->pw_uid);
  }
  TW_TRY(files.create_folders(shared->config.state));
  TW_TRY(files.sync_folder(shared->config.state.parent_path()));
  TW_ASSIGN(shared->trust, GateTrust::open(files, shared->config.state / "pins.json", clock, &shared->papers.card,
                                           shared->config.pins));
  if (const auto& identity = shared->papers.identity) TW_TRY(shared->trust->pin_own(shared->config.party, *identity));

  std::unique_ptr<Gate> self(new Gate(std::move(shared)));
  for (Lane lane : kLanes) {
    self->lanes_[static_cast<std::size_t>(lane)] = std::make_unique<GateLane>(*self->shared_, lane);
  }
  self->lanes_[0]->set_other(self->lanes_[1].get());
  self->lanes_[1]->set_other(self->lanes_[0].get());
  for (Lane lane : kLanes) {
    const PromptThreads prompt(lane == Lane::kUrgent);
    if (Status opened = self->lane(lane).open(); !opened) {
      return Error(std::move(opened).error()).in(std::string(name(lane)) + " lane");
    }
  }
  return self;
}

Gate::~Gate() {
  for (Lane lane : kLanes) {
    if (auto& one = lanes_[static_cast<std::size_t>(lane)]) one->stop();
  }
  shared_->readers.join();
}

const GateConfig& Gate::config() const { return shared_->config; }
GateLane& Gate::lane(Lane lane) { return *lanes_[static_cast<std::size_t>(lane)]; }

json Gate::status() const {
  json out = {{"ok", true},
              {"party", shared_->config.party},
              {"gate", shared_->config.gate},
              {"program", shared_->program},
              {"lanes", json::array()}};
  for (const auto& lane : lanes_) out["lanes"].push_back(lane->loop().run([&] { return lane->desk()->status(); }));
  return out;
}

std::string Gate::unhealthy_because() const {
  std::string out;
  for (const auto& lane : lanes_) {
    const std::string one = lane->loop().run([&]() -> std::string {
      if (lane->outbox().broken()) return "outbox: " + lane->outbox().broken()->message;
      if (lane->inbox().broken()) return "inbox: " + lane->inbox().broken()->message;
      return {};
    });
    if (!one.empty()) out += std::string(name(lane->lane())) + " " + one + "\n";
  }
  return out;
}

}  // namespace thalweg::gate
