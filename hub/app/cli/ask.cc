#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/exit_code.h"
#include "link/local_socket.h"

namespace thalweg::app {
namespace {

using nlohmann::json;

/// Both programs answer {"ok":true,...} or {"ok":false,"code":N,"error":"..."}.
Result<json> read_answer(std::string_view text) {
  json answer = json::parse(text, nullptr, false);
  if (!answer.is_object()) return Error{Code::kInternal, "the answer is no JSON object"};
  if (answer.value("ok", false)) return answer;
  const auto code = answer.find("code");
  const auto reason = answer.find("error");
  Error error{
      code != answer.end() && code->is_number_integer() ? static_cast<Code>(code->get<int>()) : Code::kInternal,
      reason != answer.end() && reason->is_string() ? reason->get<std::string>() : "the answer gives no reason"};
  // What a program calls a broken contract was typed by somebody here.
  if (error.code == Code::kInvalid) error = Error{Code::kData, error.message};
  if (error.code == Code::kOk) error = Error{Code::kBusy, "it could not be taken now; ask again in a moment"};
  return error;
}

Result<link::BlockingLocalClient> connect(const Session& session) {
  TW_ASSIGN(const Site site, site_of(session));
  const Path folder = std::filesystem::absolute(session.folder);
  // Questions go to the lane that is never busy; a gate answers for both.
  const Path socket = folder / "state" / "run" / (site == Site::kHub ? "admin.sock" : "urgent.sock");
  auto client = link::BlockingLocalClient::connect(socket, link::LocalRole::kPerson);
  if (client) return client;
  if (client.error().code == Code::kNotFound || client.error().code == Code::kUnavailable) {
    const std::string program = site == Site::kHub ? "thalwegd" : "thalweg-gate";
    return Error{Code::kUnavailable,
                 session.terminal().say("程序没有运行，请启动：", "it does not run here, start it: ") +
                     "systemctl start " + program + session.terminal().say("，或 ", " or ") + program + " " +
                     folder.string()};
  }
  return Error(std::move(client).error());
}

}  // namespace

int report(const Terminal& terminal, const Error& error) {
  terminal.error(error);
  return exit_code_of(error.code);
}

Result<Site> site_of(const Session& session) {
  const Path folder = session.folder;
  if (std::filesystem::exists(folder / "hub.toml")) return Site::kHub;
  if (std::filesystem::exists(folder / "gate.toml")) return Site::kGate;
  const std::string where = std::filesystem::absolute(session.folder).string();
  return Error{Code::kNotFound,
               session.terminal().say(where + " 中没有 hub.toml 或 gate.toml；请用 --dir 或 THALWEG_DIR 指定目录",
                                      "there is neither hub.toml nor gate.toml in " + where +
                                          "; give the folder with --dir or THALWEG_DIR")};
}

Result<json> ask(const Session& session, const json& request) {
  TW_ASSIGN(link::BlockingLocalClient client, connect(session));
  TW_ASSIGN(const std::string answer, client.request(request.dump()));
  return read_answer(answer);
}

Status ask_stream(const Session& session, const json& request, const std::function<bool(const json&)>& take) {
  TW_ASSIGN(link::BlockingLocalClient client, connect(session));
  Status failed;
  const Status streamed = client.stream(request.dump(), [&](std::string_view text) {
    Result<json> answer = read_answer(text);
    if (!answer) {
      failed = answer.error();
      return false;
    }
    return take(*answer);
  });
  return failed ? streamed : failed;
}

}  // namespace thalweg::app
