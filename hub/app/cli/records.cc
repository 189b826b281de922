// records.cc: publish, tail, records, show, ack, why: what people do with records.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/cli/publish.h"
#include "app/cli/record_views.h"
#include "app/exit_code.h"
#include "model/ids.h"

namespace thalweg::app {
namespace {

using nlohmann::json;

std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

struct Wanted {
  std::vector<std::string> files;
  std::string record, exercise, type, subject, box, lane, party, since, until;
  std::string officer, by = "cli", stage = "signed", measures, remark, telephone;
  std::uint64_t limit = 20, count = 0, last = 0;
  bool from_start = false;
};

/// An id as it was typed: whole, or its first or last 8 characters and more, if only one of the newest thousand records
/// has them. (Ids of one minute begin alike: they are told apart by their ends.)
Result<std::string> whole_id(const Session& session, const std::string& typed) {
  if (const auto id = Uuid::parse(typed)) return id->text();
  if (typed.size() < 8 || typed.size() > 36 || typed.find_first_not_of("0123456789abcdef-") != std::string::npos)
    return Error{Code::kData,
                 "'" + clean(typed) + "' is no record id; give it whole, or 8 or more of its first or last characters"};
  TW_ASSIGN(const json answer, ask(session, {{"cmd", "records"}, {"limit", 1000}}));
  const auto ids = matching_ids(list_in(answer, "records"), typed);
  if (ids.empty()) return Error{Code::kNotFound, "none of the newest 1,000 records has an id like " + typed};
  if (ids.size() == 1) return ids.front();
  std::string several = std::to_string(ids.size()) + " records have an id like " + typed + ":";
  for (std::size_t i = 0; i < ids.size() && i < 10; ++i) several += "\n  " + ids[i];
  return Error{Code::kData, several};
}

/// For people only, so no other answer hangs on it: without it codes stand alone.
Names names_of(const Session& session) {
  const auto answer = ask(session, {{"cmd", "region"}});
  return answer && answer->contains("region") ? Names(session.terminal(), (*answer)["region"]) : Names();
}

int records(const Session& session, const Wanted& wanted) {
  const Terminal t = session.terminal();
  json request{{"cmd", "records"}, {"limit", wanted.limit}};
  const std::pair<const char*, std::string> texts[] = {
      {"type", whole_type(wanted.type)}, {"subject", wanted.subject}, {"box", wanted.box},    {"lane", wanted.lane},
      {"party", wanted.party},           {"since", wanted.since},     {"until", wanted.until}};
  for (const auto& [key, text] : texts)
    if (!text.empty()) request[key] = text;
  const auto answer = ask(session, request);
  if (!answer) return report(t, answer.error());
  if (session.json) {
    t.line(dumped(*answer));
    return kExitOk;
  }
  std::cout << record_table(t, list_in(*answer, "records"), names_of(session));
  if (answer->contains("complete") && !true_in(*answer, "complete"))
    t.line("还有更早的记录：--limit、--since、--until", "there are older ones: --limit, --since, --until");
  return kExitOk;
}

int show(const Session& session, const Wanted& wanted) {
  const Terminal t = session.terminal();
  const auto site = site_of(session);
  if (!site) return report(t, site.error());
  const auto id = whole_id(session, wanted.record);
  if (!id) return report(t, id.error());
  const auto answer = ask(session, {{"cmd", "show"}, {"record", *id}});
  if (!answer) return report(t, answer.error());
  if (session.json) {
    t.line(dumped(*answer));
    return kExitOk;
  }
  if (*site == Site::kGate) {
    const auto record = answer->find("record");
    std::cout << show_at_gate(t, record == answer->end() ? json::object() : *record);
  } else {
    const auto status = ask(session, {{"cmd", "status"}});  // names and telephones; `show` does without them
    std::cout << show_at_hub(t, *answer, status ? list_in(*status, "parties") : json());
  }
  return kExitOk;
}

int acknowledge(const Session& session, const Wanted& wanted) {
  const Terminal t = session.terminal();
  const auto site = site_of(session);
  if (!site) return report(t, site.error());
  if (*site == Site::kHub) {
    t.error("签收由接收方进行：请在接收方的前置端运行", "a receiver signs: run it at the receiver's gate");
    return kExitUsage;
  }
  if (wanted.stage == "measures" && wanted.measures.empty()) {
    t.error("--stage measures 需要用 --measures 写明已采取的措施", "--stage measures needs --measures: what was done");
    return kExitUsage;
  }
  const auto id = whole_id(session, wanted.record);
  if (!id) return report(t, id.error());
  json request{{"cmd", "ack"},          {"record", *id},   {"officer", wanted.officer},
               {"stage", wanted.stage}, {"by", wanted.by}, {"by_phone", wanted.by == "phone"}};
  const std::pair<const char*, const std::string*> texts[] = {
      {"measures", &wanted.measures}, {"remark", &wanted.remark}, {"telephone", &wanted.telephone}};
  for (const auto& [key, text] : texts)
    if (!text->empty()) request[key] = *text;
  const auto answer = ask(session, request);
  if (!answer) return report(t, answer.error());
  if (session.json) {
    t.line(dumped(*answer));
    return kExitOk;
  }
  const std::string receipt = clean(text_in(*answer, "id")), who = clean(wanted.officer);
  if (wanted.stage == "signed")
    t.line(t.paint(Colour::kGreen, t.say("已签收", "signed for")) + std::string(t.say("：", " by ")) + who);
  else if (wanted.stage == "shown")
    t.line("已记录：已向 " + who + " 显示", "noted: it was shown to " + who);
  else
    t.line("已报告措施：" + who, "measures reported by " + who);
  t.line("回执 " + receipt + " 已写入发件箱，送回发送方",
         "receipt " + receipt + " is in the outbox, on its way to the sender");
  return kExitOk;
}

int why(const Session& session, const Wanted& wanted) {
  const Terminal t = session.terminal();
  const auto site = site_of(session);
  if (!site) return report(t, site.error());
  const auto id = whole_id(session, wanted.record);
  if (!id) return report(t, id.error());
  const auto answer = ask(session, {{"cmd", *site == Site::kHub ? "why" : "show"}, {"record", *id}});
  if (!answer) return report(t, answer.error());
  if (*site == Site::kHub) {
    if (session.json) {
      t.line(dumped(*answer));
      return kExitOk;
    }
    std::string text = text_in(*answer, t.chinese() ? "text_zh" : "text_en");
    while (text.ends_with('\n')) text.pop_back();
    t.line(marks(t, text_in(*answer, "lane"), text_in(*answer, "exercise")) + type_label(t, text_in(*answer, "type")) +
           "  " + clean(text_in(*answer, "subject")));
    t.line(clean(text, Lines::kKept));
    return kExitOk;
  }
  // A gate has the decision that came with the acknowledgement, not the rules that led to it.
  const json record = answer->value("record", json::object());
  const json& grants = list_in(record, "grants");
  if (session.json) {
    t.line(dumped({{"ok", true}, {"record", *id}, {"state", text_in(record, "state")}, {"grants", grants}}));
    return kExitOk;
  }
  t.line(marks(t, text_in(record, "lane"), text_in(record, "exercise")) + type_label(t, text_in(record, "type")) +
         "  " + clean(text_in(record, "subject")));
  if (text_in(record, "state") == "stored") {
    t.line("尚未到达中枢，因此还没有路由决定", "it is not at the hub yet, so nothing has been decided");
    return kExitOk;
  }
  std::cout << grant_lines(t, grants);
  if (grants.empty() && number_in(record, "code") != 0) {
    const int number = static_cast<int>(number_in(record, "code"));
    const CodeText& text = text_of(static_cast<Code>(number));
    t.line(std::to_string(number) + " " + std::string(t.say(text.meaning_zh, text.meaning_en)) +
           std::string(t.say("：", ": ")) + clean(text_in(record, "text")));
  }
  t.line("依据与推理请中枢运维人员用 thalweg why 查询：" + *id,
         "the reasons behind it: ask the hub's operator for `thalweg why " + *id + "`");
  return kExitOk;
}

// Each line is flushed when it is written, so there is nothing left to do.
extern "C" void end_of_tail(int) { _exit(kExitOk); }

int tail(const Session& session, const Wanted& wanted) {
  const Terminal t = session.terminal();
  const auto site = site_of(session);
  if (!site) return report(t, site.error());
  if (*site == Site::kHub) {
    t.error("tail 跟踪前置端的收件箱；在中枢请用 records", "tail follows a gate's inbox; at the hub use records");
    return kExitUsage;
  }
  json request{{"cmd", "tail"}};
  if (!wanted.type.empty()) request["type"] = whole_type(wanted.type);
  if (!wanted.subject.empty()) request["subject"] = wanted.subject;
  if (!wanted.lane.empty()) request["lane"] = wanted.lane;
  if (wanted.from_start) request["from"] = "start";
  if (wanted.last > 0) request["last"] = wanted.last;
  std::signal(SIGINT, end_of_tail);
  const Names names = session.json ? Names() : names_of(session);
  std::uint64_t seen = 0;
  const Status ended = ask_stream(session, request, [&](const json& event) {
    if (session.json) {
      t.line(dumped(event));
    } else {
      std::cout << tail_line(t, event, names);
    }
    std::cout.flush();
    return ++seen != wanted.count;
  });
  if (!ended) return report(t, ended.error());
  return kExitOk;
}

}  // namespace

void add_record_commands(CLI::App& cli, Session& session) {
  auto wanted = std::make_shared<Wanted>();
  const std::string type_help =
      "Only this type: observation, notice, report, enforcement, receipt or a whole name 类型";
  {
    auto* command = cli.add_subcommand("publish", "Send records from JSON files (at a gate) 发布记录");
    command
        ->add_option("file", wanted->files,
                     "One draft, a list of drafts, or one on each line; '-': standard input 草稿文件，- 为标准输入")
        ->required();
    command->add_option("--exercise", wanted->exercise, "Mark all as part of this exercise 演练编号");
    command->callback([&session, wanted] { session.exit_code = publish(session, wanted->files, wanted->exercise); });
  }
  {
    auto* command = cli.add_subcommand("tail", "Follow what comes in (at a gate); Ctrl-C ends 跟踪收件箱");
    command->add_option("--type", wanted->type, type_help);
    command->add_option("--subject", wanted->subject, "Only this subject 主题");
    command->add_option("--lane", wanted->lane, "Only this lane 通道")->check(CLI::IsMember({"urgent", "routine"}));
    command->add_option("--last", wanted->last,
                        "Begin with this many deliveries of each lane that came before 先显示每条通道最近的若干条");
    command->add_flag("--from-start", wanted->from_start, "Begin with the oldest that is held 从头开始");
    command->add_option("--count", wanted->count, "End after this many records 收到若干条后结束");
    command->callback([&session, wanted] { session.exit_code = tail(session, *wanted); });
  }
  {
    auto* command = cli.add_subcommand("records", "List records, newest first 列出记录");
    command->add_option("--type", wanted->type, type_help);
    command->add_option("--subject", wanted->subject, "Only this subject (at a gate) 主题");
    command->add_option("--party", wanted->party, "Only from this party (at the hub) 发送方");
    command->add_option("--box", wanted->box, "inbox or outbox (at a gate) 收件箱或发件箱")
        ->check(CLI::IsMember({"inbox", "outbox"}));
    command->add_option("--lane", wanted->lane, "Only this lane (at a gate) 通道")
        ->check(CLI::IsMember({"urgent", "routine"}));
    command->add_option("--since", wanted->since, "From this time on, e.g. 2026-09-23T00:00:00+08:00 (at a gate) 起");
    command->add_option("--until", wanted->until, "Up to this time (at a gate) 止");
    command->add_option("--limit", wanted->limit, "At most this many 最多")->check(CLI::Range(1, 1000));
    command->callback([&session, wanted] { session.exit_code = records(session, *wanted); });
  }
  const auto add_record = [wanted](CLI::App* command) {
    command->add_option("record", wanted->record, "Id, whole or 8 or more of its first or last characters 记录编号")
        ->required();
  };
  {
    auto* command = cli.add_subcommand("show", "A record, and how far it got with each receiver 查看记录与送达情况");
    add_record(command);
    command->callback([&session, wanted] { session.exit_code = show(session, *wanted); });
  }
  {
    auto* command = cli.add_subcommand("ack", "Sign for a record that came in (at a gate) 签收");
    add_record(command);
    command->add_option("--officer", wanted->officer, "Name of the person who signs 签收人")->required();
    command->add_option("--by", wanted->by, "How: cli or phone 方式")->check(CLI::IsMember({"cli", "phone"}));
    command->add_option("--stage", wanted->stage, "shown, signed or measures 阶段")
        ->check(CLI::IsMember({"shown", "signed", "measures"}));
    command->add_option("--measures", wanted->measures, "What was done (stage measures) 已采取的措施");
    command->add_option("--telephone", wanted->telephone, "Where the officer can be reached 联系电话");
    command->add_option("--remark", wanted->remark, "Remark 备注");
    command->callback([&session, wanted] { session.exit_code = acknowledge(session, *wanted); });
  }
  {
    auto* command = cli.add_subcommand("why", "By which agreements a record went to whom 路由依据");
    add_record(command);
    command->callback([&session, wanted] { session.exit_code = why(session, *wanted); });
  }
}

}  // namespace thalweg::app
