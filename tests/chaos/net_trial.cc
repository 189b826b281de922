#include "chaos/net_trial.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

namespace thalweg::chaos {

using nlohmann::json;
using std::chrono::milliseconds;
using storm::SteadyClock;

void pass_plan(World& world, const std::vector<Step>& plan, int pause_s,
               const std::function<void(double at_s)>& every) {
  const auto programs = world.programs();
  const auto begin = SteadyClock::now();
  auto look = begin + std::chrono::seconds(pause_s);
  for (std::size_t next = 0; next < plan.size();) {
    const auto now = SteadyClock::now();
    const double at_s = std::chrono::duration<double>(now - begin).count();
    if (now >= begin + plan[next].at) {
      std::printf("%7.1f s  %s\n", at_s, plan[next].text(programs).c_str());
      std::fflush(stdout);
      world.apply(plan[next++]);
      continue;
    }
    world.watch();
    if (now >= look) {
      every(at_s);
      look += std::chrono::seconds(pause_s);
    }
    std::this_thread::sleep_until(std::min({begin + plan[next].at, look, now + milliseconds(50)}));
  }
}

void print_account(const World& world, bool chinese) {
  const auto row = [](const std::string& way, const auto& accepted, const auto& lost, const auto& doubled,
                      const auto& order, const auto& foreign, const auto& forbidden) {
    std::printf("  %-44s %9s %6s %6s %6s %6s %6s\n", way.c_str(), fmt::format("{}", accepted).c_str(),
                fmt::format("{}", lost).c_str(), fmt::format("{}", doubled).c_str(), fmt::format("{}", order).c_str(),
                fmt::format("{}", foreign).c_str(), fmt::format("{}", forbidden).c_str());
  };
  std::printf("%s\n", chinese ? "（列：已受理、丢失、重复、乱序、无主、越权）"
                              : "(order: out of order; forbid.: at one who may not see it)");
  if (chinese)
    row("from → to", "accepted", "lost", "double", "order", "foreig", "forbid");
  else
    row("from → to", "accepted", "lost", "double", "order", "foreig", "forbid");
  for (const World::Way& way : world.ways())
    row(way.from + " → " + way.to, way.accepted, way.found.lost, way.found.doubled, way.found.out_of_order,
        way.found.foreign, way.found.forbidden);
  const NetLine::Counters lines = world.lines();
  std::printf(chinese ? "  线路：连接 %llu 次，切断 %llu 次，通过 %llu 字节，消失 %llu 字节\n"
                      : "  lines: %llu connections, %llu cut, %llu bytes crossed, %llu vanished\n",
              static_cast<unsigned long long>(lines.connections), static_cast<unsigned long long>(lines.cut),
              static_cast<unsigned long long>(lines.crossed_bytes), static_cast<unsigned long long>(lines.lost_bytes));
  std::printf(
      chinese ? "  恢复旧副本后表格中重写的行：%llu；校验：%s\n" : "  rows written again in tables: %llu; verify: %s\n",
      static_cast<unsigned long long>(world.rewritten_rows()),
      world.verified() ? (chinese ? "完好" : "content") : (chinese ? "不完好" : "NOT content"));
  for (const std::string& what : world.complaints()) std::printf("  ! %s\n", what.c_str());
}

json account_json(const World& world) {
  json all{{"content", world.content()}, {"verified", world.verified()}, {"complaints", world.complaints()}};
  for (const World::Way& way : world.ways())
    all["ways"].push_back({{"from", way.from},
                           {"to", way.to},
                           {"accepted", way.accepted},
                           {"lost", way.found.lost},
                           {"doubled", way.found.doubled},
                           {"out_of_order", way.found.out_of_order},
                           {"foreign", way.found.foreign},
                           {"forbidden", way.found.forbidden}});
  return all;
}

int run_chaos(World& world, const PlanOptions& options, bool chinese, const Path& json_file) {
  if (!world.set_up()) return 1;
  pass_plan(world, make_plan(options), 10, [&](double at_s) {
    std::printf("%7.1f s  -- %s\n", at_s, world.progress().c_str());
    std::fflush(stdout);
  });
  world.finish();
  print_account(world, chinese);
  if (!json_file.empty()) {
    json all = account_json(world);
    all["seed"] = options.seed;
    all["seconds"] = options.length.count();
    std::ofstream(json_file) << all.dump(1) << "\n";
  }
  return world.content() ? 0 : 1;
}

}  // namespace thalweg::chaos
