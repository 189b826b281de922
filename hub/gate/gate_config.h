// gate_config.h: gate.toml: what a district's front-end machine is set up to do. Documented in docs/formats/gate.md.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/file.h"
#include "model/lane.h"

namespace thalweg::gate {

/// One thing that is wrong with the file. `line` is 0 where the thing is missing.
struct ConfigMistake {
  int line = 0;
  std::string key;
  std::string zh, en;
};

/// Which records: by type and by subject. A pattern is a whole name, or a beginning followed by `*`.
struct RecordFilter {
  std::vector<std::string> types;     ///< none matches nothing
  std::vector<std::string> subjects;  ///< none matches every subject

  bool admits(std::string_view type, std::string_view subject) const;
};

/// What one runner process may use. Zero leaves the system's limit.
struct RunnerLimits {
  std::uint64_t memory_bytes = 512ull << 20;
  std::uint32_t open_files = 256;
  std::uint32_t deliver_batch = 64;
  std::int64_t deliver_timeout_ms = 30'000;
  std::uint32_t restarts = 5;  ///< within the window below; one more and it is held back
  std::int64_t restart_window_ms = 600'000;
};

/// One adapter instance: the plugin, and what it may speak and hear (rule 23).
struct AdapterConfig {
  std::string instance;
  std::string plugin;
  Path library;
  std::string kind;                        ///< "source" or "sink": follows from which of the two filters is there
  std::array<bool, 2> lanes{true, false};  ///< by Lane; one process for each
  RecordFilter submit;                     ///< what it may send; nothing unless listed
  RecordFilter receive;                    ///< what it is given; nothing unless listed
  std::string config_json = "{}";
  RunnerLimits limits;

  bool on(Lane lane) const { return lanes[static_cast<std::size_t>(lane)]; }
  bool is_sink() const { return kind == "sink"; }
};

/// When a record that an adapter does not take becomes a dead letter (rule 21), and how long to wait between.
struct RetryRule {
  std::uint32_t max_attempts = 100;
  std::int64_t max_age_ms = 7ll * 24 * 3600 * 1000;
  std::int64_t first_delay_ms = 1000;
  std::int64_t longest_delay_ms = 60'000;
};

/// Constant once loaded: both lanes read it without locks.
struct GateConfig {
  std::string party;
  std::string gate;
  Path folder;                                   ///< where gate.toml lies; relative paths start here
  Path keys;                                     ///< signing.key, curve.key, gate.cert
  Path hub_card;                                 ///< the hub's signed card (trust/certificate.h)
  Path state;                                    ///< outbox, inbox, run
  Path plugins;                                  ///< <plugin>/<plugin>.so
  Path runner;                                   ///< the thalweg-runner program; empty: beside thalweg-gate
  std::array<std::vector<std::string>, 2> hubs;  ///< by Lane: "HOST:PORT", tried in turn; empty: as the card says
  std::vector<std::string> people;               ///< users who may use the local socket beside root and the gate's own
  std::vector<std::string> pins;                 ///< "PARTY FINGERPRINT"
  std::vector<AdapterConfig> adapters;
  std::array<RetryRule, 2> retry;  ///< by Lane

  std::uint64_t outbox_bytes = 8ull << 30;
  std::uint64_t inbox_bytes = 8ull << 30;
  std::uint64_t inbox_credit_bytes = 8ull << 20;  ///< under way from the hub at one time, per lane
  std::uint32_t parcel_bytes = 1u << 20;
  std::uint32_t parcel_records = 4096;
  std::uint32_t keep_days = 30;           ///< acknowledged parcels, settled deliveries and origin keys
  std::uint64_t origin_keys = 4'000'000;  ///< remembered per lane at most
  std::uint32_t reserve_percent = 5;      ///< of the disk, kept for urgent records
  std::string http_address = "127.0.0.1";
  std::uint16_t http_port = 0;   ///< /metrics and /healthz; 0: none
  int utc_offset_minutes = 480;  ///< zone of the times that people see

  const RetryRule& retry_of(Lane lane) const { return retry[static_cast<std::size_t>(lane)]; }
  const std::vector<std::string>& hubs_of(Lane lane) const { return hubs[static_cast<std::size_t>(lane)]; }
  const AdapterConfig* adapter(std::string_view instance) const;
  Path outbox_folder(Lane lane) const { return state / "outbox" / std::string(name(lane)); }
  Path inbox_folder(Lane lane) const { return state / "inbox" / std::string(name(lane)); }
  Path socket(Lane lane) const { return state / "run" / (std::string(name(lane)) + ".sock"); }

  /// Reads and checks the file. On failure `mistakes` holds everything that is wrong, each with line and key; nothing
  /// may be started. Errors: kNotFound, kIo, kConfig.
  static Result<GateConfig> load(FileSystem& files, const Path& file, std::vector<ConfigMistake>& mistakes);
  /// The same for text; `folder` is where relative paths start. `files` reads what `config_file` names.
  static Result<GateConfig> parse(FileSystem& files, std::string_view text, const Path& folder,
                                  std::vector<ConfigMistake>& mistakes);
};

/// The mistakes, one a line: "FILE:LINE: KEY: MESSAGE", in Chinese or English.
std::string show(const Path& file, const std::vector<ConfigMistake>& mistakes, bool chinese);

}  // namespace thalweg::gate
