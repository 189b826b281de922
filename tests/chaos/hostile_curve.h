// hostile_curve.h: the client's side of ZMTP 3.1 with CURVE (RFC 23, 26) as bytes in and bytes out, so that an attacker
// may stop, lie or go wrong at any byte, and costs this machine little.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace thalweg::chaos {

using CurveKey = std::array<std::uint8_t, 32>;

struct CurveKeys {
  CurveKey open{}, secret{};
  static CurveKeys random();
};

/// What many connections of one attacker share. The short-term key is always the same: the hub's work is as with new
/// ones, the attacker's is not. Constant once made.
struct CurveIdentity {
  CurveIdentity(const CurveKey& hub_key, CurveKeys long_term);
  CurveKey hub;
  CurveKeys own, brief;
  CurveKey with_hub;  ///< box key of `brief` and `hub`
  Bytes opening;      ///< greeting and HELLO
};

/// One connection's handshake and messages. Threads: one.
class CurveClient {
 public:
  /// `identity` outlives it.
  explicit CurveClient(const CurveIdentity& identity) : identity_(&identity) {}

  /// The first bytes: greeting and HELLO, 266 of them.
  static constexpr std::size_t kGreetingBytes = 64;
  const Bytes& opening() const { return identity_->opening; }

  enum class Got { kMore, kInitiate, kReady, kRefused, kBroken };
  /// Takes bytes of the hub until something is there: kInitiate: send initiate(). kReady: the hub let us in; messages
  /// may be sent and taken. kRefused: the hub said ERROR.
  Got take(ByteView bytes);
  Bytes initiate();

  /// A frame of a message; `more`: another one follows it.
  Bytes message(ByteView payload, bool more = false);
  /// The next whole message of the hub, from bytes given to take() after kReady.
  std::optional<Bytes> next_message();

 private:
  struct Frame {
    std::uint8_t flags;
    ByteView body;
    std::size_t whole;
  };
  std::optional<Frame> frame() const;

  const CurveIdentity* identity_;
  Bytes in_;
  enum class State { kGreeting, kWelcome, kReady, kOpen, kOver } state_ = State::kGreeting;
  CurveKey hub_brief_{}, key_{};
  std::array<std::uint8_t, 96> cookie_{};
  std::uint64_t nonce_ = 2;
};

/// A frame's head: flags, and the size in its long form.
Bytes long_frame_head(std::uint8_t flags, std::uint64_t size);

}  // namespace thalweg::chaos
