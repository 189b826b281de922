// hostile_swarm.h: very many connections by strangers, opened at a pace from many addresses, each in its own bad
// manner.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "chaos/hostile_curve.h"

namespace thalweg::chaos {

/// What a connection does before it falls silent or goes.
enum class Manner {
  kWrongKey,      ///< a whole handshake with a key that nobody knows; goes when it is refused
  kSilent,        ///< not a byte
  kHalfGreeting,  ///< eleven bytes of the greeting
  kNoInitiate,    ///< everything up to the hub's WELCOME, and no answer to that
  kTrickle,       ///< greeting and HELLO, one byte a second
  kOtherWords,    ///< another protocol's first line
  kNoise          ///< a good greeting, then bytes without sense
};

/// Owns: its thread and its sockets. Threads: one uses it; figures may be read by any.
class Swarm {
 public:
  struct Plan {
    std::vector<Manner> manners;  ///< in turn
    double per_second = 0;
    std::size_t most_open = 4000;  ///< no more are opened while so many are
    std::size_t addresses = 50;    ///< 127.66.x.y, in turn
  };
  struct Figures {
    std::uint64_t opened = 0, failed = 0, refused = 0, ended_by_hub = 0, let_in = 0, most_open = 0;
    double cpu_seconds = 0;  ///< of the attacker
  };

  Swarm(std::uint16_t port, const CurveIdentity& identity, Plan plan);
  ~Swarm();
  /// Lets go of all connections.
  Figures stop();

 private:
  struct Peer;
  void run();
  void open_one();
  void came(Peer& peer, std::uint32_t events);
  void say(Peer& peer, ByteView bytes);
  void trickle();
  void leave(Peer& peer);

  const std::uint16_t port_;
  const CurveIdentity& identity_;
  const Plan plan_;
  int epoll_ = -1;
  std::vector<std::unique_ptr<Peer>> peers_;  // by descriptor
  std::vector<int> open_;                     // descriptors of those who trickle
  std::size_t open_count_ = 0;
  Figures figures_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace thalweg::chaos
