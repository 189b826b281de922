// build_rivers.cc: basins, rivers, reaches, dams; how the reaches hang together and who touches whom.
#include <fmt/format.h>

#include <algorithm>

#include "region/builder.h"

namespace thalweg::region {

void Builder::read_rivers() {
  const auto table = parse("rivers.toml");
  rivers_complete_ = table.has_value();
  if (!table) return;
  const std::string& file = region_->texts_.find("rivers.toml")->first;
  TableReader in(*table, file, "", mistakes_);
  for (TableReader& basin : in.tables("basin", Need::kOptional)) read_basin(basin);
  for (TableReader& river : in.tables("river", Need::kOptional)) read_river(river);
  in.finish();
  link_reaches();
  read_dams();
  check_cycles();
  link_inflows();
  find_adjoining();
}

void Builder::read_basin(TableReader& in) {
  const auto index = static_cast<BasinIndex>(region_->basins_.size());
  const Text code = in.code("code", Need::kRequired);
  claim(basin_codes_, code, index, "流域代码", "basin code");
  Words name{in.text("name", Need::kRequired).value, in.text("name_en", Need::kOptional).value};
  region_->basins_.push_back({code.value, std::move(name)});
  in.finish();
}

void Builder::read_river(TableReader& in) {
  const auto index = static_cast<RiverIndex>(region_->rivers_.size());
  River river;
  const Text code = in.code("code", Need::kRequired);
  claim(river_codes_, code, index, "河流代码", "river code");
  river.code = code.value;
  river.name = {in.text("name", Need::kRequired).value, in.text("name_en", Need::kOptional).value};
  for (const Text& alias : in.texts("aliases", Need::kOptional)) river.aliases.push_back(alias.value);
  if (const Text basin = in.code("basin", Need::kOptional); basin.given())
    river.basin = refer(basin_codes_, basin, true, "流域", "basin");
  region_->rivers_.push_back(std::move(river));
  read_reaches(in, index);
  if (auto joins = in.table("joins", Need::kOptional)) {
    // The place is read when all reaches are known; `index` finds the river again.
    Text reach = joins->code("reach", Need::kRequired);
    region_->rivers_[index].joins_km = joins->number("km", 0, 10'000, Need::kRequired);
    joins->finish();
    joins_.push_back({index, std::move(reach)});
  }
  for (TableReader& dam : in.tables("dam", Need::kOptional)) dams_.emplace_back(index, std::move(dam));
  in.finish();
}

void Builder::read_reaches(TableReader& in, RiverIndex river) {
  for (TableReader& table : in.tables("reach", Need::kRequired)) {
    const auto index = static_cast<ReachIndex>(region_->reaches_.size());
    Reach reach;
    reach.river = river;
    const Text code = table.code("code", Need::kRequired);
    claim(reach_codes_, code, index, "河段代码", "reach code");
    reach.code = code.value;
    reach.order = static_cast<std::uint32_t>(table.integer("order", 1, 100'000, Need::kRequired));
    reach.length_km = table.number("length_km", 0.001, 10'000, Need::kRequired);
    reach.velocity_m_s = table.number("velocity_m_s", 0.001, 20, Need::kOptional);
    if (table.has("party")) {
      reach.left = reach.right = party_ref(table.code("party", Need::kRequired));
      if (table.has("left_bank") || table.has("right_bank"))
        table.mistake(
            "party", Code::kRegionValue,
            {"“party”与“left_bank”“right_bank”不能同时使用", "give either 'party' or 'left_bank' and 'right_bank'"});
    }
    const Text left = table.code("left_bank", Need::kOptional), right = table.code("right_bank", Need::kOptional);
    if (left.given()) reach.left = party_ref(left);
    if (right.given()) reach.right = party_ref(right);
    table.finish();
    for (const ReachIndex other : region_->rivers_[river].reaches)
      if (region_->reaches_[other].order == reach.order)
        table.mistake("order", Code::kRegionDuplicate,
                      {fmt::format("顺序 {} 已用于河段“{}”", reach.order, region_->reaches_[other].code),
                       fmt::format("the order {} is that of reach '{}'", reach.order, region_->reaches_[other].code)});
    region_->reaches_.push_back(std::move(reach));
    region_->rivers_[river].reaches.push_back(index);
  }
  std::ranges::stable_sort(region_->rivers_[river].reaches, {},
                           [this](ReachIndex i) { return region_->reaches_[i].order; });
}

void Builder::link_reaches() {
  auto& reaches = region_->reaches_;
  for (River& river : region_->rivers_)
    for (std::size_t i = 0; i + 1 < river.reaches.size(); ++i) reaches[river.reaches[i]].next = river.reaches[i + 1];
  for (const auto& [index, text] : joins_) {
    River& river = region_->rivers_[index];
    river.joins = refer(reach_codes_, text, true, "河段", "reach");
    if (river.joins == kNone || river.reaches.empty()) continue;
    if (const double length = reaches[river.joins].length_km; length > 0 && river.joins_km > length)
      add(text, Code::kRegionValue,
          {fmt::format("河段“{}”只有 {} 公里", text.value, length),
           fmt::format("the reach '{}' is only {} km long", text.value, length)});
    reaches[river.reaches.back()].next = river.joins;
    reaches[river.reaches.back()].next_km = river.joins_km;
  }
}

void Builder::read_dams() {
  const auto& reaches = region_->reaches_;
  for (auto& [index, in] : dams_) {
    Dam dam;
    dam.name = {in.text("name", Need::kRequired).value, in.text("name_en", Need::kOptional).value};
    dam.kind = in.word("kind", Need::kRequired, DamKind::kDam);
    const Stretch place = read_place(in);
    dam.reach = place.reach;
    dam.km = place.from_km;
    if (dam.reach != kNone && reaches[dam.reach].river != index)
      in.mistake("reach", Code::kRegionReference, {"该河段不在这条河上", "this reach is of another river"});
    in.finish();
    if (dam.reach != kNone) region_->rivers_[index].dams.push_back(std::move(dam));
  }
  for (River& river : region_->rivers_)
    std::ranges::stable_sort(river.dams, {}, [&](const Dam& d) { return std::pair(reaches[d.reach].order, d.km); });
}

void Builder::check_cycles() {
  auto& reaches = region_->reaches_;
  // Each reach has one next, so each is walked once: 0 not seen, 1 on this walk, 2 known to end.
  std::vector<std::uint8_t> seen(reaches.size(), 0);
  for (ReachIndex start = 0; start < reaches.size(); ++start) {
    std::vector<ReachIndex> walk;
    ReachIndex at = start;
    while (at != kNone && seen[at] == 0) {
      seen[at] = 1;
      walk.push_back(at);
      at = reaches[at].next;
    }
    if (at != kNone && seen[at] == 1) {
      std::string way;
      for (auto step = std::ranges::find(walk, at); step != walk.end(); ++step) way += reaches[*step].code + " → ";
      way += reaches[at].code;
      // A ring needs a river that joins another (or itself): reaches within a river are in order.
      const auto closing = std::ranges::find_if(joins_, [&](const PendingText& join) {
        const auto& own = region_->rivers_[join.index].reaches;
        return !own.empty() && std::ranges::find(std::ranges::find(walk, at), walk.end(), own.back()) != walk.end();
      });
      const PendingText& join = closing != joins_.end() ? *closing : joins_.front();
      add(join.text, Code::kRegionCycle,
          {fmt::format("水流成环：{}", way), fmt::format("the water flows in a circle: {}", way)});
      reaches[region_->rivers_[join.index].reaches.back()].next = kNone;  // so that later walks end
    }
    for (const ReachIndex i : walk) seen[i] = 2;
  }
}

void Builder::link_inflows() {
  auto& reaches = region_->reaches_;
  for (ReachIndex i = 0; i < reaches.size(); ++i)
    if (reaches[i].next != kNone) reaches[reaches[i].next].inflows.push_back({i, reaches[i].next_km});
  for (Reach& reach : reaches) std::ranges::stable_sort(reach.inflows, {}, &Inflow::km);
  for (ReachIndex i = 0; i < reaches.size(); ++i) {
    if (reaches[i].left != kNone) region_->parties_[reaches[i].left].reaches.push_back(i);
    if (reaches[i].right != kNone && reaches[i].right != reaches[i].left)
      region_->parties_[reaches[i].right].reaches.push_back(i);
  }
}

void Builder::find_adjoining() {
  auto& all = region_->adjoining_;
  all.resize(region_->parties_.size());
  const auto touch = [&](PartyIndex own, PartyIndex other, RiverIndex river) -> Adjoining& {
    auto found = std::ranges::find(all[own], other, &Adjoining::party);
    if (found == all[own].end()) found = all[own].insert(all[own].end(), Adjoining{other, false, false, false, {}});
    if (const auto at = std::ranges::lower_bound(found->rivers, river); at == found->rivers.end() || *at != river)
      found->rivers.insert(at, river);
    return *found;
  };
  for (const Reach& reach : region_->reaches_) {
    if (reach.left != kNone && reach.right != kNone && reach.left != reach.right) {
      touch(reach.left, reach.right, reach.river).opposite = true;
      touch(reach.right, reach.left, reach.river).opposite = true;
    }
    if (reach.next == kNone) continue;
    const Reach& next = region_->reaches_[reach.next];
    for (const PartyIndex above : {reach.left, reach.right}) {
      for (const PartyIndex below : {next.left, next.right}) {
        if (above == kNone || below == kNone || above == below) continue;
        touch(above, below, reach.river).downstream = true;
        touch(below, above, next.river).upstream = true;
      }
    }
  }
  for (auto& list : all)
    std::ranges::sort(list, {},
                      [&](const Adjoining& a) -> const std::string& { return region_->parties_[a.party].code; });
}

}  // namespace thalweg::region
