// people_desk.cc: see people_desk.h. Dead letters and `tail` are in desk_letters.cc and desk_tail.cc.
#include "gate/people_desk.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <deque>
#include <nlohmann/json.hpp>

#include "gate/box_query.h"
#include "gate/desk_tools.h"
#include "gate/gate_lane.h"
#include "model/time.h"

namespace thalweg::gate {

using nlohmann::json;

json failure(Code code, std::string_view message) {
  return {{"ok", false}, {"code", static_cast<int>(code)}, {"error", message}};
}

std::string text_of(const json& request, const char* key) {
  const auto found = request.find(key);
  return found != request.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_true(const json& request, const char* key) {
  const auto found = request.find(key);
  return found != request.end() && *found == true;
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
  if (command == "region") {
    const json region = json::parse(lane_.shared().trust->manifest(), nullptr, false);
    return answer({{"ok", true}, {"region", region.is_object() ? region : json::object()}});
  }
  if (command == "stop") {
    answer({{"ok", true}});
    if (lane_.shared().on_stop_asked) lane_.shared().on_stop_asked();
    return;
  }
  answer(failure(Code::kUnsupported, "no request '" + command +
                                         "'; known: publish records show ack deadletters status "
                                         "adapter tail region stop"));
}

// ---- sending ----

void PeopleDesk::publish(const std::string& person, const json& request, Answer answer) {
  const auto list = request.find("records");
  if (list == request.end() || !list->is_array() || list->empty() || list->size() > link::kMaxLocalItems) {
    return answer(failure(Code::kInvalid, "records: a list of 1 to 4,096 records"));
  }
  json here = json::array(), there = json::array();
  std::vector<bool> is_here;
  for (const json& record : *list) {
    if (!record.is_object()) return answer(failure(Code::kInvalid, "a record is an object"));
    const std::string lane_name = text_of(record, "lane");
    const auto lane = lane_name.empty() ? Result<Lane>(Lane::kRoutine) : lane_from(lane_name);
    if (!lane) return answer(failure(Code::kInvalid, "lane: routine or urgent"));
    is_here.push_back(*lane == lane_.lane());
    (is_here.back() ? here : there).push_back(record);
  }
  // Both lanes answer; the outcomes go back into the order of the question.
  auto both = std::make_shared<std::array<json, 2>>();
  auto open = std::make_shared<int>(2);
  const auto part = [both, open, is_here, answer](std::size_t which, json outcomes) {
    (*both)[which] = std::move(outcomes);
    if (--*open > 0) return;
    json settled = json::array();
    std::size_t next[2] = {0, 0};
    bool all = true;
    for (const bool mine : is_here) {
      json one = std::move((*both)[mine ? 0 : 1][next[mine ? 0 : 1]++]);
      all = all && one["answer"] == "accepted";
      settled.push_back(std::move(one));
    }
    // Answered is not accepted: `all_accepted` and each outcome say what became of the records.
    answer({{"ok", true}, {"all_accepted", all}, {"settled", std::move(settled)}});
  };
  const bool asked = there.empty() || ask_other([this, person, there, part](PeopleDesk& desk) {
                       desk.publish_here(person, there, [this, part](const json& outcomes) {
                         lane_.loop().post([part, outcomes] { part(1, outcomes); });
                       });
                     });
  if (!asked) return answer(failure(Code::kNotFound, "this gate has no such lane"));
  if (there.empty()) part(1, json::array());
  publish_here(person, here, [part](const json& outcomes) { part(0, outcomes); });
}

void PeopleDesk::publish_here(const std::string& person, const json& list, Answer answer) {
  std::deque<std::string> kept;  // what the drafts point to
  const auto keep = [&](std::string text) -> std::string_view { return kept.emplace_back(std::move(text)); };
  std::vector<link::LocalDraft> drafts;
  for (const json& record : list) {
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
    for (const Outcome& one : submission.outcomes) {
      static constexpr const char* kAnswers[] = {"retry", "accepted", "rejected"};
      settled.push_back({{"answer", kAnswers[static_cast<int>(one.answer)]},
                         {"code", static_cast<int>(one.code)},
                         {"id", one.id.is_zero() ? "" : one.id.text()},
                         {"reason", one.reason}});
    }
    answer(std::move(settled));
  });
}

void PeopleDesk::acknowledge(const std::string& person, const json& request, bool other_too, Answer answer) {
  auto id = Uuid::parse(text_of(request, "record"));
  const std::string officer = text_of(request, "officer");
  if (!id) return answer(failure(Code::kInvalid, "record: the id of the record"));
  if (officer.empty()) return answer(failure(Code::kInvalid, "officer: the name of the person who signs"));
  const auto phone = request.find("by_phone");
  if (phone != request.end() && !phone->is_boolean()) return answer(failure(Code::kInvalid, "by_phone: true or false"));
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
    const bool by_phone = is_true(request, "by_phone");
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
    json record = {
        {"type", kReceiptType},
        {"lane", name(lane_.lane())},
        {"subject", found.value("subject", "")},
        {"time", at},
        {"exercise", found.value("exercise", "")},  // the answer to a drill is part of the drill
        {"correlation", correlation},
        {"origin_key", "receipt/" + id.text() + "/" + stage + "/" + to_hex(sha256(as_bytes(officer))).substr(0, 16)},
        {"data", std::move(data)}};
    publish_here(person, json::array({std::move(record)}), [answer](const json& settled) {
      json one = settled[0];
      one["ok"] = one["answer"] == "accepted";
      if (!one["ok"]) one["error"] = one["reason"];
      answer(std::move(one));
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
  if (whole) context.manifest = lane.shared().trust->manifest();
  context.receipts = &lane.shared().receipts;
  return context;
}

}  // namespace

void PeopleDesk::records(const json& request, Answer answer) {
  BoxFilter filter;
  filter.type = text_of(request, "type");
  filter.subject = text_of(request, "subject");
  const auto limit = request.find("limit");
  if (limit != request.end() && limit->is_number_unsigned()) {
    filter.limit = std::clamp<std::uint64_t>(limit->get<std::uint64_t>(), 1, 1000);
  }
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
  const std::string lane = text_of(request, "lane");
  if (!lane.empty() && !lane_from(lane)) return answer(failure(Code::kInvalid, "lane: routine or urgent"));
  const auto merge = [answer, most = filter.limit](json reply, const json& others) {
    if (!reply.value("ok", false)) return answer(std::move(reply));
    if (!others.is_null()) {
      if (!others.value("ok", false)) return answer(others);
      for (const json& one : others["records"]) reply["records"].push_back(one);
      reply["complete"] = reply["complete"] == true && others["complete"] == true;
    }
    json& all = reply["records"];
    const auto moment = [](const json& one) { return one.value("stored_at", one.value("received_at", "")); };
    std::stable_sort(all.begin(), all.end(), [&](const json& a, const json& b) { return moment(a) > moment(b); });
    if (all.size() > most) {
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(most), all.end());
      reply["complete"] = false;
    }
    answer(std::move(reply));
  };
  const auto ask_there = [this, filter, box, merge, lane](const json& mine) {
    const bool asked =
        (lane.empty() || lane != name(lane_.lane())) && ask_other([this, filter, box, merge, mine](PeopleDesk& desk) {
          desk.search(filter, box, [this, merge, mine](const json& theirs) {
            lane_.loop().post([merge, mine, theirs] { merge(mine, theirs); });
          });
        });
    if (!asked) merge(mine, json());
  };
  if (lane.empty() || lane == name(lane_.lane())) return search(filter, box, ask_there);
  ask_there({{"ok", true}, {"records", json::array()}, {"complete", true}});
}

void PeopleDesk::search(const BoxFilter& filter, const std::string& box, Answer answer) {
  boost::asio::post(lane_.shared().readers,
                    [filter, box, context = context_of(lane_, false), out = lane_.outbox().log(),
                     in = lane_.inbox().log(), &loop = lane_.loop(), answer = std::move(answer)] {
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
      answer(record.is_null() ? failure(Code::kNotFound, "no such record here")
                              : json{{"ok", true}, {"record", record}});
    };
    if (!found.is_null()) return reply(found);
    const bool asked = ask_other([this, id, reply](PeopleDesk& desk) {
      desk.find(id, [this, reply](const json& there) { lane_.loop().post([reply, there] { reply(there); }); });
    });
    if (!asked) reply(json());
  });
}

}  // namespace thalweg::gate
