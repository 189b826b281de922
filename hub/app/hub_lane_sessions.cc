// hub_lane_sessions.cc: the gates that are connected: where they stand, what they are sent.
#include <algorithm>
#include <limits>

#include "app/hub_lane.h"
#include "base/log.h"
#include "trust/settlement.h"

namespace thalweg::app {

using ledger::EntryType;

namespace {

constexpr std::int64_t kNsPerS = 1'000'000'000;
/// A hub's clock may have been wrong by years when it gave an epoch its number, but not by more than this.
constexpr std::uint64_t kMostAhead_s = 100ULL * 366 * 86'400;
/// How often one gate may make a new epoch begin. In truth none needs a second one in the life of a program: what it
/// knows of a ledger that was lost is older than the first.
constexpr std::int64_t kEpochEvery_ns = 3'600 * kNsPerS;

/// True when the inbox counts in the ledger's numbers and has any: then its first settlement shows by its root whether
/// they are the same deliveries, and nothing is sent before. Sent sooner, later records would stand before lost ones.
bool must_prove(const link::Hello& hello, std::uint64_t epoch) {
  return hello.inbox_sequence > 0 && hello.inbox_epoch == epoch;
}

}  // namespace

void HubLane::on_hello(const link::Session& session) {
  const link::Hello& hello = session.hello;
  const trust::GateKeys* keys = policy_->keys->find(hello.party, hello.gate);
  if (keys == nullptr) {
    link_->refuse(session.handle, Code::kKeyUnknown, "the gate is not enrolled");
    return;
  }
  // Admitted a moment ago, and revoked since.
  if (const auto judged = policy_->keys->judge(hello.party, hello.gate, now_unix_ns()); !judged) {
    link_->refuse(session.handle, judged.error().code, judged.error().message);
    return;
  }
  const Hash256 ledger_id = store_->log().id();
  if (hello.ledger_id != Hash256{} && hello.ledger_id != ledger_id) {
    link_->refuse(session.handle, Code::kLedgerForeign, "this hub keeps another ledger than the one the gate knows");
    return;
  }
  const delivery::ReceiverState* known = store_->receivers.find(hello.party);
  const bool receives = keys->newest().certificate->receives;
  if (hello.inbox_epoch > store_->log().head().epoch &&
      hello.inbox_epoch > static_cast<std::uint64_t>(now_unix_ns() / kNsPerS) + kMostAhead_s) {
    link_->refuse(session.handle, Code::kData, "no hub was ever in the epoch that the gate's inbox names");
    return;
  }
  if (const auto why = hub_is_behind(hello, receives))
    if (const Status begun = open_epoch(session.user, *why, hello.inbox_epoch); !begun) {
      link_->refuse(session.handle, begun.error().code, begun.error().message);
      return;
    }

  Gate gate;
  gate.session = session.handle;
  gate.user = session.user;
  gate.party = hello.party;
  gate.gate = hello.gate;
  gate.address = session.address;
  gate.program = hello.program;
  gate.incarnation = hello.incarnation;
  gate.receives = receives;
  gate.epoch = store_->log().head().epoch;

  const StreamId stream{hello.party, hello.gate, hello.incarnation, lane_};
  const intake::StreamHead head = store_->streams.durable(stream);
  link::Welcome welcome;
  welcome.ledger_id = ledger_id;
  welcome.epoch = gate.epoch;
  welcome.accepted_head = head.number;
  welcome.accepted_root = head.root;
  if (receives) {
    const auto start = start_of(hello, known ? *known : delivery::ReceiverState{});
    if (!start) {
      link_->refuse(session.handle, start.error().code, start.error().message);
      return;
    }
    welcome.next_sequence = *start;
  }
  welcome.region_version = policy_->region_version;
  welcome.checkpoint = checkpoint();
  welcome.progress = store_->progress.of(stream);
  const std::uint64_t next = welcome.next_sequence, epoch = welcome.epoch;
  if (!link_->welcome(session.handle, std::move(welcome))) return;
  for (const link::Document& document : greeting_(hello.party)) link_->document(session.handle, document);

  log::info("hub", "{} connected from {} on lane {}", gate.user, gate.address, name(lane_));
  const std::string party = gate.party;
  gates_[session.handle] = std::move(gate);
  if (receives) {
    receiver_sessions_[party] = session.handle;
    dispatcher_.disconnect(party);
    if (!must_prove(hello, epoch)) {
      dispatcher_.connect(party, next, epoch,
                          [this, handle = session.handle](std::uint64_t sequence, link::SharedBytes bytes) {
                            return link_->deliver(handle, sequence, std::move(bytes));
                          });
    }
    pump(party);
  }
}

// A gate that knows of later blocks, or holds later deliveries, than this ledger has says that the hub was set back to
// an older copy (rule 8). No ledger is set back under a program that runs: whatever blocks a gate knows of that are not
// here were lost before, and one epoch that began since is enough for all of them.
std::optional<std::string> HubLane::hub_is_behind(const link::Hello& hello, bool receives) const {
  const ledger::BlockInfo head = store_->log().head();
  if (epoch_begun_ns_ == 0) {
    if (hello.checkpoint_block > head.number)
      return "knows block " + std::to_string(hello.checkpoint_block) + ", the ledger ends at " +
             std::to_string(head.number);
    if (hello.checkpoint_block >= store_->log().first_block() && hello.checkpoint_hash != Hash256{}) {
      const auto block = store_->log().read(hello.checkpoint_block);
      if (block && (*block)->info.hash != hello.checkpoint_hash)
        return "knows block " + std::to_string(hello.checkpoint_block) + " with another hash";
    }
  }
  if (!receives) return std::nullopt;
  if (hello.inbox_epoch > head.epoch)
    return "knows epoch " + std::to_string(hello.inbox_epoch) + ", the ledger is in " + std::to_string(head.epoch);
  const delivery::ReceiverState* state = store_->receivers.find(hello.party);
  const std::uint64_t given = state != nullptr ? state->given : 0;
  if (hello.inbox_epoch == head.epoch && hello.inbox_sequence > given)
    return "holds delivery " + std::to_string(hello.inbox_sequence) + ", the last one here is " + std::to_string(given);
  return std::nullopt;
}

// A restored hub that has written as much as it had lost is not behind any more, but what it wrote is something else:
// the root that a receiver signs for is not the root of that delivery here.
// What cannot be read now is neither the same nor another; what is gone for good, or damaged, shows nothing.
Result<bool> HubLane::settles_another_history(const std::string& receiver, const link::Settle& settle) const {
  if (settle.sequence == 0 || settle.root == Hash256{}) return false;
  const auto place = store_->places().find(receiver, settle.sequence);
  if (!place) return false;
  const auto held = store_->read_parcel(*place);
  if (!held) return held.error().code == Code::kIo ? Result<bool>(held.error()) : false;
  return held->parcel.header.merkle_root != settle.root;
}

// Gates that come later see the new epoch and compare with that. Its number is the time: should an older copy be
// put back once more, the next life must not bear the number of one that was lost.
Status HubLane::open_epoch(const std::string& user, const std::string& why, std::uint64_t known_epoch) {
  // What the gate says is not proven: a false word may cost a flush and a new epoch, but not again and again.
  const std::int64_t now_ns = context_.clock->steady_ns();
  if (const auto last = epochs_begun_ns_.find(user);
      last != epochs_begun_ns_.end() && now_ns - last->second < kEpochEvery_ns)
    return Error{Code::kBusy, "a new epoch began for this gate less than an hour ago, and still it " + why};
  const std::uint64_t newest = std::max(store_->log().head().epoch, known_epoch);
  if (newest == std::numeric_limits<std::uint64_t>::max()) return Error{Code::kState, "there is no later epoch"};
  const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(0, context_.clock->wall_unix_ns() / kNsPerS));
  const std::uint64_t epoch = std::max(newest + 1, seconds);
  log::error("hub", "the ledger of lane {} is older than its gates: {} {}. A new epoch begins; gates refill it.",
             name(lane_), user, why);
  store_->commit().flush();
  TW_TRY(store_->log().set_epoch(epoch));
  append(EntryType::kEpoch,
         ledger::encode(ledger::EpochEntry{epoch, "restored: " + (user + ": " + why).substr(0, 200)}), [](Status) {});
  store_->commit().flush();
  if (store_->log().head().epoch != epoch)
    return Error{Code::kBusy, "a new epoch must begin and cannot be written yet"};
  epochs_begun_ns_[user] = now_ns;
  epoch_begun_ns_ = now_ns;
  voice_.begin_anew();
  say({.kind = "epoch_opened", .reason = (user + ": " + why).substr(0, 2000), .epoch = epoch});
  return {};
}

