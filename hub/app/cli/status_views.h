// status_views.h: hub, gate, adapters and dead letters as tables for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/cli/terminal.h"

namespace thalweg::app {

/// The answer of the hub's `status`: parties with their lag per lane, clock offsets and dead letters, then the ledgers.
/// What needs somebody's hand is red, with the next step below the tables.
std::string hub_status_text(const Terminal& terminal, const nlohmann::json& status);

/// The answer of a gate's `status`: line to the hub, outbox, inbox, how far receivers are, adapters.
std::string gate_status_text(const Terminal& terminal, const nlohmann::json& status);

/// The adapters of both lanes from a gate's `status`, one list: [{"lane":…,"instance":…,…}].
nlohmann::json adapters_in(const nlohmann::json& status);
std::string adapter_table(const Terminal& terminal, const nlohmann::json& adapters);

std::string letter_table(const Terminal& terminal, const nlohmann::json& letters);
/// One dead letter with its record (null when the gate has it no more).
std::string letter_text(const Terminal& terminal, const nlohmann::json& letter, const nlohmann::json& record);

/// "-12 ms", "+6.2 min": an offset of a clock.
std::string offset_text(const Terminal& terminal, double milliseconds);
/// "1.5 GiB"
std::string bytes_text(double bytes);

}  // namespace thalweg::app
