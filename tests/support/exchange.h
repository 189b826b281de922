// exchange.h: a whole exchange in one process: a hub of the Laixi region and gates that are enrolled with it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "app/cli/setup_files.h"
#include "app/hub.h"
#include "gate/gate.h"
#include "link/local_socket.h"
#include "support/held_port.h"
#include "support/real_disk.h"
#include "support/temp_folder.h"

namespace thalweg {

using nlohmann::json;

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

/// Asks until the answer is yes or the deadline has passed; asking is what makes the time pass.
inline bool eventually(const std::function<bool()>& yes, std::chrono::seconds most = std::chrono::seconds(60)) {
  const auto end = std::chrono::steady_clock::now() + most;
  while (!yes()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Folders of a hub and its gates below one temporary folder; programs start and stop on them.
class Exchange {
 public:
  explicit Exchange(const std::string& region = std::string(THALWEG_SOURCE_DIR) + "/examples/regions/laixi") {
    app::NewHub wanted;
    wanted.folder = folder_ / "hub";
    wanted.region = region;
    wanted.public_host = "127.0.0.1";
    wanted.listen = "127.0.0.1";
    std::string mistakes;
    must(app::create_hub(system_clock(), wanted, mistakes));
  }
  ~Exchange() {
    gates_.clear();
    hub_.reset();
  }

  Path path(const std::string& name) const { return folder_ / name; }
  app::Hub& hub() { return *hub_; }
  bool hub_runs() const { return hub_ != nullptr; }

  /// Always on the same ports, so that gates find it again.
  void start_hub(const std::function<void(app::HubConfig&)>& change = {}) {
    std::vector<region::Mistake> mistakes;
    app::Hub::Options options;
    options.config = must(app::HubConfig::load(real_files(), folder_ / "hub" / "hub.toml", mistakes));
    options.config.routine_port = ports_[0].number();
    options.config.urgent_port = ports_[1].number();
    options.extra_sync_delay_ns = sync_delay_ns;
    options.segment_bytes = hub_segment_bytes;
    if (change) change(options.config);
    hub_ = must(app::Hub::start(*hub_files, *hub_clock, std::move(options), mistakes));
  }
  void stop_hub() { hub_.reset(); }

  /// A new gate, enrolled with the running hub.
  void enrol(const std::string& name, const std::string& party, const std::string& gate = "gate-1",
             std::optional<Path> identity = {}, const Clock& made_at = system_clock()) {
    app::NewGate wanted;
    wanted.folder = folder_ / name;
    wanted.party = party;
    wanted.gate = gate;
    wanted.card = folder_ / "hub" / "hub.card";
    wanted.identity = std::move(identity);
    const app::CreatedGate made = must(app::create_gate(made_at, wanted));
    const Bytes document = must(read_file(real_files(), made.enrolment, 65536));
    ask_hub({{"cmd", "party_add"},
             {"document", std::string(as_text(document))},
             {"fingerprint", trust::fingerprint_text(made.certificate.identity.fingerprint())}});
  }

  void start_gate(const std::string& name, const std::function<void(gate::GateConfig&)>& change = {}) {
    std::vector<gate::ConfigMistake> mistakes;
    gate::GateConfig config = must(gate::GateConfig::load(real_files(), folder_ / name / "gate.toml", mistakes));
    for (std::size_t lane = 0; lane < 2; ++lane)
      config.hubs[lane] = {"127.0.0.1:" + std::to_string(ports_[lane].number())};
    config.reserve_percent = 0;  // however full the disk is
    if (change) change(config);
    gate::Gate::Options options;
    options.tuning.sync_delay_ns = sync_delay_ns;
    gates_[name] = must(gate::Gate::start(real_files(), system_clock(), std::move(config), std::move(options)));
  }
  void stop_gate(const std::string& name) { gates_.erase(name); }
  gate::Gate& gate(const std::string& name) { return *gates_.at(name); }

  json ask_hub(const json& request) {
    json answer = json::parse(hub_->request(request.dump(), "tester"));
    if (!answer.value("ok", false)) throw std::runtime_error(answer.dump());
    return answer;
  }
  /// How far deliveries to a party are on the routine lane; zeros while nothing was sent.
  json progress(const std::string& party) {
    const json status = ask_hub({{"cmd", "status"}});
    for (const json& one : status["parties"])
      if (one["party"] == party && one["lanes"].contains("routine")) return one["lanes"]["routine"];
    return {{"sent_to", 0}, {"lag", 0}};
  }
  /// A question of a person at a gate, over its socket.
  json ask_gate(const std::string& name, const json& request, Lane lane = Lane::kRoutine) {
    auto client = must(link::BlockingLocalClient::connect(gates_.at(name)->config().socket(lane)));
    return json::parse(must(client.request(request.dump())));
  }
  json publish(const std::string& name, const json& records) {
    return ask_gate(name, {{"cmd", "publish"}, {"records", records}});
  }
  /// Records of neighbours in a gate's inbox, newest first.
  json inbox(const std::string& name, std::size_t limit = 100) { return inbox_of(name, limit, false); }
  /// What the hub itself has told a gate, newest first.
  json hub_events(const std::string& name) { return inbox_of(name, 10000, true); }

  std::int64_t sync_delay_ns = 0;
  std::uint64_t hub_segment_bytes = 64u << 20;
  FileSystem* hub_files = &disk_;
  const Clock* hub_clock = &system_clock();

 private:
  json inbox_of(const std::string& name, std::size_t limit, bool hub) {
    const json all = ask_gate(name, {{"cmd", "records"}, {"box", "inbox"}, {"limit", 10000}})["records"];
    json list = json::array();
    for (const json& record : all)
      if ((record["from"] == "laixi-hub") == hub && list.size() < limit) list.push_back(record);
    return list;
  }

  RoomyDisk disk_;
  TempFolder folder_;
  std::unique_ptr<app::Hub> hub_;
  std::map<std::string, std::unique_ptr<gate::Gate>> gates_;
  const HeldPort ports_[2];  ///< by Lane
};

inline json observation_draft(const std::string& key, const std::string& oxygen = "2.82") {
  return {
      {"type", "thalweg.section.observation.v1"},
      {"subject", "laixi-gaodong"},
      {"time", "2026-09-23T06:00:00+08:00"},
      {"origin_key", key},
      {"data",
       {{"section", "laixi-gaodong"},
        {"station", "A500226_0002"},
        {"time", "2026-09-23T06:00:00+08:00"},
        {"time_label", "instant"},
        {"mode", "automatic"},
        {"review", "raw"},
        {"factors",
         {{{"code", "w01009"}, {"text", oxygen}, {"value", std::stod(oxygen)}, {"unit", "mg/L"}, {"flag", "N"}}}}}}};
}

inline json notice_draft(const std::string& kind, const std::string& incident,
                         const std::string& exercise = "drill-1") {
  return {{"type", "thalweg.emergency.notice.v1"},
          {"subject", incident},
          {"time", "2026-09-23T06:30:00+08:00"},
          {"lane", "urgent"},
          {"exercise", exercise},
          {"correlation", incident},
          {"data",
           {{"incident", incident},
            {"kind", kind},
            {"river", "濑溪河"},
            {"section", "laixi-gaodong"},
            {"learned_at", "2026-09-23T06:20:00+08:00"},
            {"contact", "值班员"},
            {"telephone", "023-00000000"}}}};
}

}  // namespace thalweg
