#include "chaos/hostile_attacks.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "chaos/hostile_intruder.h"
#include "chaos/hostile_lies.h"
#include "chaos/hostile_swarm.h"

namespace thalweg::chaos {
namespace {

using std::chrono::milliseconds;

void wait_for(const std::atomic<bool>& stop) {
  while (!stop) std::this_thread::sleep_for(milliseconds(20));
}

Attack swarm(std::vector<Manner> manners, double per_second, std::size_t most_open) {
  return [=](const Target& target, const std::atomic<bool>& stop, Tally& tally) {
    const std::size_t open = std::min<std::size_t>(most_open, descriptors_to_spare());
    Swarm swarm(target.port, target.stranger, {manners, per_second, open});
    wait_for(stop);
    const Swarm::Figures figures = swarm.stop();
    tally["connections"] = figures.opened;
    tally["open at once"] = figures.most_open;
    if (figures.refused > 0) tally["told no"] = figures.refused;
    if (figures.ended_by_hub > 0) tally["ended by hub"] = figures.ended_by_hub;
    if (figures.failed > 0) tally["failed"] = figures.failed;
    if (figures.let_in > 0) tally["LET IN"] = figures.let_in;
    tally["attacker's CPU ms"] = static_cast<std::uint64_t>(figures.cpu_seconds * 1000);
  };
}

/// One session after another; `work` goes wrong in one of them.
Attack sessions(std::function<void(Intruder&, const Target&, std::uint64_t turn, Tally&)> work, bool enter = true) {
  return [=](const Target& target, const std::atomic<bool>& stop, Tally& tally) {
    for (std::uint64_t turn = 0; !stop; ++turn) {
      Intruder intruder(target.port, target.insider, stop);
      if (!intruder.connect() || (enter && !intruder.enter(target.party))) {
        ++tally["sessions not got"];
        std::this_thread::sleep_for(milliseconds(5));
        continue;
      }
      ++tally["sessions"];
      work(intruder, target, turn, tally);
    }
  };
}

void send_bad_frames(Intruder& intruder, const Target& target, std::uint64_t turn, Tally& tally) {
  bool sent = false;
  switch (turn % 6) {
    case 0:  // no message
      sent = intruder.send(Bytes(1000, 0x55));
      break;
    case 1:  // before HELLO
      sent = intruder.say(link::Ping{1, 2});
      break;
    case 2:  // larger than any message may be, for real
      if (intruder.enter(target.party)) sent = intruder.send(Bytes(link::kMaxToHubBytes + 4096, 'W'));
      break;
    case 3:  // says that 2^40 bytes follow
      if (intruder.enter(target.party)) sent = intruder.send_raw(long_frame_head(0, std::uint64_t{1} << 40));
      break;
    case 4:  // cut short
      if (intruder.enter(target.party)) sent = intruder.send(Bytes{'W', 4, 0, 0, 1, 0});
      break;
    default:  // a frame that is sealed with another key
      if (intruder.enter(target.party)) {
        Bytes frame = long_frame_head(0, 100);
        frame.resize(frame.size() + 100, 0x07);
        sent = intruder.send_raw(frame);
      }
  }
  if (sent) ++tally["bad frames"];
  if (intruder.wait_end(5)) ++tally["ended by hub"];
}

void send_multipart(Intruder& intruder, const Target& target, std::uint64_t turn, Tally& tally) {
  if (turn % 2 == 1 && !intruder.enter(target.party)) return;
  const Bytes frame(16 * 1024, 'W');
  while (intruder.send(frame, true)) tally["MiB sent"] += tally["frames"]++ % 64 == 63 ? 1 : 0;
  ++tally["ended by hub"];
}

link::Lookup large_question() {
  link::Lookup lookup;
  lookup.records.resize(link::kMaxLookups);
  return lookup;
}

/// Takes deliveries and answers into a small kernel buffer and never reads; every other one asks all the time.
void read_nothing(const Target& target, const std::atomic<bool>& stop, Tally& tally) {
  for (std::uint64_t turn = 0; !stop; ++turn) {
    Intruder intruder(target.port, target.insider, stop);
    if (!intruder.connect(4096) || !intruder.enter(target.party)) {
      ++tally["sessions not got"];
      std::this_thread::sleep_for(milliseconds(5));
      continue;
    }
    ++tally["sessions"];
    const auto question = large_question();
    const auto until = std::chrono::steady_clock::now() + milliseconds(turn % 2 == 0 ? 1000 : 600'000);
    while (!stop && std::chrono::steady_clock::now() < until) {
      if (turn % 2 == 0) {
        std::this_thread::sleep_for(milliseconds(20));
      } else if (intruder.say(question)) {
        ++tally["questions"];
      } else {
        ++tally["ended by hub"];
        break;
      }
    }
  }
}

void flood(Intruder& intruder, const Target&, std::uint64_t turn, Tally& tally) {
  const auto question = large_question();
  const auto until = std::chrono::steady_clock::now() + milliseconds(500);
  while (std::chrono::steady_clock::now() < until && intruder.drain()) {
    switch (turn % 3) {
      case 0:
        for (int i = 0; i < 50 && intruder.say(link::Ping{1, 2}); ++i) ++tally["pings"];
        break;
      case 1:
        if (intruder.say(question)) ++tally["questions"];
        break;
      default:  // one session after the other
        return;
    }
  }
}

/// Strangers who write a byte a second, and a party that sends its parcel so.
void write_slowly(const Target& target, const std::atomic<bool>& stop, Tally& tally) {
  std::thread insider([&] {
    Intruder intruder(target.port, target.insider, stop);
    if (!intruder.connect() || !intruder.enter(target.party)) return;
    const Bytes head = long_frame_head(0, 60'000);
    (void)intruder.send_raw(head);
    for (std::size_t tenth = 0; !stop; ++tenth) {
      std::this_thread::sleep_for(milliseconds(100));
      if (tenth % 10 == 0 && !intruder.send_raw(Bytes(1, 'W'))) return;
    }
  });
  swarm({Manner::kTrickle}, 1000, 3000)(target, stop, tally);
  insider.join();
}

}  // namespace

std::uint64_t descriptors_to_spare() {
  constexpr std::uint64_t kOwn = 200;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
    (void)::getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur > kOwn ? limit.rlim_cur - kOwn : 0;
}

std::vector<Trouble> all_troubles() {
  constexpr std::uint64_t kSome = 800;  // with fewer a swarm is none
  const std::string keys = "thalweg_link_refused_keys_total", handshakes = "thalweg_link_failed_handshakes_total",
                    crowded = "thalweg_link_crowded_total", frames = "thalweg_link_bad_frames_total",
                    excess = "thalweg_link_excess_total", ended = "thalweg_link_sessions_ended_total",
                    parcels = "thalweg_parcels_refused_by_code_total";
  return {
      {"wrong keys, 1,000/s", swarm({Manner::kWrongKey}, 1000, 4000), {keys}, kSome, 0.8},
      {"wrong keys, 10,000/s", swarm({Manner::kWrongKey}, 10'000, 4000), {keys}, kSome, 0},
      {"half handshakes, held",
       swarm({Manner::kSilent, Manner::kHalfGreeting, Manner::kNoInitiate}, 3000, 5000),
       {handshakes, crowded},
       kSome,
       0},
      {"slow writers", write_slowly, {handshakes, crowded}, kSome, 0},
      {"other protocols, noise", swarm({Manner::kOtherWords, Manner::kNoise}, 500, 4000), {handshakes}, kSome, 0},
      {"malformed and oversized frames", sessions(send_bad_frames, false), {frames}, 0, 0},
      {"endless multipart", sessions(send_multipart, false), {excess}, 0, 0},
      {"never reads", read_nothing, {ended}, 0, 0},
      {"a valid key that floods", sessions(flood), {ended}, 0, 0},
      {"a valid key that lies", sessions(lie), {parcels}, 0, 0},
  };
}

Trouble few_descriptors(std::uint64_t descriptors) {
  return {std::to_string(descriptors) + " descriptors, all wanted",
          swarm({Manner::kSilent, Manner::kNoInitiate}, 2000, 4 * descriptors),
          {"thalweg_link_crowded_total", "thalweg_link_turned_away_total"},
          2 * descriptors,
          0};
}

}  // namespace thalweg::chaos
