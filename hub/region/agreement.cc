// agreement.cc: what parties have agreed to exchange.
#include "region/agreement.h"

#include <algorithm>

namespace thalweg::region {

bool Scope::covers(RiverIndex river, SectionIndex section) const {
  if (all) return true;
  if (section != kNone && std::ranges::binary_search(sections, section)) return true;
  return river != kNone && std::ranges::binary_search(rivers, river);
}

bool Agreement::covers(std::string_view type, Lane lane) const {
  const auto covered = [type](const std::string& topic) { return topic_covers(topic, type); };
  if (!std::ranges::any_of(topics, covered)) return false;
  if (family_of(type) == Family::kEmergencyNotice) return true;
  return lane == Lane::kRoutine ? routine : urgent && std::ranges::any_of(urgent_topics, covered);
}

bool Agreement::lets(PartyIndex sender, PartyIndex receiver) const {
  return sender != receiver && std::ranges::binary_search(from, sender) && std::ranges::binary_search(to, receiver);
}

}  // namespace thalweg::region
