// lane_peers.cc: who is connected to a lane's socket: runners and people.
#include <pwd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "gate/desk_tools.h"
#include "gate/gate_lane.h"
#include "gate/people_desk.h"

namespace thalweg::gate {
namespace {

using nlohmann::json;
constexpr std::uint32_t kLinesPerSecond = 200;

std::string user_name(uid_t uid) {
  char buffer[4096];
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) return found->pw_name;
  return "uid" + std::to_string(uid);
}

}  // namespace

Status GateLane::open_socket() {
  const Path path = shared_.config.socket(lane_);
  TW_TRY(shared_.files.create_folders(path.parent_path()));
  link::LocalEvents events;
  events.on_open = [this](const link::LocalConnectionRef& connection) {
    auto peer = std::make_shared<Peer>();
    peer->connection = connection;
    peers_[connection.get()] = std::move(peer);
  };
  events.on_frame = [this](const link::LocalConnectionRef& connection, link::LocalType type, ByteView body) {
    if (auto found = peers_.find(connection.get()); found != peers_.end()) on_frame(PeerRef(found->second), type, body);
  };
  events.on_drained = [this](const link::LocalConnectionRef& connection) {
    auto found = peers_.find(connection.get());
    if (found == peers_.end()) return;
    flush_answers(found->second);
    desk_->on_drained(connection);
    if (found->second->adapter == nullptr) return;
    if (SinkFeed* sink = feed(found->second->adapter->instance)) sink->pump();
  };
  events.on_closed = [this](const link::LocalConnectionRef& connection, Code) {
    if (connection == nullptr) return;
    auto found = peers_.find(connection.get());
    if (found == peers_.end()) return;
    const PeerRef peer = found->second;
    peers_.erase(found);
    on_closed(peer);
  };
  // People of other users reach it through the folder's and the socket's rights; who may speak is decided by
  // SO_PEERCRED.
  const mode_t mode = shared_.config.people.empty() ? 0600 : 0666;
  TW_ASSIGN(server_, link::LocalServer::listen(loop_.io(), path, mode, {}, std::move(events)));
  if (mode != 0600) {
    std::error_code ignored;
    using std::filesystem::perms;
    for (Path folder = path.parent_path(); folder != shared_.config.folder && folder.has_relative_path();
         folder = folder.parent_path()) {
      std::filesystem::permissions(folder, perms::group_exec | perms::others_exec, std::filesystem::perm_options::add,
                                   ignored);
    }
  }
  return {};
}

void GateLane::close(const PeerRef& peer, std::string_view why) {
  log::warning("gate", "{}: a connection of process {} (user {}) is closed: {}", name(lane_),
               peer->connection->peer().pid, peer->connection->peer().uid, why);
  peer->connection->close();
}

void GateLane::on_frame(const PeerRef& peer, link::LocalType type, ByteView body) {
  using link::LocalType;
  if (!peer->greeted) {
    if (type != LocalType::kHello) return close(peer, "its first frame is no HELLO");
    return on_hello(peer, body);
  }
  switch (type) {
    case LocalType::kSubmit:
      return on_submit(peer, body);
    case LocalType::kVerdicts:
      return on_verdicts(peer, body);
    case LocalType::kLog:
      return on_log(peer, body);
    case LocalType::kRequest:
      if (peer->adapter != nullptr) return on_runner_request(peer, body);
      {
        auto request = link::LocalRequest::decode(body);
        if (!request) return close(peer, request.error().message);
        return desk_->on_request(peer->connection, peer->person, request->id, request->json);
      }
    default:
      return close(peer, "a frame that only the gate sends");
  }
}

void GateLane::on_hello(const PeerRef& peer, ByteView body) {
  auto hello = link::LocalHello::decode(body);
  if (!hello) return close(peer, hello.error().message);
  const link::PeerCredentials& who = peer->connection->peer();
  if (hello->role == link::LocalRole::kRunner) {
    // A token alone is not enough: it must be the very process that was given it.
    const AdapterConfig* adapter = stopping_ ? nullptr : supervisor_->admit(hello->token, who.pid);
    if (adapter == nullptr || adapter->instance != hello->instance || hello->lane != lane_) {
      return close(peer, "the token is not valid");
    }
    peer->greeted = true;
    peer->adapter = adapter;
    peer->submitter = {adapter->instance, adapter->instance, &adapter->submit};
    return welcome_runner(peer);
  }
  if (std::find(shared_.people.begin(), shared_.people.end(), who.uid) == shared_.people.end()) {
    return close(peer, "this user is not among `people` in gate.toml");
  }
  peer->greeted = true;
  peer->person = user_name(who.uid);
  peer->submitter = {"person." + peer->person, "person." + peer->person, nullptr};
}

void GateLane::welcome_runner(const PeerRef& peer) {
  const AdapterConfig& adapter = *peer->adapter;
  const RunnerLimits& limits = adapter.limits;
  json start = {{"library", adapter.library.string()},
                {"kind", adapter.kind},
                {"instance", adapter.instance},
                {"party", shared_.config.party},
                {"lane", name(lane_)},
                {"config", adapter.config_json},
                {"limits", {{"memory_bytes", limits.memory_bytes}, {"open_files", limits.open_files}}}};
  Bytes frame;
  const std::string text = start.dump(-1, ' ', false, json::error_handler_t::replace);
  link::LocalReply reply;
  reply.json = text;
  reply.encode(frame);
  peer->connection->send(std::move(frame));
}

