// setup.cc: init, keys, party, gate: who may speak.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/cli/setup_files.h"
#include "app/exit_code.h"

namespace thalweg::app {
namespace {

using nlohmann::json;

int init_hub(const Session& session, const NewHub& wanted) {
  const Terminal t = session.terminal();
  std::string mistakes;
  const auto card = create_hub(system_clock(), wanted, mistakes);
  if (!card) {
    std::cerr << mistakes;
    return report(t, card.error());
  }
  const std::string digits = trust::fingerprint_text(card->signing.fingerprint());
  const std::string folder = std::filesystem::absolute(wanted.folder).string();
  if (session.json) {
    t.line(json{{"folder", folder}, {"hub", card->hub}, {"ledger", to_hex(card->ledger_id)}, {"fingerprint", digits}}
               .dump());
    return kExitOk;
  }
  t.line("交换中枢已建立：" + folder, "The hub is set up in " + folder);
  t.line("  指纹  " + digits, "  fingerprint  " + digits);
  t.line("接下来：", "Next:");
  t.line("  1. 检查区域文件：thalweg region check " + folder + "/region",
         "  1. look at the region's files: thalweg region check " + folder + "/region");
  t.line("  2. 启动：thalwegd " + folder, "  2. start it: thalwegd " + folder);
  t.line("  3. 把 hub.card 交给各前置端，并在电话中读出指纹",
         "  3. give hub.card to the gates, and read the fingerprint out to them");
  return kExitOk;
}

int init_gate(const Session& session, const NewGate& wanted) {
  const Terminal t = session.terminal();
  const auto made = create_gate(system_clock(), wanted);
  if (!made) return report(t, made.error());
  const std::string digits = trust::fingerprint_text(made->certificate.identity.fingerprint());
  const std::string folder = std::filesystem::absolute(wanted.folder).string();
  if (session.json) {
    t.line(json{{"folder", folder},
                {"party", wanted.party},
                {"gate", wanted.gate},
                {"enrolment", made->enrolment.string()},
                {"fingerprint", digits}}
               .dump());
    return kExitOk;
  }
  t.line("前置端已建立：" + folder, "The gate is set up in " + folder);
  t.line("  登记文件  " + made->enrolment.string(), "  enrolment file  " + made->enrolment.string());
  t.line("  身份指纹  " + digits, "  identity fingerprint  " + digits);
  t.line("接下来：", "Next:");
  int number = 0;
  const auto next = [&](const std::string& zh, const std::string& en) {
    t.line("  " + std::to_string(++number) + ". " + t.say(zh, en));
  };
  if (made->new_identity) {
    next("把 identity.key 移到离线介质保管：日后更换前置端要用它",
         "move identity.key to a place off this machine: replacing the gate needs it");
    next("把登记文件交给中枢运维人员，并在电话中读出指纹（thalweg party add）",
         "give the enrolment file to the hub's operator and read the fingerprint out (thalweg party add)");
  } else {
    next("把 identity.key 从本机删除，放回保险柜", "remove identity.key from this machine, back into the safe");
    next("把登记文件交给中枢运维人员（更换：thalweg gate replace，不需读指纹；首次：thalweg party add）",
         "give the enrolment file to the hub's operator (to replace a gate: thalweg gate replace, no digits need be "
         "read "
         "out; the first gate: thalweg party add)");
  }
  if (!wanted.card)
    next("取得中枢的 hub.card：thalweg gate trust hub.card --dir " + folder,
         "get the hub's hub.card: thalweg gate trust hub.card --dir " + folder);
  next("启动：thalweg-gate " + folder, "start it: thalweg-gate " + folder);
  return kExitOk;
}

/// Where the adapters of this installation lie, or of the build tree it was started from.
Path installed_plugins() {
  std::error_code error;
  const Path programs = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* place : {"../lib/thalweg/plugins", "../plugins"})
    if (const Path folder = (programs / place).lexically_normal(); std::filesystem::is_directory(folder, error))
      return folder;
  return "plugins";
}

/// The digits that the other side reads out: from the option, else asked for at the terminal.
std::string digits_from(const Terminal& t, const std::string& option, const std::string& whose) {
  if (!option.empty() || isatty(0) == 0) return option;
  std::cout << t.say("请输入对方在电话中读出的指纹（", "Type the fingerprint that the other side reads out (") << whose
            << t.say("）：", "): ") << std::flush;
  std::string typed;
  std::getline(std::cin, typed);
  return typed;
}

Result<std::string> read_text(const std::string& file) {
  TW_ASSIGN(const Bytes bytes, read_file(real_files(), file, trust::kMaxDocumentBytes));
  return std::string(as_text(bytes));
}

/// A party that is enrolled has its identity pinned at the hub: another gate of it, or a new machine, needs no digits.
enum class Known { kMaybe, kSurely };
int party_add(const Session& session, const std::string& file, const std::string& option, Known known) {
  const Terminal t = session.terminal();
  const auto text = read_text(file);
  if (!text) return report(t, text.error());
  const auto certificate = trust::open_certificate(as_bytes(*text));
  if (!certificate) return report(t, certificate.error());
  const std::string whose = (*certificate)->party + "/" + (*certificate)->gate;
  const std::string digits = known == Known::kSurely ? option : digits_from(t, option, whose);
  const auto answer = ask(session, {{"cmd", "party_add"}, {"document", *text}, {"fingerprint", digits}});
  if (!answer && known == Known::kSurely && digits.empty() && answer.error().code == Code::kPinMismatch)
    return party_add(session, file, option, Known::kMaybe);
  if (!answer) return report(t, answer.error());
  if (session.json) {
    t.line(answer->dump());
  } else {
    t.line("已登记 " + whose + "，有效期至 " + answer->value("valid_to", ""),
           "Enrolled " + whose + ", valid to " + answer->value("valid_to", ""));
  }
  return kExitOk;
}

int party_revoke(const Session& session, const std::string& party, const std::string& gate, const std::string& reason) {
  const Terminal t = session.terminal();
  const auto answer = ask(session, {{"cmd", "party_revoke"}, {"party", party}, {"gate", gate}, {"reason", reason}});
  if (!answer) return report(t, answer.error());
  if (session.json) {
    t.line(answer->dump());
  } else {
    for (const json& one : (*answer)["revoked"])
      t.line("已吊销 " + one.get<std::string>() + "，会话已断开",
             "Revoked " + one.get<std::string>() + "; its sessions are closed");
  }
  return kExitOk;
}

int gate_trust(const Session& session, const std::string& file, const std::string& option) {
  const Terminal t = session.terminal();
  const auto text = read_text(file);
  if (!text) return report(t, text.error());
  const auto card = trust::open_hub_card(as_bytes(*text));
  if (!card) return report(t, card.error());
  const Hash256 fingerprint = (*card)->signing.fingerprint();
  if (!trust::fingerprint_equals(digits_from(t, option, (*card)->hub), fingerprint))
    return report(t, {Code::kPinMismatch, "the fingerprint that was read out is not that of the card"});
  if (Status written = write_file_atomically(real_files(), Path(session.folder) / "hub.card", as_bytes(*text));
      !written)
    return report(t, written.error());
  if (session.json)
    t.line(json{{"ok", true}, {"hub", (*card)->hub}, {"fingerprint", trust::fingerprint_text(fingerprint)}}.dump());
  else
    t.line("已信任中枢 " + (*card)->hub, "The hub " + (*card)->hub + " is trusted");
  return kExitOk;
}

int keys_show(const Session& session, const std::string& file) {
  const Terminal t = session.terminal();
  const auto text = read_text(file);
  if (!text) return report(t, text.error());
  const auto say = [&](const trust::PublicKey& key, const std::string& what) {
    if (session.json)
      t.line(json{{"what", what}, {"key", key.text()}, {"fingerprint", trust::fingerprint_text(key.fingerprint())}}
                 .dump());
    else
      t.line(what + "\n  " + key.text() + "\n  " + trust::fingerprint_text(key.fingerprint()));
    return kExitOk;
  };
  if (const auto certificate = trust::open_certificate(as_bytes(*text)))
    return say((*certificate)->identity,
               std::string(t.say("主体身份 ", "identity of ")) + (*certificate)->party + "/" + (*certificate)->gate);
  if (const auto card = trust::open_hub_card(as_bytes(*text)))
    return say((*card)->signing, std::string(t.say("交换中枢 ", "hub ")) + (*card)->hub);
  const auto key = trust::SigningKey::load(file);
  if (!key) return report(t, key.error());
  return say(key->public_key(), std::string(t.say("私钥 ", "private key ")) + file);
}

int keys_new(const Session& session, const std::string& file) {
  const Terminal t = session.terminal();
  const trust::SigningKey key = trust::SigningKey::generate();
  if (Status saved = key.save(file); !saved) return report(t, saved.error());
  return keys_show(session, file);
}

}  // namespace

