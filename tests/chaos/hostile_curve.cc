#include "chaos/hostile_curve.h"

#include <sodium.h>

#include <cstring>
#include <stdexcept>

namespace thalweg::chaos {
namespace {

constexpr std::uint8_t kCommand = 4, kLong = 2, kMore = 1;

void put(Bytes& out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }
void put(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

using Nonce = std::array<std::uint8_t, 24>;

Nonce nonce_of(std::string_view prefix, ByteView rest) {
  Nonce nonce{};
  std::memcpy(nonce.data(), prefix.data(), prefix.size());
  std::memcpy(nonce.data() + prefix.size(), rest.data(), rest.size());
  return nonce;
}

std::array<std::uint8_t, 8> big_endian(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  return bytes;
}

/// Code, then the sealed bytes, as CURVE has it.
Bytes boxed(const CurveKey& key, const Nonce& nonce, ByteView plain) {
  Bytes out(plain.size() + crypto_box_MACBYTES);
  if (crypto_box_easy_afternm(out.data(), plain.data(), plain.size(), nonce.data(), key.data()) != 0)
    throw std::runtime_error("sealing failed");
  return out;
}

std::optional<Bytes> unboxed(const CurveKey& key, const Nonce& nonce, ByteView sealed) {
  if (sealed.size() < crypto_box_MACBYTES) return std::nullopt;
  Bytes out(sealed.size() - crypto_box_MACBYTES);
  if (crypto_box_open_easy_afternm(out.data(), sealed.data(), sealed.size(), nonce.data(), key.data()) != 0)
    return std::nullopt;
  return out;
}

CurveKey shared(const CurveKey& theirs, const CurveKey& secret) {
  CurveKey key{};
  if (crypto_box_beforenm(key.data(), theirs.data(), secret.data()) != 0)
    throw std::runtime_error("a key of small order");
  return key;
}

bool starts_with(ByteView body, std::string_view text) {
  return body.size() >= text.size() && std::memcmp(body.data(), text.data(), text.size()) == 0;
}

}  // namespace

CurveKeys CurveKeys::random() {
  CurveKeys keys;
  crypto_box_keypair(keys.open.data(), keys.secret.data());
  return keys;
}

CurveIdentity::CurveIdentity(const CurveKey& hub_key, CurveKeys long_term)
    : hub(hub_key), own(long_term), brief(CurveKeys::random()), with_hub(shared(hub, brief.secret)) {
  // Greeting: signature, version 3.1, mechanism, no server.
  opening = {0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1};
  put(opening, "CURVE");
  opening.resize(CurveClient::kGreetingBytes, 0);
  Bytes hello;
  put(hello, std::string_view("\x05HELLO\x01\x00", 8));
  hello.resize(hello.size() + 72, 0);
  put(hello, brief.open);
  const auto nonce = big_endian(1);
  put(hello, nonce);
  const Bytes zeros(64, 0);
  put(hello, boxed(with_hub, nonce_of("CurveZMQHELLO---", nonce), zeros));
  opening.push_back(kCommand);
  opening.push_back(static_cast<std::uint8_t>(hello.size()));
  put(opening, hello);
}

std::optional<CurveClient::Frame> CurveClient::frame() const {
  if (in_.size() < 2) return std::nullopt;
  const std::uint8_t flags = in_[0];
  std::size_t head = 2, size = in_[1];
  if ((flags & kLong) != 0) {
    head = 9;
    if (in_.size() < head) return std::nullopt;
    size = 0;
    for (std::size_t i = 1; i < 9; ++i) size = size << 8 | in_[i];
  }
  if (in_.size() - head < size) return std::nullopt;
  return Frame{flags, ByteView(in_).subspan(head, size), head + size};
}

CurveClient::Got CurveClient::take(ByteView bytes) {
  put(in_, bytes);
  if (state_ == State::kOpen) return Got::kReady;
  if (state_ == State::kOver) return Got::kBroken;
  if (state_ == State::kGreeting) {
    if (in_.size() < kGreetingBytes) return Got::kMore;
    in_.erase(in_.begin(), in_.begin() + kGreetingBytes);
    state_ = State::kWelcome;
  }
  const std::optional<Frame> came = frame();
  if (!came) return Got::kMore;
  const Bytes body(came->body.begin(), came->body.end());
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(came->whole));
  if (starts_with(body,
                  "\x05"
                  "ERROR")) {
    state_ = State::kOver;
    return Got::kRefused;
  }
  const ByteView view(body);
  if (state_ == State::kWelcome && starts_with(view, "\x07WELCOME") && view.size() == 168) {
    const auto plain = unboxed(identity_->with_hub, nonce_of("WELCOME-", view.subspan(8, 16)), view.subspan(24));
    if (plain && plain->size() == 128) {
      std::memcpy(hub_brief_.data(), plain->data(), 32);
      std::memcpy(cookie_.data(), plain->data() + 32, 96);
      state_ = State::kReady;
      return Got::kInitiate;
    }
  } else if (state_ == State::kReady && starts_with(view, "\x05READY")) {
    state_ = State::kOpen;
    return Got::kReady;
  }
  state_ = State::kOver;
  return Got::kBroken;
}

Bytes CurveClient::initiate() {
  key_ = shared(hub_brief_, identity_->brief.secret);
  std::array<std::uint8_t, 16> random{};
  randombytes_buf(random.data(), random.size());
  Bytes vouch;
  put(vouch, identity_->brief.open);
  put(vouch, identity_->hub);
  Bytes plain;
  put(plain, identity_->own.open);
  put(plain, random);
  put(plain, boxed(shared(hub_brief_, identity_->own.secret), nonce_of("VOUCH---", random), vouch));
  put(plain, std::string_view("\x0bSocket-Type\0\0\0\x06"
                              "DEALER\x08Identity\0\0\0\0",
                              35));

  Bytes body;
  put(body, std::string_view("\x08INITIATE", 9));
  put(body, cookie_);
  const auto nonce = big_endian(nonce_++);
  put(body, nonce);
  put(body, boxed(key_, nonce_of("CurveZMQINITIATE", nonce), plain));
  Bytes out = long_frame_head(kCommand, body.size());
  put(out, body);
  return out;
}

Bytes CurveClient::message(ByteView payload, bool more) {
  Bytes plain(1, more ? 1 : 0);
  put(plain, payload);
  const auto nonce = big_endian(nonce_++);
  Bytes body;
  put(body, std::string_view("\x07MESSAGE", 8));
  put(body, nonce);
  put(body, boxed(key_, nonce_of("CurveZMQMESSAGEC", nonce), plain));
  Bytes out = long_frame_head(more ? kMore : 0, body.size());
  put(out, body);
  return out;
}

std::optional<Bytes> CurveClient::next_message() {
  const std::optional<Frame> came = frame();
  if (!came) return std::nullopt;
  Bytes out;
  if (starts_with(came->body, "\x07MESSAGE") && came->body.size() > 16)
    if (auto plain = unboxed(key_, nonce_of("CurveZMQMESSAGES", came->body.subspan(8, 8)), came->body.subspan(16));
        plain && !plain->empty())
      out.assign(plain->begin() + 1, plain->end());
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(came->whole));
  return out;
}

Bytes long_frame_head(std::uint8_t flags, std::uint64_t size) {
  Bytes out(1, static_cast<std::uint8_t>(flags | kLong));
  const auto bytes = big_endian(size);
  put(out, bytes);
  return out;
}

}  // namespace thalweg::chaos
