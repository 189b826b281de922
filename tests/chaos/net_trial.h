// net_trial.h: a plan applied while stations send, and the table of what came of it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "chaos/net_world.h"

namespace thalweg::chaos {

/// Applies every step when it is due, says so, and calls `every_s` each `pause_s` seconds.
void pass_plan(World& world, const std::vector<Step>& plan, int pause_s, const std::function<void(double at_s)>& every);

/// The table: every way with what was lost, doubled, out of order, foreign or forbidden; lines; logs.
void print_account(const World& world, bool chinese);
nlohmann::json account_json(const World& world);

/// Exit code.
int run_chaos(World& world, const PlanOptions& options, bool chinese, const Path& json);

}  // namespace thalweg::chaos
