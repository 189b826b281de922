// disk_cases.cc: the faults of disk_trial.h, one by one: what is broken, what must be said, what must go on meanwhile.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "chaos/disk_trial.h"

namespace thalweg::chaos {
namespace {

/// A figure of /proc/PID/status in bytes.
std::uint64_t figure(pid_t pid, const std::string& name) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1)) * 1024;
  return 0;
}

std::size_t descriptors(pid_t pid) {
  std::size_t count = 0;
  std::error_code ignored;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid), ignored))
    ++count;
  return count;
}

}  // namespace

// Stations are acknowledged by their gates all the time, the hub refuses with the reason, and goes on by itself.
void DiskTrial::hub_writes(const std::string& fault, int error, Code code) {
  Row row{fault, {}, {}, -1, 0};
  switches_[0].fail({.on_write = error}, state(0));
  expect(
      kSaid_s, [&] { return line_of(kRongchang, Lane::kRoutine).first == code; }, fault + ": the sender is told");
  row.said = fmt::format("code {}: {}", static_cast<int>(code), line_of(kRongchang, Lane::kRoutine).second);
  const auto before = accepted(kRoutineReadings);
  row.went_on =
      fmt::format("{} readings acknowledged by the gate",
                  grown(
                      before, [&] { return accepted(kRoutineReadings); }, fault + ": stations are not acknowledged"));
  if (!site().ask_hub(R"({"cmd":"status"})")) complain(fault + ": the hub does not answer an operator");
  if (switches_[0].hits() == 0) complain(fault + ": nothing failed");
  switches_[0].mend();
  all_back(row);
}

// After a failed sync nobody knows what is on the disk: the hub ends, and a new start reads and writes it anew.
void DiskTrial::hub_syncs() {
  Row row{"hub: EIO on sync", {}, {}, -1, 0};
  may_end(0);
  last_end_.clear();
  switches_[0].fail({.on_sync = EIO}, state(0) / "ledger" / "routine");
  expect(
      kSaid_s, [&] { return !last_end_.empty(); }, "hub: EIO on sync: it ends");
  const auto before = accepted(kRoutineReadings);
  pass(2.5);
  row.said = fmt::format("ended with {}, and again at {} starts while it lasts", last_end_, starts_);
  row.went_on = fmt::format("{} readings acknowledged by the gate", accepted(kRoutineReadings) - before);
  if (last_end_ != "exit status 74") complain("hub: EIO on sync: it ended with " + last_end_);
  switches_[0].mend();
  all_back(row);
}

// Who was away reads from the disk, which fails; who is there is served from memory. Nothing new is sent when the disk
// is well again: the hub goes on by itself.
void DiskTrial::hub_reads() {
  Row row{"hub: EIO on read", {}, {}, -1, 0};
  (void)machine(kLuxian + 1).stop(20);
  pass(1.5);
  machine(0).kill();  // what it had in memory is gone
  start(machine(0));
  expect(
      kSaid_s, [&] { return site().open_lines(kDazu) == 2 && site().open_lines(kRongchang) == 2; }, "lines are back");
  pass(1);
  switches_[0].fail({.on_read = EIO}, state(0));
  start(machine(kLuxian + 1));
  expect(
      kSaid_s, [&] { return switches_[0].hits() > 0; }, "hub: EIO on read: 泸县 is served from the disk");
  const auto others = in_inbox(kRongchang, Lane::kRoutine);
  row.said = "nothing to senders; log: deliveries stand still: reading …";
  row.went_on = fmt::format("{} records came to 荣昌", grown(
                                                           others, [&] { return in_inbox(kRongchang, Lane::kRoutine); },
                                                           "hub: EIO on read: others are not served"));
  sending_ = false;
  pass(1);
  switches_[0].mend();
  all_back(row);
  sending_ = true;
}

