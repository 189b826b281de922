#include "intake/incident_book.h"

#include <algorithm>

namespace thalweg::intake {

void IncidentBook::told(std::string_view incident, std::string_view receiver) {
  auto [at, fresh] = receivers_.try_emplace(std::string(incident));
  if (fresh) {
    order_.emplace_back(incident);
    if (order_.size() > most_) {
      receivers_.erase(order_.front());
      order_.pop_front();
    }
  }
  auto& list = at->second;
  if (std::find(list.begin(), list.end(), receiver) == list.end()) list.emplace_back(receiver);
}

std::vector<std::string_view> IncidentBook::receivers(std::string_view incident) const {
  const auto at = receivers_.find(std::string(incident));
  if (at == receivers_.end()) return {};
  return {at->second.begin(), at->second.end()};
}

void IncidentBook::encode(Bytes& out) const {
  ByteWriter w(out);
  w.u32(static_cast<std::uint32_t>(order_.size()));
  for (const std::string& incident : order_) {
    w.short_text(incident);
    const auto& list = receivers_.at(incident);
    w.u16(static_cast<std::uint16_t>(list.size()));
    for (const std::string& receiver : list) w.short_text(receiver);
  }
}

Status IncidentBook::decode(ByteReader& in) {
  const std::uint32_t incidents = in.u32();
  for (std::uint32_t i = 0; i < incidents && in.ok(); ++i) {
    const std::string incident(in.short_text());
    const std::uint16_t count = in.u16();
    for (std::uint16_t r = 0; r < count && in.ok(); ++r) told(incident, in.short_text());
  }
  if (!in.ok()) return Error{Code::kLedgerFormat, "the book of incidents is cut short"};
  return {};
}

}  // namespace thalweg::intake
