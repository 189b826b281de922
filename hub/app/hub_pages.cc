#include "app/hub_pages.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/http_endpoint.h"

namespace thalweg::app {
namespace {

std::string_view name_of(Code code) {
  switch (code) {
#define TW_ERROR(name, number, class_) \
  case Code::k##name:                  \
    return #name;
#include "thalweg/errors.inc"
#undef TW_ERROR
  }
  return "unknown";
}

}  // namespace

using nlohmann::json;

// Written as text, keys in order: a DOM of a thousand parties costs milliseconds, on both lanes, for every gate that
// connects.
std::string manifest_json(const intake::Policy& policy, const std::string& party) {
  const region::Region& region = *policy.region;
  const auto quoted = [](const std::string& text) { return json(text).dump(); };
  const auto separate = [](std::string& list) { list += list.empty() ? "" : ","; };
  std::string parties, sections, routes;
  for (const region::Party& p : region.parties()) {
    separate(parties);
    parties += R"({"code":)" + quoted(p.code) + R"(,"duty_phone":)" + quoted(p.telephone) + R"(,"name_en":)" +
               quoted(p.name.en) + R"(,"name_zh":)" + quoted(p.name.zh) + "}";
  }
  for (const region::Section& s : region.sections()) {
    separate(sections);
    sections += R"({"code":)" + quoted(s.code) + R"(,"name_en":)" + quoted(s.name.en) + R"(,"name_zh":)" +
                quoted(s.name.zh) + "}";
  }
  if (const auto self = region.party_by_key(party)) {
    for (const region::Agreement& agreement : region.agreements()) {
      if (!std::binary_search(agreement.from.begin(), agreement.from.end(), *self)) continue;
      for (const region::PartyIndex to : agreement.to) {
        if (to == *self || !policy.routes->still_allows(agreement.id, party, region.party(to).code)) continue;
        for (const std::string& topic : agreement.topics) {
          separate(routes);
          routes += R"({"agreement":)" + quoted(agreement.id) + R"(,"to":)" + quoted(region.party(to).code) +
                    R"(,"type":)" + quoted(topic) + R"(,"version":)" + std::to_string(agreement.version) + "}";
        }
      }
    }
  }
  return R"({"code":)" + quoted(region.code()) + R"(,"digest":)" + quoted(to_hex(region.digest())) + R"(,"hub":)" +
         quoted(region.hub().code) + R"(,"parties":[)" + parties + R"(],"routes":[)" + routes + R"(],"sections":[)" +
         sections + "]}";
}

std::string metrics_page(HubLane& routine, HubLane& urgent) {
  std::string page;
  for (HubLane* lane : {&routine, &urgent}) {
    const std::string label = "lane=\"" + std::string(name(lane->lane())) + "\"";
    struct Figures {
      HubLaneCounters hub;
      link::HubLinkCounters link;
      std::map<std::string, delivery::ReceiverState> receivers;
    };
    // One look at the lane, on its own loop, so that the figures belong together.
    const Figures f = lane->loop().run([lane] {
      return Figures{lane->counters(), lane->link_counters(), lane->store().receivers.all()};
    });
    const auto add = [&](std::string_view what, double value) { metric(page, what, label, value); };
    add("thalweg_parcels_total", static_cast<double>(f.hub.parcels));
    add("thalweg_records_total", static_cast<double>(f.hub.records));
    add("thalweg_records_refused_total", static_cast<double>(f.hub.refused_records));
    add("thalweg_records_marked_total", static_cast<double>(f.hub.marked_records));
    add("thalweg_parcels_refused_total", static_cast<double>(f.hub.refused_parcels));
    add("thalweg_parcels_repeated_total", static_cast<double>(f.hub.repeats));
    add("thalweg_settlements_total", static_cast<double>(f.hub.settlements));
    add("thalweg_link_sessions", static_cast<double>(f.link.sessions));
    add("thalweg_link_connections", static_cast<double>(f.link.connections));
    add("thalweg_link_refused_keys_total", static_cast<double>(f.link.refused_keys));
    add("thalweg_link_failed_handshakes_total", static_cast<double>(f.link.failed_handshakes));
    add("thalweg_link_bad_frames_total", static_cast<double>(f.link.frames_bad + f.link.multipart));
    add("thalweg_link_excess_total", static_cast<double>(f.link.excess + f.link.credit_breaches + f.link.floods));
    add("thalweg_link_turned_away_total", static_cast<double>(f.link.turned_away));
    add("thalweg_link_crowded_total", static_cast<double>(f.link.crowded));
    const auto add_by_code = [&](std::string_view what, const std::map<Code, std::uint64_t>& counts) {
      for (const auto& [code, count] : counts)
        metric(page, what, label + ",code=\"" + std::string(name_of(code)) + "\"", static_cast<double>(count));
    };
    add_by_code("thalweg_parcels_refused_by_code_total", f.hub.refused_by_code);
    add_by_code("thalweg_link_sessions_refused_total", f.link.refused);
    add_by_code("thalweg_link_sessions_ended_total", f.link.ended);
    add("thalweg_ledger_blocks", static_cast<double>(lane->store().log().head().number));
    add("thalweg_ledger_bytes", static_cast<double>(lane->store().log().total_bytes()));
    for (const auto& [receiver, state] : f.receivers) {
      const std::string of = label + ",receiver=\"" + receiver + "\"";
      metric(page, "thalweg_receiver_lag", of, static_cast<double>(state.durable - state.settled));
      metric(page, "thalweg_receiver_untaken", of, static_cast<double>(state.settled - state.taken));
      metric(page, "thalweg_receiver_dead_letters", of, static_cast<double>(state.dead));
    }
  }
  return page;
}

}  // namespace thalweg::app
