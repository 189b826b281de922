// refusal.cc: why a record goes to nobody, and what would be needed.
#include "routing/refusal.h"

#include <fmt/format.h>

#include "model/nearest.h"
#include "region/vocabulary.h"

namespace thalweg::routing {
namespace {

using region::Agreement;
using region::kNone;
using region::Region;
using region::shortened;
using region::Words;

/// Whom the record was probably meant for: parties of the case, else the neighbours along the water.
std::string likely_receivers(const Region& region, PartyIndex sender, const Question& question) {
  std::string codes;
  std::size_t count = 0;
  const auto add = [&](std::string_view code) {
    if (++count <= 5) codes += fmt::format("{}{}", codes.empty() ? "" : ", ", shortened(code));
  };
  for (const std::string_view code : question.case_parties)
    if (region.party_by_key(code) != sender) add(code);
  if (question.case_parties.empty())
    for (const region::Adjoining& to : region.adjoining(sender)) add(region.party(to.party).code);
  return codes;
}

/// Codes and numbers of the sections of the sender and its neighbours: those it can have meant. Bounded, as a source
/// that is set up wrongly asks with every record.
std::vector<std::string> likely_sections(const Region& region, PartyIndex sender) {
  constexpr std::size_t kMost = 100;
  std::vector<std::string> names;
  const auto add = [&](const region::Section& section) {
    if (names.size() < kMost) names.push_back(section.code);
    for (const region::Station& station : section.stations)
      if (names.size() < kMost) names.push_back(station.mn);
  };
  for (const SectionIndex i : region.party(sender).sections) add(region.section(i));
  for (const region::Adjoining& to : region.adjoining(sender))
    for (const SectionIndex i : region.party(to.party).sections) add(region.section(i));
  return names;
}

}  // namespace

Words unknown_sender(const Question& question) {
  return {fmt::format("区域内没有主体“{}”", shortened(question.party)),
          fmt::format("the party '{}' is not in the region", shortened(question.party))};
}

Words unknown_origin(const Question& question) {
  return {fmt::format("回执所答复的主体“{}”不在区域内", shortened(question.answers_to)),
          fmt::format("a receipt goes to the origin of the record that it answers; '{}' is not in the region",
                      shortened(question.answers_to))};
}

Words unknown_section(const Region& region, PartyIndex sender, const Question& question) {
  if (const auto named = region.section_named(question.section)) {  // names may come to stand for two sections
    const std::string& code = region.section(*named).code;
    return {fmt::format("“{}”是断面名称，记录须写代码“{}”或站点编号", shortened(question.section), code),
            fmt::format("'{}' is the name of a section; records give its code, '{}', or a station number",
                        shortened(question.section), code)};
  }
  const std::vector<std::string> near = nearest(shortened(question.section), likely_sections(region, sender));
  const std::string names = fmt::format("{}", fmt::join(near, ", "));
  return {fmt::format("区域内没有断面“{}”{}{}", shortened(question.section), near.empty() ? "" : "；相近的有：", names),
          fmt::format("there is no section '{}'{}{}", shortened(question.section),
                      near.empty() ? "" : "; nearest: ", names)};
}

Words lane_not_allowed(const Question& question) {
  return {
      fmt::format("协议允许发送该类记录（{}），但不允许走紧急通道：需在协议的 urgent_topics 中列明",
                  shortened(question.type)),
      fmt::format("an agreement lets {} go, but not on the urgent lane: it would have to stand in its urgent_topics",
                  shortened(question.type))};
}

Words no_agreement(const RouteTable::Tables& tables, PartyIndex sender, const Question& question, RiverIndex river,
                   SectionIndex section) {
  const Region& region = *tables.region;
  const region::Family family = region::family_of(question.type);
  const std::string topic(family == Family::kOther ? shortened(question.type) : region::topic_word(family));
  const std::string to = likely_receivers(region, sender, question);
  const std::string scope = section != kNone ? fmt::format("section {}", region.section(section).code)
                            : river != kNone ? fmt::format("river {}", region.river(river).code)
                                             : std::string("all");
  const std::string& from = region.party(sender).code;
  const std::string_view lane = question.lane == Lane::kUrgent ? "urgent" : "routine";
  const std::string needed = fmt::format("from = {}, to = {}, topic = {}, scope = {}, lane = {}", from,
                                         to.empty() ? "?" : to, topic, scope, lane);
  Words words{fmt::format("没有生效协议允许发送；需要一份生效的协议：{}", needed),
              fmt::format("no agreement in force lets it go; needed: one with {}", needed)};
  for (const AgreementIndex i : tables.dormant[sender]) {
    const Agreement& a = region.agreement(i);
    if (!a.covers(question.type, question.lane) || !a.scope.covers(river, section)) continue;
    const auto& status = region::term(a.status);
    const bool dated = a.status == region::AgreementStatus::kInForce;  // in force by status, but not at this time
    words.zh +=
        fmt::format("；协议“{}”可允许，但{}", a.id, dated ? "不在有效期内" : fmt::format("状态为“{}”", status.zh));
    words.en += fmt::format("; agreement '{}' would, but {}", a.id,
                            dated ? "this is outside of its dates" : fmt::format("it is {}", status.en));
    break;
  }
  return words;
}

}  // namespace thalweg::routing
