#include "app/hub.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "app/http_endpoint.h"
#include "app/hub_admin.h"
#include "app/hub_pages.h"
#include "base/log.h"
#include "base/prompt_threads.h"
#include "ledger/clock_watch.h"

namespace thalweg::app {
namespace {

constexpr std::array kLanes{Lane::kRoutine, Lane::kUrgent};
/// How long answers wait for what they answer after a ledger was set back: gates that are there have sent it by then.
constexpr std::int64_t kRefill_s = 60;
constexpr std::int64_t kHouseEvery_ns = 600'000'000'000;

/// Compressing takes seconds of a core, and nobody waits for it.
void be_nice() { (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 10); }

/// Every connection costs two descriptors (link/tcp_handle.h). Strangers must never get those that the ledger needs for
/// its next file, so what the ports may take is settled before the first of them comes.
void share_descriptors(link::HubLinkOptions& options) {
  constexpr std::size_t kOwn = 128;  // files, local sockets, threads' own
  constexpr std::size_t kFew = 1024;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const std::size_t left = limit.rlim_cur > kOwn ? limit.rlim_cur - kOwn : 0;
  const std::size_t connections = std::max<std::size_t>(left / (2 * kLanes.size()), 4);
  options.max_strangers = std::min(options.max_strangers, connections / 2);
  options.max_strangers_per_address = std::min(options.max_strangers_per_address, options.max_strangers);
  options.max_sessions = std::min(options.max_sessions, connections - options.max_strangers);
  if (options.max_sessions < kFew && options.lane == Lane::kRoutine)
    log::warning("hub", "only {} descriptors are allowed: enough for {} gates, and {} connections that are under way",
                 limit.rlim_cur, options.max_sessions, options.max_strangers);
}

}  // namespace

Hub::Hub(FileSystem& files, const Clock& clock, Options options)
    : files_(files),
      clock_(clock),
      config_(std::move(options.config)),
      extra_sync_delay_ns_(options.extra_sync_delay_ns),
      segment_bytes_(options.segment_bytes) {}

Hub::~Hub() {
  admin_.reset();
  http_.reset();
  desk_.stop();
  desk_.join();
  // Before the lanes: it asks them things and waits for the answers.
  keeper_.stop();
  keeper_.join();
  for (auto& lane : lanes_)
    if (lane) lane->stop();
}

Result<std::unique_ptr<Hub>> Hub::start(FileSystem& files, const Clock& clock, Options options,
                                        std::vector<region::Mistake>& mistakes) {
  std::unique_ptr<Hub> hub(new Hub(files, clock, std::move(options)));
  TW_TRY(hub->open(mistakes));
  return hub;
}

Status Hub::open(std::vector<region::Mistake>& mistakes) {
  TW_ASSIGN(signing_, trust::SigningKey::load(config_.keys / "hub-signing.key"));
  TW_ASSIGN(curve_, trust::CurveKeyPair::load(config_.keys / "hub-curve.key"));
  TW_ASSIGN(policy_.region, load_region(mistakes));
  TW_TRY(open_lanes());
  TW_TRY(restore_keys());
  keeper_.start();
  keeper_.post(be_nice);
  desk_.start();
  for (const Lane which : kLanes) {
    const PromptThreads prompt(which == Lane::kUrgent);
    lane(which).start();
  }
  TW_TRY(resume_doubt());
  policy_.routes = std::make_shared<routing::RouteTable>(policy_.region, dates_now_unix_ns());
  intake::Policy policy = policy_;
  TW_TRY(record_region(policy, "hub"));
  TW_TRY(listen());
  house_kept_ns_ = clock_.steady_ns();
  watch_dates();
  watch_house();
  return {};
}

Result<std::shared_ptr<const region::Region>> Hub::load_region(std::vector<region::Mistake>& mistakes) {
  return region::load_folder(files_, config_.region, mistakes);
}

Status Hub::open_lanes() {
  std::pair<Bytes, std::int64_t> genesis{HubStore::make_genesis(clock_, policy_.region->hub().code, *signing_),
                                         clock_.wall_unix_ns()};
  for (const Lane which : kLanes) {
    const PromptThreads prompt(which == Lane::kUrgent);
    HubStore::Options options;
    options.lane = which;
    options.ledger_folder = config_.ledger_folder(which);
    options.derived_folder = config_.derived_folder(which);
    std::tie(options.genesis, options.genesis_unix_ns) = genesis;
    options.max_waiting_bytes = config_.pool_bytes;
    options.extra_sync_delay_ns = extra_sync_delay_ns_;
    options.segment_bytes = segment_bytes_;
    auto store = HubStore::open(files_, std::move(options), *signing_);
    if (!store) return Error(std::move(store).error()).in(fmt::format("the ledger of lane {}", name(which)));
    if (which == Lane::kRoutine)
      genesis = (*store)->genesis();
    else if ((*store)->log().id() != lane(Lane::kRoutine).store().log().id())
      return Error{Code::kLedgerForeign, "the two lanes hold different ledgers"};
    if (const auto& torn = (*store)->report().torn)
      log::warning("ledger", "lane {}: {} bytes of a block that was never finished were cut off {} at {}", name(which),
                   torn->bytes, torn->file, torn->offset);

    HubLaneContext context;
    context.clock = &clock_;
    context.key = &*signing_;
    context.hub = policy_.region->hub().code;
    context.refused_quota_bytes = config_.refused_quota_bytes;
    context.origin_of = [this](const RecordId& id) { return origin_of(id); };
    context.refilling = [this] { return refilling(); };
    context.keep = [this](std::function<void()> work) { keeper_.post(std::move(work)); };
    context.on_fatal = [this](Error error) {
      std::function<void()> call;
      {
        std::lock_guard guard(mutex_);
        if (!failed_) failed_ = std::move(error);
        call = on_failed_;
      }
      if (call) call();
    };
    auto policy = std::make_shared<intake::Policy>(policy_);
    lanes_[static_cast<std::size_t>(which)] =
        std::make_unique<HubLane>(which, std::move(context), *std::move(store), std::move(policy));
    retention_[static_cast<std::size_t>(which)] =
        std::make_unique<HubRetention>(lane(which), clock_, config_.retention_days * ledger::RetentionRules::kDay_ns);
  }
  return {};
}

// Certificates and revocations are the ledger's; both lanes hold the same, the routine one is read.
Status Hub::restore_keys() {
  trust::KeyDirectory::Ptr keys = trust::KeyDirectory::empty()->with_hub(signing_->public_key());
  for (const HeldDocument& held : lane(Lane::kRoutine).store().documents) {
    if (held.type == ledger::EntryType::kCertificate) {
      TW_ASSIGN(const auto certificate, trust::open_certificate(held.bytes));
      TW_ASSIGN(keys, keys->with(certificate, held.block_unix_ns, trust::Unpinned::kPinFirst));
    } else {
      TW_ASSIGN(const auto revocation, trust::open_revocation(held.bytes));
      TW_ASSIGN(keys, keys->with(revocation, held.block_unix_ns));
    }
  }
  policy_.keys = std::move(keys);
  return {};
}

Status Hub::listen() {
  auto pool = link::AssemblyPool::make({.capacity_bytes = config_.pool_bytes});
  for (const Lane which : kLanes) {
    const PromptThreads prompt(which == Lane::kUrgent);
    link::HubLinkOptions options;
    options.endpoint = fmt::format("tcp://{}:{}", config_.address,
                                   config_.port(which) == 0 ? "*" : std::to_string(config_.port(which)));
    options.curve_secret_z85 = curve_.secret_z85;
    options.pool = pool;
    options.lane = which;
    share_descriptors(options);
    options.allow = [this](std::string_view key, std::string_view) { return admit(key); };
    lane(which).set_greeting([this](const std::string& party) { return greeting(party); });
    TW_TRY(lane(which).listen(std::move(options)));
  }
  TW_TRY(files_.create_folders(config_.admin_socket().parent_path()));
  TW_ASSIGN(admin_, HubAdmin::listen(*this, desk_));
  if (config_.http_port != 0) {
    HttpEndpoint::Pages pages;
    pages.metrics = [this] { return metrics_page(*lanes_[0], *lanes_[1]); };
    pages.unhealthy_because = [this]() -> std::string {
      const auto error = failed();
      return error ? error->message : std::string();
    };
    TW_ASSIGN(http_, HttpEndpoint::listen(desk_, config_.http_address, config_.http_port, std::move(pages)));
  }
  return {};
}

const std::string& Hub::endpoint(Lane which) const { return lanes_[static_cast<std::size_t>(which)]->endpoint(); }
std::uint16_t Hub::http_port() const { return http_ ? http_->port() : 0; }

std::optional<Error> Hub::failed() const {
  std::lock_guard guard(mutex_);
  return failed_;
}

void Hub::on_failed(std::function<void()> call) {
  std::lock_guard guard(mutex_);
  on_failed_ = std::move(call);
}

std::optional<link::UserId> Hub::admit(std::string_view curve_key) const {
  trust::KeyDirectory::Ptr keys;
  {
    std::lock_guard guard(mutex_);
    keys = policy_.keys;
  }
  const auto gate = keys->admit(curve_key, now_unix_ns());
  if (!gate) return std::nullopt;
  return (*gate)->certificate->party + "/" + (*gate)->certificate->gate;
}

std::int64_t Hub::now_unix_ns() const {
  std::int64_t now = clock_.wall_unix_ns();
  for (const auto& lane : lanes_) now = std::max(now, lane->store().log().head().time_unix_ns);
  return now;
}

Result<std::optional<std::string>> Hub::origin_of(const RecordId& id) const {
  for (const auto& lane : lanes_) {
    TW_ASSIGN(const auto found, lane->store().find_record(id));
    if (!found) continue;
    TW_ASSIGN(const auto held, lane->store().read_parcel(found->place));
    return std::optional(held.parcel.header.party);
  }
  return std::optional<std::string>();
}

// After a start the epoch's number says when it began: the time in seconds, if the clock was right.
bool Hub::refilling() const {
  const std::int64_t now_s = clock_.wall_unix_ns() / 1'000'000'000;
  for (const auto& lane : lanes_) {
    const std::int64_t begun_ns = lane->epoch_begun_ns();
    if (begun_ns != 0 && clock_.steady_ns() - begun_ns < kRefill_s * 1'000'000'000) return true;
    const auto epoch = static_cast<std::int64_t>(lane->store().log().head().epoch);
    if (epoch > now_s - kRefill_s && epoch <= now_s) return true;
  }
  return false;
}

std::vector<link::Document> Hub::greeting(const std::string& party) const {
  intake::Policy policy;
  {
    std::lock_guard guard(mutex_);
    policy = policy_;
  }
  std::vector<link::Document> documents;
  const auto add = [&](link::Document::Kind kind, std::string_view text) {
    documents.push_back({kind, Bytes(text.begin(), text.end())});
  };
  if (auto said = manifest(policy, party)) {
    documents.push_back(*std::move(said));
  } else {
    log::error("hub", "{} gets no manifest: {}", party, said.error().message);
  }
  for (const trust::GateKeys* gate : policy.keys->gates())
    for (const trust::GateKeys::Entry& entry : gate->entries)
      add(link::Document::Kind::kCertificate, entry.certificate.document());
  for (const auto& [revocation, time] : policy.keys->revocations())
    add(link::Document::Kind::kRevocation, revocation.document());
  return documents;
}

Result<link::Document> Hub::manifest(const intake::Policy& policy, const std::string& party) const {
  trust::Manifest content;
  content.ledger_id = lanes_[0]->store().log().id();
  content.party = party;
  for (const auto& lane : lanes_) content.epoch = std::max(content.epoch, lane->store().log().head().epoch);
  content.version = policy.region_version;
  content.region = manifest_json(policy, party);
  content.signing = signing_->public_key();
  TW_ASSIGN(const auto document, trust::sign(content, *signing_));
  return link::Document{link::Document::Kind::kRegion, Bytes(document.document().begin(), document.document().end())};
}

Status Hub::append_to_both(ledger::EntryType type, const Bytes& bytes) {
  std::array<std::promise<Status>, 2> promises;
  std::array<std::future<Status>, 2> written{promises[0].get_future(), promises[1].get_future()};
  for (std::size_t i = 0; i < 2; ++i)
    lanes_[i]->loop().post([lane = lanes_[i].get(), type, bytes, promise = &promises[i]] {
      lane->append(type, bytes, [promise](Status status) { promise->set_value(std::move(status)); });
    });
  for (auto& future : written) future.wait();
  for (auto& future : written) TW_TRY(future.get());
  return {};
}

Status Hub::put_in_force(const intake::Policy& policy, const std::vector<SystemEntry>& entries) {
  const auto shared = std::make_shared<intake::Policy>(policy);
  std::array<std::promise<Status>, 2> promises;
  std::array<std::future<Status>, 2> written{promises[0].get_future(), promises[1].get_future()};
  for (std::size_t i = 0; i < 2; ++i)
    lanes_[i]->loop().post([lane = lanes_[i].get(), shared, entries, promise = &promises[i]] {
      lane->change(shared, entries, [promise](Status status) { promise->set_value(std::move(status)); });
    });
  for (auto& future : written) future.wait();
  for (auto& future : written) TW_TRY(future.get());
  std::lock_guard guard(mutex_);
  policy_ = policy;
  return {};
}

void Hub::publish() {
  intake::PolicyPtr policy;
  {
    std::lock_guard guard(mutex_);
    policy = std::make_shared<intake::Policy>(policy_);
  }
  for (auto& lane : lanes_) lane->loop().run([&] { lane->set_policy(policy); });
}

// The texts of a version are in both ledgers before a decision refers to it.
Status Hub::record_region(intake::Policy& policy, const std::string& who) {
  const auto stored = lane(Lane::kRoutine).loop().run([this] { return lane(Lane::kRoutine).store().region; });
  policy.region_version = 1;
  RegionChanges changes{{"the first version"}, {}};
  if (stored) {
    policy.region_version = stored->version;
    region::Texts texts(stored->files.begin(), stored->files.end());
    if (region::digest_of(texts) == policy.region->digest()) {
      {
        std::lock_guard guard(mutex_);
        policy_ = policy;
      }
      publish();
      return {};
    }
    ++policy.region_version;
    std::vector<region::Mistake> mistakes;
    if (const auto before = region::load(texts, mistakes)) changes = changes_between(**before, *policy.region);
  }
  ledger::RegionVersion entry;
  entry.version = policy.region_version;
  entry.loaded_by = who;
  entry.files.assign(policy.region->texts().begin(), policy.region->texts().end());
  TW_TRY(put_in_force(policy, {{ledger::EntryType::kRegionVersion, ledger::encode(entry)}}));
  HubEvent event;
  event.kind = "region_changed";
  event.by = who;
  event.region_version = policy.region_version;
  event.digest = to_hex(policy.region->digest());
  event.changes = std::move(changes.lines);
  event.receivers = std::move(changes.parties);
  say(std::move(event));
  return {};
}

void Hub::say(HubEvent event) {
  HubLane& routine = lane(Lane::kRoutine);
  routine.loop().post([&routine, event = std::move(event)] { routine.say(event); });
}

Status Hub::reload(const std::string& who, std::vector<region::Mistake>& mistakes) {
  std::lock_guard change(change_mutex_);
  TW_ASSIGN(auto fresh, load_region(mistakes));
  intake::Policy policy = policy_snapshot();
  if (fresh->hub().code != policy.region->hub().code)
    return Error{Code::kConfig, "the hub's own code may not change: " + policy.region->hub().code};
  policy.region = fresh;
  policy.routes = std::make_shared<routing::RouteTable>(fresh, dates_now_unix_ns());
  TW_TRY(record_region(policy, who));
  for (auto& lane : lanes_)
    lane->loop().post([this, lane = lane.get()] {
      for (const SessionView& session : lane->sessions()) {
        const std::string party = session.user.substr(0, session.user.find('/'));
        const auto said = manifest(policy_snapshot(), party);
        if (said) lane->send_document(session.user, *said);
        if (!said) log::error("hub", "{} gets no manifest: {}", party, said.error().message);
      }
    });
  log::info("region", "version {} is in force", policy.region_version);
  return {};
}

intake::Policy Hub::policy_snapshot() const {
  std::lock_guard guard(mutex_);
  return policy_;
}

Status Hub::resume_doubt() {
  bool doubtful = false;
  for (auto& lane : lanes_) {
    const ledger::SegmentLog& log = lane->store().log();
    doubtful = doubtful || (log.head().flags & ledger::BlockInfo::kClockDoubtful) != 0;
    TW_ASSIGN(const std::int64_t believed, ledger::last_believed_unix_ns(log));
    believed_unix_ns_ = std::max(believed_unix_ns_, believed);
  }
  if (doubtful) lane(Lane::kRoutine).store().commit().doubt_clock();
  return {};
}

std::int64_t Hub::dates_now_unix_ns() {
  const std::int64_t now = clock_.wall_unix_ns();  // before it is judged: a step between the two is noticed
  bool doubtful = false;
  for (auto& lane : lanes_) doubtful = lane->store().commit().clock_doubtful() || doubtful;
  if (doubtful)
    for (auto& lane : lanes_) lane->store().commit().doubt_clock();
  else
    believed_unix_ns_ = now;
  return believed_unix_ns_;
}

void Hub::follow_dates() {
  const std::lock_guard change(change_mutex_);
  const std::int64_t now = dates_now_unix_ns();
  {
    std::lock_guard guard(mutex_);
    const routing::RouteTable& routes = *policy_.routes;
    if (now >= routes.at_unix_ns() && now < routes.next_change_unix_ns()) return;
    policy_.routes = std::make_shared<routing::RouteTable>(policy_.region, now);
  }
  publish();
}

void Hub::watch_dates() {
  auto timer = std::make_shared<boost::asio::steady_timer>(desk_.io(), std::chrono::seconds(30));
  timer->async_wait([this, timer](boost::system::error_code error) {
    if (error) return;
    follow_dates();
    watch_dates();
  });
}

// Asked often, by the clock that tests turn; nothing is done between the rounds.
void Hub::watch_house() {
  auto timer = std::make_shared<boost::asio::steady_timer>(desk_.io(), std::chrono::seconds(30));
  timer->async_wait([this, timer](boost::system::error_code error) {
    if (error) return;
    if (clock_.steady_ns() - house_kept_ns_ >= kHouseEvery_ns) {
      house_kept_ns_ = clock_.steady_ns();
      for (std::size_t lane = 0; lane < lanes_.size(); ++lane) keeper_.post([this, lane] { keep_house_of(lane); });
    }
    watch_house();
  });
}

// One segment at a time, so that snapshots get their turn on the same thread.
void Hub::keep_house_of(std::size_t lane) {
  const Result<bool> more = retention_[lane]->pass();
  if (!more)
    log::warning("ledger", "lane {}: old segments stay as they are: {}", name(lanes_[lane]->lane()),
                 more.error().message);
  else if (*more)
    keeper_.post([this, lane] { keep_house_of(lane); });
}

Status Hub::keep_house() {
  return keeper_.run([this]() -> Status {
    for (auto& one : retention_)
      for (bool more = true; more;) {
        TW_ASSIGN(more, one->pass());
      }
    return {};
  });
}

std::string Hub::request(std::string_view json, const std::string& who) { return HubAdmin(*this).answer(json, who); }

}  // namespace thalweg::app
