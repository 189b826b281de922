#include "bench/growth.h"

#include <fmt/format.h>
#include <malloc.h>

#include <fstream>

#include "app/hub_pages.h"
#include "bench/grown_region.h"
#include "bench/neighbours.h"
#include "region/load.h"
#include "routing/route_table.h"

namespace thalweg::bench {
namespace {

constexpr std::int64_t kAutumn2026 = 1'790'000'000'000'000'000;

/// Bytes on the heap of the thread that asks.
double heap_bytes() {
  const auto info = ::mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

/// µs of cores that this process's threads have had whose names begin so. The hub's I/O threads of ZeroMQ bear the
/// same names as the gates', and are not in it.
double cpu_us(std::initializer_list<std::string_view> names) {
  double us = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    double ns = 0;
    std::ifstream(thread.path() / "comm") >> name;
    std::ifstream(thread.path() / "schedstat") >> ns;
    for (const std::string_view begin : names)
      if (name.starts_with(begin)) us += ns / 1e3;
  }
  return us;
}

/// ns per question, the median of several rounds over all.
double ns_per_question(const routing::RouteTable& table, const std::vector<routing::Question>& questions) {
  constexpr std::size_t kAtLeast = 200'000;
  for (const routing::Question& question : questions)
    if (const routing::Route route = table.route(question); route.code != Code::kOk)
      throw std::runtime_error("not routed: " + route.text.en);
  std::vector<double> rounds;
  std::size_t hops = 0;
  for (int round = 0; round < 15; ++round) {
    const auto begin = Steady::now();
    std::size_t asked = 0;
    for (; asked < kAtLeast; asked += questions.size())
      for (const routing::Question& question : questions) hops += table.route(question).hops.size();
    rounds.push_back(seconds_since(begin) * 1e9 / static_cast<double>(asked));
  }
  if (hops == 0) throw std::runtime_error("nothing was routed");  // and the compiler may not leave it out
  return quantile(rounds, 0.5);
}

void measure_routing(const GrownRegion& grown, std::vector<Figure>& out) {
  double heap = heap_bytes();
  auto begin = Steady::now();
  std::vector<region::Mistake> mistakes;
  const auto loaded = region::load(grown.texts, mistakes);
  if (!loaded) throw std::runtime_error(loaded.error().message);
  const Figure load{"load", "ms", seconds_since(begin) * 1e3};
  const Figure region_mb{"region", "MB", (heap_bytes() - heap) / 1e6};
  heap = heap_bytes();
  begin = Steady::now();
  const routing::RouteTable table(*loaded, kAutumn2026);
  const Figure make{"table", "ms", seconds_since(begin) * 1e3};
  const Figure table_mb{"table", "MB", (heap_bytes() - heap) / 1e6};

  std::vector<routing::Question> readings;
  for (const auto& [party, section] : grown.sections) {
    routing::Question question;
    question.party = party;
    question.type = "thalweg.section.observation.v1";
    question.section = section;
    readings.push_back(question);
  }
  routing::Question notice;
  notice.party = "500153";
  notice.type = "thalweg.emergency.notice.v1";
  notice.lane = Lane::kUrgent;
  notice.section = "laixi-gaodong";
  notice.notice = routing::NoticeKind::kWarning;
  intake::Policy policy;
  policy.region = *loaded;
  policy.routes = std::shared_ptr<const routing::RouteTable>(std::shared_ptr<void>(), &table);
  begin = Steady::now();
  const std::size_t greeting_bytes = app::manifest_json(policy, "500153").size();
  const double greeting_ms = seconds_since(begin) * 1e3;
  out.push_back({"route", "ns", ns_per_question(table, readings)});
  out.push_back({"notice", "ns", ns_per_question(table, {notice})});
  out.insert(out.end(), {load, region_mb, make, table_mb});
  out.push_back({"manifest", "ms", greeting_ms});
  out.push_back({"manifest", "KB", static_cast<double>(greeting_bytes) / 1e3});
}

void measure_exchange(const GrownRegion& grown, std::size_t records, std::vector<Figure>& out) {
  const TempFolder folder;
  for (const auto& [name, text] : grown.texts) std::ofstream(folder / name) << text;
  double start_ms = 0;
  Neighbours bench(0, folder.path().string(), [&](Exchange& exchange) {
    exchange.start_hub();  // the first one records the region
    exchange.stop_hub();
    const auto begin = Steady::now();
    exchange.start_hub();
    start_ms = seconds_since(begin) * 1e3;
  });
  // What a gate is told when it connects grows with the region; it is no part of what a record costs.
  for (const char* gate : {"rongchang", "luxian"})
    for (const Lane lane : {Lane::kRoutine, Lane::kUrgent})
      while (bench.lane_status(gate, lane)["link"]["open"] != true)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
  bench.ask_hub({{"cmd", "status"}});  // answered by both lanes behind all that
  const auto begin = Steady::now();
  const double hub = cpu_us({"hub-", "ledger-"}), all = cpu_us({""});
  Flood flood(bench, records, 256, 16);
  // Threads that end take their figures with them: the flood's is not counted.
  flood.join();
  while (bench.in_inbox(Lane::kRoutine) < flood.sent() - flood.refused()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (seconds_since(begin) > 300) throw std::runtime_error("records did not arrive in 300 s");
  }
  const auto sent = static_cast<double>(flood.sent());
  out.push_back({"exchange", "records/s", sent / seconds_since(begin)});
  out.push_back({"hub", "us/rec.", (cpu_us({"hub-", "ledger-"}) - hub) / sent});
  out.push_back({"all", "us/rec.", (cpu_us({""}) - all) / sent});
  out.push_back({"hub start", "ms", start_ms});
  if (flood.refused() != 0) throw std::runtime_error(std::to_string(flood.refused()) + " records were refused");
}

enum Column : std::size_t {
  kRoute,
  kNotice,
  kLoad,
  kRegion,
  kMake,
  kTable,
  kManifest,
  kManifestSize,
  kRate,
  kHub,
  kAll,
  kStart
};

std::vector<double> column(const GrowthPoint& point, std::size_t figure) {
  std::vector<double> values;
  for (const auto& run : point.runs) values.push_back(run.at(figure).value);
  std::sort(values.begin(), values.end());
  return values;
}

/// One curve over a logarithmic axis: medians, and bars from the lowest to the highest run.
std::string panel(double left, double top, const std::string& title, const char* axis,
                  const std::vector<const GrowthPoint*>& points, std::size_t GrowthPoint::*size, Column figure,
                  double most) {
  constexpr double kWide = 330, kHigh = 170;
  const double low = std::log10(static_cast<double>(points.front()->*size)),
               high = std::log10(static_cast<double>(points.back()->*size));
  const auto x = [&](std::size_t n) {
    return left + kWide * (std::log10(static_cast<double>(n)) - low) / (high - low);
  };
  const auto y = [&](double value) { return top + kHigh * (1 - std::min(value / most, 1.0)); };
  std::string out = fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" font-weight=\"bold\">{}</text>\n<text x=\"{:.1f}\" y=\"{:.1f}\" "
      "text-anchor=\"middle\">{}</text>\n",
      left, top - 14, title, left + kWide / 2, top + kHigh + 38, axis);
  for (int i = 0; i <= 5; ++i) {
    const double value = most * i / 5;
    out += fmt::format(
        "<path d=\"M{:.1f},{:.1f} h{:.1f}\" stroke=\"#d5dbdf\"/>\n<text x=\"{:.1f}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{:g}</text>\n",
        left, y(value), kWide, left - 6, y(value) + 4, value);
  }
  std::string line;
  for (const GrowthPoint* point : points) {
    const double at = x(point->*size);
    line += fmt::format("{}{:.1f},{:.1f}", line.empty() ? "M" : " L", at, y(point->median(figure)));
    out += fmt::format(
        "<path d=\"M{0:.1f},{1:.1f} V{2:.1f}\" stroke=\"#1f6391\" stroke-width=\"5\" opacity=\"0.3\"/>\n<circle "
        "cx=\"{0:.1f}\" cy=\"{3:.1f}\" r=\"3.5\" fill=\"#1f6391\"/>\n<text x=\"{0:.1f}\" y=\"{4:.1f}\" "
        "text-anchor=\"middle\">{5}</text>\n",
        at, y(point->lowest(figure)), y(point->highest(figure)), y(point->median(figure)), top + kHigh + 19,
        point->*size);
  }
  return out + fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"#1f6391\" stroke-width=\"2\"/>\n", line);
}

}  // namespace

