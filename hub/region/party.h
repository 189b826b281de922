// party.h: an authority that sends and receives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "region/words.h"

namespace thalweg::region {

/// Places in the lists of one Region; they mean nothing in another version of it.
using PartyIndex = std::uint32_t;
using BasinIndex = std::uint32_t;
using RiverIndex = std::uint32_t;
using ReachIndex = std::uint32_t;
using SectionIndex = std::uint32_t;
using AgreementIndex = std::uint32_t;
inline constexpr std::uint32_t kNone = 0xFFFFFFFF;

enum class PartyKind : std::uint8_t {
  kEnvironment,     ///< bureau of ecology and environment
  kFunctionalZone,  ///< 高新区 and the like
  kTownship,
  kWater,
  kAgriculture,
  kPolice,
  kProcuratorate,
  kCourt,
  kRiverChief,
  kGovernment,
  kHub,  ///< the exchange itself: source of receipts and conclusions
  kOther,
};
enum class PartyLevel : std::uint8_t { kNation, kProvince, kCity, kCounty, kTownship, kOther };

struct Party {
  std::string code;                    ///< key everywhere; for districts the administrative code (GB/T 2260)
  std::vector<std::string> old_codes;  ///< still stand in station numbers and old records
  std::vector<std::string> aliases;
  Words name;
  PartyKind kind = PartyKind::kEnvironment;
  PartyLevel level = PartyLevel::kCounty;
  PartyIndex superior = kNone;
  std::string province;
  std::string telephone;               ///< of the duty officer; empty when not given
  std::vector<ReachIndex> reaches;     ///< that have this party on a bank
  std::vector<SectionIndex> sections;  ///< for which it is responsible

  bool is_hub() const { return kind == PartyKind::kHub; }
};

}  // namespace thalweg::region
