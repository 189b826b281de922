// intake.h: what is done with packets: parts joined, records submitted, answers held back until the gate has them.
//
// Knows nothing of sockets, so that tests drive it with packets.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hj212_config.h"
#include "packet.h"
#include "thalweg/cpp/adapter.h"

namespace thalweg::hj212 {

/// Counted since the start; logged when the source stops.
struct Counters {
  std::uint64_t packets = 0, records = 0, accepted = 0, rejected = 0, answers = 0;
  std::uint64_t bad_crc = 0, bad_format = 0, unknown_station = 0, wrong_password = 0, not_taken = 0, given_up = 0;
};

/// The line to one station, as the intake sees it. Held weakly: a line that went away is not answered.
class Line {
 public:
  virtual ~Line() = default;
  virtual void send(const std::string& bytes) = 0;
  virtual const std::string& peer() const = 0;

  /// Parts of split packets that wait for the rest, by MN, QN and CN.
  struct Parts {
    std::vector<Packet> got;  // by PNO - 1; mn empty: not yet
    std::size_t missing = 0;
    std::size_t fields = 0;
  };
  std::map<std::string, Parts> parts;
};

/// Threads: one, the source's.
class Intake {
 public:
  /// `settings` and `factors` outlive this.
  Intake(const Settings& settings, const FactorTable& factors, Host host)
      : settings_(settings), factors_(factors), host_(host) {}

  /// Takes a good data segment. Errors: kHj212Format (counted; no answer is given).
  Status take(const std::shared_ptr<Line>& line, const std::string& segment);
  /// Counts a fault of the stream.
  void count(const Error& fault) { ++(fault.code == Code::kHj212Crc ? counters_.bad_crc : counters_.bad_format); }

  struct Outcome {
    std::uint64_t ticket = 0;
    tw_verdict verdict = TW_RETRY;
    Code code = Code::kOk;
    std::string reason;
  };
  /// Answers the station when all records of a packet are accepted; says nothing to the station about what was
  /// rejected. True if some are to be submitted again: call flush() after a pause.
  bool settled(const std::vector<Outcome>& outcomes);
  /// Submits what had no room.
  void flush();
  /// False while so much waits that nothing more should be read.
  bool has_room() const { return to_submit_.size() + submitted_.size() < settings_.max_waiting; }
  /// Forgets the parts that `line` holds back; true if there were any.
  bool give_up_parts(Line& line);

  const Counters& counters() const { return counters_; }

 private:
  /// What is owed to the station once its records are durable.
  struct Owed {
    std::weak_ptr<Line> line;
    std::vector<std::string> answers;
    std::size_t open = 0;
    bool refused = false;
  };
  struct Waiting {
    Submission record;
    std::shared_ptr<Owed> owed;
  };

  Result<const Station*> station_of(const Line& line, const Packet& packet);
  Status take_part(const std::shared_ptr<Line>& line, Packet packet, const Station& station);
  Status submit(const std::shared_ptr<Line>& line, const std::vector<Packet>& packets, const Station& station);
  void send(Line& line, const std::string& bytes);

  const Settings& settings_;
  const FactorTable& factors_;
  Host host_;
  Counters counters_;
  std::uint64_t next_ticket_ = 1;
  std::deque<Waiting> to_submit_;
  std::map<std::uint64_t, Waiting> submitted_;
};

}  // namespace thalweg::hj212
