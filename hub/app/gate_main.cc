// gate_main.cc: thalweg-gate, the front-end machine of a district.
#include <CLI/CLI.hpp>
#include <atomic>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <iostream>
#include <mutex>

#include "app/cli/terminal.h"
#include "app/exit_code.h"
#include "app/gate_pages.h"
#include "app/http_endpoint.h"
#include "app/service.h"
#include "base/log.h"
#include "gate/gate.h"

namespace {

using namespace thalweg;

int fail(const Error& error) {
  app::Terminal(app::language_from("")).error(error, "thalweg-gate");
  return app::exit_code_of(error.code);
}

/// The runner lies beside this program.
Path runner_beside(const char* self) {
  std::error_code error;
  Path own = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) own = self;
  return own.parent_path() / "thalweg-runner";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli{
      "thalweg-gate: the gate of one district. Set up with: thalweg init gate DIR\n深泓前置端；用 thalweg init gate "
      "建立"};
  std::string folder = ".";
  std::string level = "warning";
  bool check = false;
  cli.add_option("folder", folder, "The gate's folder, with gate.toml 前置端目录")->required();
  cli.add_option("--log", level, "debug, info, warning or error 日志级别")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  cli.add_flag("--check", check, "Check gate.toml and the keys, and end 只检查配置与密钥");
  cli.set_version_flag("--version", "thalweg-gate " THALWEG_VERSION);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? app::kExitOk : app::kExitUsage;
  }
  log::set_level(level == "debug"   ? log::Level::kDebug
                 : level == "info"  ? log::Level::kInfo
                 : level == "error" ? log::Level::kError
                                    : log::Level::kWarning);

  std::vector<gate::ConfigMistake> mistakes;
  const Path file = Path(folder) / "gate.toml";
  auto config = gate::GateConfig::load(real_files(), file, mistakes);
  if (!config) {
    std::cerr << gate::show(file, mistakes, app::Terminal(app::language_from("")).chinese());
    return fail(config.error());
  }
  if (check) {
    auto papers = gate::GatePapers::load(real_files(), *config);
    if (!papers) return fail(papers.error());
    std::cout << "gate.toml, keys and the hub's card are good 配置、密钥与中枢卡片无误\n";
    return app::kExitOk;
  }

  boost::asio::io_context io;
  std::mutex mutex;
  std::optional<Error> fatal;
  gate::Gate::Options options;
  options.program = "thalweg-gate " THALWEG_VERSION;
  options.runner = runner_beside(argv[0]);
  options.on_stop_asked = [&io] { io.stop(); };
  options.on_fatal = [&](const Error& error) {
    {
      const std::lock_guard lock(mutex);
      if (!fatal) fatal = error;
    }
    io.stop();
  };
  if (const char* delay = std::getenv("THALWEG_SYNC_DELAY_US")) options.tuning.sync_delay_ns = std::atoll(delay) * 1000;
  const std::string http_address = config->http_address;
  const std::uint16_t http_port = config->http_port;
  auto started = gate::Gate::start(real_files(), system_clock(), *std::move(config), std::move(options));
  if (!started) return fail(started.error());
  gate::Gate& gate = **started;

  Loop desk("gate-http");
  desk.start();
  std::unique_ptr<app::HttpEndpoint> http;
  if (http_port != 0) {
    app::HttpEndpoint::Pages pages;
    pages.metrics = [&gate] { return app::gate_metrics_page(gate); };
    pages.unhealthy_because = [&gate] { return gate.unhealthy_because(); };
    auto endpoint = app::HttpEndpoint::listen(desk, http_address, http_port, std::move(pages));
    if (!endpoint) return fail(endpoint.error());
    http = *std::move(endpoint);
  }
  app::run_service(
      io, [] { log::warning("gate", "gate.toml is read at the start only: restart the gate to change it"); },
      [&gate] { return gate.unhealthy_because().empty(); });
  http.reset();
  started->reset();
  const std::lock_guard lock(mutex);
  return fatal ? fail(*fatal) : app::kExitOk;
}
