// bytes.h: byte buffers, their text forms, and little-endian reading and writing.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/invariant.h"
#include "thalweg/cpp/result.h"

namespace thalweg {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string to_hex(ByteView bytes);
/// Errors: kInvalid for odd length or a character that is no hex digit.
Result<Bytes> from_hex(std::string_view text);
std::string to_base64(ByteView bytes);
/// Errors: kInvalid for anything but canonical, padded base64.
Result<Bytes> from_base64(std::string_view text);

/// Appends integers (little-endian) and byte strings to a buffer that it does not own.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}

  void u8(std::uint8_t v) { out_.push_back(v); }
  void u16(std::uint16_t v) { integer(v); }
  void u32(std::uint32_t v) { integer(v); }
  void u64(std::uint64_t v) { integer(v); }
  void i32(std::int32_t v) { integer(static_cast<std::uint32_t>(v)); }
  void i64(std::int64_t v) { integer(static_cast<std::uint64_t>(v)); }
  void raw(ByteView v) { out_.insert(out_.end(), v.begin(), v.end()); }
  /// u16 length, then the bytes. Longer than 65,535 is a broken invariant of the caller.
  void short_text(std::string_view v) {
    THALWEG_INVARIANT(v.size() <= 0xffff);
    u16(static_cast<std::uint16_t>(v.size()));
    raw(as_bytes(v));
  }
  /// u32 length, then the bytes.
  void blob(ByteView v) {
    THALWEG_INVARIANT(v.size() <= 0xffffffff);
    u32(static_cast<std::uint32_t>(v.size()));
    raw(v);
  }
  std::size_t size() const { return out_.size(); }

 private:
  template <class T>
  void integer(T v) {
    std::uint8_t b[sizeof v];
    std::memcpy(b, &v, sizeof v);  // 64-bit little-endian targets only, as the plugin ABI
    out_.insert(out_.end(), b, b + sizeof v);
  }
  Bytes& out_;
};

/// Reads what ByteWriter wrote, from bytes that may be hostile: after the first read beyond the end every read
/// gives zero or empty and `ok()` is false. Views point into the buffer that was given.
class ByteReader {
 public:
  explicit ByteReader(ByteView in) : in_(in) {}

  std::uint8_t u8() { return integer<std::uint8_t>(); }
  std::uint16_t u16() { return integer<std::uint16_t>(); }
  std::uint32_t u32() { return integer<std::uint32_t>(); }
  std::uint64_t u64() { return integer<std::uint64_t>(); }
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  ByteView raw(std::size_t size) {
    if (size > in_.size()) {
      fail();
      return {};
    }
    ByteView v = in_.first(size);
    in_ = in_.subspan(size);
    return v;
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> v{};
    if (ByteView b = raw(N); b.size() == N) std::memcpy(v.data(), b.data(), N);
    return v;
  }
  std::string_view short_text() { return as_text(raw(u16())); }
  ByteView blob() { return raw(u32()); }

  bool ok() const { return ok_; }
  /// Nothing left and nothing went wrong.
  bool done() const { return ok_ && in_.empty(); }
  std::size_t left() const { return in_.size(); }
  /// Marks the input as bad; for callers that find a value they cannot accept.
  void fail() {
    ok_ = false;
    in_ = {};
  }

 private:
  template <class T>
  T integer() {
    T v{};
    if (ByteView b = raw(sizeof v); b.size() == sizeof v) std::memcpy(&v, b.data(), sizeof v);
    return v;
  }
  ByteView in_;
  bool ok_ = true;
};

}  // namespace thalweg
