// time.h: times as text, RFC 3339.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "thalweg/cpp/result.h"

namespace thalweg {

inline constexpr int kBeijingOffset_minutes = 480;

/// Nanoseconds since 1970-01-01T00:00Z of e.g. "2026-09-23T06:00:00+08:00" or "2026-09-22T22:00:00.25Z".
///
/// The offset is mandatory, and "-00:00" (RFC 3339: not known) is none. Years 1678 to 2261; up to nine digits behind
/// the second; second 60 is read as the next minute. Errors: kData, with what is wrong. Allocates only on failure.
Result<std::int64_t> parse_rfc3339(std::string_view text);

/// The text of `unix_ns` at an offset of at most 23 h 59 min; "Z" for 0. Three, six or nine digits behind the second
/// where they are not zero.
std::string format_rfc3339(std::int64_t unix_ns, int offset_minutes = kBeijingOffset_minutes);

}  // namespace thalweg
