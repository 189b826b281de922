// disk_trial.h: disks, memory and descriptors of a running hub or gate fail one after the other while stations send.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chaos/disk_switch.h"
#include "storm/trial.h"

namespace thalweg::chaos {

/// A trial that tells of one fault after the other. Threads: one.
class DiskTrial : public storm::Trial {
 public:
  struct Options {
    Trial::Options trial;
    std::string only;    ///< one fault by its name; empty: all
    bool brief = false;  ///< without the faults that another one nearly equals
    double rate = 200;   ///< readings a second, each way; a twentieth of it warnings
  };
  explicit DiskTrial(Options options) : Trial(options.trial), options_(std::move(options)) {}
  ~DiskTrial();

  /// Exit code.
  int run();

 private:
  /// What is told of one fault.
  struct Row {
    std::string fault, said, went_on;
    double back_s = -1;
    int starts = 0;
  };
  static constexpr double kSaid_s = 12;  ///< within this time whoever waits is told why, and who does not goes on
  enum : std::size_t { kDazu = 0, kRongchang = 1, kLuxian = 2 };
  enum : std::size_t { kRoutineReadings = 1, kWarnings = 2 };  // of 荣昌; 0 are those of 大足

  bool set_up();
  bool repair_small_disk();
  void hub_writes(const std::string& fault, int error, Code code);
  void hub_syncs();
  void hub_reads();
  void hub_disk_full();
  void hub_remounted();
  void hub_memory();
  void hub_descriptors();
  void outbox_writes(const std::string& fault, int error, Code code);
  void outbox_reads();
  void inbox_writes();
  void gate_syncs(const std::string& box);

  storm::Machine& machine(std::size_t i) { return site().machines()[i]; }  // 0: the hub, then the gates
  Path state(std::size_t i) { return machine(i).folder() / "state"; }
  /// Watches the programs, lets stations send, until yes or for so many seconds. False: not within that time.
  bool pass(double seconds, const std::function<bool()>& until = nullptr);
  /// By how much a figure has grown since it was `before`, after two seconds or as soon as it has; complains if never.
  std::uint64_t grown(std::uint64_t before, const std::function<std::uint64_t()>& figure, const std::string& if_not);
  bool expect(double seconds, const std::function<bool()>& until, const std::string& what);
  /// Who has ended is started again a second later, as a service manager does; a complaint unless it may_end().
  void supervise();
  void may_end(std::size_t i) { may_end_ = i; }
  /// What a gate says of its line in a lane: code and words.
  std::pair<Code, std::string> line_of(std::size_t gate, Lane lane);
  /// What a station is answered to one record of its own, which is not taken.
  std::string refusal(std::size_t gate, Lane lane, Code& code);
  std::uint64_t accepted(std::size_t station) { return origin(station).accepted_count(); }
  std::uint64_t in_inbox(std::size_t gate, Lane lane);
  /// Everything that stations were told is accepted by now is in the inboxes; notes how long that took.
  void all_back(Row& row);
  void leave_small_disk();

  const Options options_;
  std::vector<DiskSwitch> switches_;  // by machine
  std::vector<double> due_;           // by station, in the order of storm::both_ways()
  storm::SteadyClock::time_point last_pass_;
  bool sending_ = true;
  std::size_t may_end_ = SIZE_MAX;
  std::map<std::size_t, storm::SteadyClock::time_point> start_at_;
  std::string last_end_;
  int starts_ = 0;
  bool on_small_disk_ = false;
};

}  // namespace thalweg::chaos
