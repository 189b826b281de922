// encoding.h: the two encodings in which spreadsheets exchange text here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "thalweg/cpp/result.h"

namespace thalweg::tabular {

enum class Encoding : std::uint8_t { kAuto, kUtf8, kGb18030 };

inline constexpr std::string_view kUtf8Bom = "\xEF\xBB\xBF";

bool valid_utf8(std::string_view bytes);

/// The text as UTF-8 without a mark in front. kAuto: UTF-8 if a mark stands there or all of it is valid, else GB18030.
/// Errors: kData, with the byte at which it is neither.
Result<std::string> to_utf8(std::string_view bytes, Encoding from);

/// UTF-8 text in GB18030, which has every character. Errors: kData if `text` is not UTF-8.
Result<std::string> to_gb18030(std::string_view text);

}  // namespace thalweg::tabular
