// record_rules.h: which values the attributes of a record may have: one text for the reader and the builder.
// Private to model.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace thalweg::record_rules {

inline constexpr std::string_view kSourcePrefix = "/party/";
inline constexpr std::string_view kContentType = "application/json";
inline constexpr std::size_t kMaxTypeBytes = 128;
inline constexpr std::size_t kMaxSubjectBytes = 256;
inline constexpr std::size_t kMaxReferenceBytes = 128;  ///< exercise, correlationid, submitter
inline constexpr std::size_t kMaxUriBytes = 256;
inline constexpr std::size_t kMaxTimeBytes = 64;

/// True when one of the eight bytes is a control character of ASCII, '"', '\\', or the first of U+0080 to U+00BF.
/// May also be true for other bytes next to such a one; never false when there is one.
inline bool has_special(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = kOnes << 7;
  const auto has_zero = [](std::uint64_t w) { return (w - kOnes) & ~w & kHigh; };
  const std::uint64_t below_space = (word - kOnes * 0x20) & ~word & kHigh;
  return (below_space | has_zero(word ^ (kOnes * '"')) | has_zero(word ^ (kOnes * '\\')) |
          has_zero(word ^ (kOnes * 0x7f)) | has_zero(word ^ (kOnes * 0xc2))) != 0;
}

/// 1 to `limit` bytes without control characters (C0, DEL, C1), '"' and '\\': what stands in JSON as it is. That it is
/// UTF-8 is checked elsewhere.
inline bool plain_text(std::string_view text, std::size_t limit) {
  if (text.empty() || text.size() > limit) return false;
  std::size_t i = 0;
  for (std::uint64_t word; i + sizeof word <= text.size(); i += sizeof word) {
    std::memcpy(&word, text.data() + i, sizeof word);
    if (has_special(word)) break;
  }
  for (; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) return false;
    // U+0080 to U+009F steer some terminals.
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
  }
  return true;
}

/// 1 to kMaxTypeBytes of [0-9A-Za-z._-].
inline bool valid_type(std::string_view text) {
  if (text.empty() || text.size() > kMaxTypeBytes) return false;
  for (char c : text) {
    const bool good =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
    if (!good) return false;
  }
  return true;
}

/// Lower-case letters and digits, as CloudEvents asks of the names of extensions.
inline bool valid_extension_name(std::string_view text, std::size_t limit) {
  if (text.empty() || text.size() > limit) return false;
  for (char c : text) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) return false;
  }
  return true;
}

}  // namespace thalweg::record_rules
