// hub.h: the hub: two lanes, one policy, one socket for its operators. The only place that builds and connects them.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <string>

#include "app/hub_config.h"
#include "app/hub_lane.h"
#include "app/hub_retention.h"
#include "link/local_socket.h"

namespace thalweg::app {

class HttpEndpoint;

/// Owns: lanes, keeper thread, admin socket, status page. Threads: as marked.
class Hub {
 public:
  struct Options {
    HubConfig config;
    std::int64_t extra_sync_delay_ns = 0;     ///< benchmarks
    std::uint64_t segment_bytes = 64u << 20;  ///< of the ledgers' files
  };

  /// Opens the ledgers, loads the region, listens. Nothing runs when it fails.
  /// `mistakes` holds what is wrong with the region's files. Errors: kConfig, key, ledger and link errors.
  static Result<std::unique_ptr<Hub>> start(FileSystem& files, const Clock& clock, Options options,
                                            std::vector<region::Mistake>& mistakes);
  ~Hub();  ///< ends everything; what was acknowledged is on the disk

  /// "tcp://127.0.0.1:34567". Any thread.
  const std::string& endpoint(Lane lane) const;
  std::uint16_t http_port() const;
  const Path admin_socket() const { return config_.admin_socket(); }

  /// Reads the region's files again: whole, or not at all with `mistakes`. On success the change is in both ledgers.
  /// Any thread but the lanes'. Errors: kConfig and the like; the old region stays in force.
  Status reload(const std::string& who, std::vector<region::Mistake>& mistakes);

  /// One question of an operator, JSON in and out (docs/formats/admin.md). Any thread but the lanes'.
  std::string request(std::string_view json, const std::string& who);

  /// Compresses sealed segments and drops those that are past their time, as the hub does by itself every ten minutes.
  /// Waits for the disk. Not on a thread of the hub.
  Status keep_house();

  /// Begins and ends agreements whose day has come, as the hub does by itself every 30 seconds. Not on a thread of a
  /// lane.
  void follow_dates();

  /// The error that ended a lane, once there is one. Any thread.
  std::optional<Error> failed() const;
  /// Called on some thread when a lane fails. Set before anything can.
  void on_failed(std::function<void()> call);

 private:
  friend class HubAdmin;
  Hub(FileSystem& files, const Clock& clock, Options options);
  Status open(std::vector<region::Mistake>& mistakes);
  Status open_lanes();
  Status listen();
  Result<std::shared_ptr<const region::Region>> load_region(std::vector<region::Mistake>& mistakes);
  Status restore_keys();
  Status record_region(intake::Policy& policy, const std::string& who);
  /// To both ledgers; waits until both have it.
  Status append_to_both(ledger::EntryType type, const Bytes& bytes);
  /// The policy holds in both lanes from the place on where the entries stand; waits until they are durable. On failure
  /// the act is not done, and may be repeated: a lane that has the entries already takes them once more.
  Status put_in_force(const intake::Policy& policy, const std::vector<SystemEntry>& entries);
  /// New policy for both lanes and for those who connect.
  void publish();
  std::optional<link::UserId> admit(std::string_view curve_key) const;
  /// By which keys are judged: no earlier than the last block of either lane (rule 26), so that a clock that was ahead
  /// when they changed and is right again makes no revoked key good and no new one wait.
  std::int64_t now_unix_ns() const;
  Result<std::optional<std::string>> origin_of(const RecordId& id) const;
  bool refilling() const;
  std::vector<link::Document> greeting(const std::string& party) const;
  /// What the gates of a party are told of the region, signed. Errors: kCertificateInvalid when it is too large.
  Result<link::Document> manifest(const intake::Policy& policy, const std::string& party) const;
  /// A record of the hub's own, on the routine lane.
  void say(HubEvent event);
  void watch_dates();
  /// By which agreements begin and end: the clock, or while that is in doubt the last time that was believed (rule 26):
  /// nothing begins then, and nothing ends. Looks at both lanes' clocks, and passes the doubt of one on to the other.
  /// With change_mutex_ held.
  std::int64_t dates_now_unix_ns();
  /// The doubt of a lane is the other's, too, and does not end with the program.
  Status resume_doubt();
  void watch_house();
  /// Keeper: one pass over a lane; another one is posted while there is more to compress.
  void keep_house_of(std::size_t lane);
  intake::Policy policy_snapshot() const;
  HubLane& lane(Lane lane) { return *lanes_[static_cast<std::size_t>(lane)]; }

  FileSystem& files_;
  const Clock& clock_;
  const HubConfig config_;
  const std::int64_t extra_sync_delay_ns_;
  const std::uint64_t segment_bytes_;
  std::optional<trust::SigningKey> signing_;
  trust::CurveKeyPair curve_;

  Loop keeper_{"hub-keeper"};  ///< snapshots, retention: whatever may wait for the disk
  Loop desk_{"hub-desk"};      ///< operators, status page, dates
  std::array<std::unique_ptr<HubLane>, 2> lanes_;
  std::array<std::unique_ptr<HubRetention>, 2> retention_;  ///< keeper
  std::int64_t house_kept_ns_ = 0;                          ///< desk: steady time of the last round
  std::unique_ptr<link::LocalServer> admin_;
  std::unique_ptr<HttpEndpoint> http_;

  std::mutex change_mutex_;            ///< one change of policy at a time
  std::int64_t believed_unix_ns_ = 0;  ///< guarded by change_mutex_
  mutable std::mutex mutex_;           ///< guards all below
  intake::Policy policy_;
  std::optional<Error> failed_;
  std::function<void()> on_failed_;
};

}  // namespace thalweg::app
