// session_state.h: which message is allowed in which state of a session; link.md shows the same tables, a test
// compares.
#pragma once

#include <array>

#include "link/message.h"

namespace thalweg::link {

/// What a message is in a state: taken, or a fault that ends the session (kLinkFrame).
enum class Rule : std::uint8_t { kFault, kTake };

enum class HubState : std::uint8_t { kNew, kGreeted, kOpen };
enum class GateState : std::uint8_t { kConnecting, kGreeting, kOpen };

using RuleRow = std::array<Rule, kLastMessageType + 1>;

namespace rules {
inline constexpr Rule F = Rule::kFault;
inline constexpr Rule T = Rule::kTake;
// clang-format off
// What the hub takes from a gate.        -  HELLO WELCOME REFUSE CHUNK ACK CREDIT SETTLE PROGRESS LOOKUP FOUND DOCUMENT PING PONG BYE
inline constexpr std::array<RuleRow, 3> kHub = {{
    /* kNew: connected, no HELLO     */ {F, T,    F,      F,     F,    F,  F,     F,     F,       F,     F,    F,       F,   F,   T},
    /* kGreeted: the hub considers   */ {F, F,    F,      F,     F,    F,  F,     F,     F,       F,     F,    F,       T,   T,   T},
    /* kOpen                         */ {F, F,    F,      F,     T,    F,  T,     T,     F,       T,     F,    F,       T,   T,   T},
}};
// What the gate takes from a hub.
inline constexpr std::array<RuleRow, 3> kGate = {{
    /* kConnecting: no HELLO yet     */ {F, F,    F,      F,     F,    F,  F,     F,     F,       F,     F,    F,       F,   F,   F},
    /* kGreeting: HELLO sent         */ {F, F,    T,      T,     F,    F,  F,     F,     F,       F,     F,    F,       F,   T,   T},
    /* kOpen                         */ {F, F,    F,      F,     T,    T,  T,     F,     T,       F,     T,    T,       T,   T,   T},
}};
// clang-format on
}  // namespace rules

constexpr Rule rule(HubState state, MessageType type) {
  return rules::kHub[static_cast<std::size_t>(state)][static_cast<std::size_t>(type)];
}
constexpr Rule rule(GateState state, MessageType type) {
  return rules::kGate[static_cast<std::size_t>(state)][static_cast<std::size_t>(type)];
}

}  // namespace thalweg::link
