// desk_tail.cc: `tail`: what comes in on both lanes, as it comes.
#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

#include "gate/desk_tools.h"
#include "gate/gate_lane.h"
#include "gate/people_desk.h"
#include "model/time.h"

namespace thalweg::gate {

using nlohmann::json;

namespace {
constexpr std::size_t kMostTails = 32;
constexpr std::size_t kMostQueuedBytes = 4u << 20;
constexpr int kMostUnderWay = 256;  // events between the lanes, per follower
}  // namespace

/// A follower whose connection is on the other lane's socket.
struct PeopleDesk::Remote {
  Remote(GateLane& l, std::weak_ptr<link::LocalConnection> c, std::uint64_t i)
      : lane(l), connection(std::move(c)), id(i) {}
  GateLane& lane;
  const std::weak_ptr<link::LocalConnection> connection;
  const std::uint64_t id;
  std::atomic<int> under_way{0};
  std::atomic<bool> gone{false};
};

struct PeopleDesk::Tail {
  link::LocalConnectionRef connection;  // on this lane's socket; or:
  std::shared_ptr<Remote> remote;
  std::shared_ptr<Remote> counterpart;  // this connection's follower on the other lane
  std::uint64_t id = 0;
  RecordFilter filter;
  std::uint64_t ordinal = 1;  // next delivery to be looked at
  RecordReader reader;

  bool may_go_on() const {
    if (remote) return !remote->gone && remote->under_way < kMostUnderWay;
    return connection->queued_bytes() <= kMostQueuedBytes;
  }
};

PeopleDesk::PeopleDesk(GateLane& lane) : lane_(lane) {}
PeopleDesk::~PeopleDesk() = default;

void PeopleDesk::tail(const link::LocalConnectionRef& connection, std::uint64_t id, const json& request) {
  if (tails_.size() >= kMostTails) {
    return send_reply(connection, id, failure(Code::kBusy, "too many are following already"), true);
  }
  Follow what{text_of(request, "type"), text_of(request, "subject"), text_of(request, "from"), 0, false};
  if (const auto last = request.find("last"); last != request.end() && last->is_number_unsigned()) {
    what.last = last->get<std::uint64_t>();
    what.has_last = true;
  }
  const std::string lane = text_of(request, "lane");
  auto remote = std::make_shared<Remote>(lane_, connection, id);
  const bool other_too = lane.empty() || lane != name(lane_.lane());
  const bool mine = lane.empty() || lane == name(lane_.lane());
  auto tail = std::make_unique<Tail>();
  tail->connection = connection;
  tail->id = id;
  tail->counterpart = remote;
  place(*tail, what);
  if (!mine) tail->filter.types.clear();  // matches nothing; it stands for the connection
  tails_.push_back(std::move(tail));
  if (other_too) ask_other([what, remote](PeopleDesk& desk) { desk.follow(what, remote); });
  go_on(*tails_.back());
}

void PeopleDesk::follow(const Follow& what, std::shared_ptr<Remote> remote) {
  auto tail = std::make_unique<Tail>();
  tail->remote = std::move(remote);
  place(*tail, what);
  tails_.push_back(std::move(tail));
  go_on(*tails_.back());
}

void PeopleDesk::place(Tail& tail, const Follow& what) {
  tail.filter.types = {what.type.empty() ? "*" : what.type};
  if (!what.subject.empty()) tail.filter.subjects = {what.subject};
  const InboxState& state = lane_.inbox().state();
  tail.ordinal = what.from == "start" ? state.first_ordinal() : state.last_ordinal() + 1;
  if (what.has_last)
    tail.ordinal = state.last_ordinal() + 1 - std::min<std::uint64_t>(what.last, state.deliveries.size());
}

void PeopleDesk::send_event(Tail& tail, json event) {
  if (!tail.remote) return send_reply(tail.connection, tail.id, event, false);
  ++tail.remote->under_way;
  GateLane& there = tail.remote->lane;
  there.loop().post([remote = tail.remote, event = std::move(event), &here = lane_] {
    if (const auto connection = remote->connection.lock()) send_reply(connection, remote->id, event, false);
    if (--remote->under_way != kMostUnderWay / 2) return;
    here.loop().post([remote, &here] {
      if (here.desk() != nullptr) here.desk()->go_on_remote(remote);
    });
  });
}

void PeopleDesk::go_on(Tail& tail) {
  Inbox& inbox = lane_.inbox();
  const int zone = lane_.shared().config.utc_offset_minutes;
  // A turn is bounded: a long history must not hold up the lane.
  for (int turn = 0; turn < 64 && tail.ordinal <= inbox.state().last_ordinal(); ++turn) {
    if (!tail.may_go_on()) return;  // goes on when it is drained, or with the next records
    tail.ordinal = std::max(tail.ordinal, inbox.state().first_ordinal());
    auto item = inbox.item(tail.ordinal);
    if (item && (*item)->delivered != nullptr && !(*item)->delivered->withdrawn()) {
      const Delivered& delivered = *(*item)->delivered;
      for (const Delivered::Record& record : delivered.records()) {
        auto envelope = tail.reader.read(record.bytes);
        if (!envelope || (*item)->was_held(record.index) || !tail.filter.admits(envelope->type, envelope->subject)) {
          continue;
        }
        const Grant* grant = delivered.grant_of(record.index);
        json event = {{"ok", true},
                      {"event", "record"},
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
        send_event(tail, std::move(event));
      }
    }
    ++tail.ordinal;
  }
  if (tail.ordinal > inbox.state().last_ordinal()) return;
  lane_.loop().post([this, alive = std::weak_ptr<bool>(alive_), connection = tail.connection, remote = tail.remote] {
    if (alive.expired()) return;
    if (remote) return go_on_remote(remote);
    on_drained(connection);
  });
}

void PeopleDesk::on_records() {
  std::erase_if(tails_, [](const auto& tail) { return tail->remote && tail->remote->gone; });
  for (const auto& tail : tails_) go_on(*tail);
}

void PeopleDesk::go_on_remote(const std::shared_ptr<Remote>& remote) {
  for (const auto& tail : tails_) {
    if (tail->remote == remote) go_on(*tail);
  }
}

void PeopleDesk::on_drained(const link::LocalConnectionRef& connection) {
  for (const auto& tail : tails_) {
    if (tail->connection == connection) go_on(*tail);
  }
}

void PeopleDesk::on_closed(const link::LocalConnectionRef& connection) {
  for (const auto& tail : tails_) {
    if (tail->connection == connection) tail->counterpart->gone = true;
  }
  std::erase_if(tails_, [&](const auto& tail) { return tail->connection == connection; });
}

}  // namespace thalweg::gate
