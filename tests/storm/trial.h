// trial.h: a site, stations that send, and at the end the account: what every kind of trial shares.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storm/checker.h"
#include "storm/keeper.h"
#include "storm/origin.h"

namespace thalweg::storm {

/// Who sends what, and in whose inboxes it has to be. Numbers are those of Site::gates().
struct Flow {
  std::size_t from = 0;
  Lane lane = Lane::kRoutine;
  std::vector<std::size_t> to;
};

/// The three flows of a trial: readings of 大足 and of 荣昌, each for its neighbours, and warnings of 荣昌 for 泸县.
inline const std::vector<Flow>& both_ways() {
  static const std::vector<Flow> flows{{0, Lane::kRoutine, {1}}, {1, Lane::kRoutine, {0, 2}}, {1, Lane::kUrgent, {2}}};
  return flows;
}

/// Owns: the site, the origins, what was found. Threads: one.
class Trial : public Keeper {
 public:
  struct Options {
    std::string program = "storm";  ///< named in what it complains of
    Path folder, programs;
    std::uint32_t seed = 0;
    int patience_s = 120;  ///< for what is still under way at the end
    bool keep = false;     ///< leave the folder when all went well
  };
  explicit Trial(Options options) : Keeper(options.program), options_(std::move(options)) {}

  /// False: it could not be set up, and said why.
  bool set_up(Site::Layout layout = {});
  /// Adds an origin and starts it. `per_second` and `batch_most` as in Origin::Settings.
  Origin& add(const Flow& flow, std::uint64_t records, double per_second = 0, std::uint64_t batch_most = 100);
  Origin& origin(std::size_t i) { return *origins_[i].origin; }
  std::size_t origins() const { return origins_.size(); }
  const Flow& flow(std::size_t i) const { return origins_[i].flow; }

  /// Are the first `count(i)` records of every origin in the inboxes they are for?
  bool arrived(const std::function<std::uint64_t(std::size_t i)>& count) const;

  /// Waits for the rest, stops everything, compares inboxes with what was accepted, verifies all logs.
  void finish();
  /// "lost 0, doubled 0 …", after finish().
  std::string account() const;
  /// Exit code; says where the logs are when the trial has failed, else removes the folder.
  int conclude();

 private:
  struct Sender {
    Flow flow;
    std::unique_ptr<Origin> origin;
  };
  void count();
  void verify();
  void verify(const Path& folder, bool of_hub);

  const Options options_;
  std::vector<Sender> origins_;
  bool verified_ = true;
  Findings found_;
};

}  // namespace thalweg::storm
