// net_account.cc: World::finish(): what was told, compared with what is held.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "chaos/net_world.h"
#include "storm/reading.h"

namespace thalweg::chaos {
namespace {

using nlohmann::json;
using storm::Findings;
using storm::Site;
using storm::SteadyClock;
using Ids = std::vector<RecordId>;

/// Those of `all` that are in `wanted`, in their order.
template <class Set>
Ids only(const Ids& all, const Set& wanted) {
  Ids some;
  for (const RecordId& id : all)
    if (wanted.contains(id)) some.push_back(id);
  return some;
}
std::unordered_set<RecordId> set_of(const Ids& ids) { return {ids.begin(), ids.end()}; }

}  // namespace

void World::finish() {
  for (Sender& sender : senders_)
    if (!sender.origin->done()) sender.origin->close();
  wait_until(
      [&] { return std::all_of(senders_.begin(), senders_.end(), [](const Sender& s) { return s.origin->done(); }); },
      "every record is accepted", options_.patience_s);
  if (drain()) {
    std::this_thread::sleep_for(std::chrono::seconds(1));  // what would come twice has the time to do so
    drain();
  }
  for (Sender& sender : senders_) {
    sender.origin->stop();
    if (!sender.origin->failed().empty()) complain(sender.origin->failed());
  }
  for (std::size_t gate = 0; gate < lines_.size(); ++gate) {
    const auto answer = site().ask_gate(gate, R"({"cmd":"deadletters","act":"list"})");
    const json letters = answer ? json::parse(*answer, nullptr, false) : json();
    if (!letters.is_object() || letters["total"] != 0)
      complain(programs()[gate + 1] + " has dead letters: " + letters.dump());
  }
  stop_all();
  count();
  count_tables();
  count_retired();
  verify();
  for (const std::string& example : found_.examples) std::fprintf(stderr, "chaos: %s\n", example.c_str());
}

void World::count() {
  std::unordered_set<RecordId> known;
  for (const Sender& sender : senders_)
    known.insert(sender.origin->accepted().begin(), sender.origin->accepted().end());
  for (std::size_t gate = 0; gate < Site::gates().size(); ++gate) {
    for (const Lane lane : {Lane::kRoutine, Lane::kUrgent}) {
      auto inbox = storm::read_inbox(site().gate_folder(gate), lane);
      if (!inbox) {
        complain(Site::gates()[gate].name + ", inbox " + std::string(name(lane)) + ": " + inbox.error().message);
        continue;
      }
      for (const Sender& sender : senders_) {
        if (sender.lane != lane || std::find(sender.to.begin(), sender.to.end(), gate) == sender.to.end()) continue;
        Ids& of_party = (*inbox)[site().all_gates()[sender.from].party];
        const Ids& accepted = sender.origin->accepted();
        const Ids held = only(of_party, set_of(accepted));
        Findings found;
        if (sender.revoked) {
          auto acknowledged = storm::read_acknowledged(sender.gate_folder, lane);
          if (!acknowledged) complain(sender.name + ", outbox: " + acknowledged.error().message);
          auto due = set_of(held);
          if (acknowledged) due.insert(acknowledged->begin(), acknowledged->end());
          found = storm::compare(only(accepted, due), held);
          const std::size_t from = std::min(accepted.size(), *sender.revoked);
          found += storm::intruders(std::span(accepted).subspan(from), held);
        } else {
          found = storm::compare(accepted, held);
        }
        std::erase_if(of_party, [mine = set_of(accepted)](const RecordId& id) { return mine.contains(id); });
        ways_.push_back({sender.name, Site::gates()[gate].name, accepted.size(), found});
        found_ += found;
      }
      for (const auto& [party, rest] : *inbox) {                   // nobody sends these here
        if (rest.empty() || party == site().card().hub) continue;  // the hub tells what it did, to those concerned
        const Ids theirs = only(rest, known);
        Findings found = storm::intruders(theirs, rest);
        found.foreign = rest.size() - found.forbidden;
        ways_.push_back({"? " + party, Site::gates()[gate].name, 0, found});
        found_ += found;
      }
    }
  }
}

/// Every record that 荣昌 was sent stands in its adapter's tables. Twice is allowed where the gate was set back.
void World::count_tables() {
  std::unordered_map<std::string, int> rows;
  for (const auto& file : std::filesystem::directory_iterator(options_.folder / "tables")) {
    std::ifstream in(file.path());
    for (std::string line; std::getline(in, line);) {
      while (!line.empty() && (line.back() == '\r' || line.back() == '"')) line.pop_back();
      if (line.size() >= 36) ++rows[line.substr(line.size() - 36)];
    }
  }
  for (const Sender& sender : senders_) {
    if (sender.lane != Lane::kRoutine || sender.revoked ||
        std::find(sender.to.begin(), sender.to.end(), kRongchang) == sender.to.end())
      continue;
    Findings found;
    for (const RecordId& id : sender.origin->accepted()) {
      const auto at = rows.find(id.text());
      if (at == rows.end()) {
        if (++found.lost <= 3) found.examples.push_back("not in the tables: " + id.text());
      } else {
        rewritten_rows_ += static_cast<std::uint64_t>(at->second - 1);
      }
    }
    ways_.push_back({sender.name, "rongchang: tables", sender.origin->accepted().size(), found});
    found_ += found;
  }
}

/// 泸县's former machines: nothing that was accepted after their keys were revoked, nothing twice, all in order.
void World::count_retired() {
  for (const Retired& machine : retired_) {
    for (const Lane lane : {Lane::kRoutine, Lane::kUrgent}) {
      auto inbox = storm::read_inbox(machine.folder, lane);
      if (!inbox) {
        complain(machine.folder.string() + ": " + inbox.error().message);
        continue;
      }
      for (const Sender& sender : senders_) {
        if (sender.lane != lane || std::find(sender.to.begin(), sender.to.end(), kLuxian) == sender.to.end()) continue;
        const Ids& accepted = sender.origin->accepted();
        const Ids& held = (*inbox)[site().all_gates()[sender.from].party];
        Findings found = storm::compare(only(accepted, set_of(held)), held);
        const auto then = machine.accepted_then.find(sender.name);
        const std::size_t from = then == machine.accepted_then.end() ? 0 : std::min(accepted.size(), then->second);
        found += storm::intruders(std::span(accepted).subspan(from), held);
        ways_.push_back({sender.name, "luxian, revoked", held.size(), found});
        found_ += found;
      }
    }
  }
}

void World::verify() {
  const auto look = [&](const Path& folder, const trust::PublicKey* key) {
    if (Status content = storm::verify_log(folder, key); !content) {
      verified_ = false;
      complain(content.error().message);
    }
  };
  for (const Lane lane : {Lane::kRoutine, Lane::kUrgent}) {
    look(site().hub_folder() / "state" / "ledger" / std::string(name(lane)), &site().card().signing);
    for (std::size_t i = 0; i < lines_.size(); ++i)
      for (const char* box : {"outbox", "inbox"})
        if (const Path folder = site().gate_folder(i) / "state" / box / std::string(name(lane));
            std::filesystem::exists(folder))
          look(folder, nullptr);
  }
}

bool World::content() const { return complaints().empty() && found_.content() && verified_; }

}  // namespace thalweg::chaos
