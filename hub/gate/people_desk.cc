// people_desk.cc: see people_desk.h. Dead letters and `tail` are in desk_letters.cc and desk_tail.cc.
#include "gate/people_desk.h"

#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

#include "gate/box_query.h"
#include "gate/desk_tools.h"
#include "gate/gate_lane.h"
#include "model/time.h"

namespace thalweg::gate {

using nlohmann::json;

json failure(Code code, std::string_view message) {
  return {{"ok", false}, {"code", static_cast<int>(code)}, {"message", message}};
}

std::string text_of(const json& request, const char* key) {
  const auto found = request.find(key);
  return found != request.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void send_reply(const link::LocalConnectionRef& connection, std::uint64_t id, const json& answer, bool last) {
  const std::string text = answer.dump(-1, ' ', false, json::error_handler_t::replace);
  link::LocalReply reply;
  reply.id = id;
  reply.last = last;
  reply.json = text;
  Bytes frame;
  reply.encode(frame);
  connection->send(std::move(frame));
}

bool PeopleDesk::ask_other(std::function<void(PeopleDesk&)> work) {
  GateLane* other = lane_.other();
  if (other == nullptr) return false;
  other->loop().post([other, work = std::move(work)] {
    if (other->desk() != nullptr) work(*other->desk());
  });
  return true;
}

void PeopleDesk::on_request(const link::LocalConnectionRef& connection, const std::string& person, std::uint64_t id,
                            std::string_view text) {
  const std::weak_ptr<link::LocalConnection> weak = connection;
  Answer answer = [weak, id](const json& reply) {
    if (const auto there = weak.lock()) send_reply(there, id, reply, true);
  };
  const json request = json::parse(text, nullptr, false);
  if (!request.is_object()) return answer(failure(Code::kInvalid, "a request is a JSON object"));
  const std::string command = text_of(request, "cmd");
  if (command == "publish") return publish(person, request, std::move(answer));
  if (command == "records") return records(request, std::move(answer));
  if (command == "show") return show(request, std::move(answer));
  if (command == "ack") return acknowledge(person, request, true, std::move(answer));
  if (command == "deadletters") return dead_letters(person, request, std::move(answer));
  if (command == "status") return whole_status(std::move(answer));
  if (command == "adapter") return adapter(request, std::move(answer));
  if (command == "tail") return tail(connection, id, request);
  if (command == "stop") {
    answer({{"ok", true}});
    if (lane_.shared().on_stop_asked) lane_.shared().on_stop_asked();
    return;
  }
  answer(failure(Code::kUnsupported, "no request '" + command + "'; known: publish records show ack deadletters status "
                 "adapter tail stop"));
}

// ---- sending ----

void PeopleDesk::publish(const std::string& person, const json& request, Answer answer) {
  const auto list = request.find("records");
  if (list == request.end() || !list->is_array() || list->empty() || list->size() > link::kMaxLocalItems) {
    return answer(failure(Code::kInvalid, "records: a list of 1 to 4,096 records"));
  }
  std::deque<std::string> kept;  // what the drafts point to
  const auto keep = [&](std::string text) -> std::string_view { return kept.emplace_back(std::move(text)); };
  std::vector<link::LocalDraft> drafts;
  for (const json& record : *list) {
    if (!record.is_object()) return answer(failure(Code::kInvalid, "a record is an object"));
    link::LocalDraft draft;
    draft.ticket = drafts.size();
    draft.lane = lane_.lane();
    draft.type = keep(text_of(record, "type"));
    draft.subject = keep(text_of(record, "subject"));
    draft.time = keep(text_of(record, "time"));
    draft.exercise = keep(text_of(record, "exercise"));
    draft.correlation = keep(text_of(record, "correlation"));
    draft.origin_key = keep(text_of(record, "origin_key"));
    // "data_json" keeps the text as it was written; "data" is written anew.
    const std::string verbatim = text_of(record, "data_json");
    draft.data = keep(!verbatim.empty() ? verbatim : record.contains("data") ? record["data"].dump() : "{}");
    drafts.push_back(draft);
  }
  Submitter submitter{"person." + person, "person." + person, nullptr};
  lane_.outbox().submit(submitter, drafts, [answer = std::move(answer)](Submission& submission) {
    json settled = json::array();
    bool all = true;
    for (const Outcome& one : submission.outcomes) {
      static constexpr const char* kAnswers[] = {"retry", "accepted", "rejected"};
      all = all && one.answer == link::Answer::kAccepted;
      settled.push_back({{"answer", kAnswers[static_cast<int>(one.answer)]},
                         {"code", static_cast<int>(one.code)},
                         {"id", one.id.is_zero() ? "" : one.id.text()},
                         {"reason", one.reason}});
    }
    answer({{"ok", all}, {"settled", std::move(settled)}});
  });
}

void PeopleDesk::acknowledge(const std::string& person, const json& request, bool other_too, Answer answer) {
  auto id = Uuid::parse(text_of(request, "record"));
  const std::string officer = text_of(request, "officer");
  if (!id) return answer(failure(Code::kInvalid, "record: the id of the record"));
  if (officer.empty()) return answer(failure(Code::kInvalid, "officer: the name of the person who signs"));
  find(*id, [this, person, request, other_too, officer, id = *id, answer = std::move(answer)](const json& found) {
    if (found.is_null() || found.value("box", "") != "inbox") {
      if (other_too && ask_other([this, person, request, answer](PeopleDesk& desk) {
            desk.acknowledge(person, request, false, [this, answer](const json& reply) {
              lane_.loop().post([answer, reply] { answer(reply); });
            });
          })) {
        return;
      }
      return answer(failure(Code::kNotFound, "no such record in the inbox"));
    }
    std::string stage = text_of(request, "stage");
    if (stage.empty()) stage = "signed";
    const bool by_phone = request.value("by_phone", false);
    std::string by = text_of(request, "by");
    if (by.empty()) by = by_phone ? "phone" : "cli";
    const GateConfig& config = lane_.shared().config;
    const std::string at = format_rfc3339(lane_.shared().clock.wall_unix_ns(), config.utc_offset_minutes);
    json data = {{"record", id.text()}, {"stage", stage}, {"party", config.party},
                 {"officer", officer},  {"by", by},       {"at", at}};
    for (const char* key : {"telephone", "measures", "remark"}) {
      if (const std::string text = text_of(request, key); !text.empty()) data[key] = text;
    }
    const std::string correlation = found.value("correlation", "");
    if (valid_code(correlation)) data["incident"] = correlation;
    json record = {{"type", kReceiptType},
                   {"subject", found.value("subject", "")},
                   {"time", at},
                   {"exercise", found.value("exercise", "")},  // the answer to a drill is part of the drill
                   {"correlation", correlation},
                   {"origin_key", "receipt/" + id.text() + "/" + stage + "/" + to_hex(sha256(as_bytes(officer))).substr(0, 16)},
                   {"data", std::move(data)}};
    publish(person, {{"records", json::array({std::move(record)})}}, [answer](json reply) {
      if (reply.contains("settled") && !reply["settled"].empty()) {
        json one = reply["settled"][0];
        one["ok"] = reply["ok"];
        one["message"] = one["reason"];
        return answer(std::move(one));
      }
      answer(std::move(reply));
    });
  });
}

// ---- reading ----

namespace {

BoxContext context_of(GateLane& lane, bool whole) {
  BoxContext context;
  context.lane = lane.lane();
  context.utc_offset_minutes = lane.shared().config.utc_offset_minutes;
  context.incarnation = lane.outbox().state().incarnation;
  context.progress = lane.outbox().state().progress;
  context.whole = whole;
  if (whole) context.manifest = lane.shared().manifest();
  context.receipts = &lane.shared().receipts;
  return context;
}

}  // namespace

void PeopleDesk::records(const json& request, Answer answer) {
  BoxFilter filter;
  filter.type = text_of(request, "type");
  filter.subject = text_of(request, "subject");
  filter.limit = std::min<std::size_t>(request.value("limit", 50u), 1000);
  for (auto [key, into] : {std::pair{"since", &filter.since_unix_ns}, {"until", &filter.until_unix_ns}}) {
    const std::string text = text_of(request, key);
    if (text.empty()) continue;
    auto time = parse_rfc3339(text);
    if (!time) return answer(failure(Code::kInvalid, std::string(key) + ": " + time.error().message));
    *into = *time;
  }
  const std::string box = text_of(request, "box");
  if (!box.empty() && box != "inbox" && box != "outbox") {
    return answer(failure(Code::kInvalid, "box: inbox or outbox"));
  }
  boost::asio::post(lane_.shared().readers, [filter, box, context = context_of(lane_, false), out = lane_.outbox().log(),
                                             in = lane_.inbox().log(), &loop = lane_.loop(),
                                             answer = std::move(answer)] {
    json reply = {{"ok", true}, {"records", json::array()}, {"complete", true}};
    const auto add = [&](Result<json> found, bool complete) {
      if (!found) {
        reply = failure(found.error().code, found.error().message);
        return false;
      }
      for (json& one : *found) reply["records"].push_back(std::move(one));
      if (!complete) reply["complete"] = false;
      return true;
    };
    bool complete = true;
    bool good = true;
    if (box != "inbox") {
      auto found = search_outbox(*out, filter, context, complete);
      good = add(std::move(found), complete);
    }
    if (good && box != "outbox") {
      auto found = search_inbox(*in, filter, context, complete);
      add(std::move(found), complete);
    }
    loop.post([answer, reply = std::move(reply)] { answer(reply); });
  });
}

void PeopleDesk::find(const RecordId& record, Answer found) {
  BoxFilter filter;
  filter.record = record;
  filter.limit = 1;
  boost::asio::post(lane_.shared().readers, [filter, context = context_of(lane_, true), out = lane_.outbox().log(),
                                             in = lane_.inbox().log(), &loop = lane_.loop(), found = std::move(found)] {
    bool complete = true;
    json one;
    auto mine = search_outbox(*out, filter, context, complete);
    if (mine && !mine->empty()) one = (*mine)[0];
    if (one.is_null()) {
      auto theirs = search_inbox(*in, filter, context, complete);
      if (theirs && !theirs->empty()) one = (*theirs)[0];
    }
    loop.post([found, one = std::move(one)] { found(one); });
  });
}

void PeopleDesk::show(const json& request, Answer answer) {
  auto id = Uuid::parse(text_of(request, "record"));
  if (!id) return answer(failure(Code::kInvalid, "record: the id of the record"));
  find(*id, [this, id = *id, answer = std::move(answer)](const json& found) {
    const auto reply = [answer](const json& record) {
      answer(record.is_null() ? failure(Code::kNotFound, "no such record here") : json{{"ok", true}, {"record", record}});
    };
    if (!found.is_null()) return reply(found);
    const bool asked = ask_other([this, id, reply](PeopleDesk& desk) {
      desk.find(id, [this, reply](const json& there) { lane_.loop().post([reply, there] { reply(there); }); });
    });
    if (!asked) reply(json());
  });
}

}  // namespace thalweg::gate
