// find.cc: finding parties, rivers and sections by what people and systems call them.
#include <fmt/format.h>

#include <algorithm>

#include "model/nearest.h"
#include "region/region.h"

namespace thalweg::region {
namespace {

/// Edit distances are compared with at most this many names: an unknown name may come with every record of a flood.
constexpr std::size_t kMostCompared = 2000;

template <class Map>
std::optional<typename Map::mapped_type> look_up(const Map& map, std::string_view key) {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

Error not_found(Code code, std::string_view what, std::string_view wanted, std::vector<std::string> known) {
  std::string text = fmt::format("there is no {} '{}'", what, shortened(wanted));
  const std::vector<std::string> near = nearest(shortened(wanted), known);
  if (!near.empty()) text += fmt::format("; nearest: {}", fmt::join(near, ", "));
  return {code, std::move(text)};
}

template <class Items>
Error ambiguous(Code code, std::string_view what, std::string_view wanted, const Items& all,
                std::span<const std::uint32_t> found) {
  std::string text = fmt::format("several are named '{}'; give the code of the {}: ", shortened(wanted), what);
  for (std::size_t i = 0; i < found.size() && i < 10; ++i)
    text += fmt::format("{}{}", i ? ", " : "", all[found[i]].code);
  return {code, std::move(text)};
}

template <class Map, class Items>
void index_by_name(const Items& items, Map& map) {
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    const auto add = [&](const std::string& name) {
      if (name.empty()) return;
      auto& holders = map[name];
      if (holders.empty() || holders.back() != i) holders.push_back(i);
    };
    add(items[i].name.zh);
    add(items[i].name.en);
    for (const std::string& alias : items[i].aliases) add(alias);
  }
}

}  // namespace

void Region::index_names() {
  index_by_name(sections_, section_names_);
  index_by_name(rivers_, river_names_);
  // A number without a time stands for the section that has it last.
  for (const auto& [mn, holders] : section_mns_) {
    const auto last = [&, mn = std::string_view(mn)](SectionIndex section) {
      std::int64_t from = std::numeric_limits<std::int64_t>::min();
      for (const Station& station : sections_[section].stations)
        if (station.mn == mn) from = std::max(from, station.from_unix_ns);
      return from;
    };
    if (!holders.empty()) section_keys_.try_emplace(mn, *std::ranges::max_element(holders, {}, last));
  }
}

std::optional<PartyIndex> Region::party_by_key(std::string_view key) const { return look_up(party_keys_, key); }
std::optional<SectionIndex> Region::section_by_key(std::string_view key) const { return look_up(section_keys_, key); }
std::optional<SectionIndex> Region::section_named(std::string_view name) const {
  const auto named = section_names_.find(name);
  if (named == section_names_.end() || named->second.size() > 1) return std::nullopt;
  return named->second.front();
}
std::optional<RiverIndex> Region::river_by_key(std::string_view key) const {
  if (const auto code = look_up(river_codes_, key)) return code;
  const auto named = river_names_.find(key);
  if (named == river_names_.end() || named->second.size() > 1) return std::nullopt;
  return named->second.front();
}
std::optional<ReachIndex> Region::reach_by_code(std::string_view code) const { return look_up(reach_codes_, code); }
std::optional<AgreementIndex> Region::agreement_by_id(std::string_view id) const { return look_up(agreement_ids_, id); }

Result<PartyIndex> Region::find_party(std::string_view key) const {
  if (const auto found = party_by_key(key)) return *found;
  std::vector<std::string> known;
  for (const auto& [name, party] : party_keys_)
    if (known.size() < kMostCompared) known.push_back(name);
  return not_found(Code::kNotFound, "party", key, std::move(known));
}

Result<SectionIndex> Region::find_section(std::string_view text, std::optional<std::int64_t> at_unix_ns) const {
  if (at_unix_ns) {
    if (const auto holders = section_mns_.find(text); holders != section_mns_.end()) {
      for (const SectionIndex section : holders->second)
        for (const Station& station : sections_[section].stations)
          if (station.mn == text && station.from_unix_ns <= *at_unix_ns && *at_unix_ns < station.to_unix_ns)
            return section;
    }
  }
  if (const auto found = section_by_key(text)) return *found;
  if (const auto found = section_named(text)) return *found;
  if (const auto named = section_names_.find(text); named != section_names_.end())
    return ambiguous(Code::kSectionUnknown, "section", text, sections_, named->second);
  std::vector<std::string> known;
  for (const auto* map : {&section_names_, &section_mns_})
    for (const auto& [name, section] : *map)
      if (known.size() < kMostCompared) known.push_back(name);
  for (const Section& section : sections_)
    if (known.size() < kMostCompared) known.push_back(section.code);
  return not_found(Code::kSectionUnknown, "section", text, std::move(known));
}

Result<RiverIndex> Region::find_river(std::string_view text) const {
  if (const auto found = river_by_key(text)) return *found;
  if (const auto named = river_names_.find(text); named != river_names_.end())
    return ambiguous(Code::kNotFound, "river", text, rivers_, named->second);
  std::vector<std::string> known;
  for (const auto& [name, river] : river_names_)
    if (known.size() < kMostCompared) known.push_back(name);
  for (const River& river : rivers_)
    if (known.size() < kMostCompared) known.push_back(river.code);
  return not_found(Code::kNotFound, "river", text, std::move(known));
}

}  // namespace thalweg::region
