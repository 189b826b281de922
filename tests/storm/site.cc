#include "storm/site.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/cli/setup_files.h"
#include "link/local_socket.h"

namespace thalweg::storm {
namespace {

using nlohmann::json;

/// Two neighbouring ports that nobody uses now. The hub's ports must stay the same over its starts.
Result<std::uint16_t> free_ports() {
  for (int attempt = 0; attempt < 100; ++attempt) {
    int sockets[2] = {-1, -1};
    std::uint16_t first = 0;
    bool good = true;
    for (int i = 0; i < 2 && good; ++i) {
      sockets[i] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(static_cast<std::uint16_t>(i == 0 ? 0 : first + 1));
      socklen_t size = sizeof address;
      good = ::bind(sockets[i], reinterpret_cast<sockaddr*>(&address), size) == 0 &&
             ::getsockname(sockets[i], reinterpret_cast<sockaddr*>(&address), &size) == 0;
      if (i == 0) first = ntohs(address.sin_port);
      good = good && first < 65535;
    }
    for (const int socket : sockets)
      if (socket >= 0) ::close(socket);
    if (good) return first;
  }
  return Error{Code::kUnavailable, "no two free ports"};
}

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

Result<std::unique_ptr<Site>> Site::set_up(const Path& folder, const Path& programs) {
  auto site = std::make_unique<Site>();
  TW_TRY(site->create(folder, programs));
  return site;
}

Status Site::create(const Path& folder, const Path& programs) {
  TW_ASSIGN(const std::uint16_t port, free_ports());
  app::NewHub hub;
  hub.folder = folder / "hub";
  hub.region = Path(THALWEG_SOURCE_DIR) / "examples/regions/laixi";
  hub.listen = hub.public_host = "127.0.0.1";
  hub.routine_port = port;
  hub.urgent_port = static_cast<std::uint16_t>(port + 1);
  std::string mistakes;
  TW_ASSIGN(card_, app::create_hub(system_clock(), hub, mistakes));
  machines_.emplace_back("hub", programs / "thalwegd", hub.folder);
  TW_TRY(machines_[0].start());
  for (const Gate& gate : gates()) {
    const Path own = folder / gate.name;
    TW_TRY(enrol(gate, own));
    machines_.emplace_back(gate.name, programs / "thalweg-gate", own);
    TW_TRY(machines_.back().start());
    TW_ASSIGN(const json up, ask_patiently(own / "state" / "run" / "routine.sock", {{"cmd", "status"}}));
  }
  return {};
}

Status Site::enrol(const Gate& gate, const Path& folder) {
  app::NewGate wanted;
  wanted.folder = folder;
  wanted.party = gate.party;
  wanted.card = hub_folder() / "hub.card";
  TW_ASSIGN(const app::CreatedGate made, app::create_gate(system_clock(), wanted));
  TW_ASSIGN(const Bytes document, read_file(real_files(), made.enrolment, 65536));
  TW_ASSIGN(const json added,
            ask_patiently(hub_folder() / "state" / "run" / "admin.sock",
                          {{"cmd", "party_add"},
                           {"document", std::string(as_text(document))},
                           {"fingerprint", trust::fingerprint_text(made.certificate.identity.fingerprint())}}));
  return {};
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
