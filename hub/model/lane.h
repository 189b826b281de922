// lane.h: urgent or routine. Separate connections, queues, cursors and quotas; urgent is always served first.
#pragma once

#include <cstdint>
#include <string_view>

#include "thalweg/cpp/result.h"

namespace thalweg {

/// The numbers stand on disk and on the wire.
enum class Lane : std::uint8_t { kRoutine = 0, kUrgent = 1 };

inline constexpr Lane kLanes[] = {Lane::kUrgent, Lane::kRoutine};  ///< in the order in which they are served

/// "routine" or "urgent": the value of the attribute `lane` and the name of the lane's folders.
std::string_view name(Lane lane);
/// Errors: kData for any other text.
Result<Lane> lane_from(std::string_view text);
/// Errors: kData for any other number.
Result<Lane> lane_from(std::uint8_t number);

}  // namespace thalweg
