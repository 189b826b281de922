// relay.h: the raw relay over CURVE that the exchange is measured against: nothing stored, checked, signed or decided.
#pragma once

#include <cstddef>

namespace thalweg::bench {

/// Messages/s of `bytes` each through DEALER -> ROUTER -> DEALER, all over CURVE on loopback, until `messages` arrived.
double relay_rate(std::size_t bytes, std::size_t messages);

}  // namespace thalweg::bench
