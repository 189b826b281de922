// commands.h: the commands of `thalweg`, one function each family. Each adds its subcommands and what they do.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/cli/terminal.h"
#include "base/file.h"

namespace CLI {
class App;
}

namespace thalweg::app {

/// What every command has: where it works, in which language, in which form.
struct Session {
  std::string folder;  ///< --dir, else THALWEG_DIR, else the working folder
  std::string language;
  bool json = false;
  int exit_code = 0;  ///< of the command that ran
  Terminal terminal() const { return Terminal(language_from(language)); }
};

void add_setup_commands(CLI::App& cli, Session& session);   ///< init, keys, party, gate: who may speak
void add_region_commands(CLI::App& cli, Session& session);  ///< region check, show
void add_ledger_commands(CLI::App& cli, Session& session);  ///< verify
void add_record_commands(CLI::App& cli, Session& session);  ///< publish, tail, records, show, ack, why
void add_status_commands(CLI::App& cli, Session& session);  ///< status, deadletters, adapter, receiver, clock, reload

/// Says what went wrong and gives the exit code for it.
int report(const Terminal& terminal, const Error& error);

/// Is the folder a hub's (hub.toml) or a gate's (gate.toml)? Errors: kNotFound, which says where it looked.
enum class Site { kHub, kGate };
Result<Site> site_of(const Session& session);

/// Asks the program of that folder (hub or gate) over its local socket. Errors: kNotFound and kUnavailable with what to
/// start, and the answer's own error.
Result<nlohmann::json> ask(const Session& session, const nlohmann::json& request);
/// The same with answers until the last one, or until `take` returns false.
Status ask_stream(const Session& session, const nlohmann::json& request,
                  const std::function<bool(const nlohmann::json&)>& take);

}  // namespace thalweg::app