Result<std::uint64_t> HubLane::start_of(const link::Hello& hello, const delivery::ReceiverState& state) const {
  std::uint64_t start = std::min(hello.inbox_sequence, state.durable) + 1;
  if (hello.inbox_fresh)  // a new inbox is given what the old one had not yet handed to its adapters
    start = state.taken + 1;
  else if (hello.inbox_epoch != store_->log().head().epoch)
    start = state.start_after(hello.inbox_epoch, hello.inbox_sequence);
  // What was dropped after its time, settled or given up, cannot be sent any more.
  TW_ASSIGN(const std::uint64_t first, store_->places().first(hello.party));
  return std::max(start, first != 0 ? first : state.durable + 1);
}

Result<HubLane::Needed> HubLane::needed() const {
  Needed needed{store_->log().head().number + 1, {}};
  for (const auto& [receiver, state] : store_->receivers.all()) {
    if (state.done() >= state.durable) continue;
    TW_ASSIGN(const auto places, store_->places().read(receiver, state.done() + 1, 1));
    // Not there any more: it was given up, or settled and then forgotten with a copy that was put back.
    if (places.empty()) continue;
    if (places.front().block < needed.first_block) needed = {places.front().block, receiver};
  }
  return needed;
}

void HubLane::on_closed(const link::Session& session, Code code) {
  const auto at = gates_.find(session.handle);
  if (at == gates_.end()) return;
  const Gate& gate = at->second;
  log::info("hub", "{} disconnected from lane {} ({})", gate.user, name(lane_), static_cast<int>(code));
  if (const auto mine = receiver_sessions_.find(gate.party);
      mine != receiver_sessions_.end() && mine->second == session.handle) {
    dispatcher_.disconnect(gate.party);
    receiver_sessions_.erase(mine);
  }
  gates_.erase(at);
}

