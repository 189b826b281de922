// schema_formats.h: the named formats that a schema may ask of a string, written out by hand.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace thalweg {

/// Regular expressions are too slow for every record; these are the forms that records need.
enum class NamedFormat : std::uint8_t {
  kNone,
  kDateTime,   ///< "date-time": RFC 3339 with offset; T and Z in upper case; no leap seconds
  kDate,       ///< "date": 2026-09-23
  kDuration,   ///< "duration": ISO 8601, whole numbers: P1M, P1D, PT1H, PT30M
  kUuid,       ///< "uuid": lower case, with hyphens
  kCode,       ///< "thalweg-code": 1 to 64 of 0-9 A-Z a-z . _ -
  kLine,       ///< "thalweg-line": no control characters
  kTelephone,  ///< "thalweg-telephone": 3 to 60 bytes of a line with at least three digits: 110, 023-46733310 转 8001
  kSha256,     ///< "thalweg-sha256": 64 lower-case hexadecimal digits
  kMediaType,  ///< "thalweg-media-type": type/subtype, at most 127 bytes
  kFactor,     ///< "thalweg-factor": a code of the factor dictionary
};

/// The format of that name; none when it is not known.
std::optional<NamedFormat> format_from(std::string_view name);
std::string_view name_of(NamedFormat format);

/// Whether `text` has the form. Any thread; no allocation.
bool has_format(NamedFormat format, std::string_view text);

/// What a text of this format looks like, for messages: {English, Chinese}.
struct FormatHelp {
  std::string_view en, zh;
};
FormatHelp help_for(NamedFormat format);

}  // namespace thalweg
