// observation.h: from HJ 212 fields to the data of thalweg.section.observation.v1.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "packet.h"
#include "thalweg/cpp/factors.h"

namespace thalweg::hj212 {

/// What the configuration says about one station.
struct Station {
  std::string mn;
  std::string section;                       ///< code of the section in the region
  std::string password;                      ///< empty: not compared
  int utc_offset_minutes = 480;              ///< of the station's clock; HJ 212 has no zone
  std::string minute_period = "PT10M";       ///< of CN 2051: the packet does not say
  std::map<std::string, std::string> units;  ///< by factor code, over the dictionary's
  std::string owner;                         ///< party code; empty: the sender
};

/// One record to be.
struct Observation {
  std::string time;                          ///< RFC 3339
  std::string data_time;                     ///< as received: part of the origin key
  std::string data;                          ///< JSON
  std::vector<std::string> unknown_factors;  ///< kept in data.ext.hj212, as no unit is known for them
};

/// True for the commands whose content is taken: 2011, 2051, 2061, 2031.
bool is_section_data(std::string_view cn);

/// "20260923060000" in the zone as "2026-09-23T06:00:00+08:00"; empty if it is no such moment.
std::string rfc3339(std::string_view data_time, int utc_offset_minutes);

/// The observations in `fields` (all parts of a packet, in order): one for each DataTime. A DataTime without factors is
/// an observation without factors: the station gave nothing at that moment. Fields that the schema has no member for
/// stand in ext.hj212 as received. Errors: kHj212Format (no or no valid DataTime).
Result<std::vector<Observation>> observations(std::string_view cn, const std::vector<Field>& fields,
                                              const Station& station, const FactorTable& factors);

}  // namespace thalweg::hj212
