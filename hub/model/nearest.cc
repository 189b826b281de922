#include "model/nearest.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace thalweg {
namespace {

constexpr std::size_t kMaxCharacters = 64;

/// The characters of UTF-8 text, ASCII in lower case; a byte that is no UTF-8 stands for itself.
std::u32string characters(std::string_view text) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size() && out.size() < kMaxCharacters;) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char32_t c = lead;
    if (size > 1 && i + size <= text.size()) {
      for (std::size_t k = 1; k < size; ++k) c = c << 8 | static_cast<unsigned char>(text[i + k]);
      i += size;
    } else {
      if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
      ++i;
    }
    out.push_back(c);
  }
  return out;
}

/// Optimal string alignment: letters put in, left out, changed, or two neighbours swapped (each place edited once).
std::size_t edits(const std::u32string& a, const std::u32string& b) {
  std::size_t rows[3][kMaxCharacters + 1];
  std::size_t *before = rows[0], *above = rows[1], *row = rows[2];
  std::iota(above, above + b.size() + 1, std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t k = 1; k <= b.size(); ++k) {
      row[k] = std::min({above[k] + 1, row[k - 1] + 1, above[k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1)});
      if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) row[k] = std::min(row[k], before[k - 2] + 1);
    }
    std::size_t* const free = before;
    before = above;
    above = row;
    row = free;
  }
  return above[b.size()];
}

}  // namespace

std::vector<std::string> nearest(std::string_view wanted, std::span<const std::string> known, std::size_t at_most) {
  const std::u32string from = characters(wanted);
  std::vector<std::pair<std::size_t, const std::string*>> found;
  for (const std::string& name : known) {
    const std::u32string to = characters(name);
    if (from.empty() || to.empty()) continue;
    const std::size_t distance = edits(from, to);
    // Half a name is near however long the other half is.
    const bool begins = from.starts_with(to) || to.starts_with(from);
    if (begins || distance <= 1 || distance * 3 <= std::max(from.size(), to.size()))
      found.emplace_back(distance, &name);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (std::size_t i = 0; i < found.size() && names.size() < at_most; ++i) {
    const std::string& name = *found[i].second;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

}  // namespace thalweg
