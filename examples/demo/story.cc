#include "story.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "ledger/verify.h"
#include "model/time.h"
#include "region/load.h"

namespace thalweg::demo {
namespace {

using app::Colour;
using app::Table;
using app::Terminal;

constexpr const char* kIncident = "2026-0923-laixi";
constexpr const char* kExercise = "drill-2026-0923";

/// A row of the closing table.
struct Journey {
  std::string what, from, to, agreement;
  double milliseconds = 0;
};

class Story {
 public:
  Story(const Terminal& t, Neighbours& n, const StoryOptions& o) : t_(t), n_(n), o_(o) {}

  bool tell() {
    t_.line(t_.paint(Colour::kBold,
                     t_.say("深泓 Thalweg 演示：濑溪河三邻 大足 → 荣昌 → 泸县",
                            "Thalweg demo: three neighbours on the Laixi River, Dazu → Rongchang → Luxian")));
    t_.line("断面数据为中国环境监测总站公布的实测值；事件、案件与人员为虚构，均标明演练。",
            "The readings are real, as published by the China National Environmental Monitoring Centre; incident, case "
            "and people are invented and marked as an exercise.");
    return step("建立并启动交换中枢与三个前置端", "Set up and start the hub and three gates",
                [this] { return set_up(); }) &&
           step("监测站把高洞电站的九个时次报给荣昌；途中强行终止交换中枢再启动",
                "A station reports nine moments at 高洞电站 to Rongchang; the hub is killed on the way and started "
                "again",
                [this] { return readings(); }) &&
           step("荣昌发现异常（演练）：向上游溯源协查，向下游情况通报与预警",
                "Rongchang sees trouble (exercise): search upstream, information and warning downstream",
                [this] { return incident(); }) &&
           step("泸县值班员签收，荣昌看到回执",
                "An officer at Luxian signs for the warning, Rongchang sees the receipt",
                [this] { return receipt(); }) &&
           step("泸县向荣昌发送联合执法记录；大足不是当事方",
                "Luxian sends Rongchang a joint-enforcement record; Dazu is no party to it",
                [this] { return enforcement(); }) &&
           step("校验账本；在副本里改动一个字节", "Verify the ledger; change one byte in a copy",
                [this] { return verify(); }) &&
           finish();
  }

 private:
  template <class Work>
  bool step(std::string_view zh, std::string_view en, Work work) {
    ++step_;
    t_.line();
    t_.line(t_.paint(Colour::kCyan, fmt::format("[{}/6] ", step_)) + t_.paint(Colour::kBold, t_.say(zh, en)));
    std::cout << std::flush;
    const bool good = work();
    std::cout << std::flush;
    return good;
  }
  bool done(const Status& status) {
    if (status) return true;
    t_.line(t_.paint(Colour::kRed, t_.say("失败：", "Failed: ")) + status.error().message);
    t_.line(t_.say("日志在 ", "Logs are in ") + n_.folder().string());
    failed_ = true;
    return false;
  }
  bool set_up() {
    if (!done(n_.set_up())) return false;
    std::vector<region::Mistake> mistakes;
    if (auto loaded = region::load_folder(real_files(), n_.folder() / "hub" / "region", mistakes)) region_ = *loaded;
    t_.line("  区域：濑溪河；三个前置端已登记，紧急、常规两条通道均已连接",
            "  region: Laixi River; three gates enrolled, each connected by an urgent and a routine lane");
    return true;
  }
  /// 《…》 or "…", then its id and version; what needs no agreement is said as it is.
  std::string agreement(const std::string& id, int version) const {
    const std::string code = fmt::format("{} v{}", id, version);
    if (region_)
      for (const region::Agreement& one : region_->agreements())
        if (one.id == id)
          return fmt::format(fmt::runtime(t_.say("《{}》 {}", "\"{}\" {}")), one.title.in(t_.language()),
                             t_.paint(Colour::kDim, code));
    return code;
  }
  bool fail(const std::string& why) { return done(Error{Code::kInternal, why}); }
  std::string name(const std::string& party) const {
    if (party == kDazu) return std::string(t_.say("大足", "Dazu"));
    if (party == kRongchang) return std::string(t_.say("荣昌", "Rongchang"));
    if (party == kLuxian) return std::string(t_.say("泸县", "Luxian"));
    return party;
  }

  static double between(const json& earlier, const json& later) {
    const auto from = parse_rfc3339(earlier.get<std::string>());
    const auto to = parse_rfc3339(later.get<std::string>());
    return from && to ? static_cast<double>(*to - *from) / 1e6 : 0;
  }

