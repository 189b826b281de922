// verify_ledger.cc: is a ledger whole and true? Needs no running hub and trusts nobody.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/exit_code.h"
#include "ledger/verify.h"
#include "model/time.h"
#include "trust/certificate.h"

namespace thalweg::app {
namespace {

using nlohmann::json;

struct Wanted {
  std::string folder;
  std::string card;
};

/// A folder of segments is one chain; a ledger, outbox or inbox holds one per lane.
std::vector<Path> chains_of(const Path& folder) {
  std::vector<Path> chains;
  for (const char* lane : {"routine", "urgent"})
    if (std::filesystem::is_directory(folder / lane)) chains.push_back(folder / lane);
  if (chains.empty()) chains.push_back(folder);
  return chains;
}

json json_of(const Path& chain, const ledger::VerifyReport& r) {
  json out{{"ok", r.content()},
           {"folder", chain.string()},
           {"ledger", to_hex(r.ledger_id)},
           {"first_block", r.first_block},
           {"last_block", r.last_block},
           {"last_hash", to_hex(r.last_hash)},
           {"blocks", r.blocks},
           {"parcels", r.parcels},
           {"records", r.records},
           {"bytes", r.bytes},
           {"signatures", r.signatures},
           {"checkpoints", r.checkpoints},
           {"settlements", r.settlements},
           {"streams", r.streams},
           {"receivers", r.receivers},
           {"from_genesis", r.from_genesis}};
  if (r.fault)
    out["fault"] = {{"code", static_cast<int>(r.fault->code)},
                    {"file", r.fault->file},
                    {"offset", r.fault->offset},
                    {"block", r.fault->block},
                    {"message", r.fault->message}};
  if (r.torn) out["torn"] = {{"file", r.torn->file}, {"offset", r.torn->offset}, {"bytes", r.torn->bytes}};
  return out;
}

void print(const Terminal& t, const Path& chain, const ledger::VerifyReport& r) {
  t.line(t.paint(Colour::kBold, chain.string()));
  const auto number = [](std::uint64_t n) { return std::to_string(n); };
  t.line("  区块 " + number(r.first_block) + "–" + number(r.last_block) + "，数据包 " + number(r.parcels) + "，记录 " +
             number(r.records) + "，签名 " + number(r.signatures) + "，检查点 " + number(r.checkpoints) + "，结算 " +
             number(r.settlements),
         "  blocks " + number(r.first_block) + " to " + number(r.last_block) + ", " + number(r.parcels) + " parcels, " +
             number(r.records) + " records, " + number(r.signatures) + " signatures, " + number(r.checkpoints) +
             " checkpoints, " + number(r.settlements) + " settlements");
  if (r.torn)
    t.line(
        "  末尾有未写完的区块（" + number(r.torn->bytes) + " 字节），启动时会截去，不是损坏",
        "  an unfinished block of " + number(r.torn->bytes) + " bytes at the very end; a start cuts it off: no damage");
  if (r.fault) {
    t.line("  " + t.paint(Colour::kRed, t.say("有误", "FAULT")) + "  " + r.fault->file + ":" + number(r.fault->offset) +
           std::string(t.say("，区块 ", ", block ")) + number(r.fault->block));
    const CodeText& text = text_of(r.fault->code);
    t.line("  " + std::to_string(static_cast<int>(r.fault->code)) + " " + t.say(text.meaning_zh, text.meaning_en) +
           t.say("：", ": ") + r.fault->message);
    t.line("  " + t.say(text.remedy_zh, text.remedy_en));
  } else {
    t.line("  " + t.paint(Colour::kGreen, t.say("完好", "whole and true")) + "  " +
           std::string(t.say("末块散列 ", "hash of the last block ")) + to_hex(r.last_hash));
  }
}

void verify(Session& session, const Wanted& wanted) {
  const Terminal t = session.terminal();
  ledger::VerifyOptions options;
  if (!wanted.card.empty()) {
    const auto bytes = read_file(real_files(), wanted.card, trust::kMaxDocumentBytes);
    if (!bytes) return void(session.exit_code = report(t, bytes.error()));
    const auto card = trust::open_hub_card(*bytes);
    if (!card) return void(session.exit_code = report(t, card.error()));
    options.hub_key = (*card)->signing.bytes;
  }
  const Path folder = std::filesystem::absolute(wanted.folder);
  // Outboxes and inboxes are the same kind of log with other entries.
  for (const Path& part : folder)
    if (part == "outbox" || part == "inbox") options.chain_only = true;
  if (isatty(2) != 0)
    options.progress = [&t](std::uint64_t done, std::uint64_t total) {
      std::cerr << '\r' << t.say("已检查 ", "checked ") << (total == 0 ? 100 : done * 100 / total) << " % "
                << std::flush;
      if (done >= total) std::cerr << "\r\033[K";
    };
  json all = json::array();
  for (const Path& chain : chains_of(folder)) {
    const auto outcome = ledger::verify_ledger(real_files(), chain, options);
    if (!outcome) return void(session.exit_code = report(t, outcome.error()));
    if (!outcome->content()) session.exit_code = kExitData;
    if (session.json)
      all.push_back(json_of(chain, *outcome));
    else
      print(t, chain, *outcome);
  }
  if (session.json) t.line(all.dump());
}

}  // namespace

void add_ledger_commands(CLI::App& cli, Session& session) {
  auto wanted = std::make_shared<Wanted>();
  auto* verifies = cli.add_subcommand("verify", "Check chain, signatures and numbers of a ledger 校验账本");
  verifies
      ->add_option("ledger", wanted->folder,
                   "Folder: a hub's state/ledger, one chain of it, an outbox or inbox 账本、发件箱或收件箱目录")
      ->required();
  verifies->add_option("--card", wanted->card,
                       "The hub's card: believe this key, not the one in the ledger 以该卡片中的公钥为准");
  verifies->callback([&session, wanted] { verify(session, *wanted); });
}

}  // namespace thalweg::app
