// section.h: a place on a river where its water is measured and judged.
#pragma once

#include <limits>

#include "region/river.h"

namespace thalweg::region {

/// A station at a section, with the time in which its number (MN) stood for this section.
struct Station {
  std::string mn;
  std::int64_t from_unix_ns = std::numeric_limits<std::int64_t>::min();
  std::int64_t to_unix_ns = std::numeric_limits<std::int64_t>::max();  ///< exclusive
};

/// 国控 / 市控 / 区控 for who monitors, 国考 / 市考 / 区考 for what it is assessed: two things that often differ.
enum class SectionRank : std::uint8_t { kNotSet, kNational, kMunicipal, kDistrict };
enum class SectionKind : std::uint8_t { kRiver, kLake };  ///< lakes and reservoirs are graded differently

struct Section {
  std::string code;
  Words name;
  std::vector<std::string> aliases;
  std::vector<Station> stations;
  RiverIndex river = kNone;
  ReachIndex reach = kNone;
  double km = 0;             ///< from the upper end of the reach
  PartyIndex party = kNone;  ///< responsible; where the section stands does not tell
  SectionRank monitored_by = SectionRank::kNotSet;
  SectionRank assessed_for = SectionRank::kNotSet;
  SectionKind kind = SectionKind::kRiver;
  std::uint8_t target_class = 0;                ///< 1 to 5 (GB 3838-2002), 0 when none is set
  std::uint32_t expected_interval_minutes = 0;  ///< expected rhythm; 0 when none is set
};

}  // namespace thalweg::region
