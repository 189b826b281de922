// hub_config.h: hub.toml: where the hub listens, and where its region, keys and ledgers are. See docs/operate.md.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "model/lane.h"
#include "region/load.h"

namespace thalweg::app {

/// Constant once loaded. Paths are absolute.
struct HubConfig {
  Path folder;                        ///< where hub.toml lies; relative paths start here
  Path region;                        ///< folder of the region's files
  Path keys;                          ///< hub-signing.key, hub-curve.key
  Path state;                         ///< ledger/, derived/, run/
  std::string address = "0.0.0.0";    ///< to listen on; numeric
  std::uint16_t routine_port = 7710;  ///< 0: any free one
  std::uint16_t urgent_port = 7711;
  std::string http_address = "127.0.0.1";
  std::uint16_t http_port = 0;         ///< /metrics and /healthz; 0: none
  std::vector<std::string> operators;  ///< users who may use the admin socket, beside root and the hub's own
  std::size_t pool_bytes = 64u << 20;
  std::size_t refused_quota_bytes = 64u << 20;  ///< valid refusals kept per party and day (rule 22)
  int retention_days = 3 * 365;

  std::uint16_t port(Lane lane) const { return lane == Lane::kUrgent ? urgent_port : routine_port; }
  Path ledger_folder(Lane lane) const { return state / "ledger" / std::string(name(lane)); }
  Path derived_folder(Lane lane) const { return state / "derived" / std::string(name(lane)); }
  Path admin_socket() const { return state / "run" / "admin.sock"; }

  /// On failure `mistakes` holds everything that is wrong, with line and key. Errors: kNotFound, kIo, kConfig.
  static Result<HubConfig> load(FileSystem& files, const Path& file, std::vector<region::Mistake>& mistakes);
};

}  // namespace thalweg::app
