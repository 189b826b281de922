// status.cc: status, deadletters, adapter, receiver, clock, reload: what operators look at and set right.
#include "app/cli/status_views.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/cli/record_views.h"
#include "app/exit_code.h"

namespace thalweg::app {
namespace {

using nlohmann::json;

std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

/// Is it asked at the right place? Else says where, and sets the exit code.
bool is_at(Session& session, Site wanted, std::string_view zh, std::string_view en) {
  const Terminal t = session.terminal();
  const auto site = site_of(session);
  if (!site) {
    session.exit_code = report(t, site.error());
    return false;
  }
  if (*site == wanted) return true;
  t.error(zh, en);
  session.exit_code = kExitUsage;
  return false;
}

int status(const Session& session) {
  const Terminal t = session.terminal();
  const auto site = site_of(session);
  if (!site) return report(t, site.error());
  const auto answer = ask(session, {{"cmd", "status"}});
  if (!answer) return report(t, answer.error());
  if (session.json) {
    t.line(dumped(*answer));
  } else {
    std::cout << (*site == Site::kHub ? hub_status_text(t, *answer) : gate_status_text(t, *answer));
  }
  return kExitOk;
}

bool at_gate(Session& session) {
  return is_at(session, Site::kGate, "这由各前置端处理：请在该主体的前置端运行；中枢的 status 显示各主体的数目",
               "gates look after this: run it at that party's gate; the hub's status shows the numbers");
}

void list_letters(Session& session) {
  if (!at_gate(session)) return;
  const Terminal t = session.terminal();
  const auto answer = ask(session, {{"cmd", "deadletters"}, {"act", "list"}});
  if (!answer) return void(session.exit_code = report(t, answer.error()));
  if (session.json) {
    t.line(dumped(*answer));
  } else {
    std::cout << letter_table(t, list_in(*answer, "letters"));
  }
}

void show_letter(Session& session, const std::string& id) {
  if (!at_gate(session)) return;
  const Terminal t = session.terminal();
  const auto answer = ask(session, {{"cmd", "deadletters"}, {"act", "show"}, {"id", id}});
  if (!answer) return void(session.exit_code = report(t, answer.error()));
  if (session.json) {
    t.line(dumped(*answer));
  } else {
    std::cout << letter_text(t, answer->value("letter", json::object()), answer->value("record", json()));
  }
}

/// Each on its own: one that is gone already does not keep the others from being handled.
void settle_letters(Session& session, const std::string& act, const std::vector<std::string>& ids) {
  if (!at_gate(session)) return;
  const Terminal t = session.terminal();
  json done = json::array();
  for (const std::string& id : ids) {
    const auto answer = ask(session, {{"cmd", "deadletters"}, {"act", act}, {"id", id}});
    if (!answer) {
      session.exit_code = report(t, answer.error());
      continue;
    }
    done.push_back(id);
    if (session.json) continue;
    if (act == "retry")
      t.line("将重试：" + id, id + " will be tried again");
    else
      t.line("已放弃：" + id + "（已记录操作人）", id + " is dropped; who did it is on record");
  }
  if (session.json) t.line(dumped({{"ok", session.exit_code == kExitOk}, {"act", act}, {"done", std::move(done)}}));
}

void list_adapters(Session& session) {
  if (!at_gate(session)) return;
  const Terminal t = session.terminal();
  const auto answer = ask(session, {{"cmd", "status"}});
  if (!answer) return void(session.exit_code = report(t, answer.error()));
  const json adapters = adapters_in(*answer);
  if (session.json) {
    t.line(dumped({{"ok", true}, {"adapters", adapters}}));
  } else {
    std::cout << adapter_table(t, adapters);
  }
}

/// Asks, and says `zh` or `en` when it worked.
void act(Session& session, const json& request, const std::string& zh, const std::string& en) {
  const Terminal t = session.terminal();
  const auto answer = ask(session, request);
  if (!answer) return void(session.exit_code = report(t, answer.error()));
  if (session.json) return t.line(dumped(*answer));
  t.line(zh, en);
}

void reload(Session& session) {
  if (!is_at(session, Site::kHub, "reload 重新读取中枢的区域文件；前置端改了 gate.toml 后请重启",
             "reload reads the hub's region files again; a gate whose gate.toml was changed is restarted"))
    return;
  const Terminal t = session.terminal();
  const auto answer = ask(session, {{"cmd", "reload"}});
  if (!answer) {
    session.exit_code = report(t, answer.error());
    return t.error("原有区域配置继续有效", "the region as it was stays in force");
  }
  if (session.json) return t.line(dumped(*answer));
  const std::string version = std::to_string(static_cast<long>(number_in(*answer, "version")));
  t.line("区域配置已更新为第 " + version + " 版，已写入账本",
         "the region is now version " + version + "; the change is in the ledger");
}

}  // namespace

void add_status_commands(CLI::App& cli, Session& session) {
  auto* shows = cli.add_subcommand("status", "Parties, lag, dead letters, ledgers, clocks 状态");
  shows->callback([&session] { session.exit_code = status(session); });

  auto id = std::make_shared<std::string>();
  auto ids = std::make_shared<std::vector<std::string>>();
  auto* letters = cli.add_subcommand("deadletters", "Records that could not be handed over (at a gate) 异常件")
                      ->require_subcommand(1);
  letters->add_subcommand("list", "All of them 列出")->callback([&session] { list_letters(session); });
  auto* one = letters->add_subcommand("show", "One of them, with its record 查看");
  one->add_option("id", *id, "As in the list 编号")->required();
  one->callback([&session, id] { show_letter(session, *id); });
  auto* retry = letters->add_subcommand("retry", "Hand it over again 重试");
  retry->add_option("id", *ids, "As in the list 编号")->required();
  retry->callback([&session, ids] { settle_letters(session, "retry", *ids); });
  auto* drop = letters->add_subcommand("drop", "Give it up, for good 放弃");
  drop->add_option("id", *ids, "As in the list 编号")->required();
  drop->callback([&session, ids] { settle_letters(session, "drop", *ids); });

  auto* adapter = cli.add_subcommand("adapter", "Adapters of a gate 适配器")->require_subcommand(1);
  adapter->add_subcommand("list", "All of them with their state 列出")->callback([&session] {
    list_adapters(session);
  });
  auto* restart = adapter->add_subcommand("restart", "End it and start it anew; also one that is held back 重启");
  restart->add_option("instance", *id, "Name of the instance 实例")->required();
  restart->callback([&session, id] {
    if (at_gate(session))
      act(session, {{"cmd", "adapter"}, {"act", "restart"}, {"instance", *id}}, "正在重启 " + clean(*id),
          "restarting " + clean(*id));
  });

  auto party = std::make_shared<std::string>(), reason = std::make_shared<std::string>();
  auto* receiver = cli.add_subcommand("receiver", "Who is sent records (at the hub) 接收方")->require_subcommand(1);
  auto* gone = receiver->add_subcommand("give-up", "Keep nothing any longer for a party that has left 不再为其保留");
  gone->add_option("party", *party, "Code of the party 主体代码")->required();
  gone->add_option("--reason", *reason, "Why, for the record 原因，记入账本")->required();
  gone->callback([&session, party, reason] {
    if (is_at(session, Site::kHub, "请在中枢运行", "run it at the hub"))
      act(session, {{"cmd", "receiver_give_up"}, {"party", *party}, {"reason", *reason}},
          "不再为 " + *party + " 保留其尚未结算的投递，已记入账本",
          "deliveries that " + *party + " has not settled are no longer kept for it; this is in the ledger");
  });

  auto* clock = cli.add_subcommand("clock", "The hub's clock 中枢时钟")->require_subcommand(1);
  clock->add_subcommand("confirm", "The time was checked and is right, although it jumped 确认时间无误")
      ->callback([&session] {
        if (is_at(session, Site::kHub, "请在中枢运行", "run it at the hub"))
          act(session, {{"cmd", "clock_confirm"}}, "已确认中枢时钟，已记入账本",
              "the hub's clock is confirmed; this is in the ledger");
      });
  cli.add_subcommand("reload", "Read the region files again, whole or not at all (at the hub) 重新加载区域配置")
      ->callback([&session] { reload(session); });
}

}  // namespace thalweg::app
