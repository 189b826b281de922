// hub_main.cc: thalwegd, the hub.
#include <CLI/CLI.hpp>
#include <iostream>

#include "app/cli/terminal.h"
#include "app/exit_code.h"
#include "app/hub.h"
#include "app/service.h"
#include "base/log.h"

namespace {

using namespace thalweg;

int fail(const Error& error, const std::vector<region::Mistake>& mistakes) {
  const app::Terminal terminal(app::language_from(""));
  for (const region::Mistake& mistake : mistakes) std::cerr << mistake.text(terminal.language()) << '\n';
  terminal.error(error, "thalwegd");
  return app::exit_code_of(error.code);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli{
      "thalwegd: the hub of a Thalweg region. Set up with: thalweg init hub DIR\n深泓交换中枢；用 thalweg init hub "
      "建立"};
  std::string folder = ".";
  std::string level = "warning";
  bool print_endpoints = false;
  cli.add_option("folder", folder, "The hub's folder, with hub.toml 中枢目录")->required();
  cli.add_option("--log", level, "debug, info, warning or error 日志级别")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  cli.add_flag("--print-endpoints", print_endpoints,
               "Print where gates connect, one line a lane, once it listens 监听后输出地址");
  cli.set_version_flag("--version", "thalwegd " THALWEG_VERSION);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? app::kExitOk : app::kExitUsage;
  }
  log::set_level(level == "debug"   ? log::Level::kDebug
                 : level == "info"  ? log::Level::kInfo
                 : level == "error" ? log::Level::kError
                                    : log::Level::kWarning);

  std::vector<region::Mistake> mistakes;
  Result<app::HubConfig> config = app::HubConfig::load(real_files(), Path(folder) / "hub.toml", mistakes);
  if (!config) return fail(config.error(), mistakes);
  app::Hub::Options options;
  options.config = *std::move(config);
  if (const char* delay = std::getenv("THALWEG_SYNC_DELAY_US")) options.extra_sync_delay_ns = std::atoll(delay) * 1000;

  boost::asio::io_context io;
  Result<std::unique_ptr<app::Hub>> hub = app::Hub::start(real_files(), system_clock(), std::move(options), mistakes);
  if (!hub) return fail(hub.error(), mistakes);
  (*hub)->on_failed([&io] { io.stop(); });
  if (print_endpoints) {
    std::cout << "routine " << (*hub)->endpoint(Lane::kRoutine) << "\nurgent " << (*hub)->endpoint(Lane::kUrgent)
              << std::endl;
    if ((*hub)->http_port() != 0) std::cout << "http " << (*hub)->http_port() << std::endl;
  }
  app::run_service(
      io,
      [&] {
        std::vector<region::Mistake> wrong;
        if (Status done = (*hub)->reload("SIGHUP", wrong); !done) {
          for (const region::Mistake& mistake : wrong)
            log::error("region", "{}", mistake.text(region::Language::kEnglish));
          log::error("region", "not reloaded, the old version stays in force: {}", done.error().message);
        }
      },
      [&] { return !(*hub)->failed(); });
  if (const auto failed = (*hub)->failed()) return fail(*failed, {});
  return app::kExitOk;
}
