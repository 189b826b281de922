// gate_lane.cc: building and ending a lane. Connections are in lane_peers.cc.
#include "gate/gate_lane.h"

#include <chrono>
#include <future>

#include "base/log.h"
#include "gate/people_desk.h"

namespace thalweg::gate {
namespace {
constexpr auto kTick = std::chrono::milliseconds(50);
constexpr std::uint32_t kTicksPerSecond = 20;
constexpr std::int64_t kGrace_ms = 5000;
// A disk that fails every write would have a session begin and end as fast as the line allows.
constexpr std::uint32_t kAfterFault_ms = 1000;
}  // namespace

GateLane::GateLane(GateShared& shared, Lane lane)
    : shared_(shared), lane_(lane), loop_("gate-" + std::string(name(lane))), timer_(loop_.io()) {}

GateLane::~GateLane() { stop(); }

SinkFeed* GateLane::feed(std::string_view instance) {
  const auto found = feeds_.find(instance);
  return found == feeds_.end() ? nullptr : found->second.get();
}

Status GateLane::open_logs() {
  const GateConfig& config = shared_.config;
  OutboxOptions out;
  out.lane = lane_;
  out.ledger_id = shared_.papers.card.ledger_id;
  out.sync_delay_ns = shared_.tuning.sync_delay_ns;
  out.segment_bytes = shared_.tuning.segment_bytes;
  out.on_stored = [this] {
    if (uplink_) uplink_->pump();
  };
  out.on_room = [this] { on_room(); };
  out.on_answers_lost = [this] {
    if (uplink_) uplink_->ask_again();
  };
  out.on_stream = [this] {
    if (uplink_) uplink_->on_new_stream();
  };
  out.on_refused = [this](const AcknowledgedEntry::Refused& refused) { tell_refused(refused); };
  out.on_fatal = [this](const Error& error) {
    if (shared_.on_fatal) shared_.on_fatal(error);
  };
  TW_ASSIGN(outbox_, Outbox::open(shared_.files, config.outbox_folder(lane_), shared_.clock, loop_, config,
                                  shared_.papers.signing, shared_.schemas, std::move(out)));

  InboxOptions in;
  in.lane = lane_;
  in.sync_delay_ns = shared_.tuning.sync_delay_ns;
  in.segment_bytes = shared_.tuning.segment_bytes;
  for (const AdapterConfig& adapter : config.adapters) {
    if (adapter.is_sink() && adapter.on(lane_)) in.sinks.push_back(adapter.instance);
  }
  in.on_taken = [this](std::uint64_t bytes) {
    if (uplink_) uplink_->give_credit(bytes);
  };
  in.on_stand = [this](const InboxStand& stand) {
    if (uplink_) uplink_->settle(stand);
  };
  in.on_block = [this] { on_records(); };
  in.on_fatal = [this](const Error& error) {
    if (error.code == Code::kSyncFailed) {
      if (shared_.on_fatal) shared_.on_fatal(error);
    } else if (uplink_) {
      uplink_->reconnect(kAfterFault_ms);  // what was on its way comes again
    }
  };
  TW_ASSIGN(inbox_, Inbox::open(shared_.files, config.inbox_folder(lane_), shared_.clock, loop_, config, *shared_.trust,
                                shared_.receipts, std::move(in)));
  return {};
}

Status GateLane::open() {
  const GateConfig& config = shared_.config;
  TW_TRY(open_logs());
  UplinkOptions up;
  up.lane = lane_;
  up.program = shared_.program;
  up.link.lane = lane_;
  up.link.curve_public_z85 = shared_.papers.curve.public_z85;
  up.link.curve_secret_z85 = shared_.papers.curve.secret_z85;
  up.link.credit_bytes = config.inbox_credit_bytes;
  std::vector<std::string> addresses = config.hubs_of(lane_);
  if (addresses.empty()) {
    for (const trust::HubAddress& address : shared_.papers.card.addresses) {
      addresses.push_back(lane_ == Lane::kUrgent ? address.urgent : address.routine);
    }
  }
  for (const std::string& address : addresses) {
    up.link.hubs.push_back(
        {address.starts_with("tcp://") ? address : "tcp://" + address, shared_.papers.card.curve_z85});
  }
  uplink_ = std::make_unique<Uplink>(loop_, shared_.clock, config, shared_.papers.signing, *shared_.trust, *outbox_,
                                     *inbox_, std::move(up));
  Supervisor::Events events;
  events.on_gone = [this](const AdapterConfig& adapter, bool crashed, std::string_view why) {
    if (SinkFeed* gone = feed(adapter.instance)) gone->detach(crashed, why);
  };
  supervisor_ =
      std::make_unique<Supervisor>(loop_.io(), shared_.clock, config, lane_, shared_.runner, std::move(events));
  for (const AdapterConfig& adapter : config.adapters) {
    if (!adapter.on(lane_) || !adapter.is_sink()) continue;
    feeds_.emplace(adapter.instance,
                   std::make_unique<SinkFeed>(adapter, config.retry_of(lane_), *inbox_, shared_.clock));
  }
  desk_ = std::make_unique<PeopleDesk>(*this);
  TW_TRY(open_socket());
  if (!addresses.empty()) TW_TRY(uplink_->start());
  arm_tick();
  loop_.post([this] { supervisor_->start_all(); });
  loop_.start();
  started_ = true;
  return {};
}

void GateLane::arm_tick() {
  timer_.expires_after(kTick);
  timer_.async_wait([this](boost::system::error_code error) {
    // One that was due when the lane ended comes all the same, without an error.
    if (error || supervisor_ == nullptr) return;
    tick();
    arm_tick();
  });
}

void GateLane::tick() {
  supervisor_->tick();
  for (auto& [instance, one] : feeds_) {
    if (one->overdue()) {
      log::error("gate", "adapter {} does not answer: it is ended", instance);
      supervisor_->kill(instance, "did not answer in time");
    }
    one->pump();
  }
  if (++ticks_ % kTicksPerSecond != 0) return;
  outbox_->tick();
  inbox_->tick();
  uplink_->pump();
  for (auto& [connection, peer] : peers_) peer->lines = 0;
}

void GateLane::on_records() {
  for (auto& [instance, one] : feeds_) one->pump();
  if (desk_) desk_->on_records();
}

void GateLane::stop() {
  if (!started_) return;
  started_ = false;
  loop_.run([this] { stopping_ = true; });
  // Runners are told by signal, and get the time to have their last records answered.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kGrace_ms + 1000);
  while (!loop_.run([this] { return supervisor_->stop_all(kGrace_ms); }) &&
         std::chrono::steady_clock::now() < deadline) {
    std::promise<void> passed;
    auto wait = passed.get_future();
    boost::asio::steady_timer timer(loop_.io(), std::chrono::milliseconds(20));
    timer.async_wait([&passed](boost::system::error_code) { passed.set_value(); });
    wait.wait();
  }
  uplink_->stop();
  loop_.run([this] {
    timer_.cancel();
    desk_.reset();
    server_.reset();
    peers_.clear();
    supervisor_.reset();
  });
  loop_.run([] {});  // what the above posted
  loop_.stop();
  loop_.join();
  feeds_.clear();
  uplink_.reset();
  inbox_.reset();
  outbox_.reset();
}

}  // namespace thalweg::gate
