// token_stream.h: where the tokens of a JSON text begin, by simdjson's first stage; the only user of that stage.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "model/json_token.h"

namespace thalweg {

/// Why a text has no tokens.
enum class TokenFault : std::uint8_t { kEmpty, kNotUtf8, kOpenString, kControlCharacter, kOther };
struct TokenFaultWords {
  std::string_view english, chinese;
};
TokenFaultWords words(TokenFault fault);

/// The first stage of simdjson (vector instructions, 0.1 µs per KB) proves that the text is UTF-8, that strings are
/// closed and hold no raw control characters, and finds where every bracket, colon, comma, string and other run of
/// characters begins. Whether they stand in a right order is for the walk to say. On demand iteration, which would say
/// it too, costs a schema walk about half of its time (bench/schema_bench.cc).
///
/// Owns: the list of places. Threads: one at a time.
class TokenStream {
 public:
  TokenStream();
  ~TokenStream();
  TokenStream(TokenStream&&) noexcept;
  TokenStream& operator=(TokenStream&&) noexcept;

  /// Finds the tokens of `json`, which must stay while they are looked at, with 64 readable bytes behind it.
  /// None when it worked, else why it did not; then there are no tokens.
  std::optional<TokenFault> open(ByteView json);

  /// The whole text, when there are tokens.
  std::string_view text() const { return {text_, places_[count_]}; }
  std::uint32_t size() const { return count_; }
  /// Offset of token `i`; of `size()`: the length of the text.
  std::uint32_t offset(std::uint32_t i) const { return places_[i]; }
  /// The first character of token `i`, or '\0' (which begins no token) beyond the last.
  char first(std::uint32_t i) const { return i < count_ ? text_[places_[i]] : '\0'; }
  /// From the first character of token `i` < size() on.
  const char* at(std::uint32_t i) const { return text_ + places_[i]; }
  /// Token `i` < size() without white space behind it.
  std::string_view token(std::uint32_t i) const {
    return trimmed({text_ + places_[i], std::size_t{places_[i + 1] - places_[i]}});
  }

  /// The token behind the bracket at `open`'s own closing bracket, counting brackets of both kinds alike; none when the
  /// text ends before.
  std::optional<std::uint32_t> behind(std::uint32_t open) const;

  /// The text of a string token, quotes and escapes removed, in memory that the next call uses again; none when an
  /// escape is wrong.
  std::optional<std::string_view> unescaped(std::string_view token);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  const char* text_ = nullptr;
  const std::uint32_t* places_ = nullptr;
  std::uint32_t count_ = 0;
};

}  // namespace thalweg