  /// Waits until record `id` is in the inbox of `party`; notes the journey.
  bool arrived(const std::string& what, const std::string& id, const std::string& from, const std::string& to) {
    json got;
    const bool there = wait_until(
        [&] {
          for (const json& record : n_.box(to, "inbox"))
            if (record["id"] == id) got = record;
          return !got.is_null();
        },
        std::chrono::seconds(15));
    if (!there) return fail(what + " did not reach " + name(to));
    json sent;
    for (const json& record : n_.box(from, "outbox"))
      if (record["id"] == id) sent = record;
    const json grant = got["grants"].empty() ? json::object() : got["grants"][0];
    Journey journey{what, from, to, fmt::format("{} v{}", grant.value("agreement", "?"), grant.value("version", 0)),
                    sent.is_null() ? 0 : between(sent["stored_at"], got["received_at"])};
    t_.line(fmt::format("  {} → {}  {}  {}", name(from), name(to), what,
                        t_.say("依据", "by ") + agreement(grant.value("agreement", "?"), grant.value("version", 0))));
    journeys_.push_back(std::move(journey));
    return true;
  }

  /// The rows that 泸县's adapter wrote, without the header.
  std::vector<std::string> table_rows() {
    std::vector<std::string> rows;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(n_.tables(), ignored)) {
      std::ifstream in(entry.path());
      std::string line;
      bool head = true;
      while (std::getline(in, line)) {
        if (!head && !line.empty()) rows.push_back(line);
        head = false;
      }
      table_ = entry.path();
    }
    return rows;
  }

