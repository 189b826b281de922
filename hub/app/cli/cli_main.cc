// cli_main.cc: thalweg, the command line for people.
#include <CLI/CLI.hpp>
#include <iostream>

#include "app/cli/commands.h"
#include "app/exit_code.h"

int main(int argc, char** argv) {
  using namespace thalweg::app;
  Session session;
  if (const char* folder = std::getenv("THALWEG_DIR")) session.folder = folder;
  if (session.folder.empty()) session.folder = ".";

  CLI::App cli{
      "thalweg: exchange of section data, emergency notices and enforcement records between neighbours along the "
      "water.\n"
      "深泓：相邻区县之间交换断面数据、突发环境事件通报与联合执法记录。\n"};
  cli.add_option("-d,--dir", session.folder, "Folder of the hub or gate 中枢或前置端目录 (THALWEG_DIR)");
  cli.add_option("--lang", session.language, "zh or en; else LANG 语言")->check(CLI::IsMember({"zh", "en"}));
  cli.add_flag("--json", session.json, "Print JSON 输出 JSON");
  cli.set_version_flag("--version", "thalweg " THALWEG_VERSION);
  cli.require_subcommand(0, 1);
  cli.fallthrough();
  add_setup_commands(cli, session);
  add_region_commands(cli, session);
  add_record_commands(cli, session);
  add_status_commands(cli, session);
  add_ledger_commands(cli, session);
  cli.footer(
      "Exit codes 退出码: 0 done 完成, 1 failed 失败, 64 usage 命令行有误, 65 wrong input 输入有误, 66 not found "
      "未找到, "
      "69 not running 未运行, 70 internal 程序错误, 74 reading or writing 读写失败, 77 denied 无权限, 78 configuration "
      "配置有误.");

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (cli.exit(error) == 0) return kExitOk;
    if (session.terminal().chinese()) std::cerr << "命令行有误：用法见 thalweg --help，或 thalweg 命令 --help\n";
    return kExitUsage;
  }
  if (cli.get_subcommands().empty()) std::cout << cli.help();
  return session.exit_code;
}
