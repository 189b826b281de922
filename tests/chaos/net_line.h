// net_line.h: the line between one gate and the hub, with the weather that a trial wants.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace thalweg::chaos {

/// What a line does to what crosses it.
struct Weather {
  enum class Way : std::uint8_t {
    kOpen,
    kHeld,  ///< bytes wait, as behind a router that drops every packet; they go on later
    kLost,  ///< bytes vanish and nobody is told; a connection that lost some is dead for ever
  };
  std::chrono::milliseconds delay{0}, jitter{0};  ///< of every piece, each way; order is kept, as TCP does
  std::uint64_t bits_per_second = 0;              ///< each way and connection; 0: as fast as it goes
  Way up = Way::kOpen, down = Way::kOpen;         ///< up: from gate to hub

  bool operator==(const Weather&) const = default;
};

/// Listens on two neighbouring ports of 127.0.0.1, for the two lanes, and passes on to two neighbouring ports there.
///
/// Owns: its thread and sockets. Threads: any.
class NetLine {
 public:
  /// Throws when there are no free ports.
  explicit NetLine(std::uint16_t target_port);
  ~NetLine();
  /// Of the routine lane; the urgent one's is the next.
  std::uint16_t port() const;

  /// From now on, also for what is under way. While both ways are held or lost nobody connects through.
  void set(const Weather& weather);
  /// Ends all connections: with RST, or with FIN.
  void cut(bool reset);

  struct Counters {
    std::uint64_t connections = 0, cut = 0, crossed_bytes = 0, lost_bytes = 0;
  };
  Counters counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace thalweg::chaos
