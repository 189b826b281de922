// builtin_texts.h: files of the SDK that are compiled in: schemas and the factor dictionary. Their .cc is made by
// embed_sdk.cmake.
#pragma once

#include <span>
#include <string_view>

namespace thalweg {

/// The texts of sdk/schemas/*.json. Live as long as the process.
std::span<const std::string_view> builtin_schemas();
/// The text of sdk/data/factors.tsv.
std::string_view builtin_factors();

}  // namespace thalweg
