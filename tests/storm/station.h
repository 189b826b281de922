// station.h: what the stations of a trial send.
#pragma once

#include <string>

#include "storm/origin.h"

namespace thalweg::storm {

/// Readings of 大足's section or of 荣昌's on the routine lane, warnings of 荣昌 on the urgent one. `name` is unique
/// within a party: origin keys begin with it. Records, pace and seed are the caller's.
Origin::Settings station(std::string name, const Path& gate_folder, Lane lane, bool of_dazu);

}  // namespace thalweg::storm
