// site.h: a hub and three gates of the Laixi region, each a process, set up as an operator would.
#pragma once

#include <array>
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
  };
  static const std::vector<Gate>& gates();

  /// Sets everything up below `folder` and starts it. `programs` holds thalwegd and thalweg-gate.
  static Result<std::unique_ptr<Site>> set_up(const Path& folder, const Path& programs);

  /// 0 is the hub, then the gates in their order.
  std::vector<Machine>& machines() { return machines_; }
  Path gate_folder(std::size_t gate) const { return machines_[gate + 1].folder(); }
  Path hub_folder() const { return machines_[0].folder(); }
  const trust::HubCard& card() const { return card_; }

  /// Records in the inbox of a gate that runs, by lane (routine, urgent); nothing while it does not answer.
  std::optional<std::array<std::uint64_t, 2>> inbox_records(std::size_t gate) const;
  /// How many of a gate's two lines to the hub are open, as the gate says; how many the hub has, as it says; -1 while
  /// nobody answers.
  int open_lines(std::size_t gate) const;
  int hub_sees(std::size_t gate) const;

 private:
  Status create(const Path& folder, const Path& programs);
  Status enrol(const Gate& gate, const Path& folder);

  std::vector<Machine> machines_;
  trust::HubCard card_;
};

}  // namespace thalweg::storm
