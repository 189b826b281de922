#include "app/cli/status_views.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/record_views.h"

namespace thalweg::app {
namespace {

using nlohmann::json;

constexpr double kDoubtfulOffset_ms = 5 * 60 * 1000;  // from here on the hub marks and warns

std::string count(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", number);
  return text;
}

std::string lane_label(const Terminal& t, std::string_view lane) {
  return lane == "urgent" ? std::string(t.say("紧急", "urgent")) : std::string(t.say("常规", "routine"));
}

std::string bad_if(const Terminal& t, bool bad, const std::string& text) {
  return bad ? t.paint(Colour::kRed, text) : text;
}

std::string name_in(const Terminal& t, const json& party) {
  const std::string zh = clean(text_in(party, "name_zh")), en = clean(text_in(party, "name_en"));
  return t.chinese() || en.empty() ? zh : en;
}

const json& member(const json& object, const char* key) {
  static const json none = json::object();
  if (!object.is_object()) return none;
  const auto at = object.find(key);
  return at != object.end() && at->is_object() ? *at : none;
}

std::string lag_text(const Terminal& t, const json& party, const char* lane) {
  const json& state = member(member(party, "lanes"), lane);
  if (state.empty()) return "–";
  const double lag = number_in(state, "lag"), taken = number_in(state, "in_inbox") - number_in(state, "taken");
  std::string text = count(lag);
  if (taken > 0) text += " +" + count(taken);
  return lag > 0 ? t.paint(Colour::kYellow, text) : text;
}

std::string connected_text(const Terminal& t, const json& party) {
  if (!true_in(party, "enrolled")) return std::string(t.say("未登记", "not enrolled"));
  bool urgent = false, routine = false;
  for (const json& session : list_in(party, "sessions"))
    (text_in(session, "lane") == "urgent" ? urgent : routine) = true;
  if (urgent && routine) return t.paint(Colour::kGreen, t.say("在线", "connected"));
  if (urgent || routine)
    return t.paint(Colour::kYellow,
                   urgent ? t.say("仅紧急通道", "urgent lane only") : t.say("仅常规通道", "routine lane only"));
  return t.paint(Colour::kRed, t.say("离线", "away"));
}

/// The largest offset of the party's gates.
std::string clock_text(const Terminal& t, const json& party, bool& doubtful) {
  bool known = false;
  double worst = 0;
  for (const json& session : list_in(party, "sessions")) {
    if (!session.contains("clock_offset_ms") || !session["clock_offset_ms"].is_number()) continue;
    const double offset = session["clock_offset_ms"].get<double>();
    if (!known || std::abs(offset) > std::abs(worst)) worst = offset;
    known = true;
  }
  if (!known) return "–";
  doubtful = doubtful || std::abs(worst) > kDoubtfulOffset_ms;
  return bad_if(t, std::abs(worst) > kDoubtfulOffset_ms, offset_text(t, worst));
}

std::string problem_line(const Terminal& t, const std::string& lane, const json& part) {
  const std::string problem = clean(text_in(part, "problem"));
  return problem.empty() ? "" : "  " + lane + "  " + t.paint(Colour::kRed, problem) + "\n";
}

std::string adapter_state(const Terminal& t, const std::string& state) {
  if (state == "running") return t.paint(Colour::kGreen, t.say("运行", "running"));
  if (state == "quarantined") return t.paint(Colour::kRed, t.say("已隔离", "quarantined"));
  if (state == "starting") return t.paint(Colour::kYellow, t.say("启动中", "starting"));
  if (state == "connecting") return t.paint(Colour::kYellow, t.say("连接中", "connecting"));
  if (state == "waiting") return t.paint(Colour::kYellow, t.say("等待重启", "waiting"));
  if (state == "stopped") return std::string(t.say("已停止", "stopped"));
  return clean(state);
}

std::string code_line(const Terminal& t, int code) {
  const CodeText& text = text_of(static_cast<Code>(code));
  return std::to_string(code) + " " + std::string(t.say(text.meaning_zh, text.meaning_en)) +
         std::string(t.say("；", "; ")) + std::string(t.say(text.remedy_zh, text.remedy_en));
}

}  // namespace

std::string offset_text(const Terminal& t, double milliseconds) {
  char text[64];
  if (std::abs(milliseconds) < 0.5) milliseconds = 0;  // no "-0"
  const double size = std::abs(milliseconds);
  if (size < 10'000)
    std::snprintf(text, sizeof text, "%+.0f ms", milliseconds);
  else if (size < 120'000)
    std::snprintf(text, sizeof text, "%+.1f s", milliseconds / 1000);
  else
    std::snprintf(text, sizeof text, "%+.1f %s", milliseconds / 60'000, t.chinese() ? "分" : "min");
  return text;
}

std::string bytes_text(double bytes) {
  static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return text;
}

std::string hub_status_text(const Terminal& t, const json& status) {
  const json& region = member(status, "region");
  std::string out = t.paint(Colour::kBold, name_in(t, region)) + "  " + std::string(t.say("中枢 ", "hub ")) +
                    clean(text_in(status, "hub")) + std::string(t.say("，区域版本 ", ", region version ")) +
                    count(number_in(region, "version")) + "\n";
  if (const std::string failed = clean(text_in(status, "failed")); !failed.empty())
    out += t.paint(Colour::kRed, t.say("中枢出错：", "the hub has failed: ")) + failed + "\n";
  out += "\n";

  bool letters = false, doubtful = false, waiting = false;
  Table parties({std::string(t.say("主体", "party")), std::string(t.say("名称", "name")),
                 std::string(t.say("状态", "state")), std::string(t.say("紧急待送", "urgent lag")),
                 std::string(t.say("常规待送", "routine lag")), std::string(t.say("异常件", "dead letters")),
                 std::string(t.say("时钟偏差", "clock offset")), std::string(t.say("值班电话", "duty telephone"))});
  for (const json& party : list_in(status, "parties")) {
    double dead = 0;
    for (const char* lane : {"urgent", "routine"})
      dead += number_in(member(member(party, "lanes"), lane), "dead_letters");
    letters = letters || dead > 0;
    waiting = waiting || !member(party, "lanes").empty();
    parties.row({clean(text_in(party, "party")), name_in(t, party), connected_text(t, party),
                 lag_text(t, party, "urgent"), lag_text(t, party, "routine"), bad_if(t, dead > 0, count(dead)),
                 clock_text(t, party, doubtful), clean(text_in(party, "duty_phone"))});
  }
  out += parties.text(t) + "\n";

  bool hub_clock = false;
  std::string held_back;
  Table lanes({std::string(t.say("通道", "lane")), std::string(t.say("地址", "endpoint")),
               std::string(t.say("区块", "block")), std::string(t.say("账本大小", "ledger size")),
               std::string(t.say("数据流", "streams")), std::string(t.say("数据包", "parcels")),
               std::string(t.say("记录", "records")), std::string(t.say("拒收", "refused")),
               std::string(t.say("最近区块时间", "newest block"))});
  for (const char* which : {"urgent", "routine"}) {
    const json& lane = member(member(status, "lanes"), which);
    if (lane.empty()) continue;
    hub_clock = hub_clock || true_in(lane, "clock_doubtful");
    if (const std::string who = clean(text_in(lane, "held_back_by")); !who.empty()) {
      std::string name;
      for (const json& party : list_in(status, "parties"))
        if (text_in(party, "party") == who) name = " " + name_in(t, party);
      held_back +=
          t.paint(Colour::kYellow,
                  t.say(lane_label(t, which) + "通道：" + who + name + " 尚未结算，旧账本段因此超期保留",
                        lane_label(t, which) + " lane: old segments of the ledger stay beyond their time because " +
                            who + name + " has not settled them")) +
          "\n";
    }
    lanes.row({lane_label(t, which), clean(text_in(lane, "endpoint")), count(number_in(lane, "block")),
               bytes_text(number_in(lane, "bytes")), count(number_in(lane, "streams")),
               count(number_in(lane, "parcels")), count(number_in(lane, "records")),
               count(number_in(lane, "refused_records")), beijing(text_in(lane, "block_time"))});
  }
  out += lanes.text(t);
  out += std::string(t.say("数据包、记录、拒收为启动以来的数目\n", "parcels, records and refused: since the start\n"));

  std::string next = held_back;
  if (!held_back.empty())
    next += t.say("该主体若已永久退出：thalweg receiver give-up 主体 --reason “…”\n",
                  "a party that has left for good: thalweg receiver give-up PARTY --reason \"…\"\n");
  if (waiting)
    next += std::string(
        t.say("待送：对方收件箱尚未收到的数据包；“+n” 为已入收件箱、适配器尚未取走的\n",
              "lag: parcels not in the receiver's inbox yet; \"+n\": in the inbox, not taken by an adapter\n"));
  if (letters)
    next +=
        t.paint(
            Colour::kRed,
            t.say(
                "有异常件：请该主体在其前置端运行 thalweg deadletters list",
                "there are dead letters: that party's people see them with `thalweg deadletters list` at their gate")) +
        "\n";
  if (doubtful)
    next +=
        t.paint(
            Colour::kRed,
            t.say("有前置端时钟偏差超过 5 分钟：请该处校准时钟，其记录已加标记",
                  "a gate's clock is off by more than 5 minutes: have it set right there; its records are marked")) +
        "\n";
  if (hub_clock)
    next +=
        t.paint(Colour::kRed, t.say("中枢时钟存疑：核对时间，确认无误后运行 thalweg clock confirm",
                                    "the hub's own clock is in doubt: check the time, then `thalweg clock confirm`")) +
        "\n";
  return next.empty() ? out : out + "\n" + next;
}

json adapters_in(const json& status) {
  json all = json::array();
  for (const json& lane : list_in(status, "lanes"))
    for (json one : list_in(lane, "adapters")) {
      if (!one.is_object()) continue;
      one["lane"] = text_in(lane, "lane");
      all.push_back(std::move(one));
    }
  return all;
}

std::string adapter_table(const Terminal& t, const json& adapters) {
  Table table({std::string(t.say("适配器", "adapter")), std::string(t.say("插件", "plugin")),
               std::string(t.say("类别", "kind")), std::string(t.say("通道", "lane")),
               std::string(t.say("状态", "state")), std::string(t.say("待取", "lag")),
               std::string(t.say("启动", "starts")), std::string(t.say("异常退出", "crashes")),
               std::string(t.say("说明", "remark"))});
  for (const json& one : adapters) {
    std::string why = clean(text_in(one, "why"));
    if (const std::string problem = clean(text_in(one, "problem")); !problem.empty())
      why += (why.empty() ? "" : "; ") + problem;
    const bool sink = one.is_object() && one.contains("lag");
    table.row(
        {clean(text_in(one, "instance")), clean(text_in(one, "plugin")),
         text_in(one, "kind") == "sink" ? std::string(t.say("接收", "sink")) : std::string(t.say("来源", "source")),
         lane_label(t, text_in(one, "lane")), adapter_state(t, text_in(one, "state")),
         sink ? count(number_in(one, "lag")) : "–", count(number_in(one, "starts")),
         bad_if(t, number_in(one, "crashes") > 0, count(number_in(one, "crashes"))), why});
  }
  return table.empty() ? std::string(t.say("没有适配器\n", "no adapters\n")) : table.text(t);
}

std::string gate_status_text(const Terminal& t, const json& status) {
  std::string out = t.paint(Colour::kBold, std::string(t.say("前置端 ", "gate ")) + clean(text_in(status, "party")) +
                                               "/" + clean(text_in(status, "gate"))) +
                    "  " + clean(text_in(status, "program")) + "\n\n";
  Table lines({std::string(t.say("通道", "lane")), std::string(t.say("中枢", "hub")),
               std::string(t.say("线路", "line")), std::string(t.say("自", "since")),
               std::string(t.say("时钟偏差", "clock offset")), std::string(t.say("待发", "to send")),
               std::string(t.say("发件箱", "outbox")), std::string(t.say("收件箱", "inbox")),
               std::string(t.say("已收记录", "records in")), std::string(t.say("异常件", "dead letters"))});
  std::string problems;
  bool letters = false;
  Table receivers({std::string(t.say("通道", "lane")), std::string(t.say("接收方", "receiver")),
                   std::string(t.say("已入收件箱至", "in inbox up to")), std::string(t.say("已取走至", "taken up to")),
                   std::string(t.say("中枢已接收至", "hub accepted up to"))});
  for (const json& lane : list_in(status, "lanes")) {
    const std::string which = lane_label(t, text_in(lane, "lane"));
    const json &link = member(lane, "link"), &outbox = member(lane, "outbox"), &inbox = member(lane, "inbox");
    const bool open = true_in(link, "open");
    const bool known = link.contains("clock_offset_ms") && link["clock_offset_ms"].is_number();
    const double offset = number_in(link, "clock_offset_ms");
    const double dead = number_in(outbox, "dead_letters") + number_in(inbox, "dead_letters");
    letters = letters || dead > 0;
    lines.row({which, clean(text_in(link, "hub")),
               open ? t.paint(Colour::kGreen, t.say("已连接", "open")) : t.paint(Colour::kRed, t.say("断开", "down")),
               beijing(text_in(link, "since")),
               known ? bad_if(t, std::abs(offset) > kDoubtfulOffset_ms, offset_text(t, offset)) : "–",
               count(number_in(outbox, "waiting")), bytes_text(number_in(outbox, "bytes")),
               bytes_text(number_in(inbox, "bytes")), count(number_in(inbox, "records")),
               bad_if(t, dead > 0, count(dead))});
    if (!open || number_in(link, "code") != 0) {  // a session can be open while the hub refuses what it is sent
      problems += problem_line(t, which, link);
      if (const int code = static_cast<int>(number_in(link, "code")); code != 0)
        problems += "    " + code_line(t, code) + "\n";
    }
    problems += problem_line(t, which, outbox) + problem_line(t, which, inbox);
    for (const json& far : list_in(outbox, "receivers"))
      receivers.row({which, clean(text_in(far, "party")), count(number_in(far, "in_inbox")),
                     count(number_in(far, "taken")), count(number_in(outbox, "acknowledged"))});
  }
  out += lines.text(t) + problems;
  if (!receivers.empty()) out += "\n" + receivers.text(t);
  if (const json adapters = adapters_in(status); !adapters.empty()) out += "\n" + adapter_table(t, adapters);
  for (const json& one : adapters_in(status))
    if (text_in(one, "state") == "quarantined")
      out +=
          "\n" +
          t.paint(Colour::kRed,
                  std::string(t.say(
                      "适配器反复退出，已隔离；排除原因后：thalweg adapter restart ",
                      "it ended again and again and is held back; once the cause is gone: thalweg adapter restart ")) +
                      clean(text_in(one, "instance"))) +
          "\n";
  if (letters)
    out += "\n" +
           t.paint(Colour::kRed,
                   t.say("有异常件：thalweg deadletters list", "there are dead letters: thalweg deadletters list")) +
           "\n";
  return out;
}

std::string letter_table(const Terminal& t, const json& letters) {
  Table table({std::string(t.say("编号", "id")), std::string(t.say("自", "since")),
               std::string(t.say("适配器", "adapter")), std::string(t.say("次数", "attempts")),
               std::string(t.say("状态", "state")), std::string(t.say("原因", "reason")),
               std::string(t.say("记录", "record"))});
  for (const json& one : letters) {
    const int code = static_cast<int>(number_in(one, "code"));
    const CodeText& text = text_of(static_cast<Code>(code));
    table.row({clean(text_in(one, "id")), beijing(text_in(one, "since")), clean(text_in(one, "adapter")),
               count(number_in(one, "attempts")),
               text_in(one, "state") == "retrying" ? std::string(t.say("重试中", "retrying"))
                                                   : t.paint(Colour::kRed, t.say("待处理", "open")),
               std::to_string(code) + " " + std::string(t.say(text.meaning_zh, text.meaning_en)),
               clean(text_in(one, "record"))});
  }
  if (table.empty()) return std::string(t.say("没有异常件\n", "no dead letters\n"));
  return table.text(t) + std::string(t.say("查看：thalweg deadletters show 编号；处理：retry 或 drop\n",
                                           "look at one: thalweg deadletters show ID; then retry or drop it\n"));
}

std::string letter_text(const Terminal& t, const json& letter, const json& record) {
  std::string out = letter_table(t, json::array({letter}));
  const std::string why = clean(text_in(letter, "text"));
  out += "\n" + code_line(t, static_cast<int>(number_in(letter, "code"))) + "\n";
  if (!why.empty()) out += why + "\n";
  if (record.is_object()) {
    out += "\n" + show_at_gate(t, record);
  } else {
    out += std::string(t.say("记录本身已不在本前置端\n", "the record itself is not at this gate any more\n"));
  }
  return out;
}

}  // namespace thalweg::app
