// nearest.h: "did you mean": the known names that are nearest to one that is not known.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace thalweg {

/// At most `at_most` of `known`, each once, nearest first and else in their order, by edits over whole characters
/// (UTF-8), two neighbours swapped being one; none when nothing is near (more than one character and over a third of
/// the longer name differs, and neither begins with the other). Of names longer than 64 characters only the first 64
/// count, so that a hostile name is cheap. Costs about 2 µs per known name: for answers to mistakes, not for the hot
/// path.
std::vector<std::string> nearest(std::string_view wanted, std::span<const std::string> known, std::size_t at_most = 3);

}  // namespace thalweg
