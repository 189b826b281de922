// credit.h: how many bytes may be under way: the pool that parcels assemble in, and the counters of one session.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "model/lane.h"

namespace thalweg::link {

class AssemblyPool;

/// A piece of the pool: bytes that may be filled. Gives them back when destroyed, from any thread.
class PoolShare {
 public:
  PoolShare() = default;
  PoolShare(PoolShare&& other) noexcept;
  PoolShare& operator=(PoolShare&& other) noexcept;
  ~PoolShare() { release(); }

  std::size_t bytes() const { return bytes_; }
  /// Splits `bytes` off (at most what is there).
  PoolShare split(std::size_t bytes);
  /// Takes over all of `other`, which is of the same party and lane.
  void join(PoolShare&& other);
  void release();

 private:
  friend class AssemblyPool;
  std::shared_ptr<AssemblyPool> pool_;
  std::string party_;
  Lane lane_ = Lane::kRoutine;
  std::size_t bytes_ = 0;
};

/// The one pool of a hub in which parcels assemble and from which all credit is granted (rule 19), for both lanes.
///
/// Threads: any.
class AssemblyPool : public std::enable_shared_from_this<AssemblyPool> {
 public:
  struct Options {
    std::size_t capacity_bytes = 64u << 20;
    std::size_t party_bytes = 16u << 20;  ///< the most that one party may hold of it
    std::size_t urgent_bytes = 8u << 20;  ///< of the capacity, kept for the urgent lane
  };
  static std::shared_ptr<AssemblyPool> make(Options options);

  /// Takes `need` bytes or nothing: what a transfer that has begun still lacks, so that whatever begins can end. On top
  /// of it up to `want - need` for transfers that wait behind it, as long as half of the pool, of the routine lane's
  /// part and of the party's share stay free: so those who wait for `need` cannot block each other for ever.
  PoolShare take(const std::string& party, Lane lane, std::size_t want, std::size_t need);

  std::size_t used_bytes() const { return used_.load(std::memory_order_relaxed); }
  const Options& options() const { return options_; }

 private:
  friend class PoolShare;
  explicit AssemblyPool(Options options) : options_(options) {}
  void give_back(const std::string& party, Lane lane, std::size_t bytes);

  const Options options_;
  std::atomic<std::size_t> used_{0};
  std::mutex mutex_;  // guards all below; taken once per grant, not per chunk
  std::array<std::size_t, 2> lane_used_{};
  std::map<std::string, std::size_t> party_used_;
};

/// What the sender of chunks may still send: cumulative limit against cumulative bytes, so that a lost or repeated
/// CREDIT does no harm.
class CreditLine {
 public:
  explicit CreditLine(std::uint64_t limit_bytes = 0) : limit_(limit_bytes) {}
  /// A limit that is lower than the one known is old: ignored.
  void raise_to(std::uint64_t limit_bytes) { limit_ = limit_bytes > limit_ ? limit_bytes : limit_; }
  std::uint64_t left() const { return limit_ - used_; }
  /// At the receiver false means the sender broke the rule; nothing is counted then.
  bool use(std::uint64_t bytes) {
    if (bytes > left()) return false;
    used_ += bytes;
    return true;
  }
  std::uint64_t limit() const { return limit_; }
  std::uint64_t used() const { return used_; }

 private:
  std::uint64_t limit_;
  std::uint64_t used_ = 0;
};

}  // namespace thalweg::link
