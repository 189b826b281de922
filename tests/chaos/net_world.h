// net_world.h: a site whose lines, programs, clocks and disks a plan breaks, and the account of what came of it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chaos/net_line.h"
#include "chaos/net_plan.h"
#include "storm/checker.h"
#include "storm/keeper.h"
#include "storm/origin.h"

namespace thalweg::chaos {

/// 大足, 荣昌 and 泸县 with a gate each, and a second gate of 大足 that only sends: the one whose key is revoked.
/// 荣昌's gate hands what it receives to an adapter that writes tables.
///
/// Owns: the site, the lines, the origins, what was found. Threads: one.
class World : public storm::Keeper {
 public:
  struct Options {
    Path folder, programs;
    std::uint32_t seed = 0;
    double rate = 100;     ///< readings a second, of each gate; half of it the second of 大足; 2 % warnings
    int patience_s = 120;  ///< for what is still under way at the end
    bool keep_waits = false;
    std::uint64_t origin_keys = 4'000'000;  ///< as in gate.toml
  };
  explicit World(Options options) : Keeper("chaos"), options_(std::move(options)) {}

  /// False: it could not be set up, and said why.
  bool set_up();
  /// "hub", then the gates'.
  std::vector<std::string> programs() const;
  std::vector<storm::Origin*> origins();
  /// Of the adapter that writes tables; nothing while it does not run.
  std::optional<pid_t> runner() const;

  void apply(const Step& step);
  /// What moved until now: "accepted 12034, 3 of 8 lines open …".
  std::string progress() const;

  /// Waits for the rest, stops everything, compares, verifies.
  void finish();
  struct Way {
    std::string from, to;
    std::size_t accepted = 0;
    storm::Findings found;
  };
  const std::vector<Way>& ways() const { return ways_; }
  std::uint64_t rewritten_rows() const { return rewritten_rows_; }
  bool verified() const { return verified_; }
  NetLine::Counters lines() const;
  bool content() const;

 private:
  static constexpr std::size_t kDazu = 0, kRongchang = 1, kLuxian = 2, kSecond = 3;

  struct Sender {
    std::string name;
    std::size_t from = 0;
    Lane lane = Lane::kRoutine;
    std::vector<std::size_t> to;
    std::unique_ptr<storm::Origin> origin;
    Path gate_folder;                    // of the machine it sends to
    std::optional<std::size_t> revoked;  // none of those accepted from here on may be delivered
    std::uint64_t at_copy = 0;           // accepted when its gate was copied
  };
  /// What a receiver's old machine holds, and which records came too late for it.
  struct Retired {
    Path folder;
    std::map<std::string, std::uint64_t> accepted_then;  // by sender's name
  };

  void add(std::string name, std::size_t from, Lane lane, std::vector<std::size_t> to, double rate);
  void start(std::size_t program) { Keeper::start(site().machines()[program]); }
  void set_clock(std::size_t program, std::int64_t off_s);
  Path clock_file(const std::string& program) const;
  Path copy_of(std::size_t program) const;
  void copy(std::size_t program);
  void restore(std::size_t program);
  void revoke(std::size_t gate);
  void replace(std::size_t gate);
  /// What waits in all places together, and who waits for what, first of them; 0 and empty when nothing does.
  struct Waiting {
    std::uint64_t count = 0;
    std::string what;
  };
  Waiting waiting() const;
  /// Waits until nothing waits anywhere. Patience counts from when it last became less: a long trial with slow lines
  /// leaves much behind. False, and a complaint: it was not.
  bool drain();
  void count();
  void count_tables();
  void count_retired();
  void verify();

  const Options options_;
  std::vector<std::unique_ptr<NetLine>> lines_;
  std::vector<Sender> senders_;
  std::vector<Retired> retired_;
  int machines_made_ = 0;
  std::vector<Way> ways_;
  storm::Findings found_;
  std::uint64_t rewritten_rows_ = 0;
  bool verified_ = true;
};

}  // namespace thalweg::chaos
