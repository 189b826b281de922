// builder.h: builds a Region from parsed files, in the order in which they refer to each other.
#pragma once

#include "region/toml_reader.h"

namespace thalweg::region {

/// One use, by build() once. Reading never stops at a mistake; a file that could not be parsed is marked, so that
/// references into it are not reported as well.
class Builder {
 public:
  Builder(Texts texts, std::vector<Mistake>& mistakes);
  /// The region, also when there were mistakes (then only good for nothing but the end of its checks).
  std::shared_ptr<Region> build();

 private:
  /// A reference or code, kept with its place until all are known.
  struct Used {
    std::uint32_t index = kNone;
    const std::string* file = nullptr;
    std::uint32_t line = 0;
  };
  using UsedBy = std::unordered_map<std::string, Used, Region::TextHash, std::equal_to<>>;
  struct PendingText {
    std::uint32_t index = kNone;
    Text text;
  };

  /// Parses `file`; nothing when it is not there (a mistake when it is required) or not TOML.
  std::optional<toml::table> parse(const std::string& file);
  void require_files();

  void read_region();
  void read_parties();
  void read_party(TableReader& in);
  void link_superiors();

  void read_rivers();
  void read_basin(TableReader& in);
  void read_river(TableReader& in);
  void read_reaches(TableReader& in, RiverIndex river);
  void read_dams();
  void link_reaches();
  void check_cycles();
  void link_inflows();
  void find_adjoining();

  void read_sections();
  void read_section(TableReader& in);
  void read_stations(TableReader& in, Section& section, SectionIndex index);

  void read_agreements();
  void read_agreement(TableReader& in);
  void read_direction(TableReader& in, Agreement& agreement);
  void read_scope(TableReader& in, Agreement& agreement);
  void read_topics(TableReader& in, Agreement& agreement);
  void read_validity(TableReader& in, Agreement& agreement);
  void read_signatures(TableReader& in, Agreement& agreement);

  /// Notes `text` as standing for `index`. A mistake when it stands for another one already.
  void claim(UsedBy& used, const Text& text, std::uint32_t index, std::string_view zh, std::string_view en);
  /// The entry that `text` names; kNone, and a mistake with nearest names, when there is none.
  std::uint32_t refer(const UsedBy& used, const Text& text, bool complete, std::string_view zh, std::string_view en);
  PartyIndex party_ref(const Text& text);
  std::vector<PartyIndex> party_refs(const std::vector<Text>& texts);
  /// A point of a reach: `reach` and `km`.
  Stretch read_place(TableReader& in);
  void add(const Text& at, Code code, Words message);

  std::vector<Mistake>& out_;
  MistakeList mistakes_;
  std::shared_ptr<Region> region_;
  bool parties_complete_ = true, rivers_complete_ = true, sections_complete_ = true;
  UsedBy party_codes_, party_keys_, basin_codes_, river_codes_, reach_codes_, section_keys_, agreement_ids_;
  std::vector<PendingText> superiors_, joins_;
  std::vector<std::pair<RiverIndex, TableReader>> dams_;
};

/// Neighbours without a statutory notice from one to the other: in status, or in force at a moment. `file` and `line`
/// are where the missing agreement would be added.
void find_statutory_gaps(const Region& region, std::optional<std::int64_t> at_unix_ns, const std::string& file,
                         std::uint32_t line, MistakeList& mistakes);

}  // namespace thalweg::region
