#include "bench/restart.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/cli/setup_files.h"
#include "base/loop.h"
#include "bench/load.h"
#include "gate/gate_shared.h"
#include "link/gate_link.h"
#include "link/local_message.h"
#include "link/local_socket.h"
#include "model/record_builder.h"
#include "model/verdict.h"
#include "storm/site.h"
#include "support/temp_folder.h"
#include "trust/seal.h"

namespace thalweg::bench {
namespace {

using nlohmann::json;
using Steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

double ms_since(Steady::time_point begin) {
  return std::chrono::duration<double, std::milli>(Steady::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

/// MiB, from /proc/PID/status.
struct Memory {
  double resident = 0, anonymous = 0, peak = 0;
};
Memory memory_of(pid_t pid) {
  Memory out;
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    const auto kib = [&](std::string_view key, double& into) {
      if (line.starts_with(key)) into = std::stod(line.substr(key.size())) / 1024;
    };
    kib("VmRSS:", out.resident);
    kib("RssAnon:", out.anonymous);
    kib("VmHWM:", out.peak);
  }
  return out;
}

/// One lane of a gate with keys of its own, and nothing else: it says HELLO, and sends a parcel of one record when
/// asked to.
class Peer {
 public:
  Peer(Loop& loop, const gate::GatePapers& papers, const gate::GateConfig& config, const std::string& address,
       Lane lane)
      : papers_(papers), config_(config), lane_(lane), incarnation_(random_uuid_v7(system_clock())) {
    link::GateLinkOptions options;
    options.lane = lane;
    options.hubs = {{"tcp://" + address, papers.card.curve_z85}};
    options.curve_public_z85 = papers.curve.public_z85;
    options.curve_secret_z85 = papers.curve.secret_z85;
    options.backoff_first_ms = options.backoff_most_ms = 2;  // what is measured is the hub, not the wait between tries
    link::GateLinkEvents events;
    events.make_hello = [this] {
      link::Hello hello;
      hello.party = config_.party;
      hello.gate = config_.gate;
      hello.lane = lane_;
      hello.incarnation = incarnation_;
      hello.inbox_fresh = true;
      hello.program = "thalweg-bench";
      return hello;
    };
    events.on_welcome = [this](const link::Welcome& welcome) {
      tell([&] { welcome_ = welcome; });
      return Code::kOk;
    };
    events.on_ack = [this](const link::Ack& ack) { tell([&] { ack_ = ack; }); };
    events.on_delivery = [this](std::uint64_t, const Bytes& bytes) { link_->taken(bytes.size()); };
    events.on_progress = [](const link::Progress&) {};
    events.on_found = [](const link::Found&) {};
    events.on_document = [](const link::Document&) {};
    events.on_room = [] {};
    events.on_down = [this](Code, std::string_view text, std::string_view) { tell([&] { why_ = text; }); };
    auto started = link::GateLink::start(loop, system_clock(), std::move(options), std::move(events));
    if (started)
      link_ = *std::move(started);
    else
      why_ = started.error().message;
  }
  ~Peer() {
    if (link_) link_->stop();
  }
  Peer(const Peer&) = delete;

  Status wait_for_welcome() {
    return wait([this] { return welcome_.has_value(); });
  }
  /// After wait_for_welcome(). Until the hub has the record on disk and says so.
  Status record(Loop& loop) {
    TW_ASSIGN(const Bytes parcel, sealed());
    const auto shared = std::make_shared<const Bytes>(parcel);
    loop.run([&] { (void)link_->send_parcel(welcome_->accepted_head + 1, shared); });
    TW_TRY(wait([this] { return ack_.has_value(); }));
    if (ack_->code != Code::kOk) return Error{ack_->code, ack_->text};
    TW_ASSIGN(const auto verdicts, ParcelVerdicts::decode(ack_->verdicts));
    if (!verdicts.exceptions.empty()) return Error{verdicts.exceptions[0].code, "the record was refused"};
    return {};
  }

 private:
  template <class Change>
  void tell(Change&& change) {
    const std::lock_guard guard(mutex_);
    change();
    changed_.notify_all();
  }
  template <class Yes>
  Status wait(Yes&& yes) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, 120s, yes)) return {};
    return Error{Code::kUnavailable, "the hub does not answer: " + why_};
  }
  Result<Bytes> sealed() const {
    static std::uint64_t next = 4'000'000'000;  // behind all that the fill makes
    Load load(next++);
    const Bytes frame = load.routine(1);
    link::LocalSubmit submit;  // behind length and type of the frame
    TW_TRY(link::LocalSubmit::decode(ByteView(frame).subspan(5), submit));
    const link::LocalDraft& from = submit.drafts.at(0);
    Draft draft;
    draft.id = random_uuid_v7(system_clock());
    draft.party = config_.party;
    draft.type = from.type;
    draft.subject = from.subject;
    draft.time = from.time;
    draft.lane = lane_;
    draft.submitter = "bench";
    draft.data_json = from.data;
    Bytes record;
    TW_TRY(build_record(draft, record));
    ParcelHeader header;
    header.lane = lane_;
    header.ledger_id = welcome_->ledger_id;
    header.party = config_.party;
    header.gate = config_.gate;
    header.incarnation = incarnation_;
    header.number = welcome_->accepted_head + 1;
    header.previous_root = welcome_->accepted_root;
    header.sent_unix_ns = system_clock().wall_unix_ns();
    const ByteView one(record);
    return trust::seal_parcel(header, {&one, 1}, papers_.signing, Compression::kLz4);
  }

