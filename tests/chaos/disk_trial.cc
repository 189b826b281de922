// disk_trial.cc: the site, the watch over it and the account. What is broken is in disk_cases.cc.
#include "chaos/disk_trial.h"

#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "link/local_socket.h"
#include "storm/reading.h"
#include "storm/station.h"

namespace thalweg::chaos {

using nlohmann::json;
using storm::Machine;
using storm::Site;
using storm::SteadyClock;

namespace {

constexpr double kBack_s = 40;      // a gate tries again every 5 s, after a start up to 10, and goes on from there
constexpr double kPatience_s = 60;  // for the rest at the end

bool shell(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

/// Puts the folder on a disk of its own: a real file system (ext4) in a file. False where that is not allowed.
bool small_disk(const Path& image, const Path& folder) {
  const std::string file = image.string(), at = folder.string();
  if (::getuid() != 0 || !shell("truncate -s 256M '" + file + "' && mkfs.ext4 -q -F -m 0 '" + file + "'")) return false;
  const std::string aside = at + ".aside";
  std::filesystem::rename(folder, aside);
  std::filesystem::create_directory(folder);
  const bool mounted = shell("mount -o loop,errors=remount-ro '" + file + "' '" + at + "'");
  std::filesystem::copy(aside, folder, std::filesystem::copy_options::recursive);
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  return mounted;
}

double since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

}  // namespace

bool DiskTrial::repair_small_disk() {
  const std::string at = state(0).string(), image = (options_.folder / "hub.disk-image").string();
  (void)shell("umount '" + at + "'");
  (void)shell("e2fsck -p -f '" + image + "'");  // its code is 1 when it mended something
  return shell("mount -o loop,errors=remount-ro '" + image + "' '" + at + "'");
}

DiskTrial::~DiskTrial() {
  for (Sender& sender : senders_) sender.origin->stop();
  site_.reset();
  if (on_small_disk_ && ::umount2((options_.folder / "hub" / "state").c_str(), 0) != 0)
    std::fprintf(stderr, "disks: the hub's disk is still mounted below %s\n", options_.folder.c_str());
}

void DiskTrial::complain(const std::string& what) {
  std::fprintf(stderr, "disks: %s\n", what.c_str());
  ++complaints_;
}

bool DiskTrial::set_up() {
  for (const char* name : {"hub", "dazu", "rongchang", "luxian"})
    switches_.emplace_back(options_.folder / (std::string(name) + ".disk"));
  const auto number = [](const std::string& name) -> std::size_t {
    if (name == "hub") return 0;
    for (std::size_t i = 0; i < Site::gates().size(); ++i)
      if (Site::gates()[i].name == name) return i + 1;
    return 0;
  };
  Site::Layout layout;
  layout.variables = [&](const std::string& name) {
    if (name == "hub")
      on_small_disk_ = small_disk(options_.folder / "hub.disk-image", options_.folder / "hub" / "state");
    return switches_[number(name)].variables(options_.programs / "thalweg-bad-disk.so");
  };
  auto site = Site::set_up(options_.folder, options_.programs, std::move(layout));
  if (!site) {
    complain("setting up: " + site.error().message);
    return false;
  }
  site_ = *std::move(site);
  const std::vector<std::tuple<std::size_t, Lane, std::vector<std::size_t>>> flows{
      {kDazu, Lane::kRoutine, {kRongchang}},
      {kRongchang, Lane::kRoutine, {kDazu, kLuxian}},
      {kRongchang, Lane::kUrgent, {kLuxian}}};
  for (const auto& [from, lane, to] : flows) {
    auto settings = storm::station(Site::gates()[from].name + "-" + std::string(name(lane)), site_->gate_folder(from),
                                   lane, from == kDazu);
    settings.records = 1'000'000'000;
    settings.batch_most = 50;
    senders_.push_back({from, lane, to, std::make_unique<storm::Origin>(std::move(settings))});
    senders_.back().origin->start();
    due_.push_back(0);
  }
  last_pass_ = SteadyClock::now();
  return true;
}

void DiskTrial::watch() {
  std::string how;
  for (std::size_t i = 0; i < site_->machines().size(); ++i) {
    Machine& one = machine(i);
    if (one.ended_by_itself(how)) {
      last_end_ = how;
      if (i != may_end_) complain(one.name() + " ended by itself: " + how + "; see " + one.log().string());
      start_at_[i] = SteadyClock::now() + std::chrono::seconds(1);
    }
    if (const auto at = start_at_.find(i); at != start_at_.end() && SteadyClock::now() >= at->second) {
      start_at_.erase(at);
      ++starts_;
      if (const Status started = one.start(); !started) complain(one.name() + ": " + started.error().message);
    }
  }
}

bool DiskTrial::pass(double seconds, const std::function<bool()>& until) {
  const auto begin = SteadyClock::now();
  for (;;) {
    watch();
    const double step = since(last_pass_);
    last_pass_ = SteadyClock::now();
    for (std::size_t i = 0; i < senders_.size(); ++i) {
      if (!sending_) continue;
      due_[i] += step * (senders_[i].lane == Lane::kUrgent ? options_.rate / 20 : options_.rate);
      senders_[i].origin->release(static_cast<std::uint64_t>(due_[i]));
    }
    if (until && until()) return true;
    if (since(begin) > seconds) return !until;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::uint64_t DiskTrial::grown(std::uint64_t before, const std::function<std::uint64_t()>& figure,
                               const std::string& if_not) {
  pass(2);
  if (!pass(kSaid_s, [&] { return figure() > before; })) complain(if_not);
  return figure() - before;
}

bool DiskTrial::expect(double seconds, const std::function<bool()>& until, const std::string& what) {
  const bool yes = pass(seconds, until);
  if (!yes) complain(fmt::format("{}: not within {} s", what, seconds));
  return yes;
}

std::pair<Code, std::string> DiskTrial::line_of(std::size_t gate, Lane lane) {
  const auto answer = site_->ask_gate(gate, R"({"cmd":"status"})");
  if (!answer) return {Code::kUnavailable, answer.error().message};
  const json status = json::parse(*answer);
  for (const json& one : status["lanes"])
    if (one["lane"] == std::string(name(lane)))
      return {static_cast<Code>(one["link"]["code"].get<int>()), one["link"]["problem"].get<std::string>()};
  return {Code::kNotFound, {}};
}

std::string DiskTrial::refusal(std::size_t gate, Lane lane, Code& code) {
  const auto settings = storm::station("question", site_->gate_folder(gate), lane, gate == kDazu);
  auto client = link::BlockingLocalClient::connect(settings.socket);
  if (!client) return client.error().message;
  const std::string key = fmt::format("question-{}", SteadyClock::now().time_since_epoch().count());
  const std::string data = settings.data(0);
  link::LocalDraft draft;
  draft.lane = lane;
  draft.type = settings.type;
  draft.subject = settings.subject;
  draft.time = "2026-09-23T06:00:00+08:00";
  draft.origin_key = key;
  draft.data = data;
  link::LocalSubmit submit;
  submit.drafts.push_back(draft);
  Bytes frame;
  submit.encode(frame);
  if (!client->send(frame)) return "not sent";
  auto came = client->next(std::chrono::seconds(5));
  link::LocalSettled settled;
  if (!came || !link::LocalSettled::decode(came->body, settled) || settled.settled.size() != 1) return "no answer";
  if (settled.settled[0].answer == link::Answer::kAccepted) return "accepted";
  code = settled.settled[0].code;
  return std::string(settled.settled[0].reason);
}

std::uint64_t DiskTrial::in_inbox(std::size_t gate, Lane lane) {
  const auto records = site_->inbox_records(gate);
  return records ? (*records)[static_cast<std::size_t>(lane)] : 0;
}

void DiskTrial::all_back(Row& row) {
  const auto begin = SteadyClock::now();
  std::map<std::pair<std::size_t, Lane>, std::uint64_t> wanted;
  for (const Sender& sender : senders_)
    for (const std::size_t gate : sender.to) wanted[{gate, sender.lane}] += sender.origin->accepted_count();
  const bool back = pass(kBack_s, [&] {
    return start_at_.empty() && std::all_of(wanted.begin(), wanted.end(), [&](const auto& one) {
             return in_inbox(one.first.first, one.first.second) >= one.second;
           });
  });
  if (back)
    row.back_s = since(begin);
  else
    complain(fmt::format("{}: what waited is not in the inboxes {} s after the fault was gone", row.fault, kBack_s));
  may_end_ = SIZE_MAX;
  row.starts = std::exchange(starts_, 0);
  rows_.push_back(row);
  std::printf("%-34s %-74s %-42s back after %4.1f s, %d starts\n", row.fault.c_str(), row.said.c_str(),
              row.went_on.c_str(), row.back_s, row.starts);
}

int DiskTrial::run() {
  if (!set_up()) return 1;
  Row nothing{"nothing", "", "", -1, 0};
  pass(1);
  all_back(nothing);
  struct Case {
    const char* name;
    bool in_brief;
    std::function<void()> run;
  };
  const std::vector<Case> cases{
      {"hub-write", true, [&] { hub_writes("hub: EIO on write", EIO, Code::kIo); }},
      {"hub-full", false, [&] { hub_writes("hub: ENOSPC on write", ENOSPC, Code::kDiskFull); }},
      {"hub-read-only", false, [&] { hub_writes("hub: EROFS on write and open", EROFS, Code::kIo); }},
      {"hub-sync", true, [&] { hub_syncs(); }},
      {"hub-read", true, [&] { hub_reads(); }},
      {"hub-reserve", true, [&] { hub_disk_full(); }},
      {"hub-remount", false, [&] { hub_remounted(); }},
      {"hub-memory", false, [&] { hub_memory(); }},
      {"hub-descriptors", false, [&] { hub_descriptors(); }},
      {"outbox-write", true, [&] { outbox_writes("outbox: EIO on write", EIO, Code::kIo); }},
      {"outbox-full", false, [&] { outbox_writes("outbox: ENOSPC on write", ENOSPC, Code::kDiskFull); }},
      {"outbox-sync", false, [&] { gate_syncs("outbox"); }},
      {"outbox-read", false, [&] { outbox_reads(); }},
      {"inbox-write", true, [&] { inbox_writes(); }},
      {"inbox-sync", false, [&] { gate_syncs("inbox"); }},
  };
  for (const Case& one : cases)
    if (options_.only.empty() ? !options_.brief || one.in_brief : options_.only == one.name) one.run();
  account();
  return complaints_ == 0 && found_.content() ? 0 : 1;
}

void DiskTrial::account() {
  sending_ = false;
  for (Sender& sender : senders_) sender.origin->close();
  expect(
      kPatience_s,
      [&] { return std::all_of(senders_.begin(), senders_.end(), [](const Sender& s) { return s.origin->done(); }); },
      "every record is accepted");
  Row end{"the end", "", "", -1, 0};
  all_back(end);
  pass(0.5);  // what would come twice has the time to do so
  std::string told;
  for (Sender& sender : senders_) {
    sender.origin->stop();
    if (!sender.origin->failed().empty()) complain(sender.origin->failed());
    told += (told.empty() ? "" : " + ") + std::to_string(sender.origin->accepted_count());
  }
  for (Machine& one : site_->machines())
    if (const auto status = one.stop(20); !status || *status != 0)
      complain(one.name() + " did not end well: " + (status ? std::to_string(*status) : "not at all"));
  for (std::size_t gate = 0; gate < Site::gates().size(); ++gate) {
    for (const Lane lane : {Lane::kRoutine, Lane::kUrgent}) {
      auto inbox = storm::read_inbox(site_->gate_folder(gate), lane);
      if (!inbox) {
        complain(Site::gates()[gate].name + ": " + inbox.error().message);
        continue;
      }
      for (const Sender& sender : senders_) {
        if (sender.lane != lane || std::find(sender.to.begin(), sender.to.end(), gate) == sender.to.end()) continue;
        const std::string& party = Site::gates()[sender.from].party;
        found_ += storm::compare(sender.origin->accepted(), (*inbox)[party]);
        inbox->erase(party);
      }
      inbox->erase(site_->card().hub);
      for (const auto& [party, records] : *inbox) found_ += storm::compare({}, records);  // nobody sends these
      for (const char* box : {"outbox", "inbox"})
        if (const Status good = storm::verify_log(state(gate + 1) / box / std::string(name(lane)), nullptr); !good)
          complain(good.error().message);
    }
  }
  for (const Lane lane : {Lane::kRoutine, Lane::kUrgent})
    if (const Status good = storm::verify_log(state(0) / "ledger" / std::string(name(lane)), &site_->card().signing);
        !good)
      complain(good.error().message);
  for (const std::string& example : found_.examples) std::fprintf(stderr, "disks: %s\n", example.c_str());
  std::printf("accepted %s, lost %llu, doubled %llu, out of order %llu, foreign %llu, %d complaints\n", told.c_str(),
              static_cast<unsigned long long>(found_.lost), static_cast<unsigned long long>(found_.doubled),
              static_cast<unsigned long long>(found_.out_of_order), static_cast<unsigned long long>(found_.foreign),
              complaints_);
}

}  // namespace thalweg::chaos
