// gate_pages.cc: see gate_pages.h.
#include "app/gate_pages.h"

#include <nlohmann/json.hpp>

#include "app/http_endpoint.h"
#include "gate/gate.h"

namespace thalweg::app {

using nlohmann::json;

std::string gate_metrics_page(const gate::Gate& gate) {
  const json status = gate.status();
  std::string page;
  for (const json& lane : status["lanes"]) {
    const std::string label = "lane=\"" + lane["lane"].get<std::string>() + "\"";
    const auto add = [&](std::string_view name, const json& value) {
      if (value.is_number()) metric(page, name, label, value.get<double>());
      if (value.is_boolean()) metric(page, name, label, value.get<bool>() ? 1 : 0);
    };
    const json& link = lane["link"];
    add("thalweg_gate_link_open", link["open"]);
    add("thalweg_gate_link_sessions_total", link["sessions"]);
    add("thalweg_gate_clock_offset_ms", link["clock_offset_ms"]);
    add("thalweg_gate_documents_disbelieved_total", link["disbelieved"]);
    const json& outbox = lane["outbox"];
    add("thalweg_gate_outbox_records_total", outbox["accepted"]);
    add("thalweg_gate_outbox_repeated_total", outbox["repeated"]);
    add("thalweg_gate_outbox_rejected_total", outbox["rejected"]);
    add("thalweg_gate_outbox_busy_total", outbox["busy"]);
    add("thalweg_gate_outbox_waiting_parcels", outbox["waiting"]);
    add("thalweg_gate_outbox_bytes", outbox["bytes"]);
    add("thalweg_gate_outbox_dead_letters", outbox["dead_letters"]);
    const json& inbox = lane["inbox"];
    add("thalweg_gate_inbox_records_total", inbox["records"]);
    add("thalweg_gate_inbox_skipped_total", inbox["skipped"]);
    add("thalweg_gate_inbox_doubtful_total", inbox["doubtful"]);
    add("thalweg_gate_inbox_bytes", inbox["bytes"]);
    add("thalweg_gate_inbox_dead_letters", inbox["dead_letters"]);
    for (const json& adapter : lane["adapters"]) {
      const std::string of = label + ",adapter=\"" + adapter["instance"].get<std::string>() + "\"";
      metric(page, "thalweg_gate_adapter_running", of, adapter["state"] == "running" ? 1 : 0);
      metric(page, "thalweg_gate_adapter_crashes_total", of, adapter["crashes"].get<double>());
      if (!adapter.contains("lag")) continue;
      metric(page, "thalweg_gate_adapter_lag", of, adapter["lag"].get<double>());
      metric(page, "thalweg_gate_adapter_accepted_total", of, adapter["accepted"].get<double>());
      metric(page, "thalweg_gate_adapter_retried_total", of, adapter["retried"].get<double>());
    }
  }
  return page;
}

}  // namespace thalweg::app