  const gate::GatePapers& papers_;
  const gate::GateConfig& config_;
  const Lane lane_;
  const Uuid incarnation_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<link::Welcome> welcome_;
  std::optional<link::Ack> ack_;
  std::string why_;
  std::unique_ptr<link::GateLink> link_;
};

struct Papers {
  gate::GateConfig config;
  gate::GatePapers papers;
};
Result<Papers> papers_in(const Path& folder) {
  std::vector<gate::ConfigMistake> mistakes;
  TW_ASSIGN(auto config, gate::GateConfig::load(real_files(), folder / "gate.toml", mistakes));
  TW_ASSIGN(auto papers, gate::GatePapers::load(real_files(), config));
  return Papers{std::move(config), std::move(papers)};
}

constexpr std::size_t kSender = 1, kReceiver = 2, kProbe = 3;  // of Site::all_gates()

/// Both answer, and 荣昌's lines to the hub are open.
Status wait_for_gates(storm::Site& site) {
  const auto end = Steady::now() + 120s;
  while (!site.inbox_records(kReceiver) || site.open_lines(kSender) != 2) {
    if (Steady::now() > end) return Error{Code::kUnavailable, "the gates do not come back"};
    std::this_thread::sleep_for(20ms);
  }
  return {};
}

/// 荣昌 sends until 泸县's inbox has `count` more.
Status fill(storm::Site& site, std::size_t from, std::size_t count) {
  Load load(from);
  TW_ASSIGN(auto client, link::BlockingLocalClient::connect(site.gate_folder(kSender) / "state/run/routine.sock",
                                                            link::LocalRole::kPerson, 10s));
  const auto settle = [&](std::size_t drafts) -> Status {
    link::LocalSettled settled;
    for (std::size_t answered = 0; answered < drafts;) {
      TW_ASSIGN(const auto frame, client.next(60s));
      if (frame.type != link::LocalType::kSettled) continue;
      TW_TRY(link::LocalSettled::decode(frame.body, settled));
      for (const auto& one : settled.settled)
        if (one.answer != link::Answer::kAccepted) return Error{one.code, "a record was not accepted"};
      answered += settled.settled.size();
    }
    return {};
  };
  constexpr std::size_t kBatch = 250, kOpen = 16;
  std::size_t open = 0;
  for (std::size_t sent = 0; sent < count; sent += kBatch) {
    TW_TRY(client.send(load.routine(kBatch)));
    if (++open < kOpen) continue;
    TW_TRY(settle(kBatch));
    --open;
  }
  TW_TRY(settle(open * kBatch));
  const auto end = Steady::now() + 300s;
  for (;;) {
    const auto held = site.inbox_records(kReceiver);
    if (held && (*held)[0] >= from + count) return {};
    if (Steady::now() > end) return Error{Code::kUnavailable, "the records do not arrive"};
    std::this_thread::sleep_for(50ms);
  }
}

double mib_below(const Path& folder) {
  double bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += static_cast<double>(entry.file_size());
  return bytes / (1 << 20);
}

