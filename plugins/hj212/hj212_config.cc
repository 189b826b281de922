#include "hj212_config.h"

#include <charconv>
#include <fstream>

#include "thalweg/cpp/config.h"

namespace thalweg::hj212 {
namespace {

// The spelling of thalweg.section.observation.v1.
constexpr std::string_view kUnits[] = {"1",   "mg/L",   "ug/L",    "ng/L",     "g/L",     "degC",  "uS/cm",  "mS/m",
                                       "NTU", "degree", "cells/L", "cells/mL", "count/L", "MPN/L", "CFU/mL", "Bq/L",
                                       "L/s", "m3/s",   "m3/h",    "m3",       "m",       "m/s",   "%",      "mV"};

Status read_listen(const Config& config, Settings& settings) {
  TW_ASSIGN(const std::string listen, config.text("listen"));
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return config.fault("listen", "must be ADDRESS:PORT");
  settings.address = listen.substr(0, colon);
  if (settings.address.size() > 1 && settings.address.front() == '[' && settings.address.back() == ']')
    settings.address = settings.address.substr(1, settings.address.size() - 2);
  unsigned port = 0;
  const char* end = listen.data() + listen.size();
  const auto [at, error] = std::from_chars(listen.data() + colon + 1, end, port);
  if (error != std::errc{} || at != end || port > 65535)
    return config.fault("listen", "the port must be from 0 to 65535");
  settings.port = static_cast<std::uint16_t>(port);
  return {};
}

Status read_units(const Config& config, const FactorTable& factors, std::map<std::string, std::string>& units) {
  TW_ASSIGN(const Config given, config.object("units", /*required=*/false));
  for (const std::string& code : given.keys()) {
    if (factors.find(code) == nullptr) return given.fault(code, "is not in the factor dictionary");
    TW_ASSIGN(const std::string unit, given.text(code));
    bool known = false;
    for (const std::string_view k : kUnits) known = known || k == unit;
    if (!known) return given.fault(code, "has a unit that the schema does not know: " + unit);
    units[code] = unit;
  }
  return {};
}

Result<Station> read_station(const Config& config, const FactorTable& factors,
                             const std::map<std::string, std::string>& common_units, int common_offset) {
  TW_TRY(config.only({"mn", "section", "utc_offset_minutes", "minute_period", "units", "owner", "password_file"}));
  Station station;
  TW_ASSIGN(station.mn, config.text("mn"));
  TW_ASSIGN(station.section, config.text("section"));
  TW_ASSIGN(station.owner, config.text_or("owner", ""));
  TW_ASSIGN(const auto offset, config.integer_or("utc_offset_minutes", common_offset, -14 * 60, 14 * 60));
  station.utc_offset_minutes = static_cast<int>(offset);
  TW_ASSIGN(station.minute_period,
            config.choice_or("minute_period", "PT10M", {"PT1M", "PT5M", "PT10M", "PT15M", "PT20M", "PT30M"}));
  station.units = common_units;
  TW_TRY(read_units(config, factors, station.units));
  TW_ASSIGN(const std::string password_file, config.text_or("password_file", ""));
  if (!password_file.empty()) {
    std::ifstream file(password_file);
    if (!std::getline(file, station.password) || station.password.empty())
      return config.fault("password_file", "cannot be read, or its first line is empty");
  }
  return station;
}

}  // namespace

Result<Settings> Settings::read(std::string_view json, const FactorTable& factors) {
  TW_ASSIGN(const Config config, Config::parse(json));
  TW_TRY(config.only({"listen", "port_file", "max_connections", "max_segment_bytes", "idle_ms", "packet_ms",
                      "max_waiting", "max_faults", "split_answers", "utc_offset_minutes", "units", "stations"}));
  Settings settings;
  TW_TRY(read_listen(config, settings));
  TW_ASSIGN(settings.port_file, config.text_or("port_file", ""));
  TW_ASSIGN(const auto connections, config.integer_or("max_connections", 200, 1, 10'000));
  settings.max_connections = static_cast<std::size_t>(connections);
  TW_ASSIGN(const auto segment,
            config.integer_or("max_segment_bytes", kStandardSegmentBytes, 64, kLargestSegmentBytes));
  settings.max_segment_bytes = static_cast<std::size_t>(segment);
  TW_ASSIGN(settings.idle_ms, config.integer_or("idle_ms", settings.idle_ms, 10, 86'400'000));
  TW_ASSIGN(settings.packet_ms, config.integer_or("packet_ms", settings.packet_ms, 10, 600'000));
  TW_ASSIGN(const auto waiting, config.integer_or("max_waiting", 4096, 1, 1'000'000));
  settings.max_waiting = static_cast<std::size_t>(waiting);
  TW_ASSIGN(const auto faults, config.integer_or("max_faults", 16, 1, 1'000'000));
  settings.max_faults = static_cast<std::size_t>(faults);
  TW_ASSIGN(const std::string parts, config.choice_or("split_answers", "at_end", {"at_end", "each"}));
  settings.answer_each_part = parts == "each";
  TW_ASSIGN(const auto offset, config.integer_or("utc_offset_minutes", 480, -14 * 60, 14 * 60));
  std::map<std::string, std::string> units;
  TW_TRY(read_units(config, factors, units));
  TW_ASSIGN(const auto stations, config.objects("stations"));
  if (stations.empty()) return config.fault("stations", "must name at least one station");
  for (const Config& entry : stations) {
    TW_ASSIGN(Station station, read_station(entry, factors, units, static_cast<int>(offset)));
    const std::string mn = station.mn;
    if (!settings.stations.emplace(mn, std::move(station)).second) return entry.fault("mn", "is named twice: " + mn);
  }
  return settings;
}

}  // namespace thalweg::hj212
