#include "storm/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <thread>

#include "storm/reading.h"
#include "storm/station.h"

namespace thalweg::storm {

bool Trial::set_up(Site::Layout layout) {
  return Keeper::set_up(options_.folder, options_.programs, std::move(layout));
}

Origin& Trial::add(const Flow& flow, std::uint64_t records, double per_second, std::uint64_t batch_most) {
  Origin::Settings settings = station(Site::gates()[flow.from].name + "-" + std::string(name(flow.lane)),
                                      site().gate_folder(flow.from), flow.lane, flow.from == 0);
  settings.records = records;
  settings.per_second = per_second;
  settings.batch_most = batch_most;
  settings.seed = options_.seed + static_cast<std::uint32_t>(origins_.size());
  origins_.push_back({flow, std::make_unique<Origin>(std::move(settings))});
  origins_.back().origin->start();
  return *origins_.back().origin;
}

bool Trial::arrived(const std::function<std::uint64_t(std::size_t i)>& count) const {
  for (std::size_t gate = 0; gate < Site::gates().size(); ++gate) {
    std::array<std::uint64_t, 2> wanted{};
    for (std::size_t i = 0; i < origins_.size(); ++i)
      if (const Flow& flow = origins_[i].flow; std::find(flow.to.begin(), flow.to.end(), gate) != flow.to.end())
        wanted[static_cast<std::size_t>(flow.lane)] += count(i);
    if (wanted[0] + wanted[1] == 0) continue;
    const auto have = site().inbox_records(gate);
    if (!have || (*have)[0] < wanted[0] || (*have)[1] < wanted[1]) return false;
  }
  return true;
}

void Trial::finish() {
  wait_until(
      [&] { return std::all_of(origins_.begin(), origins_.end(), [](const auto& o) { return o.origin->done(); }); },
      "every record is accepted", options_.patience_s);
  wait_until([&] { return arrived([&](std::size_t i) { return origin(i).accepted_count(); }); },
             "everything is in the inboxes", options_.patience_s);
  // What would come twice has the time to do so: a moment in which every session is open and nothing moves.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  for (auto& [flow, origin] : origins_) {
    origin->stop();
    if (!origin->failed().empty()) complain(origin->failed());
    if (origin->accepted_count() != origin->wanted())
      complain(origin->settings().name + ": only " + std::to_string(origin->accepted_count()) + " were accepted");
  }
  stop_all();
  count();
  verify();
}

void Trial::count() {
  std::map<std::pair<std::size_t, Lane>, InboxRecords> inboxes;
  for (std::size_t gate = 0; gate < Site::gates().size(); ++gate) {
    for (const Lane lane : {Lane::kRoutine, Lane::kUrgent}) {
      auto inbox = read_inbox(site().gate_folder(gate), lane);
      if (!inbox)
        complain(Site::gates()[gate].name + ", inbox " + std::string(name(lane)) + ": " + inbox.error().message);
      if (inbox) inboxes[{gate, lane}] = *std::move(inbox);
    }
  }
  for (const auto& [flow, origin] : origins_) {
    const std::string& party = Site::gates()[flow.from].party;
    for (const std::size_t gate : flow.to) {
      auto& inbox = inboxes[{gate, flow.lane}];
      found_ += compare(origin->accepted(), inbox[party]);
      inbox.erase(party);
    }
  }
  for (auto& [where, inbox] : inboxes) {
    inbox.erase(site().card().hub);  // the hub tells what it did, to those concerned
    for (const auto& [party, records] : inbox) found_ += compare({}, records);  // nobody sends here
  }
  for (const std::string& example : found_.examples)
    std::fprintf(stderr, "%s: %s\n", options_.program.c_str(), example.c_str());
}

void Trial::verify() {
  for (const Lane lane : {Lane::kRoutine, Lane::kUrgent}) {
    verify(site().hub_folder() / "state" / "ledger" / std::string(name(lane)), true);
    for (std::size_t i = 0; i < Site::gates().size(); ++i)
      for (const char* box : {"outbox", "inbox"})
        verify(site().gate_folder(i) / "state" / box / std::string(name(lane)), false);
  }
}

void Trial::verify(const Path& folder, bool of_hub) {
  const Status content = verify_log(folder, of_hub ? &site().card().signing : nullptr);
  if (content) return;
  verified_ = false;
  complain(content.error().message);
}

std::string Trial::account() const {
  std::string accepted;
  std::uint64_t repeats = 0;
  for (const auto& [flow, origin] : origins_) {
    accepted += (accepted.empty() ? "" : "+") + std::to_string(origin->accepted_count());
    if (flow.lane == Lane::kUrgent) accepted += " urgent";
    repeats += origin->repeats();
  }
  return fmt::format(
      "accepted {} ({} answered after a repeat), lost {}, doubled {}, out of order {}, foreign {}, verify {}", accepted,
      repeats, found_.lost, found_.doubled, found_.out_of_order, found_.foreign, verified_ ? "content" : "NOT content");
}

int Trial::conclude() {
  if (!complaints().empty() || !found_.content()) {
    std::fprintf(stderr, "%s: failed; logs and states are in %s\n", options_.program.c_str(), options_.folder.c_str());
    return 1;
  }
  if (!options_.keep) std::filesystem::remove_all(options_.folder);
  return 0;
}

}  // namespace thalweg::storm
