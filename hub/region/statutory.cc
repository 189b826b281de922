// statutory.cc: rule 24: neighbours along the water each owe the other notice, and can give it.
#include <fmt/format.h>

#include <algorithm>

#include "region/builder.h"

namespace thalweg::region {
namespace {

/// Rivers on which `from` touches `to` and no statutory notice is open.
std::vector<RiverIndex> missing(const Region& region, PartyIndex from, const Adjoining& to,
                                std::span<const AgreementIndex> statutory, std::optional<std::int64_t> at_unix_ns) {
  std::vector<RiverIndex> rivers;
  for (const RiverIndex river : to.rivers) {
    const bool open = std::ranges::any_of(statutory, [&](AgreementIndex i) {
      const Agreement& a = region.agreement(i);
      const bool holds = at_unix_ns ? a.in_force(*at_unix_ns) : a.status == AgreementStatus::kInForce;
      return holds && a.lets(from, to.party) && a.scope.covers(river, kNone);
    });
    if (!open) rivers.push_back(river);
  }
  return rivers;
}

}  // namespace

void find_statutory_gaps(const Region& region, std::optional<std::int64_t> at_unix_ns, const std::string& file,
                         std::uint32_t line, MistakeList& mistakes) {
  std::vector<std::vector<AgreementIndex>> statutory(region.parties().size());
  for (AgreementIndex i = 0; i < region.agreements().size(); ++i) {
    const Agreement& a = region.agreement(i);
    const bool notices = std::ranges::any_of(a.topics, [](const std::string& topic) {
      return topic == topic_word(Family::kEmergencyNotice) || family_of(topic) == Family::kEmergencyNotice;
    });
    if (a.kind != AgreementKind::kStatutory || !notices) continue;
    for (const PartyIndex party : a.from) statutory[party].push_back(i);
  }
  for (PartyIndex p = 0; p < region.parties().size(); ++p) {
    for (const Adjoining& to : region.adjoining(p)) {
      const std::vector<RiverIndex> rivers = missing(region, p, to, statutory[p], at_unix_ns);
      if (rivers.empty()) continue;
      std::string names, codes;
      for (const RiverIndex river : rivers) {
        names += (names.empty() ? "" : "、") + region.river(river).name.zh;
        codes += fmt::format("{}\"{}\"", codes.empty() ? "" : ", ", region.river(river).code);
      }
      const Party& from = region.party(p);
      const Party& other = region.party(to.party);
      const std::string entry = fmt::format(
          "[[agreement]] kind = \"statutory\", parties = [\"{0}\", \"{1}\"], direction = \"one_way\", from = "
          "[\"{0}\"], "
          "to = [\"{1}\"], topics = [\"emergency_notice\"], scope = {{ rivers = [{2}] }}, status = \"in_force\"",
          from.code, other.code, codes);
      mistakes.add(file, line, "agreement", Code::kRegionStatutoryMissing,
                   {fmt::format("{}（{}）与{}（{}）沿水相邻（{}），但没有生效的法定协议允许前者向后者通报，请补上：{}",
                                from.name.zh, from.code, other.name.zh, other.code, names, entry),
                    fmt::format("{} and {} are neighbours along the water ({}), but no statutory agreement lets the "
                                "first notify the second; add: {}",
                                from.code, other.code, codes, entry)});
    }
  }
}

std::vector<Mistake> statutory_gaps(const Region& region, std::int64_t at_unix_ns) {
  std::vector<Mistake> found;
  MistakeList list(found);
  find_statutory_gaps(region, at_unix_ns, "agreements.toml", 0, list);
  return found;
}

}  // namespace thalweg::region
