// people_desk.h: what people and their tools ask a gate over the local socket. JSON: docs/formats/gate.md.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "link/local_socket.h"
#include "model/ids.h"

namespace thalweg::gate {

class GateLane;
struct BoxFilter;

/// Answers requests on one lane's socket; what concerns the whole gate it asks of the other lane too.
///
/// Borrows: the lane. Threads: the lane's loop.
class PeopleDesk {
 public:
  explicit PeopleDesk(GateLane& lane);
  ~PeopleDesk();

  void on_request(const link::LocalConnectionRef& connection, const std::string& person, std::uint64_t id,
                  std::string_view text);
  /// Deliveries became durable: `tail` goes on.
  void on_records();
  void on_drained(const link::LocalConnectionRef& connection);
  void on_closed(const link::LocalConnectionRef& connection);

  /// The lane's part of `status`.
  nlohmann::json status() const;
  /// {"letters":[...],"total":N}: at most `most` of each box, newest first.
  nlohmann::json letters(std::size_t most) const;

  using Answer = std::function<void(nlohmann::json)>;
  /// Signs for a record of this lane's inbox, or asks the other lane once. `answer` on this loop.
  void acknowledge(const std::string& person, const nlohmann::json& request, bool ask_other, Answer answer);
  /// Takes records for this lane; `answer` gets the list of outcomes.
  void publish_here(const std::string& person, const nlohmann::json& list, Answer answer);
  /// Lists records of this lane's boxes ("inbox", "outbox", "" for both).
  void search(const BoxFilter& filter, const std::string& box, Answer answer);
  /// Follows this lane's inbox for a connection of the other lane's socket.
  struct Follow {
    std::string type, subject, from;
    std::uint64_t last = 0;
    bool has_last = false;
  };
  struct Remote;  ///< shared with the other lane
  void follow(const Follow& what, std::shared_ptr<Remote> remote);
  void go_on_remote(const std::shared_ptr<Remote>& remote);
  /// Retries, drops or shows a dead letter of this lane. `answer` on this loop.
  void act(const std::string& person, const std::string& what, bool outbox, std::uint64_t letter, Answer answer);
  /// Looks for one record in both boxes of this lane; `found` gets null when it is not here. On the loop.
  void find(const RecordId& record, Answer found);

 private:
  struct Tail;
  void publish(const std::string& person, const nlohmann::json& request, Answer answer);
  void records(const nlohmann::json& request, Answer answer);
  void show(const nlohmann::json& request, Answer answer);
  void dead_letters(const std::string& person, const nlohmann::json& request, Answer answer);
  void whole_status(Answer answer);
  void adapter(const nlohmann::json& request, Answer answer);
  void tail(const link::LocalConnectionRef& connection, std::uint64_t id, const nlohmann::json& request);
  void place(Tail& tail, const Follow& what);
  void send_event(Tail& tail, nlohmann::json event);
  void go_on(Tail& tail);
  /// Calls `work` on the other lane's loop with its desk; nothing when there is no other lane.
  bool ask_other(std::function<void(PeopleDesk&)> work);

  GateLane& lane_;
  std::vector<std::unique_ptr<Tail>> tails_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace thalweg::gate