/// Nothing of these files is in the system's cache any more.
void make_cold(const Path& folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const int fd = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    (void)::fdatasync(fd);
    (void)::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::close(fd);
  }
}

/// Until somebody listens at the port: ZeroMQ's own pauses between attempts are not the hub's.
void wait_for_listener(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const auto end = Steady::now() + 120s;
  for (bool open = false; !open && Steady::now() < end;) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    open = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    if (!open) std::this_thread::sleep_for(1ms);
  }
}

struct Start {
  double listening_ms = 0, welcome_ms = 0, acknowledged_ms = 0;
  Memory memory;
};

/// The hub does not run. From the start of its process on.
Result<Start> start_hub(storm::Site& site, const Papers& probe) {
  Loop loop("probe");
  loop.start();
  Start out;
  storm::Machine& hub = site.machines()[0];
  const auto begin = Steady::now();
  TW_TRY(hub.start());
  wait_for_listener(site.port());
  out.listening_ms = ms_since(begin);
  Peer peer(loop, probe.papers, probe.config, "127.0.0.1:" + std::to_string(site.port()), Lane::kRoutine);
  TW_TRY(peer.wait_for_welcome());
  out.welcome_ms = ms_since(begin);
  TW_TRY(peer.record(loop));
  out.acknowledged_ms = ms_since(begin);
  std::this_thread::sleep_for(300ms);  // what a start begins in the background is done
  out.memory = memory_of(hub.pid());
  return out;
}

}  // namespace

Status measure_restart(const RestartOptions& options) {
  TempFolder folder;
  storm::Site::Layout layout;
  layout.more = {{"probe", "500153", "gate-2", false}};
  TW_ASSIGN(const auto site, storm::Site::set_up(folder.path(), options.programs, layout));
  site->machines()[kProbe + 1].kill();
  site->machines()[1].kill();  // 大足 has nothing to do with it
  TW_ASSIGN(const Papers probe, papers_in(site->gate_folder(kProbe)));
  json all = json::array();
  if (!options.json)
    std::cout << fmt::format("{:>11} {:>9} {:>9} {:>10} | {:>9} {:>9} {:>12} {:>15} {:>9} | {:>8} {:>8} {:>8}\n",
                             "records", "ledger", "last seg.", "hub before", "listens", "HELLO", "record", "spread",
                             "cold", "VmRSS", "anon.", "peak")
              << fmt::format("{:>11} {:>9} {:>9} {:>10} | {:>9} {:>9} {:>12} {:>15} {:>9} | {:>8} {:>8} {:>8}\n",
                             "stored", "MiB", "MiB", "MiB anon.", "ms", "ms", "on disk, ms", "ms", "ms", "MiB", "MiB",
                             "MiB");
  std::size_t stored = 0;
  for (const std::size_t wanted : options.records) {
    for (const std::size_t gate : {kSender, kReceiver})
      if (!site->machines()[gate + 1].runs()) TW_TRY(site->machines()[gate + 1].start());
    TW_TRY(wait_for_gates(*site));
    const auto begin = Steady::now();
    TW_TRY(fill(*site, stored, wanted - stored));
    std::cerr << fmt::format("{} records stored, {:.0f} s for the last {}\n", wanted, ms_since(begin) / 1000,
                             wanted - stored);
    stored = wanted;
    for (const std::size_t gate : {kSender, kReceiver}) site->machines()[gate + 1].kill();
    storm::Machine& hub = site->machines()[0];
    const Memory before = memory_of(hub.pid());
    const Path ledger = site->hub_folder() / "state/ledger/routine";
    Path newest;
    for (const auto& entry : std::filesystem::directory_iterator(ledger))
      if (entry.path().extension() == ".seg") newest = std::max(newest, entry.path());
    std::vector<double> listening, welcome, acknowledged;
    Start last;
    for (int run = 0; run < options.runs; ++run) {
      hub.kill();
      TW_ASSIGN(last, start_hub(*site, probe));
      listening.push_back(last.listening_ms);
      welcome.push_back(last.welcome_ms);
      acknowledged.push_back(last.acknowledged_ms);
    }
    hub.kill();
    make_cold(site->hub_folder());
    TW_ASSIGN(const Start cold, start_hub(*site, probe));
    const double mib = mib_below(ledger), active = static_cast<double>(std::filesystem::file_size(newest)) / (1 << 20);
    all.push_back({{"records", wanted},
                   {"ledger_mib", mib},
                   {"last_segment_mib", active},
                   {"before_anonymous_mib", before.anonymous},
                   {"before_peak_mib", before.peak},
                   {"listening_ms", listening},
                   {"welcome_ms", welcome},
                   {"acknowledged_ms", acknowledged},
                   {"cold_ms", cold.acknowledged_ms},
                   {"resident_mib", last.memory.resident},
                   {"anonymous_mib", last.memory.anonymous},
                   {"peak_mib", last.memory.peak}});
    if (!options.json)
      std::cout
          << fmt::format(
                 "{:>11} {:>9.0f} {:>9.1f} {:>10.1f} | {:>9.0f} {:>9.0f} {:>12.0f} {:>15} {:>9.0f} | {:>8.1f} {:>8.1f} "
                 "{:>8.1f}\n",
                 wanted, mib, active, before.anonymous, median(listening), median(welcome), median(acknowledged),
                 fmt::format("{:.0f} to {:.0f}", *std::ranges::min_element(acknowledged),
                             *std::ranges::max_element(acknowledged)),
                 cold.acknowledged_ms, last.memory.resident, last.memory.anonymous, last.memory.peak)
          << std::flush;
  }
  if (options.json) std::cout << all.dump() << '\n';
  return {};
}

