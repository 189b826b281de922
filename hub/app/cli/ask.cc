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
  TW_ASSIGN(const Site site, site_of(session.folder));
  const Path folder = std::filesystem::absolute(session.folder);
  // Questions go to the lane that is never busy; a gate answers for both.
  const Path socket = folder / "state" / "run" / (site == Site::kHub ? "admin.sock" : "urgent.sock");
  auto client = link::BlockingLocalClient::connect(socket, link::LocalRole::kPerson);
  if (client) return client;
  const char* program = site == Site::kHub ? "thalwegd " : "thalweg-gate ";
  if (client.error().code == Code::kNotFound || client.error().code == Code::kUnavailable)
    return Error{Code::kUnavailable, std::string("it does not run here: start it with ") + program + folder.string()};
  return Error(std::move(client).error());
}

}  // namespace

int report(const Terminal& terminal, const Error& error) {
  terminal.error(error);
  return exit_code_of(error.code);
}

Result<Site> site_of(const std::string& folder) {
  if (std::filesystem::exists(Path(folder) / "hub.toml")) return Site::kHub;
  if (std::filesystem::exists(Path(folder) / "gate.toml")) return Site::kGate;
  return Error{Code::kNotFound, "there is neither hub.toml nor gate.toml in " +
                                    std::filesystem::absolute(folder).string() + "; give the folder with --dir"};
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
