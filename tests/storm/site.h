// site.h: a hub and the gates of the Laixi region, each a process, set up as an operator would.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storm/machine.h"
#include "trust/certificate.h"

namespace thalweg::storm {

/// Owns: the folders' content and the processes. Threads: one.
class Site {
 public:
  struct Gate {
    std::string name, party;
    std::string gate = "gate-1";
    bool receives = true;
  };
  /// The three that every site has.
  static const std::vector<Gate>& gates();

  /// What a trial changes about a site; all of it may be absent.
  struct Layout {
    Path plugins;            ///< folder of the adapters
    std::vector<Gate> more;  ///< gates beside the three; of a party that has one, by its identity key
    /// HOST:PORT of the hub's routine lane as a gate reaches it, given where it really listens; urgent is the next
    /// port.
    std::function<std::string(std::size_t gate, std::uint16_t hub_port)> way;
    std::function<std::string(std::size_t gate)> configuration;                  ///< goes to the end of gate.toml
    std::function<std::vector<std::string>(const std::string& name)> variables;  ///< Machine::set_environment
  };
  /// Sets everything up below `folder` and starts it. `programs` holds thalwegd and thalweg-gate.
  static Result<std::unique_ptr<Site>> set_up(const Path& folder, const Path& programs, Layout layout = {});

  /// 0 is the hub, then the gates in their order.
  std::vector<Machine>& machines() { return machines_; }
  const std::vector<Gate>& all_gates() const { return gates_; }
  Path gate_folder(std::size_t gate) const { return machines_[gate + 1].folder(); }
  Path hub_folder() const { return machines_[0].folder(); }
  const trust::HubCard& card() const { return card_; }
  /// The hub's routine port; urgent is the next one. And where it shows its figures.
  std::uint16_t port() const { return port_; }
  std::uint16_t http_port() const { return static_cast<std::uint16_t>(port_ + 2); }

  /// Shuts a gate out, as an operator would: its sessions end, what the hub accepted before stands.
  Status revoke(std::size_t gate);
  /// A new machine for a gate, in a folder of its own, with the party's identity key; enrolled, not started. The old
  /// one does not run.
  Status replace(std::size_t gate, const Path& folder);

  /// The answer (JSON) to a request (JSON) to the hub or a gate. Errors: it does not answer, or not with ok.
  Result<std::string> ask_hub(const std::string& request) const;
  Result<std::string> ask_gate(std::size_t gate, const std::string& request) const;

  /// Records in the inbox of a gate that runs, by lane (routine, urgent); nothing while it does not answer.
  std::optional<std::array<std::uint64_t, 2>> inbox_records(std::size_t gate) const;
  /// How many of a gate's two lines to the hub are open, as the gate says; how many the hub has, as it says; -1 while
  /// nobody answers.
  int open_lines(std::size_t gate) const;
  int hub_sees(std::size_t gate) const;

 private:
  Status create(const Path& folder, const Path& programs);
  Status begin_hub(const Path& folder, const Path& programs);
  Status begin(Machine& machine);
  Status enrol(std::size_t gate, const Path& folder);

  Layout layout_;
  std::vector<Gate> gates_;
  std::vector<Machine> machines_;
  std::vector<Path> identities_;  // of each gate's party
  trust::HubCard card_;
  std::uint16_t port_ = 0;
};

}  // namespace thalweg::storm
