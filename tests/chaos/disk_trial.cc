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
#include "storm/station.h"

namespace thalweg::chaos {

using nlohmann::json;
using storm::Machine;
using storm::Site;
using storm::SteadyClock;

namespace {

constexpr double kBack_s = 40;  // a gate tries again every 5 s, after a start up to 10, and goes on from there

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
  const std::string at = state(0).string(), image = (options_.trial.folder / "hub.disk-image").string();
  (void)shell("umount '" + at + "'");
  (void)shell("e2fsck -p -f '" + image + "'");  // its code is 1 when it mended something
  return shell("mount -o loop,errors=remount-ro '" + image + "' '" + at + "'");
}

void DiskTrial::leave_small_disk() {
  if (!std::exchange(on_small_disk_, false)) return;
  if (::umount2((options_.trial.folder / "hub" / "state").c_str(), 0) != 0)
    complain("the hub's disk is still mounted below " + options_.trial.folder.string());
}

DiskTrial::~DiskTrial() {
  if (!on_small_disk_) return;
  for (Machine& one : site().machines()) one.kill();
  leave_small_disk();
}

bool DiskTrial::set_up() {
  for (const char* name : {"hub", "dazu", "rongchang", "luxian"})
    switches_.emplace_back(options_.trial.folder / (std::string(name) + ".disk"));
  const auto number = [](const std::string& name) -> std::size_t {
    if (name == "hub") return 0;
    for (std::size_t i = 0; i < Site::gates().size(); ++i)
      if (Site::gates()[i].name == name) return i + 1;
    return 0;
  };
  Site::Layout layout;
  layout.variables = [&](const std::string& name) {
    if (name == "hub")
      on_small_disk_ = small_disk(options_.trial.folder / "hub.disk-image", options_.trial.folder / "hub" / "state");
    return switches_[number(name)].variables(options_.trial.programs / "thalweg-bad-disk.so");
  };
  if (!Trial::set_up(std::move(layout))) return false;
  constexpr std::uint64_t kEndless = 1'000'000'000, kBatchMost = 50;
  for (const storm::Flow& flow : storm::both_ways()) add(flow, kEndless, 0, kBatchMost);
  due_.resize(origins());
  last_pass_ = SteadyClock::now();
  return true;
}

void DiskTrial::supervise() {
  std::string how;
  for (std::size_t i = 0; i < site().machines().size(); ++i) {
    Machine& one = machine(i);
    if (one.ended_by_itself(how)) {
      last_end_ = how;
      if (i != may_end_) complain(one.name() + " ended by itself: " + how + "; see " + one.log().string());
      start_at_[i] = SteadyClock::now() + std::chrono::seconds(1);
    }
    if (const auto at = start_at_.find(i); at != start_at_.end() && SteadyClock::now() >= at->second) {
      start_at_.erase(at);
      ++starts_;
      start(one);
    }
  }
}

bool DiskTrial::pass(double seconds, const std::function<bool()>& until) {
  const auto begin = SteadyClock::now();
  for (;;) {
    supervise();
    const double step = since(last_pass_);
    last_pass_ = SteadyClock::now();
    for (std::size_t i = 0; sending_ && i < origins(); ++i) {
      due_[i] += step * (flow(i).lane == Lane::kUrgent ? options_.rate / 20 : options_.rate);
      origin(i).release(static_cast<std::uint64_t>(due_[i]));
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
  const auto answer = site().ask_gate(gate, R"({"cmd":"status"})");
  if (!answer) return {Code::kUnavailable, answer.error().message};
  const json status = json::parse(*answer);
  for (const json& one : status["lanes"])
    if (one["lane"] == std::string(name(lane)))
      return {static_cast<Code>(one["link"]["code"].get<int>()), one["link"]["problem"].get<std::string>()};
  return {Code::kNotFound, {}};
}

std::string DiskTrial::refusal(std::size_t gate, Lane lane, Code& code) {
  const auto settings = storm::station("question", site().gate_folder(gate), lane, gate == kDazu);
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
  const auto records = site().inbox_records(gate);
  return records ? (*records)[static_cast<std::size_t>(lane)] : 0;
}

void DiskTrial::all_back(Row& row) {
  const auto begin = SteadyClock::now();
  std::vector<std::uint64_t> wanted;
  for (std::size_t i = 0; i < origins(); ++i) wanted.push_back(accepted(i));
  const bool back =
      pass(kBack_s, [&] { return start_at_.empty() && arrived([&](std::size_t i) { return wanted[i]; }); });
  if (back)
    row.back_s = since(begin);
  else
    complain(fmt::format("{}: what waited is not in the inboxes {} s after the fault was gone", row.fault, kBack_s));
  may_end_ = SIZE_MAX;
  row.starts = std::exchange(starts_, 0);
  std::printf("%-34s %-74s %-42s back after %4.1f s, %d starts\n", row.fault.c_str(), row.said.c_str(),
              row.went_on.c_str(), row.back_s, row.starts);
}

int DiskTrial::run() {
  if (!set_up()) return conclude();
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
  std::string names;
  int ran = 0;
  for (const Case& one : cases) {
    names += names.empty() ? one.name : std::string(", ") + one.name;
    if (options_.only.empty() ? options_.brief && !one.in_brief : options_.only != one.name) continue;
    one.run();
    ++ran;
  }
  if (ran == 0) complain("no fault is called " + options_.only + "; there are: " + names);
  sending_ = false;
  for (std::size_t i = 0; i < origins(); ++i) origin(i).close();
  Row end{"the end", "", "", -1, 0};
  all_back(end);
  finish();
  leave_small_disk();
  std::printf("%s, %zu complaints\n", account().c_str(), complaints().size());
  return conclude();
}

}  // namespace thalweg::chaos
