// publish.h: `thalweg publish`: records from files to the gate, with an answer for each.
#pragma once

#include <string>
#include <vector>

#include "app/cli/commands.h"

namespace thalweg::app {

/// Reads the files ('-' is standard input), hands all drafts to the gate, urgent ones first, and says what became of
/// each. Gives the exit code: kExitData when any was refused, kExitUnavailable when the gate could not take some.
int publish(const Session& session, const std::vector<std::string>& files, const std::string& exercise);

}  // namespace thalweg::app
