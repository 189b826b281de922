// region.cc: region check, region show.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/exit_code.h"
#include "base/clock.h"
#include "region/load.h"
#include "region/show.h"

namespace thalweg::app {
namespace {

using nlohmann::json;

/// Loads, or says every mistake. Null with the exit code in `session`.
std::shared_ptr<const region::Region> load(Session& session, const std::string& folder) {
  const Terminal t = session.terminal();
  std::vector<region::Mistake> mistakes;
  auto loaded = region::load_folder(real_files(), folder, mistakes);
  if (loaded) return *std::move(loaded);
  if (session.json) {
    json list = json::array();
    for (const region::Mistake& m : mistakes)
      list.push_back({{"file", m.file},
                      {"line", m.line},
                      {"key", m.key},
                      {"code", static_cast<int>(m.code)},
                      {"message_zh", m.message.zh},
                      {"message_en", m.message.en}});
    t.line(json{{"ok", false}, {"mistakes", std::move(list)}}.dump());
  } else {
    for (const region::Mistake& m : mistakes) std::cerr << m.text(t.language()) << '\n';
    if (mistakes.empty()) {
      t.error(loaded.error());
    } else {
      t.error("共 " + std::to_string(mistakes.size()) + " 处错误，请逐条更正",
              std::to_string(mistakes.size()) + " mistakes; correct each of them");
    }
  }
  session.exit_code = mistakes.empty() ? exit_code_of(loaded.error().code) : kExitConfig;
  return nullptr;
}

void check(Session& session, const std::string& folder) {
  const auto region = load(session, folder);
  if (!region) return;
  const Terminal t = session.terminal();
  const auto gaps = region::statutory_gaps(*region, system_clock().wall_unix_ns());
  if (session.json) {
    t.line(json{{"ok", true},
                {"region", region->code()},
                {"digest", to_hex(region->digest())},
                {"parties", region->parties().size()},
                {"rivers", region->rivers().size()},
                {"sections", region->sections().size()},
                {"agreements", region->agreements().size()}}
               .dump());
    return;
  }
  for (const region::Mistake& gap : gaps) std::cerr << gap.text(t.language()) << '\n';
  const auto count = [](std::size_t n) { return std::to_string(n); };
  const std::string good = t.paint(Colour::kGreen, t.say("没有错误", "No mistakes"));
  t.line(good + "：" + region->name().zh + "，" + count(region->parties().size()) + " 个主体，" +
             count(region->rivers().size()) + " 条河流，" + count(region->sections().size()) + " 个断面，" +
             count(region->agreements().size()) + " 份协议",
         good + ": " + region->name().in(Language::kEnglish) + ", " + count(region->parties().size()) + " parties, " +
             count(region->rivers().size()) + " rivers, " + count(region->sections().size()) + " sections, " +
             count(region->agreements().size()) + " agreements");
}

}  // namespace

void add_region_commands(CLI::App& cli, Session& session) {
  auto folder = std::make_shared<std::string>();
  auto* region = cli.add_subcommand("region", "Check and show a region 区域配置")->require_subcommand(1);
  auto* checks = region->add_subcommand("check", "Every mistake at once, with file, line and key 检查");
  checks->add_option("folder", *folder, "Folder of the region's files 区域文件目录")->required();
  checks->callback([&session, folder] { check(session, *folder); });
  auto* shows = region->add_subcommand("show", "Rivers with sections and parties in flow order 展示");
  shows->add_option("folder", *folder, "Folder of the region's files 区域文件目录")->required();
  shows->callback([&session, folder] {
    const auto loaded = load(session, *folder);
    if (!loaded) return;
    const std::int64_t now = system_clock().wall_unix_ns();
    std::cout << (session.json ? region::show_json(*loaded, now) + "\n"
                               : region::show(*loaded, session.terminal().language(), now));
  });
}

}  // namespace thalweg::app