Status measure_idle_gates(const Path& programs, std::size_t gates, bool as_json) {
  TempFolder folder;
  TW_ASSIGN(const auto site, storm::Site::set_up(folder.path(), programs));
  for (std::size_t gate = 1; gate < site->machines().size(); ++gate) site->machines()[gate].kill();
  std::vector<std::unique_ptr<Papers>> papers;
  const Path identity = site->gate_folder(0) / "identity.key";
  for (std::size_t i = 0; i < gates; ++i) {
    app::NewGate wanted;
    wanted.folder = folder.path() / fmt::format("idle-{}", i);
    wanted.party = "500111";
    wanted.gate = fmt::format("idle-{}", i);
    wanted.identity = identity;
    wanted.card = site->hub_folder() / "hub.card";
    wanted.receives = false;
    TW_ASSIGN(const app::CreatedGate made, app::create_gate(system_clock(), wanted));
    TW_ASSIGN(const Bytes document, read_file(real_files(), made.enrolment, 65536));
    const json request{{"cmd", "party_add"},
                       {"document", std::string(as_text(document))},
                       {"fingerprint", trust::fingerprint_text(made.certificate.identity.fingerprint())}};
    TW_ASSIGN(const std::string answer, site->ask_hub(request.dump()));
    TW_ASSIGN(Papers one, papers_in(wanted.folder));
    papers.push_back(std::make_unique<Papers>(std::move(one)));
  }
  Loop loop("idle");
  loop.start();
  std::vector<std::unique_ptr<Peer>> peers;
  const auto connect = [&](std::size_t first, std::size_t last) -> Status {
    for (std::size_t i = first; i < last; ++i)
      for (const Lane lane : {Lane::kRoutine, Lane::kUrgent})
        peers.push_back(std::make_unique<Peer>(
            loop, papers[i]->papers, papers[i]->config,
            "127.0.0.1:" + std::to_string(site->port() + (lane == Lane::kUrgent ? 1 : 0)), lane));
    for (const auto& peer : peers) TW_TRY(peer->wait_for_welcome());
    std::this_thread::sleep_for(12s);  // two heartbeats
    return {};
  };
  const std::size_t some = std::min<std::size_t>(10, gates / 2);
  TW_TRY(connect(0, some));  // what the first ones make the hub take is not theirs
  const Memory before = memory_of(site->machines()[0].pid());
  TW_TRY(connect(some, gates));
  const Memory after = memory_of(site->machines()[0].pid());
  const double each = (after.anonymous - before.anonymous) * 1024 / static_cast<double>(gates - some);
  if (as_json)
    std::cout << json{{"gates", gates}, {"kib_per_gate", each}, {"anonymous_mib", after.anonymous}}.dump() << '\n';
  else
    std::cout << fmt::format(
        "{} idle gates, two lanes each: {:.0f} KiB of the hub's memory a gate; in all {:.1f} MiB "
        "resident, {:.1f} MiB anonymous\n",
        gates, each, after.resident, after.anonymous);
  return {};
}

}  // namespace thalweg::bench