// ---- deliveries ----

void HubLane::pump(const std::string& receiver) {
  if (!standing_.contains(receiver)) send_on(receiver);
}

void HubLane::send_on(const std::string& receiver) {
  const Result<bool> more = dispatcher_.pump(receiver, *policy_->routes);
  if (!more) {
    std::string& why = standing_[receiver];
    if (why != more.error().message)
      log::error("hub", "deliveries to {} stand still: {}; tried again every second", receiver, more.error().message);
    why = more.error().message;
    return try_again();
  }
  if (standing_.erase(receiver) != 0) log::warning("hub", "deliveries to {} go on", receiver);
  if (!*more || !pumping_.insert(receiver).second) return;
  loop_.post([this, receiver] {
    pumping_.erase(receiver);
    pump(receiver);
  });
}

// A disk that failed may be well again, and what waits for it need not wait for a new record as well.
void HubLane::try_again() {
  if (std::exchange(again_armed_, true)) return;
  again_.expires_after(std::chrono::seconds(1));
  again_.async_wait([this](boost::system::error_code error) {
    again_armed_ = false;
    if (error || stopping_) return;
    const auto standing = standing_;
    for (const auto& [receiver, why] : standing) send_on(receiver);
    for (auto& [handle, gate] : gates_) submit_settlement(gate);
  });
}

void HubLane::on_settle(const link::Session& session, const link::Settle& settle) {
  const auto at = gates_.find(session.handle);
  if (at == gates_.end() || !at->second.receives) return;
  Gate& gate = at->second;
  const auto key = policy_->keys->judge(gate.party, gate.gate, now_unix_ns());
  trust::SettlementStatement statement{store_->log().id(), lane_,        gate.party,  gate.gate,  settle.epoch,
                                       settle.sequence,    settle.taken, settle.dead, settle.root};
  trust::Signature signature{};
  if (settle.signature.size() == signature.size())
    std::copy(settle.signature.begin(), settle.signature.end(), signature.begin());
  const Bytes bytes = trust::statement_bytes(statement);
  if (!key || !(*key)->verifier.verify(trust::domain::kSettlement, {bytes}, signature)) {
    link_->close(session.handle, Code::kSettlementInvalid, "the settlement's signature does not fit");
    return;
  }
  // Of an epoch before the session's: its numbers are not the ledger's.
  if (settle.epoch != gate.epoch) return;
  const auto another = settles_another_history(gate.party, settle);
  if (!another) return link_->close(session.handle, another.error().code, "the delivery cannot be read to be compared");
  if (!std::exchange(gate.compared, true)) {
    if (*another) {
      const Status begun =
          open_epoch(gate.user, "holds another delivery " + std::to_string(settle.sequence), settle.epoch);
      link_->close(session.handle, begun ? Code::kClosed : Code::kSettlementInvalid,
                   begun ? "the hub was restored: connect anew" : begun.error().message);
      return;
    }
    if (const auto mine = receiver_sessions_.find(gate.party);
        must_prove(session.hello, gate.epoch) && mine != receiver_sessions_.end() && mine->second == session.handle) {
      const delivery::ReceiverState* state = store_->receivers.find(gate.party);
      const auto start = start_of(session.hello, state ? *state : delivery::ReceiverState{});
      if (!start) return link_->close(session.handle, start.error().code, start.error().message);
      dispatcher_.connect(gate.party, *start, gate.epoch,
                          [this, handle = session.handle](std::uint64_t sequence, link::SharedBytes delivery) {
                            return link_->deliver(handle, sequence, std::move(delivery));
                          });
      pump(gate.party);
    }
  }
  const delivery::ReceiverState* sent = store_->receivers.find(gate.party);
  if (settle.sequence > (sent != nullptr ? sent->durable : 0) || settle.taken > settle.sequence || *another) {
    // Kept, it would be a fault of the ledger for whoever verifies it.
    link_->close(session.handle, Code::kSettlementInvalid, "this delivery was never sent, or is another one");
    return;
  }
  ledger::Settlement entry;
  entry.receiver = gate.party;
  entry.gate = gate.gate;
  entry.epoch = settle.epoch;
  entry.sequence = settle.sequence;
  entry.taken_sequence = settle.taken;
  entry.dead = settle.dead;
  entry.root = settle.root;
  entry.signature = signature;
  gate.waiting = std::move(entry);
  gate.waiting_serial = (*key)->certificate->serial;
  submit_settlement(gate);
}

