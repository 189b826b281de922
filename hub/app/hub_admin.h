// hub_admin.h: what operators ask of the hub over its local socket, as JSON. Forms: docs/formats/admin.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/hub.h"

namespace thalweg::app {

/// Answers one question at a time. Every answer is {"ok":true,...} or {"ok":false,"code":N,"error":"..."}.
///
/// Threads: the desk. Acts are written to both ledgers with who did them.
class HubAdmin {
 public:
  explicit HubAdmin(Hub& hub) : hub_(hub) {}

  /// The socket, 0600; root, the hub's own user and the operators of hub.toml may use it.
  static Result<std::unique_ptr<link::LocalServer>> listen(Hub& hub, Loop& desk);

  std::string answer(std::string_view request, const std::string& who);

 private:
  using Json = nlohmann::json;
  /// Errors: kInvalid when a member of the request is not of the kind that it must be.
  static Status check_kinds(const Json& request);
  Result<Json> dispatch(const Json& request, const std::string& who);
  Result<Json> status();
  Result<Json> records(const Json& request);
  Result<Json> show(const Json& request);
  Result<Json> why(const Json& request);
  Result<Json> party_add(const Json& request, const std::string& who);
  Result<Json> party_revoke(const Json& request, const std::string& who);
  Result<Json> receiver_give_up(const Json& request, const std::string& who);
  Result<Json> clock_confirm(const std::string& who);
  Result<Json> reload(const std::string& who);
  Result<Json> card();

  struct FoundRecord {
    HubLane* lane = nullptr;
    ledger::RecordPlace place;
    HubStore::HeldParcel held;
    std::string record;  ///< its bytes
  };
  Result<FoundRecord> find(const Json& request);
  Result<std::shared_ptr<const region::Region>> region_at(HubLane& lane, std::uint64_t block);
  /// A member of the request; empty when it is missing.
  static std::string text_of(const Json& request, const char* key);
  static std::string time_text(std::int64_t unix_ns);
  /// Errors: kInvalid when the arguments are too long.
  Result<SystemEntry> act_entry(const std::string& who, const std::string& what, const Json& args);

  Hub& hub_;
};

}  // namespace thalweg::app
