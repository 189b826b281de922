#include "bench/catch_up.h"

#include "bench/neighbours.h"
#include "bench/peers/server_process.h"
#include "ledger/entries.h"
#include "ledger/follower.h"
#include "ledger/segment_log.h"
#include "model/parcel.h"

namespace thalweg::bench {
namespace {

void wait_for(const char* what, const std::function<bool()>& yes) {
  const auto begin = Steady::now();
  while (!yes()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (seconds_since(begin) > 300) throw std::runtime_error(std::string("not within 300 s: ") + what);
  }
}

/// Bytes of the gates' connections so far.
double wire(Neighbours& bench) {
  double bytes = 0;
  for (const Lane lane : {Lane::kRoutine, Lane::kUrgent}) {
    const std::string& endpoint = bench.hub().endpoint(lane);
    bytes += static_cast<double>(
        wire_bytes(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)))));
  }
  return bytes;
}

/// Blocks are given when files are written out, and a hub may still be writing.
double disk_when_quiet(const Path& folder) {
  std::uint64_t disk = disk_bytes(folder);
  for (int quiet = 0; quiet < 5; ++quiet) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const std::uint64_t now = disk_bytes(folder);
    if (now != disk) quiet = 0;
    disk = now;
  }
  return static_cast<double>(disk);
}

void count_ledger(const Path& folder, CatchUp& run) {
  ledger::SegmentOptions options;
  options.read_only = true;
  const auto log = must(ledger::SegmentLog::open(real_files(), folder, std::move(options)));
  ledger::Follower follower(*log, log->first_block());
  while (const ledger::BlockPtr block = must(follower.next())) {
    run.ledger += static_cast<double>(block->info.bytes);
    for (const ledger::EntryRef& entry : block->entries) {
      if (static_cast<ledger::EntryType>(entry.type) != ledger::EntryType::kParcel) continue;
      const ParcelView parcel = must(ParcelView::parse(must(ledger::parcel_of(entry.bytes))));
      const ParcelBody body = must(ParcelBody::expand(parcel));
      run.bodies += static_cast<double>(parcel.body.size());
      for (std::size_t i = 0; i < body.count(); ++i) run.payload += static_cast<double>(body.record(i).size());
    }
  }
}

}  // namespace

CatchUp catch_up(std::size_t records, Load::Kind kind, double rate) {
  CatchUp run;
  Neighbours bench;
  const Path state = bench.path("hub") / "state";
  const auto open = [&](const char* gate) { return bench.lane_status(gate, Lane::kRoutine)["link"]["open"] == true; };
  wait_for("both gates connect", [&] { return open("rongchang") && open("luxian"); });
  bench.stop_gate("luxian");
  const double empty = disk_when_quiet(state), before = wire(bench);
  Flood flood(bench, records, rate > 0 ? 1 : 256, 16, rate, kind);
  flood.join();
  if (flood.refused() != 0) throw std::runtime_error(std::to_string(flood.refused()) + " records were refused");
  wait_for("the hub has all",
           [&] { return bench.lane_status("rongchang", Lane::kRoutine)["outbox"]["waiting"].get<int>() == 0; });
  run.records = static_cast<double>(flood.sent());
  const double between = wire(bench);
  run.wire_in = between - before;
  run.disk = disk_when_quiet(state) - empty;

  const auto begin = Steady::now();
  bench.start("luxian");
  wait_for("the inbox has all", [&] { return bench.in_inbox(Lane::kRoutine) >= flood.sent(); });
  wait_for("all is settled", [&] {
    const json status = bench.ask_hub({{"cmd", "status"}});
    for (const json& party : status["parties"])
      if (party["party"] == "510521") return party["lanes"]["routine"]["lag"].get<int>() == 0;
    return false;
  });
  run.seconds = seconds_since(begin);
  run.wire_out = wire(bench) - between;
  bench.stop_gate("luxian");
  bench.stop_gate("rongchang");
  bench.stop_hub();
  count_ledger(state / "ledger" / "routine", run);
  return run;
}

std::vector<Figure> behind_figures(const CatchUp& run) {
  return {{"catching up", "records/s", run.records / run.seconds}};
}

std::vector<Figure> bytes_figures(const CatchUp& run) {
  return {{"payload", "bytes", run.payload / run.records},
          {"on disk, a record stored once", "bytes", run.disk / run.records},
          {"on the wire, sender to server and back", "bytes", run.wire_in / run.records},
          {"on the wire, server to receiver and back", "bytes", run.wire_out / run.records},
          {"  the ledger's blocks alone", "bytes", run.ledger / run.records},
          {"  of them not the records' own (compressed) bytes", "bytes", (run.ledger - run.bodies) / run.records},
          {"  that is, of the payload before compression", "%", 100 * (run.ledger - run.bodies) / run.payload}};
}

}  // namespace thalweg::bench
