// desk_tail.cc: `tail`: what comes in, as it comes.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "gate/desk_tools.h"
#include "gate/gate_lane.h"
#include "gate/people_desk.h"
#include "model/time.h"

namespace thalweg::gate {

using nlohmann::json;

struct PeopleDesk::Tail {
  link::LocalConnectionRef connection;
  std::uint64_t id = 0;
  RecordFilter filter;
  std::uint64_t ordinal = 1;  // next delivery to be looked at
  RecordReader reader;
};

PeopleDesk::PeopleDesk(GateLane& lane) : lane_(lane) {}
PeopleDesk::~PeopleDesk() = default;

void PeopleDesk::tail(const link::LocalConnectionRef& connection, std::uint64_t id, const json& request) {
  constexpr std::size_t kMostTails = 32;
  if (tails_.size() >= kMostTails) {
    return send_reply(connection, id, failure(Code::kBusy, "too many are following already"), true);
  }
  auto tail = std::make_unique<Tail>();
  tail->connection = connection;
  tail->id = id;
  const std::string type = text_of(request, "type");
  tail->filter.types = {type.empty() ? "*" : type};
  if (const std::string subject = text_of(request, "subject"); !subject.empty()) tail->filter.subjects = {subject};
  const InboxState& state = lane_.inbox().state();
  const std::string from = text_of(request, "from");
  tail->ordinal = from == "start" ? state.first_ordinal : state.last_ordinal() + 1;
  if (const auto last = request.find("last"); last != request.end() && last->is_number_unsigned()) {
    const std::uint64_t count = std::min<std::uint64_t>(last->get<std::uint64_t>(), state.slots.size());
    tail->ordinal = state.last_ordinal() + 1 - count;
  }
  tails_.push_back(std::move(tail));
  go_on(*tails_.back());
}

void PeopleDesk::go_on(Tail& tail) {
  Inbox& inbox = lane_.inbox();
  const int zone = lane_.shared().config.utc_offset_minutes;
  // A turn is bounded: a long history must not hold up the lane.
  for (int turn = 0; turn < 64 && tail.ordinal <= inbox.state().last_ordinal(); ++turn) {
    if (tail.connection->queued_bytes() > (4u << 20)) return;  // goes on when it is drained, or with the next records
    auto item = inbox.item(std::max(tail.ordinal, inbox.state().first_ordinal));
    if (item && (*item)->delivered != nullptr && !(*item)->delivered->withdrawn()) {
      const Delivered& delivered = *(*item)->delivered;
      for (const Delivered::Record& record : delivered.records()) {
        auto envelope = tail.reader.read(record.bytes);
        if (!envelope || (*item)->was_held(record.index) || !tail.filter.admits(envelope->type, envelope->subject)) {
          continue;
        }
        const Grant* grant = delivered.grant_of(record.index);
        json event = {{"event", "record"},
                      {"lane", name(lane_.lane())},
                      {"delivery", tail.ordinal},
                      {"from", envelope->party},
                      {"id", envelope->record_id.text()},
                      {"received_at", format_rfc3339((*item)->received_unix_ns, zone)},
                      {"accepted_at", format_rfc3339(delivered.delivery().block_unix_ns, zone)},
                      {"agreement", grant != nullptr ? grant->agreement : ""},
                      {"version", grant != nullptr ? grant->version : 0},
                      {"fallback", grant != nullptr && (grant->flags & Grant::kFallback) != 0},
                      {"state", (*item)->doubt == Code::kOk ? "received" : "doubtful"},
                      {"raw", as_text(record.bytes)}};
        send_reply(tail.connection, tail.id, event, false);
      }
    }
    tail.ordinal = std::max(tail.ordinal, inbox.state().first_ordinal) + 1;
  }
  if (tail.ordinal > inbox.state().last_ordinal()) return;
  lane_.loop().post([this, alive = std::weak_ptr<bool>(alive_), connection = tail.connection] {
    if (!alive.expired()) on_drained(connection);
  });
}

void PeopleDesk::on_records() {
  for (const auto& tail : tails_) go_on(*tail);
}

void PeopleDesk::on_drained(const link::LocalConnectionRef& connection) {
  for (const auto& tail : tails_) {
    if (tail->connection == connection) go_on(*tail);
  }
}

void PeopleDesk::on_closed(const link::LocalConnectionRef& connection) {
  std::erase_if(tails_, [&](const auto& tail) { return tail->connection == connection; });
}

}  // namespace thalweg::gate
