// result.h: errors as values, for adapters and hub alike.
//
// A subset of std::expected (C++23), so that it can be replaced by it. Codes come from sdk/errors.json;
// texts are for people and are never parsed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace thalweg {

/// Every code of sdk/errors.json. Numbers are part of the wire and disk formats: never reused.
enum class Code : std::int32_t {
#define TW_ERROR(name, number, class_) k##name = number,
#include "thalweg/errors.inc"
#undef TW_ERROR
};

/// Why something did not work: the code to act on, the message to read.
struct [[nodiscard]] Error {
  Code code = Code::kInternal;
  std::string message;

  /// The same error with `context` in front: "opening the outbox: disk full".
  Error in(std::string_view context) && {
    message.insert(0, std::string(context) + ": ");
    return std::move(*this);
  }
};

/// A value, or the Error that stands in its place. Reading the absent one is a broken invariant (throws from std::get).
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by intent
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by intent

  bool has_value() const noexcept { return held_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & { return std::get<0>(held_); }
  const T& value() const& { return std::get<0>(held_); }
  T&& value() && { return std::get<0>(std::move(held_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { return std::get<1>(held_); }
  Error&& error() && { return std::get<1>(std::move(held_)); }

 private:
  std::variant<T, Error> held_;
};

/// Outcome of an operation without a value: default-constructed means it worked.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by intent

  bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace thalweg

/// Returns the error of `expression` (a Status) from the enclosing function, or goes on.
#define TW_TRY(expression)                                        \
  do {                                                            \
    if (auto tw_status_ = (expression); !tw_status_) [[unlikely]] \
      return ::thalweg::Error(std::move(tw_status_).error());     \
  } while (false)

/// Declares `target` as the value of `expression` (a Result), or returns its error.
#define TW_ASSIGN(target, expression) TW_ASSIGN_AT_(target, expression, __COUNTER__)
#define TW_ASSIGN_AT_(target, expression, n) TW_ASSIGN_AS_(target, expression, n)
#define TW_ASSIGN_AS_(target, expression, n)                   \
  auto tw_result_##n = (expression);                           \
  if (!tw_result_##n) [[unlikely]]                             \
    return ::thalweg::Error(std::move(tw_result_##n).error()); \
  target = *std::move(tw_result_##n)
