// keeper.h: what every trial needs around its site: programs kept running, waiting with a limit, a list of what went
// wrong.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storm/site.h"

namespace thalweg::storm {

/// The folder of a trial: the one that was named, or a new one below `below`, named after the program. Empty: none
/// could be made.
Path trial_folder(const std::string& named, const std::string& program, const Path& below = "/tmp");
/// A folder in memory with room for a site; empty: there is none.
Path memory_folder();

/// Owns: the site, the complaints. Threads: one.
class Keeper {
 public:
  /// `program` stands before every complaint on standard error.
  explicit Keeper(std::string program) : program_(std::move(program)) {}

  /// False: the site could not be set up, and it said why.
  bool set_up(const Path& folder, const Path& programs, Site::Layout layout = {});
  Site& site() { return *site_; }
  const Site& site() const { return *site_; }

  /// Counts as a failure of the trial.
  void complain(const std::string& what);
  const std::vector<std::string>& complaints() const { return complaints_; }

  /// Nothing to do where it runs.
  void start(Machine& machine);
  /// Who ends without having been killed has failed the trial, and is started again so that the rest can be seen.
  void watch();
  /// Asks until yes, and watches; complains when that takes more than `seconds`. False then.
  bool wait_until(const std::function<bool()>& yes, const std::string& what, int seconds);
  /// Tells every program to end; complains of those that do not, or not well.
  void stop_all();

 private:
  const std::string program_;
  std::unique_ptr<Site> site_;
  std::vector<std::string> complaints_;
};

}  // namespace thalweg::storm
