// main.cc: ./run demo
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "app/exit_code.h"
#include "base/log.h"
#include "story.h"

int main(int argc, char** argv) {
  using namespace thalweg;
  CLI::App cli{"thalweg-demo: neighbours on the Laixi River exchange real data 濑溪河三邻演示"};
  std::string language;
  demo::StoryOptions options;
  cli.add_option("--lang", language, "zh or en; else LANG 语言")->check(CLI::IsMember({"zh", "en"}));
  cli.add_flag("--keep", options.keep, "Leave everything running 保持运行");
  cli.add_option("--interval-ms", options.interval_ms, "Pause between two packets of the station")
      ->check(CLI::Range(1, 60'000));
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? app::kExitOk : app::kExitUsage;
  }
  log::set_level(log::Level::kError);

  std::string name = (std::filesystem::temp_directory_path() / "thalweg-demo-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    std::cerr << "thalweg-demo: cannot make a folder in " << std::filesystem::temp_directory_path() << '\n';
    return app::kExitIo;
  }
  const Path programs = std::filesystem::canonical("/proc/self/exe").parent_path();
  bool good = false;
  {
    demo::Neighbours neighbours(name, programs);
    good = demo::tell(app::Terminal(app::language_from(language)), neighbours, options);
  }
  // After a failure the logs are worth more than the room they take.
  if (good && !options.keep) {
    std::error_code ignored;
    std::filesystem::remove_all(name, ignored);
  }
  return good ? app::kExitOk : app::kExitFailed;
}
