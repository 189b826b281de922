#include "model/lane.h"

namespace thalweg {

std::string_view name(Lane lane) { return lane == Lane::kUrgent ? "urgent" : "routine"; }

Result<Lane> lane_from(std::string_view text) {
  if (text == "routine") return Lane::kRoutine;
  if (text == "urgent") return Lane::kUrgent;
  return Error{Code::kData, "a lane is \"routine\" or \"urgent\""};
}

Result<Lane> lane_from(std::uint8_t number) {
  if (number > static_cast<std::uint8_t>(Lane::kUrgent)) return Error{Code::kData, "no lane has this number"};
  return static_cast<Lane>(number);
}

}  // namespace thalweg
