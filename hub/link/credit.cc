#include "link/credit.h"

#include <algorithm>

#include "base/invariant.h"

namespace thalweg::link {

PoolShare::PoolShare(PoolShare&& other) noexcept
    : pool_(std::move(other.pool_)),
      party_(std::move(other.party_)),
      lane_(other.lane_),
      bytes_(std::exchange(other.bytes_, 0)) {}

PoolShare& PoolShare::operator=(PoolShare&& other) noexcept {
  if (this != &other) {
    release();
    pool_ = std::move(other.pool_);
    party_ = std::move(other.party_);
    lane_ = other.lane_;
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

PoolShare PoolShare::split(std::size_t bytes) {
  PoolShare part;
  part.bytes_ = std::min(bytes, bytes_);
  if (part.bytes_ > 0) {
    part.pool_ = pool_;
    part.party_ = party_;
    part.lane_ = lane_;
    bytes_ -= part.bytes_;
  }
  return part;
}

void PoolShare::join(PoolShare&& other) {
  if (other.bytes_ == 0) return;
  if (bytes_ == 0) {
    *this = std::move(other);
    return;
  }
  THALWEG_INVARIANT(pool_ == other.pool_ && party_ == other.party_ && lane_ == other.lane_);
  bytes_ += std::exchange(other.bytes_, 0);
  other.pool_.reset();
}

void PoolShare::release() {
  if (bytes_ > 0) pool_->give_back(party_, lane_, std::exchange(bytes_, 0));
  pool_.reset();
}

std::shared_ptr<AssemblyPool> AssemblyPool::make(Options options) {
  return std::shared_ptr<AssemblyPool>(new AssemblyPool(options));
}

PoolShare AssemblyPool::take(const std::string& party, Lane lane, std::size_t want, std::size_t need) {
  const auto left = [](std::size_t most, std::size_t used) { return most > used ? most - used : 0; };
  const std::lock_guard lock(mutex_);
  const std::size_t used = lane_used_[0] + lane_used_[1];
  const std::size_t routine = lane_used_[static_cast<std::size_t>(Lane::kRoutine)];
  const auto of_party = party_used_.find(party);
  const std::size_t mine = of_party == party_used_.end() ? 0 : of_party->second;
  const std::size_t routine_most = left(options_.capacity_bytes, options_.urgent_bytes);

  std::size_t room = std::min(left(options_.capacity_bytes, used), left(options_.party_bytes, mine));
  if (lane == Lane::kRoutine) room = std::min(room, left(routine_most, routine));
  if (need > room) return {};
  std::size_t ahead =
      std::min(left(options_.capacity_bytes / 2, used + need), left(options_.party_bytes / 2, mine + need));
  if (lane == Lane::kRoutine) ahead = std::min(ahead, left(routine_most / 2, routine + need));
  const std::size_t bytes = need + std::min(want > need ? want - need : 0, ahead);
  if (bytes == 0) return {};

  lane_used_[static_cast<std::size_t>(lane)] += bytes;
  party_used_[party] += bytes;
  used_.store(used + bytes, std::memory_order_relaxed);
  PoolShare share;
  share.pool_ = shared_from_this();
  share.party_ = party;
  share.lane_ = lane;
  share.bytes_ = bytes;
  return share;
}

void AssemblyPool::give_back(const std::string& party, Lane lane, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto of_party = party_used_.find(party);
  THALWEG_INVARIANT(of_party != party_used_.end() && of_party->second >= bytes);
  of_party->second -= bytes;
  if (of_party->second == 0) party_used_.erase(of_party);
  lane_used_[static_cast<std::size_t>(lane)] -= bytes;
  used_.store(lane_used_[0] + lane_used_[1], std::memory_order_relaxed);
}

}  // namespace thalweg::link
