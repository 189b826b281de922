// region.h: one version of the region: who there is, how the water flows, what is agreed. Start here.
//
// Made by load.h from a folder of TOML files (docs/region.md), or from the same texts kept in the ledger.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <unordered_map>

#include "base/hash.h"
#include "region/agreement.h"
#include "region/section.h"

namespace thalweg::region {

/// The files of a region folder: name relative to the folder (with '/') -> content. What the ledger stores.
using Texts = std::map<std::string, std::string>;

/// SHA-256 over names and texts in the order of names, each with its length in front. Two folders with the same
/// files have the same digest; whatever changes in a file changes it, comments too.
Hash256 digest_of(const Texts& texts);

/// One neighbour along the water, seen from some place.
struct AlongWater {
  PartyIndex party = kNone;
  double km = 0;             ///< along the water to where it begins (downstream) or ends (upstream)
  double hours = 0;          ///< estimate of the water's travel time from reach velocities
  bool hours_known = true;   ///< false when a reach on the way has no velocity
  ReachIndex reach = kNone;  ///< where the water first touches it
};

/// How two parties touch along the water.
struct Adjoining {
  PartyIndex party = kNone;
  bool upstream = false;           ///< water comes from it
  bool downstream = false;         ///< water goes to it
  bool opposite = false;           ///< on the other bank
  std::vector<RiverIndex> rivers;  ///< of the own reaches that touch it. Ascending
};

/// Some water: a point of a reach (`from_km == to_km`), or all of it where the point is not known.
struct Stretch {
  ReachIndex reach = kNone;
  double from_km = 0;
  double to_km = 0;
};

/// An immutable snapshot. Threads: any. Share it by shared_ptr<const Region>: indexes and views point into it.
class Region {
 public:
  const std::string& code() const { return code_; }
  const Words& name() const { return name_; }
  const std::string& note() const { return note_; }
  const Hash256& digest() const { return digest_; }
  const Texts& texts() const { return texts_; }
  const Party& hub() const { return parties_[hub_]; }
  PartyIndex hub_index() const { return hub_; }

  std::span<const Party> parties() const { return parties_; }
  std::span<const Basin> basins() const { return basins_; }
  std::span<const River> rivers() const { return rivers_; }
  std::span<const Reach> reaches() const { return reaches_; }
  std::span<const Section> sections() const { return sections_; }
  std::span<const Agreement> agreements() const { return agreements_; }
  const Party& party(PartyIndex i) const { return parties_[i]; }
  const River& river(RiverIndex i) const { return rivers_[i]; }
  const Reach& reach(ReachIndex i) const { return reaches_[i]; }
  const Section& section(SectionIndex i) const { return sections_[i]; }
  const Agreement& agreement(AgreementIndex i) const { return agreements_[i]; }

  // Finding. The optional forms take keys only (code, old code, alias; for sections code and MN): one hash look-up, no
  // allocation, for the hot path. Where the Result forms fail, the message names the nearest or the several.

  /// Code, old code, alias or name: these are unique in a region.
  std::optional<PartyIndex> party_by_key(std::string_view key) const;
  /// Errors: kNotFound with the nearest names.
  Result<PartyIndex> find_party(std::string_view key) const;
  /// Code, or the MN of a station whatever its dates.
  std::optional<SectionIndex> section_by_key(std::string_view code_or_mn) const;
  /// The only section of that name or alias; nothing when there is none, or several.
  std::optional<SectionIndex> section_named(std::string_view name) const;
  /// Code, MN (as it stood at `at_unix_ns`), name or alias. Errors: kSectionUnknown: nobody has it (nearest names), or
  /// several have that name (their codes): never guessed.
  Result<SectionIndex> find_section(std::string_view text, std::optional<std::int64_t> at_unix_ns = {}) const;
  /// Code; or the only river of that name or alias.
  std::optional<RiverIndex> river_by_key(std::string_view key) const;
  /// Code, name or alias. Errors: kNotFound as above.
  Result<RiverIndex> find_river(std::string_view text) const;
  std::optional<ReachIndex> reach_by_code(std::string_view code) const;
  /// The agreement of that id (a region holds one version of it).
  std::optional<AgreementIndex> agreement_by_id(std::string_view id) const;

  // Along the water. Lists are in the order in which the water (or the search) reaches the parties: by distance, then
  // code. The party in the question is never in its own answer. Cost: the reaches on the way.

  /// Parties that share a reach, or whose reaches follow each other, with `party`. By code.
  std::span<const Adjoining> adjoining(PartyIndex party) const { return adjoining_[party]; }
  /// Whom the water reaches that passes `places`, beginning on the other bank.
  std::vector<AlongWater> downstream(std::span<const Stretch> places, PartyIndex but_for = kNone) const;
  /// Where the water at `places` comes from.
  std::vector<AlongWater> upstream(std::span<const Stretch> places, PartyIndex but_for = kNone) const;
  /// The reaches of `party`, only those of `river` when one is given.
  std::vector<Stretch> water_of(PartyIndex party, RiverIndex river = kNone) const;
  Stretch place_of(SectionIndex section) const;

  /// The lowest party above both; kNone when there is none (two provinces without the nation in the region).
  PartyIndex common_superior(PartyIndex a, PartyIndex b) const;
  /// Is `above` the superior of `party`, or the superior's superior, and so on?
  bool is_above(PartyIndex above, PartyIndex party) const;

 private:
  friend class Builder;
  Region() = default;
  void index_names();

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class T>
  using ByText = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

  std::string code_, note_;
  Words name_;
  Texts texts_;
  Hash256 digest_{};
  PartyIndex hub_ = kNone;
  std::vector<Party> parties_;
  std::vector<Basin> basins_;
  std::vector<River> rivers_;
  std::vector<Reach> reaches_;
  std::vector<Section> sections_;
  std::vector<Agreement> agreements_;
  std::vector<std::vector<Adjoining>> adjoining_;
  ByText<PartyIndex> party_keys_;
  ByText<SectionIndex> section_keys_;
  ByText<std::vector<SectionIndex>> section_names_, section_mns_;
  ByText<RiverIndex> river_codes_;
  ByText<std::vector<RiverIndex>> river_names_;
  ByText<ReachIndex> reach_codes_;
  ByText<AgreementIndex> agreement_ids_;
};

}  // namespace thalweg::region