double GrowthPoint::median(std::size_t figure) const { return quantile(column(*this, figure), 0.5); }
double GrowthPoint::lowest(std::size_t figure) const { return column(*this, figure).front(); }
double GrowthPoint::highest(std::size_t figure) const { return column(*this, figure).back(); }

std::vector<GrowthPoint> growth(int runs, std::size_t records, bool quick) {
  std::vector<GrowthPoint> points;
  for (const std::size_t parties : {3, 10, 30, 100, 300}) points.push_back({parties, 1000, {}});
  for (const std::size_t agreements : {10, 30, 100, 300, 1000, 3000, 10'000}) points.push_back({1000, agreements, {}});
  if (quick) points = {{3, 1000, {}}, {1000, 10, {}}, {1000, 1000, {}}};
  for (int run = 0; run < runs; ++run) {
    for (GrowthPoint& point : points) {
      const GrownRegion grown = grown_region(point.parties, point.agreements);
      std::vector<Figure> figures;
      measure_routing(grown, figures);
      measure_exchange(grown, records, figures);
      point.runs.push_back(std::move(figures));
    }
  }
  return points;
}

std::string growth_table(const std::vector<GrowthPoint>& points) {
  std::string out = fmt::format("{:>7} {:>7}", "parties", "agreed");
  for (const Figure& figure : points.front().runs.front()) out += fmt::format(" {:>10}", figure.what);
  out += fmt::format("\n{:>15}", "");
  for (const Figure& figure : points.front().runs.front()) out += fmt::format(" {:>10}", figure.unit);
  for (const GrowthPoint& point : points) {
    out += fmt::format("\n{:>7} {:>7}", point.parties, point.agreements);
    for (std::size_t i = 0; i < point.runs.front().size(); ++i) {
      const double value = point.median(i);
      out += value < 100 ? fmt::format(" {:>10.2f}", value) : fmt::format(" {:>10.0f}", value);
    }
  }
  return out + "\n";
}

json growth_json(const std::vector<GrowthPoint>& points) {
  json out = json::array();
  for (const GrowthPoint& point : points) {
    json one = {{"parties", point.parties}, {"agreements", point.agreements}, {"figures", json::array()}};
    for (std::size_t i = 0; i < point.runs.front().size(); ++i)
      one["figures"].push_back({{"what", point.runs.front()[i].what},
                                {"unit", point.runs.front()[i].unit},
                                {"median", point.median(i)},
                                {"lowest", point.lowest(i)},
                                {"highest", point.highest(i)}});
    out.push_back(std::move(one));
  }
  return out;
}

std::string growth_svg(const std::vector<GrowthPoint>& points) {
  std::vector<const GrowthPoint*> by_parties, by_agreements;
  for (const GrowthPoint& point : points) {
    if (point.agreements == 1000) by_parties.push_back(&point);
    if (point.parties == 1000) by_agreements.push_back(&point);
  }
  double most = 5;
  for (const GrowthPoint& point : points) most = std::max(most, 5 * std::ceil(point.highest(kHub) / 5));
  const auto& at = &GrowthPoint::parties;
  const auto& with = &GrowthPoint::agreements;
  return R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 560" width="860" height="560" font-family="DejaVu Sans, sans-serif" font-size="12">
<title>Cost per record over parties and agreements</title>
<rect width="860" height="560" fill="#ffffff"/>
)" + panel(60, 50, "routing decision, ns", "parties, with 1,000 agreements", by_parties, at, kRoute, 500) +
         panel(490, 50, "routing decision, ns (wanted: under 500)", "agreements, with 1,000 parties", by_agreements,
               with, kRoute, 500) +
         panel(60, 325, "the hub's threads, us of a core per record", "parties, with 1,000 agreements", by_parties, at,
               kHub, most) +
         panel(490, 325, "the hub's threads, us of a core per record", "agreements, with 1,000 parties", by_agreements,
               with, kHub, most) +
         "</svg>\n";
}

}  // namespace thalweg::bench