// The reserve is for urgent records and settlements; when that is used up too, all is refused. On a disk of its own.
void DiskTrial::hub_disk_full() {
  const Path disk = state(0), ballast = disk / "ballast";
  Row row{"hub: disk full to the reserve", {}, {}, -1, 0};
  if (!on_small_disk_) {
    std::printf("%-34s not tried: mounting a small disk needs root, and ext4\n", row.fault.c_str());
    return;
  }
  const auto fill = [&](double leave) {
    const int fd = ::open(ballast.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    struct statvfs info {};
    // In smaller and smaller pieces: the file system needs some for itself, and the hub takes some meanwhile.
    for (std::uint64_t most = UINT64_MAX; most >= 4096; most /= 2) {
      if (::statvfs(disk.c_str(), &info) != 0) return complain("the disk cannot be asked");
      const auto left = static_cast<std::uint64_t>(static_cast<double>(info.f_blocks * info.f_frsize) * leave);
      const std::uint64_t room = info.f_bavail * info.f_frsize;
      most = std::min(most, room > left ? room - left : 0);
      if (most > 0 && ::posix_fallocate(fd, ::lseek(fd, 0, SEEK_END), static_cast<off_t>(most)) == 0) most *= 2;
    }
    ::close(fd);
  };
  fill(0.045);
  expect(
      kSaid_s, [&] { return line_of(kRongchang, Lane::kRoutine).first == Code::kDiskFull; }, row.fault);
  row.said = fmt::format("code {}: {}", static_cast<int>(Code::kDiskFull), line_of(kRongchang, Lane::kRoutine).second);
  const auto urgent = in_inbox(kLuxian, Lane::kUrgent);
  row.went_on = fmt::format("{} warnings came to 泸县", grown(
                                                            urgent, [&] { return in_inbox(kLuxian, Lane::kUrgent); },
                                                            row.fault + ": warnings do not go through"));
  std::filesystem::remove(ballast);
  all_back(row);
  if (options_.brief) return;

  Row full{"hub: disk full to the last byte", {}, {}, -1, 0};
  fill(0);
  due_[kWarnings] += 2'000;  // the log has some room of its own, filled ahead
  expect(
      kSaid_s, [&] { return line_of(kRongchang, Lane::kUrgent).first == Code::kDiskFull; }, full.fault);
  full.said = fmt::format("code {}: {}", static_cast<int>(Code::kDiskFull), line_of(kRongchang, Lane::kUrgent).second);
  const auto before = accepted(kWarnings);
  pass(2);
  full.went_on = fmt::format("{} warnings acknowledged by the gate", accepted(kWarnings) - before);
  std::filesystem::remove(ballast);
  all_back(full);
}

// The kernel makes the file system read-only, as it does when the disk fails below it, and lets nobody write until it
// was unmounted and checked. Acknowledged is what was synced before.
void DiskTrial::hub_remounted() {
  Row row{"hub: file system turned read-only", {}, {}, -1, 0};
  struct stat info {};
  Path trigger;
  if (on_small_disk_ && ::stat(state(0).c_str(), &info) == 0)
    trigger = fmt::format("/sys/fs/ext4/loop{}/trigger_fs_error", minor(info.st_dev));
  if (!std::filesystem::exists(trigger)) {
    std::printf("%-34s not tried: mounting a small disk needs root, and ext4\n", row.fault.c_str());
    return;
  }
  may_end(0);
  std::ofstream(trigger) << "1" << std::flush;
  expect(
      kSaid_s, [&] { return line_of(kRongchang, Lane::kRoutine).first == Code::kIo || !start_at_.empty(); },
      row.fault + ": the sender is told");
  row.said = fmt::format("code {}: {}", static_cast<int>(Code::kIo), line_of(kRongchang, Lane::kRoutine).second);
  const auto before = accepted(kRoutineReadings);
  row.went_on = fmt::format(
      "{} readings acknowledged by the gate",
      grown(
          before, [&] { return accepted(kRoutineReadings); }, row.fault + ": stations are not acknowledged"));
  (void)machine(0).stop(20);
  start_at_.erase(0);
  if (!repair_small_disk()) complain(row.fault + ": the disk cannot be mounted again");
  start(machine(0));
  ++starts_;
  all_back(row);
}

// Hardly more memory than it has, and everybody presses: it ends at the first allocation that fails, and the next start
// goes on from what was synced.
void DiskTrial::hub_memory() {
  Row row{"hub: no more memory", {}, {}, -1, 0};
  may_end(0);
  last_end_.clear();
  const rlim_t most = figure(machine(0).pid(), "VmData") + (1u << 20);
  const rlimit limit{most, most};
  if (::prlimit(machine(0).pid(), RLIMIT_DATA, &limit, nullptr) != 0) complain("no limit of memory");
  // 大足 comes anew, with a session's buffers, and the stations press.
  machine(kDazu + 1).kill();
  start(machine(kDazu + 1));
  for (double& due : due_) due += 20'000;
  const auto before = accepted(kRoutineReadings);
  const bool ended = pass(6, [&] { return !last_end_.empty(); });
  row.said = ended ? "ended with " + last_end_ : "went on within it";
  pass(1.5);
  row.went_on = fmt::format("{} readings acknowledged by the gate", accepted(kRoutineReadings) - before);
  if (!ended) {
    machine(0).kill();
    start(machine(0));
  }
  all_back(row);
}

// Not one descriptor more than are open: lines that stand go on, a gate that comes waits, and comes in afterwards.
void DiskTrial::hub_descriptors() {
  Row row{"hub: no more descriptors", {}, {}, -1, 0};
  rlimit before{};
  const auto open = static_cast<rlim_t>(descriptors(machine(0).pid()));
  (void)::prlimit(machine(0).pid(), RLIMIT_NOFILE, nullptr, &before);
  const rlimit none{open, before.rlim_max};
  (void)::prlimit(machine(0).pid(), RLIMIT_NOFILE, &none, nullptr);
  // Whoever holds a free one takes it: connections that come and are not answered.
  const auto urgent = in_inbox(kLuxian, Lane::kUrgent);
  row.went_on = fmt::format("{} warnings came to 泸县", grown(
                                                            urgent, [&] { return in_inbox(kLuxian, Lane::kUrgent); },
                                                            row.fault + ": lines that stand do not go on"));
  machine(kDazu + 1).kill();
  start(machine(kDazu + 1));
  pass(3);
  row.said = "a new session waits";
  (void)::prlimit(machine(0).pid(), RLIMIT_NOFILE, &before, nullptr);
  all_back(row);
}

// The station is told why, what comes in goes on.
void DiskTrial::outbox_writes(const std::string& fault, int error, Code code) {
  Row row{fault, {}, {}, -1, 0};
  switches_[kRongchang + 1].fail({.on_write = error}, state(kRongchang + 1) / "outbox");
  Code answered = Code::kOk;
  std::string said;
  expect(
      kSaid_s,
      [&] {
        said = refusal(kRongchang, Lane::kRoutine, answered);
        return answered == code;
      },
      fault + ": the station is told");
  row.said = fmt::format("code {}: {}", static_cast<int>(answered), said);
  pass(0.5);  // what was answered before is on its way
  const auto before = accepted(kRoutineReadings), came = in_inbox(kRongchang, Lane::kRoutine);
  row.went_on = fmt::format("{} records came in", grown(
                                                      came, [&] { return in_inbox(kRongchang, Lane::kRoutine); },
                                                      fault + ": the inbox stands still"));
  if (accepted(kRoutineReadings) != before) complain(fault + ": records are accepted all the same");
  switches_[kRongchang + 1].mend();
  all_back(row);
}

// Parcels that are only on the disk wait; new ones are acknowledged.
void DiskTrial::outbox_reads() {
  Row row{"outbox: EIO on read", {}, {}, -1, 0};
  machine(0).kill();
  pass(1);
  machine(kRongchang + 1).kill();  // what it had in memory is gone
  start(machine(kRongchang + 1));
  const auto before = accepted(kRoutineReadings);
  expect(
      kSaid_s, [&] { return accepted(kRoutineReadings) > before; }, "荣昌's gate is back");
  switches_[kRongchang + 1].fail({.on_read = EIO}, state(kRongchang + 1) / "outbox");
  start(machine(0));
  expect(
      kSaid_s, [&] { return switches_[kRongchang + 1].hits() > 0; }, row.fault + ": parcels are read");
  const auto then = accepted(kRoutineReadings);
  row.said = "log: parcel N cannot be read: reading …";
  row.went_on = fmt::format("{} readings acknowledged", grown(
                                                            then, [&] { return accepted(kRoutineReadings); },
                                                            row.fault + ": stations are not acknowledged"));
  switches_[kRongchang + 1].mend();
  all_back(row);
}

// The hub keeps what does not come in; others are served.
void DiskTrial::inbox_writes() {
  Row row{"inbox: EIO on write", {}, {}, -1, 0};
  switches_[kLuxian + 1].fail({.on_write = EIO}, state(kLuxian + 1) / "inbox");
  expect(
      kSaid_s, [&] { return switches_[kLuxian + 1].hits() > 0; }, row.fault + ": something is written");
  // A sync of the other lane, or one that was under way, may still end well.
  std::uint64_t here = 0;
  auto still_since = storm::SteadyClock::now();
  expect(
      kSaid_s,
      [&] {
        const auto now = storm::SteadyClock::now();
        if (const auto records = site().inbox_records(kLuxian); !records || (*records)[0] != here) {
          if (records) here = (*records)[0];
          still_since = now;
        }
        return now - still_since >= std::chrono::seconds(1);
      },
      row.fault + ": the inbox stands still");
  const auto others = in_inbox(kDazu, Lane::kRoutine);
  const int hits = switches_[kLuxian + 1].hits();
  pass(3);
  row.said = fmt::format("log; {} calls failed in 3 s", switches_[kLuxian + 1].hits() - hits);
  if (const auto records = site().inbox_records(kLuxian); records && (*records)[0] != here)
    complain(row.fault + ": records came in all the same");
  row.went_on = fmt::format("{} records came to 大足", grown(
                                                           others, [&] { return in_inbox(kDazu, Lane::kRoutine); },
                                                           row.fault + ": others are not served"));
  switches_[kLuxian + 1].mend();
  all_back(row);
}

void DiskTrial::gate_syncs(const std::string& box) {
  const std::size_t gate = box == "outbox" ? kRongchang : kLuxian;
  Row row{box + ": EIO on sync", {}, {}, -1, 0};
  may_end(gate + 1);
  last_end_.clear();
  switches_[gate + 1].fail({.on_sync = EIO}, state(gate + 1) / box / "routine");
  expect(
      kSaid_s, [&] { return !last_end_.empty(); }, row.fault + ": the gate ends");
  const auto others = accepted(0);
  pass(2.5);
  row.said = fmt::format("ended with {}, and again at {} starts while it lasts", last_end_, starts_);
  row.went_on = fmt::format("{} readings of 大足 acknowledged", accepted(0) - others);
  if (last_end_ != "exit status 74") complain(row.fault + ": it ended with " + last_end_);
  switches_[gate + 1].mend();
  all_back(row);
}

}  // namespace thalweg::chaos
