// gate_pages.h: /metrics of a gate.
#pragma once

#include <string>

namespace thalweg::gate {
class Gate;
}

namespace thalweg::app {

/// Text exposition format. Names: docs/operate.md. Asks both lanes; not from their loops.
std::string gate_metrics_page(const gate::Gate& gate);

}  // namespace thalweg::app
