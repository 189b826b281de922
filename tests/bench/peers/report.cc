#include "bench/peers/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace thalweg::bench {
namespace {

std::string number(double value) {
  return value != 0 && value < 100 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

double lowest(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }
double highest(const std::vector<double>& values) { return *std::max_element(values.begin(), values.end()); }

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double Report::Pairs::ratio() const { return median(ours) / median(theirs); }

std::pair<double, double> Report::Pairs::spread() const {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / theirs[i]);
  return {lowest(ratios), highest(ratios)};
}

void Report::add_peer(const std::string& peer, const std::string& title, const Guarantee& guarantee) {
  for (const Who& one : peers_)
    if (one.peer == peer) return;
  peers_.push_back({peer, title, guarantee});
}

const Report::Who& Report::who(const std::string& peer) const {
  return *std::find_if(peers_.begin(), peers_.end(), [&](const Who& one) { return one.peer == peer; });
}

Report::Row& Report::row(const std::string& measure, const std::string& peer, const std::string& what) {
  for (Row& one : rows_)
    if (one.measure == measure && one.peer == peer && one.what == what) return one;
  return rows_.emplace_back(Row{measure, peer, what, {}, {}, {}});
}

void Report::add(const std::string& measure, const std::string& peer, const Figure& figure) {
  Row& one = row(measure, peer, figure.what);
  one.unit = figure.unit;
  one.values.push_back(figure.value);
}

void Report::add_absent(const std::string& measure, const std::string& peer, const std::string& why) {
  row(measure, peer, "").absent = why;
}

void Report::add_pair(const std::string& measure, const std::string& peer, double ours, double theirs) {
  for (Pairs& one : pairs_) {
    if (one.measure != measure || one.peer != peer) continue;
    one.ours.push_back(ours);
    one.theirs.push_back(theirs);
    return;
  }
  pairs_.push_back({measure, peer, {ours}, {theirs}});
}

/// By measurement, within it by figure, so that peers stand under each other.
void Report::print_table(std::ostream& out) const {
  for (const Measure& measure : measures()) {
    std::vector<std::string> figures;
    for (const Row& one : rows_)
      if (one.measure == measure.name && std::find(figures.begin(), figures.end(), one.what) == figures.end())
        figures.push_back(one.what);
    if (figures.empty()) continue;
    out << fmt::format("\n{}: {}\n", measure.name, measure.title);
    for (const std::string& figure : figures) {
      if (!figure.empty()) out << fmt::format("  {:<50} {:>10} {:<10} {}\n", figure, "median", "", "lowest to highest");
      for (const Row& one : rows_) {
        if (one.measure != measure.name || one.what != figure) continue;
        const Who& peer = who(one.peer);
        if (!one.absent.empty()) {
          out << fmt::format("    {:<18} {}\n", one.peer, one.absent);
          continue;
        }
        const std::string range = fmt::format("{} to {}", number(lowest(one.values)), number(highest(one.values)));
        out << fmt::format("    {:<48} {:>10} {:<10} {:<22} {}\n", one.peer, number(median(one.values)), one.unit,
                           range, peer.guarantee.words());
      }
    }
    for (const Pairs& one : pairs_) {
      if (one.measure != measure.name) continue;
      const auto [least, most] = one.spread();
      out << fmt::format("  thalweg / {:<40} {:>10.2f} {:<10} {:.2f} to {:.2f}\n", one.peer, one.ratio(), "times",
                         least, most);
    }
  }
  out << "\nwho is who, and what is true when the sender hears yes\n";
  for (const Who& one : peers_) out << fmt::format("  {:<18} {}: {}\n", one.peer, one.title, one.guarantee.words());
}

nlohmann::json Report::json() const {
  nlohmann::json out = {
      {"peers", nlohmann::json::array()}, {"rows", nlohmann::json::array()}, {"ratios", nlohmann::json::array()}};
  for (const Who& one : peers_) {
    out["peers"].push_back({{"name", one.peer},
                            {"title", one.title},
                            {"guarantee", one.guarantee.words()},
                            {"synced", one.guarantee.synced},
                            {"encrypted_by", one.guarantee.encrypted},
                            {"compressed", one.guarantee.compressed}});
  }
  for (const Row& one : rows_) {
    nlohmann::json row = {{"measure", one.measure}, {"peer", one.peer}, {"guarantee", who(one.peer).guarantee.words()}};
    if (!one.absent.empty()) {
      row["absent"] = one.absent;
    } else {
      row.update({{"what", one.what},
                  {"unit", one.unit},
                  {"median", median(one.values)},
                  {"lowest", lowest(one.values)},
                  {"highest", highest(one.values)},
                  {"values", one.values}});
    }
    out["rows"].push_back(std::move(row));
  }
  for (const Pairs& one : pairs_) {
    const auto [least, most] = one.spread();
    out["ratios"].push_back({{"measure", one.measure},
                             {"thalweg_over", one.peer},
                             {"ratio_of_medians", one.ratio()},
                             {"lowest", least},
                             {"highest", most},
                             {"thalweg", one.ours},
                             {"peer", one.theirs}});
  }
  return out;
}

}  // namespace thalweg::bench
