// fault.h: one thing that is wrong with a record, and where.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "thalweg/cpp/result.h"

namespace thalweg {

/// At most this many faults of one record are named; what is wrong beyond them shows when these are mended.
inline constexpr std::size_t kMaxFaults = 32;

/// What is wrong and where, in both languages.
struct Fault {
  Code code = Code::kInternal;
  std::string path;          ///< "lane", "data.factors[3].value"; "" is the record
  std::string message;       ///< English: "must be number or null, not string"
  std::string message_zh{};  ///< Chinese: "应为数值或空值，实为文本"; empty when there is none
};

/// The first fault that refuses the record; none when all are marks (verdict.h) or there are none.
std::optional<Code> refusal_of(std::span<const Fault> faults);

/// All faults in one line, "path: message; path: message", cut between two faults at `limit_bytes`.
std::string summary(std::span<const Fault> faults, std::size_t limit_bytes = 1000);
std::string summary_zh(std::span<const Fault> faults, std::size_t limit_bytes = 1000);

}  // namespace thalweg
