#include "neighbours.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "app/cli/setup_files.h"
#include "link/local_socket.h"

namespace thalweg::demo {
namespace {

constexpr std::chrono::seconds kPatience{20};

Result<json> ask_at(const Path& socket, const json& request) {
  TW_ASSIGN(link::BlockingLocalClient client, link::BlockingLocalClient::connect(socket));
  TW_ASSIGN(const std::string text, client.request(request.dump()));
  json answer = json::parse(text, nullptr, false);
  if (!answer.is_object()) return Error{Code::kInternal, "the answer is no JSON"};
  if (!answer.value("ok", false))
    return Error{static_cast<Code>(answer.value("code", 11)), answer.value("error", answer.dump())};
  return answer;
}

Status append(const Path& file, std::string_view text) {
  std::ofstream out(file, std::ios::app);
  out << text;
  return out.good() ? Status() : Error{Code::kIo, "cannot write " + file.string()};
}

}  // namespace

Result<Program> Neighbours::start(const std::string& program, std::vector<std::string> arguments,
                                  const std::string& log) const {
  arguments.insert(arguments.begin(), (programs_ / program).string());
  return Program::start(arguments, folder_ / (log + ".log"));
}

Status Neighbours::start_hub() {
  TW_ASSIGN(hub_, start("thalwegd", {(folder_ / "hub").string()}, "hub"));
  if (!wait_until([this] { return ask_hub({{"cmd", "status"}}).has_value(); }, kPatience))
    return Error{Code::kUnavailable, "the hub does not answer; see " + (folder_ / "hub.log").string()};
  return {};
}

Status Neighbours::add_gate(const std::string& party, const std::string& adapters) {
  app::NewGate wanted;
  wanted.folder = gate_folder(party);
  wanted.party = party;
  wanted.card = folder_ / "hub" / "hub.card";
  wanted.plugins = (programs_ / ".." / "plugins").lexically_normal();
  TW_ASSIGN(const app::CreatedGate made, app::create_gate(system_clock(), wanted));
  TW_ASSIGN(const Bytes document, read_file(real_files(), made.enrolment, 65536));
  TW_TRY(append(wanted.folder / "gate.toml", adapters));
  auto enrolled = ask_hub({{"cmd", "party_add"},
                           {"document", std::string(as_text(document))},
                           {"fingerprint", trust::fingerprint_text(made.certificate.identity.fingerprint())}});
  if (!enrolled) return Error(std::move(enrolled).error());
  return {};
}

Status Neighbours::set_up() {
  port_ = free_port_pair();
  station_port_ = free_port_pair();
  app::NewHub hub;
  hub.folder = folder_ / "hub";
  hub.region = std::string(THALWEG_SOURCE_DIR) + "/examples/regions/laixi";
  hub.listen = "127.0.0.1";
  hub.routine_port = port_;
  hub.urgent_port = static_cast<std::uint16_t>(port_ + 1);
  std::string mistakes;
  auto card = app::create_hub(system_clock(), hub, mistakes);
  if (!card) return Error(std::move(card).error()).in(mistakes);
  TW_TRY(start_hub());
  TW_TRY(real_files().create_folders(tables()));
  TW_TRY(add_gate(kDazu, ""));
  TW_TRY(add_gate(kRongchang, fmt::format(R"(
[[adapter]]
instance = "stations"
plugin = "hj212"
lanes = ["routine"]
submit = {{ types = ["thalweg.section.observation.v1"], subjects = ["laixi-gaodong"] }}
config = {{ listen = "127.0.0.1:{}", stations = [{{ mn = "A500226_0002", section = "laixi-gaodong" }}] }}
)",
                                          station_port_)));
  TW_TRY(add_gate(kLuxian, fmt::format(R"(
[[adapter]]
instance = "tables"
plugin = "tabular"
lanes = ["routine"]
receive = {{ types = ["thalweg.section.*"] }}

[adapter.config]
folder = "{}"
pattern = "{{family}}-{{name}}-{{year}}.csv"
names = {{ "laixi-gaodong" = "高洞电站", "500153" = "荣昌区生态环境局" }}
marks = [ {{ factor = "w01009", below = 3, text = "溶解氧低于3 oxygen below 3" }} ]
)",
                                       tables().string())));
  for (const char* party : {kDazu, kRongchang, kLuxian}) {
    TW_ASSIGN(gates_[party],
              start("thalweg-gate", {gate_folder(party).string(), "--log", "error"}, std::string("gate-") + party));
  }
  for (const char* party : {kDazu, kRongchang, kLuxian}) {
    const bool up = wait_until(
        [&] {
          const auto status = ask(party, {{"cmd", "status"}});
          if (!status) return false;
          for (const json& lane : (*status)["lanes"]) {
            if (!lane["link"].value("open", false)) return false;
            for (const json& adapter : lane["adapters"])
              if (adapter.value("state", "") != "running") return false;
          }
          return true;
        },
        kPatience);
    if (!up)
      return Error{Code::kUnavailable, std::string("the gate of ") + party + " does not get ready; see gate-" + party +
                                           ".log in " + folder_.string()};
  }
  return {};
}

Status Neighbours::start_station(int interval_ms) {
  TW_ASSIGN(station_, start("thalweg-station",
                            {"--to", "127.0.0.1:" + std::to_string(station_port_), "--mn", "A500226_0002", "--table",
                             std::string(THALWEG_SOURCE_DIR) + "/examples/stations/gaodong.csv", "--interval-ms",
                             std::to_string(interval_ms), "--wait-answers", "--json"},
                            "station"));
  return {};
}

Result<json> Neighbours::station_summary() {
  const int code = station_.wait();
  TW_ASSIGN(const Bytes bytes, read_file(real_files(), folder_ / "station.log", 1 << 20));
  std::string_view text = as_text(bytes);
  const auto begin = text.rfind("\n{");
  json summary = json::parse(begin == std::string_view::npos ? text : text.substr(begin + 1), nullptr, false);
  if (code != 0 || !summary.is_object())
    return Error{Code::kUnavailable, "the station could not deliver: " + std::string(text)};
  return summary;
}

Result<json> Neighbours::ask(const std::string& party, const json& request) const {
  return ask_at(gate_folder(party) / "state" / "run" / "urgent.sock", request);
}

Result<json> Neighbours::ask_hub(const json& request) const {
  return ask_at(folder_ / "hub" / "state" / "run" / "admin.sock", request);
}

std::vector<json> Neighbours::box(const std::string& party, const std::string& box) const {
  std::vector<json> records;
  if (const auto answer = ask(party, {{"cmd", "records"}, {"box", box}, {"limit", 1000}}))
    for (const json& record : (*answer)["records"]) records.push_back(record);
  std::reverse(records.begin(), records.end());
  return records;
}

Status Neighbours::let_go() {
  std::string pids = std::to_string(hub_.pid());
  for (auto& [party, gate] : gates_) {
    pids += " " + std::to_string(gate.pid());
    gate.let_go();
  }
  hub_.let_go();
  return write_file_atomically(real_files(), folder_ / "pids", as_bytes(pids + "\n"));
}

}  // namespace thalweg::demo
