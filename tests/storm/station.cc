#include "storm/station.h"

#include <utility>

namespace thalweg::storm {
namespace {

std::string observation(const char* section, const char* station, std::uint64_t i) {
  const std::string value = std::to_string(i % 15) + "." + std::to_string(10 + i % 90);
  return std::string(R"({"section":")") + section + R"(","station":")" + station +
         R"(","time":"2026-09-23T06:00:00+08:00","time_label":"instant","mode":"automatic","review":"raw","factors":[)" +
         R"({"code":"w01009","text":")" + value + R"(","value":)" + value + R"(,"unit":"mg/L","flag":"N"}]})";
}

std::string warning(const char* section) {
  return std::string(R"({"incident":"storm-drill","kind":"warning","river":"濑溪河","section":")") + section +
         R"(","learned_at":"2026-09-23T06:20:00+08:00","contact":"值班员","telephone":"023-00000000"})";
}

}  // namespace

Origin::Settings station(std::string station_name, const Path& gate_folder, Lane lane, bool of_dazu) {
  const char* section = of_dazu ? "laixi-yutan" : "laixi-gaodong";
  const char* number = of_dazu ? "A500000_2013" : "A500226_0002";
  Origin::Settings settings;
  settings.name = std::move(station_name);
  settings.socket = gate_folder / "state" / "run" / (std::string(name(lane)) + ".sock");
  settings.lane = lane;
  if (lane == Lane::kUrgent) {
    settings.type = "thalweg.emergency.notice.v1";
    settings.subject = "storm-drill";
    settings.data = [section](std::uint64_t) { return warning(section); };
  } else {
    settings.type = "thalweg.section.observation.v1";
    settings.subject = section;
    settings.data = [section, number](std::uint64_t i) { return observation(section, number, i); };
  }
  return settings;
}

}  // namespace thalweg::storm
