// report.h: figures of many runs become rows: median, lowest, highest, and what the peer promises for them.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "bench/peers/measure.h"

namespace thalweg::bench {

double median(std::vector<double> values);

class Report {
 public:
  /// Says once who `peer` is; the table names it in this order.
  void add_peer(const std::string& peer, const std::string& title, const Guarantee& guarantee);
  void add(const std::string& measure, const std::string& peer, const Figure& figure);
  /// Instead of figures: why there are none.
  void add_absent(const std::string& measure, const std::string& peer, const std::string& why);
  /// Two runs side by side, ours first.
  void add_pair(const std::string& measure, const std::string& peer, double ours, double theirs);

  void print_table(std::ostream& out) const;
  nlohmann::json json() const;

 private:
  struct Who {
    std::string peer, title;
    Guarantee guarantee;
  };
  struct Row {
    std::string measure, peer, what, unit, absent;
    std::vector<double> values;
  };
  struct Pairs {
    std::string measure, peer;
    std::vector<double> ours, theirs;
    double ratio() const;
    /// Lowest and highest ratio of one pair.
    std::pair<double, double> spread() const;
  };
  const Who& who(const std::string& peer) const;
  Row& row(const std::string& measure, const std::string& peer, const std::string& what);

  std::vector<Who> peers_;
  std::vector<Row> rows_;
  std::vector<Pairs> pairs_;
};

}  // namespace thalweg::bench
