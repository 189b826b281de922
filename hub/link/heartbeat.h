// heartbeat.h: is a line alive, and by how much do the two clocks differ. Private to link.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "link/message.h"
#include "link/tcp_handle.h"

namespace thalweg::link {

/// Clock of the other side minus the own one.
struct ClockDifference {
  std::int64_t offset_ns = 0;
  std::int64_t uncertainty_ns = 0;  ///< half of the round trip
};

/// Sends PING now and then, and looks at the bytes that cross. A line is alive while bytes come, or, for a while, if
/// the other side's kernel takes more than our PINGs: one large frame on a slow line silences both (rule 14). Only for
/// a while, since the kernel of a program that hangs takes megabytes that nobody reads.
///
/// Threads: one loop.
class Heartbeat {
 public:
  static constexpr int kMissed = 3;   ///< so many intervals without a byte either way, and the line is dead
  static constexpr int kUnheard = 6;  ///< so many without a byte that came, whatever the other side's kernel took

  Heartbeat(std::int64_t interval_ns, std::int64_t steady_ns)
      : interval_ns_(interval_ns),
        alive_steady_ns_(steady_ns),
        heard_steady_ns_(steady_ns),
        next_steady_ns_(steady_ns) {}

  void message_came(std::int64_t steady_ns) { alive_steady_ns_ = heard_steady_ns_ = steady_ns; }
  void sample(const TcpHandle::Traffic& traffic, std::int64_t steady_ns);
  bool dead(std::int64_t steady_ns) const {
    return steady_ns - alive_steady_ns_ > kMissed * interval_ns_ ||
           steady_ns - heard_steady_ns_ > kUnheard * interval_ns_;
  }
  /// The PING that is due, if one is. The first is due at once.
  std::optional<Ping> due(std::int64_t steady_ns, std::int64_t wall_unix_ns);
  void pong_came(const Pong& pong, std::int64_t steady_ns);
  std::optional<ClockDifference> clock() const { return best_; }

 private:
  // Acknowledged bytes beyond what PINGs account for.
  static constexpr std::uint64_t kMoreThanPings = 1024;
  static constexpr int kWindow = 8;  // measurements among which the quickest counts; then a new one starts

  std::int64_t interval_ns_;
  std::int64_t alive_steady_ns_;
  std::int64_t heard_steady_ns_;  // the last byte that came
  std::int64_t next_steady_ns_;
  TcpHandle::Traffic last_;
  std::uint64_t count_ = 0;
  std::array<std::int64_t, 16> sent_steady_ns_{};  // by count, so that a late PONG is judged by its own PING
  std::optional<ClockDifference> best_, candidate_;
  int measured_ = 0;
};

}  // namespace thalweg::link