// Settlements are cumulative: while one is being written, only the newest waits.
void HubLane::submit_settlement(Gate& gate) {
  if (gate.settling || !gate.waiting) return;
  // Judged when it came: the gate may have been revoked or replaced while another one was being written.
  const auto judged = policy_->keys->judge(gate.party, gate.gate, now_unix_ns());
  if (!judged || (*judged)->certificate->serial != gate.waiting_serial) {
    gate.waiting.reset();
    return;
  }
  gate.settling = true;
  UnderWay entry;
  entry.type = EntryType::kSettlement;
  entry.session = gate.session;
  entry.settlement = *std::exchange(gate.waiting, std::nullopt);
  ledger::Submission submission;
  submission.type = static_cast<std::uint8_t>(EntryType::kSettlement);
  submission.bytes = ledger::encode(entry.settlement);
  submission.claim = ledger::Claim::kReserve;
  submission.patient = true;  // settlements are cumulative, and said again with every session
  submit(std::move(entry), std::move(submission));
}

void HubLane::tell_progress(const std::set<StreamId>& streams) {
  if (streams.empty()) return;
  for (const auto& [handle, gate] : gates_) {
    const StreamId stream{gate.party, gate.gate, gate.incarnation, lane_};
    if (!streams.contains(stream)) continue;
    for (const link::Progress& progress : store_->progress.of(stream)) link_->progress(handle, progress);
  }
}

void HubLane::on_lookup(const link::Session& session, const link::Lookup& lookup) {
  const auto at = gates_.find(session.handle);
  if (at == gates_.end()) return;
  link::Found found;
  found.request = lookup.request;
  if (const auto places = store_->records().find_all(lookup.records)) {
    for (std::size_t i = 0; i < places->size(); ++i) {
      link::Found::Place place;
      // A party is told about its own records only.
      if ((*places)[i])
        if (const auto held = store_->read_parcel((*places)[i]->place);
            held && held->parcel.header.party == at->second.party)
          place = {true, held->block->info.number, {}};
      found.records.push_back(place);
    }
  } else {
    found.records.resize(lookup.records.size());
  }
  const StreamId stream{at->second.party, at->second.gate, at->second.incarnation, lane_};
  for (const std::uint64_t number : lookup.numbers) {
    link::Found::Place place;
    if (const auto where = store_->places().find(intake::stream_key(stream), number))
      if (const auto held = store_->read_parcel(*where))
        place = {true, held->block->info.number, held->parcel.header.merkle_root};
    found.numbers.push_back(place);
  }
  link_->found(session.handle, found);
}

void HubLane::broadcast(const link::Document& document) {
  for (const auto& [handle, gate] : gates_) link_->document(handle, document);
}

void HubLane::send_document(const std::string& user, const link::Document& document) {
  for (const auto& [handle, gate] : gates_)
    if (gate.user == user) link_->document(handle, document);
}

std::vector<SessionView> HubLane::sessions() const {
  std::vector<SessionView> views;
  for (const auto& [handle, gate] : gates_) {
    SessionView view{gate.user, gate.address, gate.program, std::nullopt};
    if (const auto offset = link_->clock_offset(handle)) view.clock_offset_ns = offset->offset_ns;
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace thalweg::app
