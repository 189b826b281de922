// thalweg-station: a simulated automatic station that plays published readings by HJ 212-2017 over TCP.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "player.h"
#include "table.h"

namespace {

std::atomic<bool> stop{false};

bool chinese(const std::string& lang) {
  if (!lang.empty()) return lang == "zh";
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"})
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0')
      return std::string_view(value).substr(0, 2) == "zh";
  return false;
}

// As hub/app/exit_code.h has them, which belongs to the hub.
constexpr int kComplete = 0, kUsage = 64, kData = 65, kNotFound = 66, kUnavailable = 69;

}  // namespace

int main(int argc, char** argv) {
  using namespace thalweg;
  station::Options options;
  std::string to, table_path, lang;
  bool json = false, verbose = false;
  for (int i = 1; i + 1 < argc; ++i)
    if (std::string_view(argv[i]) == "--lang") lang = argv[i + 1];
  const bool zh = chinese(lang);
  const auto say = [zh](const char* en, const char* other) { return std::string(zh ? other : en); };

  CLI::App app(say("Plays a table of readings into a gate as an automatic station would (HJ 212-2017 over TCP).",
                   "模拟自动监测站：按 HJ 212-2017 通过 TCP 向前置端发送一张读数表。"));
  app.add_option("--to", to, say("HOST:PORT of the gate's hj212 adapter", "前置端 hj212 适配器的地址 HOST:PORT"))
      ->required();
  app.add_option("--mn", options.mn, say("station number", "站点编号 MN"))->required();
  app.add_option("--table", table_path, say("CSV table, see examples/stations", "读数表（CSV），见 examples/stations"))
      ->required();
  app.add_option("--interval-ms", options.interval_ms, say("pause between packets", "报文间隔（毫秒）"))
      ->check(CLI::Range(0, 86'400'000));
  app.add_option("--repeat", options.repeat,
                 say("play it N times, each at times of its own", "重复 N 遍，每遍时间各不相同"))
      ->check(CLI::Range(1, 100'000'000));
  app.add_flag("--wait-answers", options.wait_answers,
               say("ask for answers; send again what is not answered", "要求应答；未应答的报文重发"));
  app.add_option("--timeout-ms", options.timeout_ms, say("wait for one answer", "单个应答的等待时间（毫秒）"))
      ->check(CLI::Range(10, 600'000));
  app.add_option("--give-up-ms", options.give_up_ms,
                 say("end after this long; 0: never", "最长运行时间（毫秒），0 为不限"))
      ->check(CLI::Range(0, 86'400'000));
  app.add_option("--window", options.window, say("packets under way without answer", "允许未应答的报文数"))
      ->check(CLI::Range(1, 100'000));
  app.add_option("--password", options.password, say("PW of the packets", "报文密码 PW"));
  app.add_flag(
      "--fresh", options.fresh,
      say("number packets by the clock: playing again makes new records", "按当前时间编号：再次播放产生新记录"));
  app.add_flag("-v,--verbose", verbose, say("a line for each answer", "逐条显示应答"));
  app.add_flag("--json", json, say("the summary as JSON", "以 JSON 输出汇总"));
  app.add_option("--lang", lang, say("zh or en; else LANG decides", "zh 或 en，默认取自 LANG"))
      ->check(CLI::IsMember({"zh", "en"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kUsage;
  }
  const std::size_t colon = to.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == to.size()) {
    std::fprintf(stderr, "%s\n", say("--to must be HOST:PORT", "--to 应为 HOST:PORT").c_str());
    return kUsage;
  }
  options.host = to.substr(0, colon);
  options.port = to.substr(colon + 1);
  if (options.host.size() > 2 && options.host.front() == '[')
    options.host = options.host.substr(1, options.host.size() - 2);
  const auto table = station::read_table(table_path);
  if (!table) {
    std::fprintf(stderr, "%s: %s\n", say("the table cannot be read", "读数表无法读取").c_str(),
                 table.error().message.c_str());
    return table.error().code == Code::kNotFound ? kNotFound : kData;
  }

  std::signal(SIGINT, [](int) { stop = true; });
  std::signal(SIGTERM, [](int) { stop = true; });
  std::signal(SIGPIPE, SIG_IGN);
  const auto line = [&](const std::string& time, double ms) {
    if (verbose)
      std::printf("%s  %s  %.1f ms\n", time.c_str(), say("answered", "已应答").c_str(), ms), std::fflush(stdout);
  };
  const station::Summary s = station::play(options, *table, stop, line);
  const bool complete = s.complete(options);
  using ull = unsigned long long;
  if (json) {
    std::printf(
        "{\"packets\":%llu,\"sent\":%llu,\"answered\":%llu,\"resent\":%llu,\"unanswered\":%llu,\"reconnects\":%llu,"
        "\"seconds\":%.3f,\"answer_p50_ms\":%.2f,\"answer_p99_ms\":%.2f,\"complete\":%s}\n",
        ull{s.packets}, ull{s.sent}, ull{s.answered}, ull{s.resent},
        options.wait_answers ? ull{s.sent - s.answered} : 0ULL, ull{s.reconnects}, s.seconds, s.p50_ms, s.p99_ms,
        complete ? "true" : "false");
  } else if (zh) {
    std::printf("站点 %s：已发送 %llu，已应答 %llu，重发 %llu（用时 %.1f 秒）\n", options.mn.c_str(), ull{s.sent},
                ull{s.answered}, ull{s.resent}, s.seconds);
  } else {
    std::printf("station %s: sent %llu, answered %llu, re-sent %llu (%.1f s)\n", options.mn.c_str(), ull{s.sent},
                ull{s.answered}, ull{s.resent}, s.seconds);
  }
  if (!complete)
    std::fprintf(stderr, "%s\n",
                 say("not all of it arrived; play the same table again: what arrived makes no second record",
                     "未全部送达；可再次播放同一读数表，已送达的不会产生重复记录")
                     .c_str());
  return complete ? kComplete : kUnavailable;
}
