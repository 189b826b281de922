// player.h: sends a table as HJ 212-2017 packets over TCP and keeps at it until all are answered.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "table.h"

namespace thalweg::station {

struct Options {
  std::string host;
  std::string port;
  std::string mn;
  std::string password = "123456";
  std::string st = "21";  ///< system code: surface water
  std::uint64_t repeat = 1;
  std::int64_t interval_ms = 0;    ///< between two packets
  bool wait_answers = false;       ///< asks for answers, and sends again what is not answered in time
  std::int64_t timeout_ms = 5000;  ///< for one answer
  std::int64_t give_up_ms = 0;     ///< for all of it; 0: never
  std::size_t window = 256;        ///< packets under way without an answer
  bool fresh = false;              ///< numbers (QN) from the clock: playing again makes new records
};

struct Summary {
  std::uint64_t packets = 0;  ///< that the table and repeat give
  std::uint64_t sent = 0;     ///< of them, sent at least once
  std::uint64_t answered = 0;
  std::uint64_t resent = 0;      ///< further sendings
  std::uint64_t reconnects = 0;  ///< connections made after the first
  double seconds = 0;
  double p50_ms = 0, p99_ms = 0;  ///< from the first sending to the answer

  bool complete(const Options& options) const {
    return sent == packets && (!options.wait_answers || answered == packets);
  }
};

/// One packet as the station would send it. `number`: which of all, for the QN. A moment without readings is a packet
/// with its DataTime alone: that is what is known of it; no fault flag is made up.
std::string packet(const Options& options, const Moment& moment, std::uint64_t round, std::uint64_t number);

/// Plays the table. `on_answer(moment's DataTime, milliseconds)` is called for each answer, if given.
///
/// Returns when all is sent (and answered, if so asked), when give_up_ms has passed, or soon after `stop` is set. A
/// gate that is not there is tried again, from 0.1 to 5 seconds apart. Threads: runs on the caller's; `stop` may be set
/// from anywhere.
Summary play(const Options& options, const std::vector<Moment>& table, const std::atomic<bool>& stop,
             const std::function<void(const std::string&, double)>& on_answer = {});

}  // namespace thalweg::station
