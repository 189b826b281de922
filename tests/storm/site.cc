#include "storm/site.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "app/cli/setup_files.h"
#include "link/local_socket.h"
#include "support/free_ports.h"

namespace thalweg::storm {
namespace {

using nlohmann::json;

Result<json> ask(const Path& socket, const json& request) {
  TW_ASSIGN(auto client, link::BlockingLocalClient::connect(socket, link::LocalRole::kPerson, std::chrono::seconds(5)));
  TW_ASSIGN(const std::string answer, client.request(request.dump()));
  json parsed = json::parse(answer, nullptr, false);
  if (!parsed.is_object() || !parsed.value("ok", false)) return Error{Code::kInternal, answer};
  return parsed;
}

/// As `ask`, while the program is still starting.
Result<json> ask_patiently(const Path& socket, const json& request) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (;;) {
    auto answer = ask(socket, request);
    if (answer || answer.error().code == Code::kInternal || std::chrono::steady_clock::now() > end) return answer;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

const std::vector<Site::Gate>& Site::gates() {
  static const std::vector<Gate> all{{"dazu", "500111"}, {"rongchang", "500153"}, {"luxian", "510521"}};
  return all;
}

Result<std::unique_ptr<Site>> Site::set_up(const Path& folder, const Path& programs, Layout layout) {
  auto site = std::make_unique<Site>();
  site->layout_ = std::move(layout);
  TW_TRY(site->create(folder, programs));
  return site;
}

Status Site::create(const Path& folder, const Path& programs) {
  // Who tries at the same time may have been given the same ports, and begun before.
  for (int attempt = 1;; ++attempt) {
    const Status begun = begin_hub(folder / "hub", programs);
    if (begun) break;
    if (attempt == 3) return begun.error();
    machines_.clear();
    std::error_code none;
    std::filesystem::remove_all(folder / "hub", none);
  }
  gates_ = gates();
  gates_.insert(gates_.end(), layout_.more.begin(), layout_.more.end());
  for (std::size_t i = 0; i < gates_.size(); ++i) {
    const Path own = folder / gates_[i].name;
    TW_TRY(enrol(i, own));
    machines_.emplace_back(gates_[i].name, programs / "thalweg-gate", own);
    TW_TRY(begin(machines_.back()));
    TW_ASSIGN(const json up, ask_patiently(own / "state" / "run" / "routine.sock", {{"cmd", "status"}}));
  }
  return {};
}

Status Site::begin(Machine& machine) {
  if (layout_.variables) machine.set_environment(layout_.variables(machine.name()));
  return machine.start();
}

/// Returns when it answers.
Status Site::begin_hub(const Path& folder, const Path& programs) {
  const auto ports = free_ports(3);
  if (!ports) return Error{Code::kUnavailable, "no three free ports"};
  port_ = *ports;
  app::NewHub hub;
  hub.folder = folder;
  hub.region = Path(THALWEG_SOURCE_DIR) / "examples/regions/laixi";
  hub.listen = hub.public_host = "127.0.0.1";
  hub.routine_port = port_;
  hub.urgent_port = static_cast<std::uint16_t>(port_ + 1);
  hub.http_port = http_port();
  std::string mistakes;
  TW_ASSIGN(card_, app::create_hub(system_clock(), hub, mistakes));
  machines_.emplace_back("hub", programs / "thalwegd", folder);
  TW_TRY(begin(machines_[0]));
  TW_ASSIGN(const json up, ask_patiently(folder / "state" / "run" / "admin.sock", {{"cmd", "status"}}));
  return {};
}

Status Site::enrol(std::size_t gate, const Path& folder) {
  app::NewGate wanted;
  wanted.folder = folder;
  wanted.party = gates_[gate].party;
  wanted.gate = gates_[gate].gate;
  wanted.receives = gates_[gate].receives;
  wanted.card = hub_folder() / "hub.card";
  if (!layout_.plugins.empty()) wanted.plugins = layout_.plugins;
  if (layout_.way) wanted.hub = layout_.way(gate, port_);
  for (std::size_t i = 0; i < identities_.size(); ++i)
    if (gates_[i].party == wanted.party) wanted.identity = identities_[i];
  TW_ASSIGN(const app::CreatedGate made, app::create_gate(system_clock(), wanted));
  if (gate == identities_.size()) identities_.push_back(wanted.identity.value_or(folder / "identity.key"));
  if (layout_.configuration) {
    std::ofstream file(folder / "gate.toml", std::ios::app);
    if (!(file << layout_.configuration(gate) << std::flush)) return Error{Code::kIo, "gate.toml cannot be written"};
  }
  TW_ASSIGN(const Bytes document, read_file(real_files(), made.enrolment, 65536));
  TW_ASSIGN(const json added,
            ask_patiently(hub_folder() / "state" / "run" / "admin.sock",
                          {{"cmd", "party_add"},
                           {"document", std::string(as_text(document))},
                           {"fingerprint", trust::fingerprint_text(made.certificate.identity.fingerprint())}}));
  return {};
}

Status Site::revoke(std::size_t gate) {
  TW_ASSIGN(const json done,
            ask_patiently(hub_folder() / "state" / "run" / "admin.sock", {{"cmd", "party_revoke"},
                                                                          {"party", gates_[gate].party},
                                                                          {"gate", gates_[gate].gate},
                                                                          {"reason", "front-end machine stolen"}}));
  return {};
}

Status Site::replace(std::size_t gate, const Path& folder) {
  TW_TRY(enrol(gate, folder));
  machines_[gate + 1].set_folder(folder);
  return {};
}

Result<std::string> Site::ask_hub(const std::string& request) const {
  TW_ASSIGN(const json answer, ask(hub_folder() / "state" / "run" / "admin.sock", json::parse(request)));
  return answer.dump();
}

Result<std::string> Site::ask_gate(std::size_t gate, const std::string& request) const {
  TW_ASSIGN(const json answer, ask(gate_folder(gate) / "state" / "run" / "urgent.sock", json::parse(request)));
  return answer.dump();
}

std::optional<std::array<std::uint64_t, 2>> Site::inbox_records(std::size_t gate) const {
  const auto status = ask(gate_folder(gate) / "state" / "run" / "urgent.sock", {{"cmd", "status"}});
  if (!status) return std::nullopt;
  std::array<std::uint64_t, 2> records{};
  for (const json& lane : (*status)["lanes"])
    records[lane["lane"] == "urgent" ? 1 : 0] = lane["inbox"]["records"].get<std::uint64_t>();
  return records;
}

int Site::open_lines(std::size_t gate) const {
  const auto status = ask(gate_folder(gate) / "state" / "run" / "urgent.sock", {{"cmd", "status"}});
  if (!status) return -1;
  int open = 0;
  for (const json& lane : (*status)["lanes"]) open += lane["link"]["open"] == true ? 1 : 0;
  return open;
}

int Site::hub_sees(std::size_t gate) const {
  const auto status = ask(hub_folder() / "state" / "run" / "admin.sock", {{"cmd", "status"}});
  if (!status) return -1;
  for (const json& party : (*status)["parties"])
    if (party["party"] == gates()[gate].party) return static_cast<int>(party["sessions"].size());
  return -1;
}

}  // namespace thalweg::storm