  bool readings() {
    if (!done(n_.start_station(o_.interval_ms))) return false;
    if (!wait_until([this] { return n_.box(kLuxian, "inbox").size() >= 3; }, std::chrono::seconds(20)))
      return fail("no reading reached Luxian");
    n_.kill_hub();
    t_.line(t_.paint(Colour::kYellow, t_.say("  交换中枢被强行终止（kill -9），监测站继续上报 …",
                                             "  the hub is killed (kill -9) while the station goes on …")));
    // The outage lasts until the station has told 荣昌 more.
    const std::size_t before = n_.box(kRongchang, "outbox").size();
    wait_until([&] { return n_.box(kRongchang, "outbox").size() >= std::min<std::size_t>(before + 2, 9); },
               std::chrono::seconds(10));
    if (!done(n_.start_hub())) return false;
    t_.line("  交换中枢已重新启动", "  the hub runs again");
    const auto station = n_.station_summary();
    if (!station) return done(station.error());
    const bool all = wait_until([this] { return n_.box(kLuxian, "inbox").size() >= 9 && table_rows().size() >= 9; },
                                std::chrono::seconds(20));

    const std::vector<json> sent = n_.box(kRongchang, "outbox"), got = n_.box(kLuxian, "inbox");
    std::multiset<std::string> ids;
    for (const json& record : got) ids.insert(record["id"].get<std::string>());
    std::size_t lost = 0, doubled = 0;
    for (const json& record : sent) lost += ids.contains(record["id"].get<std::string>()) ? 0 : 1;
    for (const std::string& id : std::set<std::string>(ids.begin(), ids.end())) doubled += ids.count(id) - 1;

    show_readings();
    const std::string figures = fmt::format(
        fmt::runtime(t_.say("丢失 {0}，重复 {1}（lost {0}, doubled {1}）", "lost {0}, doubled {1}")), lost, doubled);
    t_.line(
        fmt::format(fmt::runtime(t_.say("  监测站上报 9 个时次，荣昌前置端签名 {}，泸县收件箱 {}：",
                                        "  9 moments reported, {} signed by Rongchang's gate, {} in Luxian's inbox: ")),
                    sent.size(), got.size()) +
        t_.paint(lost + doubled == 0 ? Colour::kGreen : Colour::kRed, figures));
    const auto marked = [](const std::string& row) { return row.find("溶解氧低于3") != std::string::npos; };
    const std::vector<std::string> rows = table_rows();
    const auto low = static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), marked));
    t_.line(fmt::format(
        fmt::runtime(t_.say("  泸县的表格 {}（可直接用电子表格打开，--keep 保留）：{} 行，其中 {} 行标有“溶解氧低于3”",
                            "  Luxian's table {} (opens in a spreadsheet, --keep keeps it): {} rows, {} of them "
                            "marked 溶解氧低于3 oxygen below 3")),
        table_.filename().string(), rows.size(),
        t_.paint(low == 1 ? Colour::kRed : Colour::kPlain, std::to_string(low))));
    for (std::size_t i = 0; i < sent.size(); ++i)
      for (const json& record : got)
        if (record["id"] == sent[i]["id"]) times_.push_back(between(sent[i]["stored_at"], record["received_at"]));
    if (!times_.empty()) {
      std::sort(times_.begin(), times_.end());
      noted_readings(got, kLuxian, times_[times_.size() / 2]);
    }
    // Upstream shares the same data by an agreement of its own.
    if (!wait_until([this] { return n_.box(kDazu, "inbox").size() >= 9; }, std::chrono::seconds(20)))
      return fail("the readings did not reach Dazu");
    std::vector<double> upstream;
    const std::vector<json> shared = n_.box(kDazu, "inbox");
    for (const json& record : shared)
      for (const json& one : sent)
        if (record["id"] == one["id"]) upstream.push_back(between(one["stored_at"], record["received_at"]));
    std::sort(upstream.begin(), upstream.end());
    if (!upstream.empty()) noted_readings(shared, kDazu, upstream[upstream.size() / 2]);
    if (low != 1) return fail("the reading of 2026-09-23 is not marked in Luxian's table");
    if (!all || sent.size() != 9 || lost != 0 || doubled != 0)
      return fail(fmt::format("{} records were sent, {} received, {} lost, {} doubled", sent.size(), got.size(), lost,
                              doubled));
    return true;
  }

  void noted_readings(const std::vector<json>& got, const std::string& party, double median) {
    const json grant = got.front()["grants"].empty() ? json::object() : got.front()["grants"][0];
    journeys_.push_back({fmt::format("{} × {}", t_.say("断面数据", "section data"), got.size()), kRongchang, party,
                         fmt::format("{} v{}", grant.value("agreement", "?"), grant.value("version", 0)), median});
  }

  /// What was published, and what stands out in it.
  void show_readings() {
    std::ifstream in(std::string(THALWEG_SOURCE_DIR) + "/examples/stations/gaodong.csv");
    Table table({std::string(t_.say("  时间", "  time")), std::string(t_.say("溶解氧 mg/L", "oxygen mg/L")),
                 std::string(t_.say("氨氮", "ammonia N")), std::string(t_.say("总磷", "total P")),
                 std::string(t_.say("公布类别", "published class"))});
    static constexpr const char* kClasses[] = {"", "Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ"};
    std::string line;
    while (std::getline(in, line)) {
      if (line.empty() || line[0] == '#' || line.starts_with("time")) continue;
      std::vector<std::string> cells;
      std::istringstream parts(line);
      for (std::string cell; std::getline(parts, cell, ',');) cells.push_back(cell);
      if (cells.size() < 10) continue;
      const int grade = std::atoi(cells[1].c_str());
      const bool low = cells[4] != "--" && std::atof(cells[4].c_str()) < 3;
      const Colour colour = low ? Colour::kRed : grade < 0 ? Colour::kDim : Colour::kPlain;
      const auto paint = [&](const std::string& text) { return t_.paint(colour, text); };
      table.row({paint("  " + cells[0]), paint(cells[4]), paint(cells[8]), paint(cells[9]),
                 paint(grade < 0 ? std::string(t_.say("无数据", "no data")) : kClasses[grade]) +
                     (low ? paint(std::string(t_.say("  ← 溶解氧低，应引起注意", "  ← low oxygen: look here"))) : "")});
    }
    table.print(t_);
  }

  Result<std::string> publish(const std::string& party, json record) {
    TW_ASSIGN(const json answer, n_.ask(party, {{"cmd", "publish"}, {"records", json::array({std::move(record)})}}));
    const json& settled = answer["settled"][0];
    if (settled["answer"] != "accepted") return Error{Code::kData, settled.value("reason", "refused")};
    return settled["id"].get<std::string>();
  }

  json notice(const char* kind, json more) {
    json data = {{"incident", kIncident},     {"kind", kind},
                 {"river", "濑溪河"},         {"section", "laixi-gaodong"},
                 {"place", "高洞电站"},       {"learned_at", "2026-09-23T06:20:00+08:00"},
                 {"contact", "陈立（演练）"}, {"telephone", "023-00000012"},
                 {"level", "unknown"},        {"unverified", {"cause", "pollutants"}}};
    data.update(more);
    return {{"type", "thalweg.emergency.notice.v1"},
            {"lane", "urgent"},
            {"subject", kIncident},
            {"time", "2026-09-23T06:30:00+08:00"},
            {"exercise", kExercise},
            {"correlation", kIncident},
            {"data", std::move(data)}};
  }

  bool incident() {
    const auto search =
        publish(kRongchang, notice("search", {{"wanted", "高洞电站溶解氧 2.82 mg/L，请排查上游来水与排口"}}));
    if (!search) return done(search.error());
    const auto information =
        publish(kRongchang, notice("information", {{"description", "高洞电站 06:00 溶解氧 2.82 mg/L，来源不明"}}));
    if (!information) return done(information.error());
    const auto warning = publish(kRongchang, notice("warning", {{"advice", "请注意下游取水口"}}));
    if (!warning) return done(warning.error());
    warning_ = *warning;
    const std::string mark = t_.paint(Colour::kYellow, t_.say("【演练】", "[EXERCISE] "));
    return arrived(mark + std::string(t_.say("溯源协查", "search")), *search, kRongchang, kDazu) &&
           arrived(mark + std::string(t_.say("情况通报", "information")), *information, kRongchang, kLuxian) &&
           arrived(mark + std::string(t_.say("预警通报", "warning")), *warning, kRongchang, kLuxian);
  }

  json ladder() {
    const auto shown = n_.ask(kRongchang, {{"cmd", "show"}, {"record", warning_}});
    if (shown && (*shown)["record"].contains("progress"))
      for (const json& one : (*shown)["record"]["progress"])
        if (one["party"] == kLuxian) return one;
    return json::object();
  }

  bool receipt() {
    const json before = ladder();
    t_.line(fmt::format(
        fmt::runtime(t_.say("  签收前：{}（泸县值班电话 {}）", "  before: {} (Luxian's duty telephone {})")),
        t_.paint(Colour::kRed, t_.say("未签收", "not signed for")), before.value("duty_phone", "?")));
    const auto ack = n_.ask(kLuxian, {{"cmd", "ack"}, {"record", warning_}, {"officer", "周敏（演练）"}});
    if (!ack) return done(ack.error());
    json signed_by;
    if (!wait_until([&] { return (signed_by = ladder().value("signed", json())).is_object(); },
                    std::chrono::seconds(15)))
      return fail("the receipt did not come back");
    std::string at = signed_by.value("at", "").substr(0, 19);
    if (at.size() > 10) at[10] = ' ';
    t_.line(fmt::format(fmt::runtime(t_.say("  签收后：{} {}", "  after:  {} {}")),
                        t_.paint(Colour::kGreen, t_.say("已签收 ", "signed for by ") + signed_by.value("officer", "")),
                        at));
    json got;
    for (const json& record : n_.box(kRongchang, "inbox"))
      if (record["type"] == "thalweg.receipt.v1") got = record;
    json sent;
    for (const json& record : n_.box(kLuxian, "outbox"))
      if (!got.is_null() && record["id"] == got["id"]) sent = record;
    journeys_.push_back({std::string(t_.say("【演练】签收回执", "[EXERCISE] receipt")), kLuxian, kRongchang,
                         std::string(t_.say("答复原记录来源", "answer to the origin")),
                         sent.is_null() ? 0 : between(sent["stored_at"], got["received_at"])});
    return true;
  }

  bool enforcement() {
    const json data = {
        {"case", "case-2026-07"},
        {"kind", "joint_patrol"},
        {"step", "found"},
        {"at", "2026-09-24T09:00:00+08:00"},
        {"river", "濑溪河"},
        {"title", "濑溪河联合巡查（演练）"},
        {"parties", {{{"code", kLuxian}, {"role", "lead"}}, {{"code", kRongchang}, {"role", "partner"}}}}};
    const std::size_t before = n_.box(kDazu, "inbox").size();
    const auto id = publish(kLuxian, {{"type", "thalweg.enforcement.record.v1"},
                                      {"subject", "case-2026-07"},
                                      {"time", "2026-09-24T09:00:00+08:00"},
                                      {"exercise", kExercise},
                                      {"correlation", "case-2026-07"},
                                      {"data", data}});
    if (!id) return done(id.error());
    if (!arrived(std::string(t_.say("【演练】联合执法记录", "[EXERCISE] joint enforcement")), *id, kLuxian, kRongchang))
      return false;
    if (n_.box(kDazu, "inbox").size() != before) return fail("Dazu got something of a case that is not its own");
    t_.line("  大足：没有收到（不是该案当事方）", "  Dazu: nothing (no party to the case)");
    return true;
  }

  bool verify() {
    const Path ledger = n_.folder() / "hub" / "state" / "ledger" / "routine";
    const auto good = ledger::verify_ledger(real_files(), ledger, {});
    if (!good) return done(good.error());
    if (!good->content()) return fail("the ledger has a fault: " + good->fault->message);
    t_.line(fmt::format(
        fmt::runtime(t_.say("  原账本：{}，{} 个区块，{} 个签名", "  the ledger: {}, {} blocks, {} signatures")),
        t_.paint(Colour::kGreen, t_.say("完好", "whole and true")), good->blocks, good->signatures));
    const Path copy = n_.folder() / "changed-copy";
    std::error_code error;
    std::filesystem::copy(ledger, copy, std::filesystem::copy_options::recursive, error);
    if (error) return fail("cannot copy the ledger: " + error.message());
    Path segment;
    for (const auto& entry : std::filesystem::directory_iterator(copy))
      if (entry.path().extension() == ".seg") segment = entry.path();
    // One bit in the middle of what was written.
    const auto place = static_cast<std::streamoff>(good->bytes / 2);
    {
      std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(place);
      const char old = static_cast<char>(file.get());
      file.seekp(place);
      file.put(static_cast<char>(old ^ 1));
    }
    const auto bad = ledger::verify_ledger(real_files(), copy, {});
    if (!bad) return done(bad.error());
    if (bad->content()) return fail("a changed byte was not noticed");
    t_.line(fmt::format(
        fmt::runtime(t_.say("  改动后的副本：{}，{} 第 {} 字节，区块 {}", "  the copy: {}, {} at byte {}, block {}")),
        t_.paint(Colour::kRed, t_.say("有误", "at fault")), segment.filename().string(), bad->fault->offset,
        bad->fault->block));
    const app::CodeText& meaning = app::text_of(bad->fault->code);
    t_.line("  " +
            t_.paint(Colour::kDim,
                     fmt::format(fmt::runtime(t_.say("{} {}（{}）", "{} {} ({})")), static_cast<int>(bad->fault->code),
                                 t_.say(meaning.meaning_zh, meaning.meaning_en), bad->fault->message)));
    return true;
  }

  bool finish() {
    t_.line();
    Table table({std::string(t_.say("内容", "what")), std::string(t_.say("从", "from")),
                 std::string(t_.say("到", "to")), std::string(t_.say("依据", "by")),
                 std::string(t_.say("用时", "took"))});
    for (const Journey& j : journeys_)
      table.row({j.what, name(j.from), name(j.to), j.agreement, fmt::format("{:.0f} ms", j.milliseconds)});
    table.print(t_);
    t_.line(t_.paint(Colour::kDim,
                     fmt::format("{} {:.0f} ms",
                                 t_.say("用时：从发送方落盘到进入接收方收件箱；断面数据取中位数，最长（含中枢停机）",
                                        "took: from the sender's disk to the receiver's inbox; section "
                                        "data: median, the longest (with the hub's outage)"),
                                 times_.empty() ? 0 : times_.back())));
    if (failed_) return false;
    t_.line();
    if (o_.keep) {
      if (!done(n_.let_go())) return false;
      const std::string bin = "build/release/bin/thalweg";
      t_.line(t_.say("全部程序仍在运行，目录：", "All programs go on running, in ") + n_.folder().string());
      t_.line("接下来可以试：", "Try next:");
      t_.line(fmt::format("  {} --dir {} status", bin, (n_.folder() / "hub").string()));
      t_.line(fmt::format("  {} --dir {} tail", bin, n_.gate_folder(kLuxian).string()));
      t_.line(fmt::format("  {} --dir {} show {}", bin, n_.gate_folder(kRongchang).string(), warning_));
      t_.line(fmt::format("  {} --dir {} why {}", bin, (n_.folder() / "hub").string(), warning_));
      t_.line(t_.say("  停止：", "  to stop: ") + fmt::format("kill $(cat {}/pids)", n_.folder().string()));
    } else {
      t_.line("接下来：./run demo --keep 让它继续运行；docs/operate.md 讲如何正式部署；docs/README.md 是文档入口。",
              "Next: ./run demo --keep leaves it running; docs/operate.md sets it up for real; docs/README.md leads "
              "through the documents.");
    }
    return true;
  }

  const Terminal& t_;
  Neighbours& n_;
  const StoryOptions& o_;
  int step_ = 0;
  bool failed_ = false;
  std::string warning_;
  Path table_;
  std::shared_ptr<const region::Region> region_;
  std::vector<double> times_;
  std::vector<Journey> journeys_;
};

}  // namespace

bool tell(const Terminal& terminal, Neighbours& neighbours, const StoryOptions& options) {
  return Story(terminal, neighbours, options).tell();
}

}  // namespace thalweg::demo
