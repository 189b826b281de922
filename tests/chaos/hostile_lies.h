// hostile_lies.h: parcels that say what is not so, signed with a key that the hub knows.
#pragma once

#include "chaos/hostile_attacks.h"

namespace thalweg::chaos {

class Intruder;

/// One of them in a session; which one depends on `turn`. Each is answered with its code, or counted as an error.
void lie(Intruder& intruder, const Target& target, std::uint64_t turn, Tally& tally);

}  // namespace thalweg::chaos
