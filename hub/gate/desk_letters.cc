// desk_letters.cc: dead letters, status and adapters at the people's desk.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "gate/box_query.h"
#include "gate/desk_tools.h"
#include "gate/gate_lane.h"
#include "gate/people_desk.h"
#include "model/time.h"

namespace thalweg::gate {

using nlohmann::json;

namespace {

/// "out-routine-12": box, lane, number.
std::string letter_name(bool outbox, Lane lane, std::uint64_t number) {
  return std::string(outbox ? "out-" : "in-") + std::string(name(lane)) + "-" + std::to_string(number);
}

struct LetterName {
  bool outbox = false;
  Lane lane = Lane::kRoutine;
  std::uint64_t number = 0;
};

std::optional<LetterName> parse_letter(std::string_view text) {
  LetterName out;
  const auto first = text.find('-');
  const auto second = text.rfind('-');
  if (first == std::string_view::npos || second <= first) return std::nullopt;
  const std::string_view box = text.substr(0, first);
  if (box != "out" && box != "in") return std::nullopt;
  out.outbox = box == "out";
  auto lane = lane_from(text.substr(first + 1, second - first - 1));
  if (!lane) return std::nullopt;
  out.lane = *lane;
  const std::string_view digits = text.substr(second + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return out;
}

json describe(const OutboundLetter& letter, Lane lane, int zone) {
  return {{"id", letter_name(true, lane, letter.id)},
          {"lane", name(lane)},
          {"box", "outbox"},
          {"adapter", ""},
          {"record", letter.record.text()},
          {"code", static_cast<int>(letter.code)},
          {"text", letter.text},
          {"attempts", 1},
          {"state", "open"},
          {"since", format_rfc3339(letter.time_unix_ns, zone)}};
}

json describe(const InboundLetter& letter, Lane lane, int zone) {
  return {{"id", letter_name(false, lane, letter.id)},
          {"lane", name(lane)},
          {"box", "inbox"},
          {"adapter", letter.instance},
          {"record", letter.record.is_zero() ? "" : letter.record.text()},
          {"code", static_cast<int>(letter.code)},
          {"text", letter.text},
          {"attempts", letter.attempts},
          {"state", letter.retrying ? "retrying" : "open"},
          {"since", format_rfc3339(letter.time_unix_ns, zone)}};
}

/// The newest `most` of one box, newest first.
template <class Letters>
void add_newest(json& out, const Letters& letters, std::size_t most, Lane lane, int zone) {
  for (auto at = letters.rbegin(); at != letters.rend() && most > 0; ++at, --most) {
    out.push_back(describe(at->second, lane, zone));
  }
}

}  // namespace

json PeopleDesk::letters(std::size_t most) const {
  const int zone = lane_.shared().config.utc_offset_minutes;
  const auto& sent = lane_.outbox().state().letters;
  const auto& received = lane_.inbox().state().letters;
  json list = json::array();
  add_newest(list, sent, most, lane_.lane(), zone);
  add_newest(list, received, most, lane_.lane(), zone);
  return {{"letters", std::move(list)}, {"total", sent.size() + received.size()}};
}

void PeopleDesk::dead_letters(const std::string& person, const json& request, Answer answer) {
  const std::string act_name = text_of(request, "act");
  if (act_name == "list" || act_name.empty()) {
    std::size_t most = 500;
    if (const auto limit = request.find("limit"); limit != request.end() && limit->is_number_unsigned()) {
      most = std::clamp<std::uint64_t>(limit->get<std::uint64_t>(), 1, 5000);
    }
    const json mine = letters(most);
    const auto reply = [answer, mine, most](const json& others) {
      json all = mine["letters"];
      std::uint64_t total = mine["total"];
      if (!others.is_null()) {
        for (const json& one : others["letters"]) all.push_back(one);
        total += others["total"].get<std::uint64_t>();
      }
      std::stable_sort(all.begin(), all.end(), [](const json& a, const json& b) { return a["since"] > b["since"]; });
      if (all.size() > most) all.erase(all.begin() + static_cast<std::ptrdiff_t>(most), all.end());
      answer({{"ok", true}, {"letters", std::move(all)}, {"total", total}});
    };
    const bool asked = ask_other([this, reply, most](PeopleDesk& desk) {
      lane_.loop().post([reply, others = desk.letters(most)] { reply(others); });
    });
    if (!asked) reply(json());
    return;
  }
  if (act_name != "show" && act_name != "retry" && act_name != "drop") {
    return answer(failure(Code::kInvalid, "act: list, show, retry or drop"));
  }
  const auto letter = parse_letter(text_of(request, "id"));
  if (!letter) return answer(failure(Code::kInvalid, "id: as in the list, for example in-routine-3"));
  if (letter->lane == lane_.lane()) return act(person, act_name, letter->outbox, letter->number, std::move(answer));
  const bool asked = ask_other([this, person, act_name, letter = *letter, answer](PeopleDesk& desk) {
    desk.act(person, act_name, letter.outbox, letter.number,
             [this, answer](const json& reply) { lane_.loop().post([answer, reply] { answer(reply); }); });
  });
  if (!asked) answer(failure(Code::kNotFound, "this gate has no such lane"));
}

void PeopleDesk::act(const std::string& person, const std::string& what, bool outbox, std::uint64_t number,
                     Answer answer) {
  const auto gone = [&] { answer(failure(Code::kNotFound, "no such dead letter")); };
  if (what == "show") {
    const int zone = lane_.shared().config.utc_offset_minutes;
    json one;
    RecordId record;
    const auto look = [&](const auto& letters) {
      const auto found = letters.find(number);
      if (found == letters.end()) return;
      one = describe(found->second, lane_.lane(), zone);
      record = found->second.record;
    };
    outbox ? look(lane_.outbox().state().letters) : look(lane_.inbox().state().letters);
    if (one.is_null()) return gone();
    if (record.is_zero()) return answer({{"ok", true}, {"letter", one}, {"record", nullptr}});
    return find(record, [one, answer](const json& found) {
      answer({{"ok", true}, {"letter", one}, {"record", found}});
    });
  }
  const auto done = [answer](Status status) {
    answer(status ? json{{"ok", true}} : failure(status.error().code, status.error().message));
  };
  const auto act_of = what == "retry" ? ActEntry::What::kRetry : ActEntry::What::kDrop;
  if (outbox) return lane_.outbox().act(number, act_of, person, done);
  const auto& letters = lane_.inbox().state().letters;
  const auto found = letters.find(number);
  if (found == letters.end()) return gone();
  const InboundLetter letter = found->second;
  if (SinkFeed* sink = lane_.feed(letter.instance)) return sink->act(letter, act_of, person, done);
  if (letter.instance.empty()) return lane_.inbox().act_doubtful(letter, act_of, person, done);
  if (act_of == ActEntry::What::kRetry) {
    return answer(failure(Code::kNotFound, "there is no adapter '" + letter.instance + "' any more; drop it"));
  }
  lane_.inbox().act_doubtful(letter, act_of, person, done);
}

// ---- status ----

json PeopleDesk::status() const {
  GateLane& lane = lane_;
  const int zone = lane.shared().config.utc_offset_minutes;
  const UplinkView line = lane.uplink().view();
  json link = {{"open", line.open},
               {"hub", line.hub},
               {"problem", line.problem},
               {"code", static_cast<int>(line.code)},
               {"since", format_rfc3339(line.since_unix_ns, zone)},
               {"sessions", line.counters.sessions},
               {"resumed_bytes", line.counters.resumed_bytes},
               {"disbelieved", line.disbelieved},
               {"clock_offset_ms", nullptr}};
  if (line.clock_offset) link["clock_offset_ms"] = static_cast<double>(line.clock_offset->offset_ns) / 1e6;

  const Outbox& box = lane.outbox();
  const OutboxState& out = box.state();
  json receivers = json::array();
  for (const auto& [party, far] : out.progress) {
    receivers.push_back({{"party", party}, {"in_inbox", far.first}, {"taken", far.second}});
  }
  json outbox = {{"incarnation", out.incarnation.text()},
                 {"head", out.head()},
                 {"acknowledged", out.acknowledged},
                 {"waiting", out.head() - std::min(out.acknowledged, out.head())},
                 {"bytes", box.total_bytes()},
                 {"records", out.records},
                 {"accepted", box.counters().accepted},
                 {"repeated", box.counters().repeated},
                 {"rejected", box.counters().rejected},
                 {"busy", box.counters().busy},
                 {"origin_keys", out.keys.size()},
                 {"dead_letters", out.letters.size()},
                 {"receivers", std::move(receivers)},
                 {"problem", box.broken() ? box.broken()->message : ""}};

  Inbox& given = lane.inbox();
  const InboxState& in = given.state();
  const InboxStand stand = given.stand();
  json inbox = {{"epoch", in.epoch},
                {"sequence", in.last_sequence},
                {"taken", stand.taken},
                {"deliveries", in.last_ordinal()},
                {"records", in.records},
                {"bytes", given.total_bytes()},
                {"waiting_for_room", given.waiting()},
                {"skipped", given.counters().skipped},
                {"doubtful", given.counters().doubtful},
                {"dead_letters", in.letters.size()},
                {"problem", given.broken() ? given.broken()->message : ""}};

  json adapters = json::array();
  for (const Supervisor::View& view : lane.supervisor().view()) {
    const AdapterConfig* adapter = lane.shared().config.adapter(view.instance);
    json one = {{"instance", view.instance}, {"plugin", adapter->plugin},
                {"kind", adapter->kind},     {"state", name(view.state)},
                {"pid", view.pid},           {"starts", view.starts},
                {"crashes", view.crashes},   {"why", view.why}};
    if (SinkFeed* sink = lane.feed(view.instance)) {
      const SinkFeed::Counters& counters = sink->counters();
      one["lag"] = sink->lag();
      one["accepted"] = counters.accepted;
      one["retried"] = counters.retried;
      one["rejected"] = counters.rejected;
      one["dead"] = counters.dead;
      one["exercises_passed_by"] = counters.exercises_passed_by;
      one["problem"] = sink->last_problem();
    }
    adapters.push_back(std::move(one));
  }
  return {{"lane", name(lane.lane())},
          {"link", std::move(link)},
          {"outbox", std::move(outbox)},
          {"inbox", std::move(inbox)},
          {"adapters", std::move(adapters)}};
}

void PeopleDesk::whole_status(Answer answer) {
  const GateConfig& config = lane_.shared().config;
  json head = {{"ok", true},
               {"party", config.party},
               {"gate", config.gate},
               {"program", lane_.shared().program},
               {"lanes", json::array({status()})}};
  const bool asked = ask_other([this, head, answer](PeopleDesk& desk) {
    lane_.loop().post([head, answer, there = desk.status()]() mutable {
      head["lanes"].push_back(there);
      answer(std::move(head));
    });
  });
  if (!asked) answer(std::move(head));
}

void PeopleDesk::adapter(const json& request, Answer answer) {
  if (text_of(request, "act") != "restart") return answer(failure(Code::kInvalid, "act: restart"));
  const std::string instance = text_of(request, "instance");
  const AdapterConfig* adapter = lane_.shared().config.adapter(instance);
  if (adapter == nullptr) return answer(failure(Code::kNotFound, "no adapter '" + instance + "'"));
  if (adapter->on(lane_.lane())) (void)lane_.supervisor().restart(instance);
  GateLane* other = lane_.other();
  if (other != nullptr && adapter->on(other->lane())) {
    other->loop().post([other, instance] {
      if (other->desk() != nullptr) (void)other->supervisor().restart(instance);
    });
  }
  answer({{"ok", true}});
}

}  // namespace thalweg::gate
