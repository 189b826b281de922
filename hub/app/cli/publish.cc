#include "app/cli/publish.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/cli/draft_files.h"
#include "app/cli/record_views.h"
#include "app/exit_code.h"

namespace thalweg::app {
namespace {

using nlohmann::json;

constexpr std::size_t kMostAtOnce = 500;
constexpr std::size_t kMostBytesAtOnce = 2u << 20;  // escaped as JSON text it may grow; a frame holds 8 MiB
constexpr std::uint64_t kMostFileBytes = 1ull << 30;
constexpr std::size_t kMostRecordBytes = 1u << 20;
constexpr int kMostTries = 60;
constexpr auto kBetweenTries = std::chrono::milliseconds(500);

struct Sent {
  FileDraft draft;
  json outcome;  ///< {"answer","code","id","reason"}; null while it was not sent
  bool is(const char* answer) const { return text_in(outcome, "answer") == answer; }
};

Result<std::string> read_all(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  TW_ASSIGN(const Bytes bytes, read_file(real_files(), file, kMostFileBytes));
  return std::string(as_text(bytes));
}

json request_of(const FileDraft& draft) {
  json out{{"type", draft.type},
           {"subject", draft.subject},
           {"time", draft.time},
           {"lane", name(draft.lane)},
           {"data_json", draft.data}};
  if (!draft.exercise.empty()) out["exercise"] = draft.exercise;
  if (!draft.correlation.empty()) out["correlation"] = draft.correlation;
  if (!draft.origin_key.empty()) out["origin_key"] = draft.origin_key;
  return out;
}

/// One question for `part`; those that the gate had no room for stay "retry".
Status send(const Session& session, const std::vector<Sent*>& part) {
  json request{{"cmd", "publish"}, {"records", json::array()}};
  for (const Sent* one : part) request["records"].push_back(request_of(one->draft));
  TW_ASSIGN(const json answer, ask(session, request));
  const json& settled = list_in(answer, "settled");
  if (settled.size() != part.size()) return Error{Code::kInternal, "the gate did not answer for every record"};
  for (std::size_t i = 0; i < part.size(); ++i) part[i]->outcome = settled[i];
  return {};
}

/// Until each is accepted or refused, or the gate has had no room for half a minute.
Status send_all(const Session& session, std::vector<Sent*> waiting) {
  for (int tries = 0; !waiting.empty();) {
    std::vector<Sent*> part;
    std::size_t bytes = 0;
    for (Sent* one : waiting) {
      if (part.size() == kMostAtOnce || (!part.empty() && bytes + one->draft.data.size() > kMostBytesAtOnce)) break;
      part.push_back(one);
      bytes += one->draft.data.size();
    }
    TW_TRY(send(session, part));
    const std::size_t before = waiting.size();
    std::erase_if(waiting, [](const Sent* one) { return one->is("accepted") || one->is("rejected"); });
    if (waiting.size() < before) {
      tries = 0;
    } else if (++tries == kMostTries) {
      return Error{Code::kBusy, "the gate has no room for more; send the rest again later"};
    }
    if (!waiting.empty() && waiting.front()->is("retry")) std::this_thread::sleep_for(kBetweenTries);
  }
  return {};
}

void print(const Terminal& t, const Sent& sent) {
  const FileDraft& draft = sent.draft;
  const std::string what =
      marks(t, name(draft.lane), draft.exercise) + type_label(t, draft.type) + " " + clean(draft.subject);
  if (sent.is("accepted")) {
    t.line(t.paint(Colour::kGreen, t.say("已接收", "accepted")) + "  " + clean(text_in(sent.outcome, "id")) + "  " +
           what + "  " + t.paint(Colour::kDim, clean(draft.place)));
    if (const std::string reason = clean(text_in(sent.outcome, "reason")); !reason.empty()) t.line("    " + reason);
    return;
  }
  if (!draft.faults.empty()) {
    t.line(t.paint(Colour::kRed, t.say("已拒绝", "refused")) + "  " + clean(draft.place) + "  " + what);
    for (const region::Words& fault : draft.faults) t.line("    " + clean(fault.in(t.language())));
    return;
  }
  if (!sent.is("rejected")) {
    t.line(t.paint(Colour::kYellow, t.say("未发送", "not sent")) + "  " + clean(draft.place) + "  " + what);
    return;
  }
  const CodeText& text = text_of(static_cast<Code>(static_cast<int>(number_in(sent.outcome, "code"))));
  t.line(t.paint(Colour::kRed, t.say("已拒绝", "refused")) + "  " + clean(draft.place) + "  " + what + "  " +
         std::to_string(static_cast<int>(number_in(sent.outcome, "code"))) + " " +
         std::string(t.say(text.meaning_zh, text.meaning_en)));
  // Every fault with its path stands on a line of its own.
  std::string reason = text_in(sent.outcome, "reason");
  for (std::size_t at = 0; (at = reason.find("; ", at)) != std::string::npos; at += 1)
    if (reason.compare(at + 2, 5, "near:") != 0) reason.replace(at, 2, "\n");
  std::string_view left = reason;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    t.line("    " + clean(left.substr(0, end)));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
}

json json_of(const Sent& sent) {
  json out{{"place", sent.draft.place},
           {"type", sent.draft.type},
           {"subject", sent.draft.subject},
           {"lane", name(sent.draft.lane)},
           {"answer", "not_sent"}};
  if (!sent.draft.exercise.empty()) out["exercise"] = sent.draft.exercise;
  if (!sent.draft.faults.empty()) {
    out["answer"] = "rejected";
    out["code"] = static_cast<int>(Code::kData);
    std::string reason;
    for (const region::Words& fault : sent.draft.faults) reason += (reason.empty() ? "" : "; ") + fault.en;
    out["reason"] = reason;
  } else if (sent.outcome.is_object()) {
    for (const char* key : {"answer", "code", "id", "reason"})
      if (sent.outcome.contains(key)) out[key] = sent.outcome[key];
  }
  return out;
}

}  // namespace

int publish(const Session& session, const std::vector<std::string>& files, const std::string& exercise) {
  const Terminal t = session.terminal();
  std::vector<Sent> all;
  for (const std::string& file : files) {
    const auto text = read_all(file);
    if (!text) return report(t, text.error());
    auto drafts = read_drafts(file == "-" ? "stdin" : file, *text, exercise);
    if (!drafts) return report(t, drafts.error());
    for (FileDraft& draft : *drafts) {
      if (draft.data.size() > kMostRecordBytes)
        draft.faults.push_back({"data：超过 1 MiB", "data: is larger than 1 MiB"});
      all.push_back({std::move(draft), json()});
    }
  }
  Status sent;
  for (const Lane lane : kLanes) {  // urgent first
    std::vector<Sent*> waiting;
    for (Sent& one : all)
      if (one.draft.faults.empty() && one.draft.lane == lane) waiting.push_back(&one);
    if (sent) sent = send_all(session, std::move(waiting));
  }
  int accepted = 0, refused = 0;
  json list = json::array();
  for (const Sent& one : all) {
    accepted += one.is("accepted") ? 1 : 0;
    refused += one.is("rejected") || !one.draft.faults.empty() ? 1 : 0;
    if (session.json) {
      list.push_back(json_of(one));
    } else {
      print(t, one);
    }
  }
  if (session.json) {
    t.line(json{{"records", std::move(list)}, {"accepted", accepted}, {"refused", refused}}.dump(
        -1, ' ', false, json::error_handler_t::replace));
  } else if (all.size() > 1) {
    t.line("共 " + std::to_string(all.size()) + " 条，已接收 " + std::to_string(accepted) + " 条，已拒绝 " +
               std::to_string(refused) + " 条",
           std::to_string(all.size()) + " records: " + std::to_string(accepted) + " accepted, " +
               std::to_string(refused) + " refused");
  }
  if (!sent) return report(t, sent.error());
  return refused > 0 ? kExitData : kExitOk;
}

}  // namespace thalweg::app