// The runner's own reports: {"cmd":"state","state":"running","exercise_aware":true} and
// {"cmd":"state","state":"failed","message":"..."}.
void GateLane::on_runner_request(const PeerRef& peer, ByteView body) {
  auto request = link::LocalRequest::decode(body);
  const json report = request ? json::parse(request->json, nullptr, false) : json();
  if (!report.is_object() || text_of(report, "cmd") != "state") return close(peer, "a request that is none");
  const std::string& instance = peer->adapter->instance;
  const std::string state = text_of(report, "state");
  const std::string message = text_of(report, "message").substr(0, 600);
  if (state == "running") {
    supervisor_->on_state(instance, RunnerState::kRunning, {});
    SinkFeed* sink = feed(instance);
    if (sink == nullptr) return;
    const std::weak_ptr<Peer> weak = peer;
    sink->attach(
        [weak](const link::LocalDeliver& deliver) {
          const PeerRef there = weak.lock();
          if (there == nullptr) return false;
          Bytes frame;
          deliver.encode(frame);
          return there->connection->send(std::move(frame));
        },
        is_true(report, "exercise_aware"));
  } else if (state == "connecting") {
    supervisor_->on_state(instance, RunnerState::kConnecting, message);
  } else if (state == "failed") {
    log::error("adapter." + instance, "{}", message);
    supervisor_->on_final(instance, message);
  }
}

void GateLane::on_submit(const PeerRef& peer, ByteView body) {
  if (peer->adapter != nullptr && peer->adapter->is_sink()) return close(peer, "a sink submits nothing");
  if (Status decoded = link::LocalSubmit::decode(body, scratch_); !decoded) return close(peer, decoded.error().message);
  auto frame = std::make_shared<Bytes>();
  peer->answers.push_back(frame);
  const std::weak_ptr<Peer> weak = peer;
  outbox_->submit(peer->submitter, scratch_.drafts, [this, weak, frame](Submission& submission) {
    link::LocalSettled settled;
    settled.settled.reserve(submission.outcomes.size());
    for (const Outcome& one : submission.outcomes) {
      settled.settled.push_back({one.ticket, one.answer, one.code, one.id, one.reason});
    }
    settled.encode(*frame);
    if (const PeerRef there = weak.lock()) flush_answers(there);
  });
  if (outbox_->congested() && !peer->paused) {
    peer->paused = true;
    peer->connection->pause_reading();
  }
}

void GateLane::flush_answers(const PeerRef& peer) {
  while (!peer->answers.empty() && !peer->answers.front()->empty()) {
    Bytes copy = *peer->answers.front();
    if (!peer->connection->send(std::move(copy))) return;
    peer->answers.pop_front();
  }
}

void GateLane::on_room() {
  for (auto& [connection, peer] : peers_) {
    if (!peer->paused) continue;
    peer->paused = false;
    peer->connection->resume_reading();
  }
}

void GateLane::on_verdicts(const PeerRef& peer, ByteView body) {
  SinkFeed* sink = peer->adapter != nullptr ? feed(peer->adapter->instance) : nullptr;
  link::LocalVerdicts verdicts;
  Status taken = sink == nullptr ? Status(Error{Code::kInvalid, "verdicts from one that is given nothing"})
                                 : link::LocalVerdicts::decode(body, verdicts);
  if (taken) taken = sink->on_verdicts(verdicts);
  if (taken) return;
  if (peer->adapter != nullptr) supervisor_->kill(peer->adapter->instance, taken.error().message);
  close(peer, taken.error().message);
}

void GateLane::on_log(const PeerRef& peer, ByteView body) {
  auto line = link::LocalLog::decode(body);
  if (!line || peer->adapter == nullptr) return close(peer, "a log line that is none");
  if (++peer->lines > kLinesPerSecond) return;  // an adapter that talks without end must not fill the disk
  static constexpr log::Level kLevels[] = {log::Level::kDebug, log::Level::kInfo, log::Level::kWarning,
                                           log::Level::kError};
  const log::Level level = kLevels[std::clamp<int>(line->level, 1, 4) - 1];
  if (log::enabled(level)) log::write(level, "adapter." + peer->adapter->instance, line->text.substr(0, 4096));
}

void GateLane::on_closed(const PeerRef& peer) {
  desk_->on_closed(peer->connection);
  if (peer->adapter == nullptr) return;
  // What was out counts as an attempt when the process ends; a runner without its socket ends by itself.
  if (SinkFeed* sink = feed(peer->adapter->instance)) sink->detach(!stopping_, "the connection of its process ended");
}

GateLane::PeerRef GateLane::runner_of(std::string_view instance) {
  for (auto& [connection, peer] : peers_) {
    if (peer->adapter != nullptr && peer->adapter->instance == instance) return peer;
  }
  return nullptr;
}

void GateLane::tell_refused(const AcknowledgedEntry::Refused& refused) {
  const PeerRef peer = runner_of(refused.instance);
  if (peer == nullptr) return;  // news, not a promise: the dead letter is the record of it
  link::LocalLater later;
  later.refused.push_back({refused.record, refused.code, refused.origin_key, refused.text});
  Bytes frame;
  later.encode(frame);
  peer->connection->send(std::move(frame));
}

}  // namespace thalweg::gate