void add_setup_commands(CLI::App& cli, Session& session) {
  auto* init = cli.add_subcommand("init", "Set up a hub or a gate 建立中枢或前置端")->require_subcommand(1);
  {
    auto wanted = std::make_shared<NewHub>();
    auto* hub = init->add_subcommand("hub", "A new hub with keys, ledgers and its card 新建交换中枢");
    hub->add_option("folder", wanted->folder, "New folder 新目录")->required();
    hub->add_option("--region", wanted->region, "Region files to start from, e.g. examples/regions/laixi 区域文件目录")
        ->required();
    hub->add_option("--public", wanted->public_host,
                    "Host name or address that gates connect to 前置端连接的主机名或地址");
    hub->add_option("--listen", wanted->listen, "Address to listen on 监听地址");
    hub->add_option("--routine-port", wanted->routine_port, "Port of the routine lane 常规通道端口");
    hub->add_option("--urgent-port", wanted->urgent_port, "Port of the urgent lane 紧急通道端口");
    hub->add_option("--http-port", wanted->http_port,
                    "Port of /metrics and /healthz on 127.0.0.1; 0: none 监控页面端口，0 为不开");
    hub->callback([&session, wanted] {
      wanted->language = language_from(session.language);
      session.exit_code = init_hub(session, *wanted);
    });
  }
  {
    auto wanted = std::make_shared<NewGate>();
    wanted->plugins = installed_plugins();
    auto* gate = init->add_subcommand("gate", "A new gate with keys and its enrolment file 新建前置端");
    gate->add_option("folder", wanted->folder, "New folder 新目录")->required();
    gate->add_option("--party", wanted->party, "Code of the party 主体代码")->required();
    gate->add_option("--gate", wanted->gate, "Name of this gate 前置端名称");
    gate->add_option("--hub", wanted->hub, "HOST:PORT of the hub's routine lane 中枢常规通道地址");
    gate->add_option("--card", wanted->card, "The hub's card, if it is at hand 中枢卡片 hub.card");
    gate->add_option("--identity", wanted->identity,
                     "The party's identity key; else a new one is made 主体身份密钥，缺省则新建");
    gate->add_option("--days", wanted->valid_days, "Validity of the certificate 证书有效天数")
        ->check(CLI::Range(1, 3650));
    gate->add_flag("!--sends-only", wanted->receives,
                   "Another gate of the party holds the inbox 只发送，收件箱在该主体的另一前置端");
    gate->callback([&session, wanted] { session.exit_code = init_gate(session, *wanted); });
  }

  auto file = std::make_shared<std::string>();
  auto digits = std::make_shared<std::string>();
  auto* party = cli.add_subcommand("party", "Enrol and revoke gates (at the hub) 登记与吊销")->require_subcommand(1);
  auto* add = party->add_subcommand("add", "Enrol a gate by its file 登记前置端");
  add->add_option("file", *file, "Enrolment file 登记文件")->required();
  add->add_option("--fingerprint", *digits, "The digits that the other side reads out 对方读出的指纹");
  add->callback([&session, file, digits] { session.exit_code = party_add(session, *file, *digits, Known::kMaybe); });

  auto code = std::make_shared<std::string>(), gate_name = std::make_shared<std::string>(),
       reason = std::make_shared<std::string>();
  auto* revoke = party->add_subcommand("revoke", "Revoke a party's gates at once 吊销");
  revoke->add_option("party", *code, "Code of the party 主体代码")->required();
  revoke->add_option("--gate", *gate_name, "Only this gate 只吊销该前置端");
  revoke->add_option("--reason", *reason, "Why, for the record 原因（记入账本）")->required();
  revoke->callback([=, &session] { session.exit_code = party_revoke(session, *code, *gate_name, *reason); });

  auto* gate = cli.add_subcommand("gate", "Trust a hub, replace a gate 信任中枢、更换前置端")->require_subcommand(1);
  auto* trusts = gate->add_subcommand("trust", "Believe a hub's card (at the gate) 信任中枢");
  trusts->add_option("file", *file, "The hub's card 中枢卡片 hub.card")->required();
  trusts->add_option("--fingerprint", *digits, "The digits that the hub's operator reads out 中枢运维人员读出的指纹");
  trusts->callback([&session, file, digits] { session.exit_code = gate_trust(session, *file, *digits); });
  auto* replace = gate->add_subcommand("replace", "Put a new machine in a gate's place (at the hub) 更换前置端");
  replace
      ->add_option("file", *file,
                   "Enrolment file of the new machine, by the same identity and gate name "
                   "新机的登记文件（同一身份、同一前置端名称）")
      ->required();
  replace->add_option("--fingerprint", *digits,
                      "Only needed for a party that is not enrolled yet 仅尚未登记的主体需要");
  replace->callback(
      [&session, file, digits] { session.exit_code = party_add(session, *file, *digits, Known::kSurely); });

  auto* keys = cli.add_subcommand("keys", "Identity keys and fingerprints 身份密钥与指纹")->require_subcommand(1);
  auto* fresh = keys->add_subcommand("new", "Make an identity key 生成身份密钥");
  fresh->add_option("file", *file, "New file 新文件")->required();
  fresh->callback([&session, file] { session.exit_code = keys_new(session, *file); });
  auto* show = keys->add_subcommand("show", "Show the fingerprint of a key, card or enrolment file 显示指纹");
  show->add_option("file", *file, "File 文件")->required();
  show->callback([&session, file] { session.exit_code = keys_show(session, *file); });
}

}  // namespace thalweg::app
