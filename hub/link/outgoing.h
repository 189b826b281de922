// outgoing.h: what waits to be sent in one session: small messages first, then transfers as credit allows.
// Private to link.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>

#include "link/chunks.h"
#include "link/credit.h"
#include "link/zmq_socket.h"

namespace thalweg::link {

/// Threads: one loop.
class Outgoing {
 public:
  explicit Outgoing(std::size_t control_most_bytes) : control_most_bytes_(control_most_bytes) {}

  /// Queues a small message. False: too many wait, the other side does not read.
  bool control(Bytes message) {
    if (control_bytes_ + message.size() > control_most_bytes_) return false;
    control_bytes_ += message.size();
    control_.push_back(std::move(message));
    return true;
  }
  void transfer(ChunkSplitter transfer) {
    transfer_bytes_ += transfer.left_bytes();
    transfers_.push_back(std::move(transfer));
  }
  CreditLine& credit() { return credit_; }
  std::size_t transfer_bytes() const { return transfer_bytes_; }
  bool empty() const { return control_.empty() && transfers_.empty(); }
  void clear() { *this = Outgoing(control_most_bytes_); }

  enum class Outcome {
    kIdle,     ///< nothing left that may be sent
    kMore,     ///< the budget is used up
    kBlocked,  ///< the socket has no room
    kGone,     ///< the peer has gone
  };
  /// Sends what it can: all small messages, at most `chunks` chunks. `ready` is Io(): kDone when the socket will take
  /// one message; asked before a message is built. `send` is Io(zmq::message_t&).
  template <class Ready, class Send>
  Outcome flush(Ready&& ready, Send&& send, int chunks);

 private:
  /// Chunks smaller than this are not worth a message while more is to come and credit will.
  static constexpr std::size_t kLeastBytes = 4096;

  std::size_t control_most_bytes_;
  std::size_t control_bytes_ = 0;
  std::size_t transfer_bytes_ = 0;
  std::deque<Bytes> control_;
  std::deque<ChunkSplitter> transfers_;
  CreditLine credit_;
};

template <class Ready, class Send>
Outgoing::Outcome Outgoing::flush(Ready&& ready, Send&& send, int chunks) {
  const auto failed = [](Io io) { return io == Io::kNotNow ? Outcome::kBlocked : Outcome::kGone; };
  while (!control_.empty()) {
    if (const Io io = ready(); io != Io::kDone) return failed(io);
    const std::size_t bytes = control_.front().size();
    zmq::message_t message = to_message(std::move(control_.front()));
    if (const Io io = send(message); io != Io::kDone) return failed(io);
    control_bytes_ -= bytes;
    control_.pop_front();
  }
  while (!transfers_.empty()) {
    ChunkSplitter& transfer = transfers_.front();
    const Chunk chunk = transfer.peek(static_cast<std::size_t>(std::min<std::uint64_t>(credit_.left(), kMaxChunkBytes)),
                                      transfer_bytes_ - transfer.left_bytes());
    if (chunk.bytes.empty() || (chunk.bytes.size() < kLeastBytes && chunk.bytes.size() < transfer.left_bytes()))
      return Outcome::kIdle;  // credit will come
    if (chunks-- == 0) return Outcome::kMore;
    if (const Io io = ready(); io != Io::kDone) return failed(io);
    zmq::message_t message(Chunk::kHeaderBytes + chunk.bytes.size());
    auto* at = static_cast<std::uint8_t*>(message.data());
    chunk.encode_header(std::span<std::uint8_t, Chunk::kHeaderBytes>(at, Chunk::kHeaderBytes));
    std::memcpy(at + Chunk::kHeaderBytes, chunk.bytes.data(), chunk.bytes.size());
    if (const Io io = send(message); io != Io::kDone) return failed(io);
    (void)credit_.use(chunk.bytes.size());
    transfer_bytes_ -= chunk.bytes.size();
    transfer.advance(chunk.bytes.size());
    if (transfer.done()) transfers_.pop_front();
  }
  return Outcome::kIdle;
}

}  // namespace thalweg::link
