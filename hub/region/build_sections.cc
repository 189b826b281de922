// build_sections.cc: sections and the stations that stood at them.
#include <fmt/format.h>

#include <algorithm>

#include "region/builder.h"

namespace thalweg::region {
namespace {

/// Ⅰ to Ⅴ as I, II, III, IV, V or 1 to 5 in text; 0 for anything else.
std::uint8_t class_from(std::string_view text) {
  static constexpr std::string_view kWritten[][3] = {
      {"I", "Ⅰ", "1"}, {"II", "Ⅱ", "2"}, {"III", "Ⅲ", "3"}, {"IV", "Ⅳ", "4"}, {"V", "Ⅴ", "5"}};
  for (std::uint8_t i = 0; i < 5; ++i)
    if (std::ranges::find(kWritten[i], text) != std::end(kWritten[i])) return i + 1;
  return 0;
}

}  // namespace

void Builder::read_sections() {
  const auto table = parse("sections.toml");
  sections_complete_ = table.has_value();
  if (!table) return;
  const std::string& file = region_->texts_.find("sections.toml")->first;
  TableReader in(*table, file, "", mistakes_);
  for (TableReader& section : in.tables("section", Need::kOptional)) read_section(section);
  in.finish();
}

void Builder::read_section(TableReader& in) {
  const auto index = static_cast<SectionIndex>(region_->sections_.size());
  Section section;
  const Text code = in.code("code", Need::kRequired);
  claim(section_keys_, code, index, "断面代码", "section code");
  section.code = code.value;
  if (const auto mn = region_->section_mns_.find(code.value); mn != region_->section_mns_.end())
    add(code, Code::kRegionDuplicate,
        {fmt::format("“{}”已是断面“{}”的站点编号", code.value, region_->sections_[mn->second.front()].code),
         fmt::format("'{}' is a station number of section '{}'", code.value,
                     region_->sections_[mn->second.front()].code)});
  section.name = {in.text("name", Need::kRequired).value, in.text("name_en", Need::kOptional).value};
  for (const Text& alias : in.texts("aliases", Need::kOptional)) section.aliases.push_back(alias.value);
  section.river = refer(river_codes_, in.code("river", Need::kRequired), rivers_complete_, "河流", "river");
  const Stretch place = read_place(in);
  section.reach = place.reach;
  section.km = place.from_km;
  if (section.river != kNone && section.reach != kNone && region_->reaches_[section.reach].river != section.river)
    in.mistake("reach", Code::kRegionReference,
               {fmt::format("该河段不在河流“{}”上", region_->rivers_[section.river].code),
                fmt::format("this reach is not of the river '{}'", region_->rivers_[section.river].code)});
  section.party = party_ref(in.code("party", Need::kRequired));
  section.monitored_by = in.word("monitored_by", Need::kOptional, SectionRank::kNotSet);
  section.assessed_for = in.word("assessed_for", Need::kOptional, SectionRank::kNotSet);
  section.kind = in.word("kind", Need::kRequired, SectionKind::kRiver);
  if (const Text target = in.text("target_class", Need::kOptional); target.given()) {
    section.target_class = class_from(target.value);
    if (section.target_class == 0)
      add(target, Code::kRegionValue,
          {"应为 \"I\" 至 \"V\" 之一", "must be one of \"I\", \"II\", \"III\", \"IV\", \"V\""});
  }
  section.expected_interval_minutes =
      static_cast<std::uint32_t>(in.integer("expected_interval_minutes", 1, 525'600, Need::kOptional));
  read_stations(in, section, index);
  in.finish();
  if (section.party != kNone) region_->parties_[section.party].sections.push_back(index);
  region_->sections_.push_back(std::move(section));
}

void Builder::read_stations(TableReader& in, Section& section, SectionIndex index) {
  for (TableReader& table : in.tables("station", Need::kOptional)) {
    Station station;
    const Text mn = table.code("mn", Need::kRequired);
    station.mn = mn.value;
    if (const auto from = table.moment("from", TableReader::Edge::kStart, Need::kOptional))
      station.from_unix_ns = *from;
    if (const auto to = table.moment("to", TableReader::Edge::kEnd, Need::kOptional)) station.to_unix_ns = *to;
    table.finish();
    if (station.to_unix_ns <= station.from_unix_ns)
      table.mistake("to", Code::kRegionValue, {"结束早于开始", "ends before it begins"});
    if (!mn.given()) continue;
    // A number may move to another section, but not stand for two at once; nor may it be a section's code.
    if (const auto code = section_keys_.find(mn.value); code != section_keys_.end() && code->second.index != index)
      claim(section_keys_, mn, index, "站点编号", "station number");
    auto& holders = region_->section_mns_[mn.value];
    for (const SectionIndex other : holders) {
      const Section& holder = other == index ? section : region_->sections_[other];
      for (const Station& theirs : holder.stations) {
        if (theirs.mn != mn.value || theirs.to_unix_ns <= station.from_unix_ns ||
            station.to_unix_ns <= theirs.from_unix_ns)
          continue;
        add(mn, Code::kRegionDuplicate,
            {fmt::format("站点编号“{}”同期已用于断面“{}”", mn.value, holder.code),
             fmt::format("the station number '{}' stands for section '{}' at the same time", mn.value, holder.code)});
      }
    }
    if (std::ranges::find(holders, index) == holders.end()) holders.push_back(index);
    section.stations.push_back(std::move(station));
  }
}

}  // namespace thalweg::region
