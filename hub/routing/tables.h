// tables.h: what RouteTable works out once: who may send what to whom, per party, topic, lane and scope.
#pragma once

#include <unordered_map>

#include "routing/route_table.h"

namespace thalweg::routing {

using region::Family;
using region::RiverIndex;
using region::SectionIndex;

struct RouteTable::Tables {
  Tables(std::shared_ptr<const region::Region> of, std::int64_t at);

  /// The merged answer for (party, topic, lane, scope): hops that stand ready. nullptr: nothing is open.
  const std::span<const Hop>* find(PartyIndex party, std::uint32_t topic, RiverIndex river, SectionIndex section) const;
  /// The topic number of a type on a lane: that of the type itself where an agreement names it, else of its family.
  std::uint32_t topic_of(std::string_view type, Lane lane) const;

  std::shared_ptr<const region::Region> region;
  std::int64_t at_unix_ns;
  std::int64_t next_change_unix_ns;
  std::vector<Hop> answers;  ///< per party: the hop of a receipt to it
  /// Per party: agreements in force by which it may send, or be sent, notices; statutory first. Who looks for one
  /// between two parties walks the shorter list: a party with thousands of agreements costs its neighbours nothing.
  std::vector<std::vector<AgreementIndex>> notices_from, notices_to;
  /// Per party: those without a place on the water that an agreement lets it notify.
  std::vector<std::vector<PartyIndex>> off_water;
  /// Per party: agreements that it could send by if they were in force; to say so in a refusal.
  std::vector<std::vector<AgreementIndex>> dormant;

 private:
  struct Key {
    PartyIndex party;
    std::uint32_t topic;  ///< topic number, lane included
    std::uint32_t scope;  ///< 0 all waters, 1 + 2 * river, 2 + 2 * section
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      std::uint64_t h = (std::uint64_t{key.party} << 32 | key.topic) * 0x9E3779B97F4A7C15u;
      h = (h ^ (h >> 29) ^ key.scope) * 0xBF58476D1CE4E5B9u;
      return h ^ (h >> 32);
    }
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Candidates = std::unordered_map<Key, std::vector<AgreementIndex>, KeyHash>;  ///< scope is 0 in these keys

  void number_types();
  Candidates collect();
  void emit(const Key& key, std::span<const AgreementIndex> candidates);
  void emit_scope(const Key& key, std::span<const AgreementIndex> candidates, RiverIndex river, SectionIndex section);
  void sort_out_dates();

  std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> types_;
  std::unordered_map<Key, std::span<const Hop>, KeyHash> entries_;
  std::vector<std::pair<Key, std::pair<std::size_t, std::size_t>>> places_;  ///< while building: key -> hops_ range
  std::vector<std::pair<std::size_t, std::size_t>> receiver_ranges_;         ///< while building: per hop
  std::vector<std::uint32_t> stamps_;                                        ///< while building: per party
  std::uint32_t stamp_ = 0;
  std::vector<Hop> hops_;
  std::vector<PartyIndex> receivers_;
  std::vector<PartyIndex> every_party_;
};

}  // namespace thalweg::routing
