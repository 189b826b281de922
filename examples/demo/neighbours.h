// neighbours.h: the hub of the Laixi region and the gates of 大足, 荣昌 and 泸县, as programs in folders of their own.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "processes.h"

namespace thalweg::demo {

using nlohmann::json;

inline constexpr const char* kDazu = "500111";
inline constexpr const char* kRongchang = "500153";
inline constexpr const char* kLuxian = "510521";

class Neighbours {
 public:
  /// `programs` is the folder of thalwegd and the others; plugins lie in ../plugins from there.
  Neighbours(Path folder, Path programs) : folder_(std::move(folder)), programs_(std::move(programs)) {}

  /// Keys, folders, configuration; starts the hub, enrols the gates, starts them.
  Status set_up();
  Status start_hub();
  void kill_hub() { hub_.kill(); }
  /// Plays the published readings into 荣昌's gate.
  Status start_station(int interval_ms);
  /// Waits for its end; what it says of itself.
  Result<json> station_summary();

  /// A question at a gate or at the hub; the program's own error when the answer is no.
  Result<json> ask(const std::string& party, const json& request) const;
  Result<json> ask_hub(const json& request) const;
  /// Records in a box of a gate, oldest first.
  std::vector<json> box(const std::string& party, const std::string& box) const;

  const Path& folder() const { return folder_; }
  Path gate_folder(const std::string& party) const { return folder_ / ("gate-" + party); }
  Path tables() const { return folder_ / "tables"; }  ///< what 泸县's tabular adapter writes
  /// Leaves all running; their process ids are in <folder>/pids.
  Status let_go();

 private:
  Status add_gate(const std::string& party, const std::string& adapters);
  Result<Program> start(const std::string& program, std::vector<std::string> arguments, const std::string& log) const;

  Path folder_, programs_;
  std::uint16_t port_ = 0;
  std::uint16_t station_port_ = 0;
  std::map<std::string, Program> gates_;
  Program hub_, station_;
};

}  // namespace thalweg::demo
