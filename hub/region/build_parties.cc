// build_parties.cc: the region itself, its hub and its parties; and what all parts of the builder share.
#include <fmt/format.h>

#include <algorithm>

#include "region/builder.h"

namespace thalweg::region {

Builder::Builder(Texts texts, std::vector<Mistake>& mistakes)
    : out_(mistakes), mistakes_(mistakes), region_(new Region()) {
  region_->texts_ = std::move(texts);
  region_->digest_ = digest_of(region_->texts_);
}

void Builder::add(const Text& at, Code code, Words message) {
  mistakes_.add(*at.file, at.line, at.key, code, std::move(message));
}

void Builder::claim(UsedBy& used, const Text& text, std::uint32_t index, std::string_view zh, std::string_view en) {
  if (!text.given()) return;
  const auto [found, added] = used.try_emplace(text.value, Used{index, text.file, text.line});
  if (added || found->second.index == index) return;
  const Used& first = found->second;
  add(text, Code::kRegionDuplicate,
      {fmt::format("{}“{}”已在 {} 第 {} 行用于另一项", zh, text.value, *first.file, first.line),
       fmt::format("the {} '{}' already stands for another one: {}:{}", en, text.value, *first.file, first.line)});
}

std::uint32_t Builder::refer(const UsedBy& used, const Text& text, bool complete, std::string_view zh,
                             std::string_view en) {
  if (!text.given()) return kNone;
  if (const auto found = used.find(text.value); found != used.end()) return found->second.index;
  if (!complete || mistakes_.full()) return kNone;
  std::vector<std::string> known;
  known.reserve(used.size());
  for (const auto& [name, place] : used) known.push_back(name);
  std::ranges::sort(known);
  const Words near = nearest_words(text.value, known);
  add(text, Code::kRegionReference,
      {fmt::format("没有{}“{}”{}", zh, text.value, near.zh),
       fmt::format("there is no {} '{}'{}", en, text.value, near.en)});
  return kNone;
}

PartyIndex Builder::party_ref(const Text& text) {
  if (text.given() && !party_codes_.contains(text.value)) {
    if (const auto other = party_keys_.find(text.value); other != party_keys_.end()) {
      const std::string& code = region_->parties_[other->second.index].code;
      add(text, Code::kRegionReference,
          {fmt::format("“{}”是 {} 的旧代码或别名，请写现行代码“{}”", text.value, code, code),
           fmt::format("'{}' is an old code or alias: write the code, '{}'", text.value, code)});
      return kNone;
    }
  }
  return refer(party_codes_, text, parties_complete_, "主体", "party");
}

std::vector<PartyIndex> Builder::party_refs(const std::vector<Text>& texts) {
  std::vector<PartyIndex> found;
  for (const Text& text : texts) {
    const PartyIndex party = party_ref(text);
    if (party == kNone) continue;
    if (std::ranges::find(found, party) != found.end()) {
      add(text, Code::kRegionDuplicate, {"重复列出", "is listed twice"});
    } else {
      found.push_back(party);
    }
  }
  std::ranges::sort(found);
  return found;
}

Stretch Builder::read_place(TableReader& in) {
  const Text code = in.code("reach", Need::kRequired);
  const ReachIndex reach = refer(reach_codes_, code, rivers_complete_, "河段", "reach");
  const double km = in.number("km", 0, 10'000, Need::kRequired);
  if (reach == kNone) return {};
  const double length = region_->reaches_[reach].length_km;
  if (km > length && length > 0) {
    in.mistake("km", Code::kRegionValue,
               {fmt::format("河段“{}”只有 {} 公里", code.value, length),
                fmt::format("the reach '{}' is only {} km long", code.value, length)});
  }
  return {reach, km, km};
}

void Builder::read_region() {
  const auto table = parse("region.toml");
  if (!table) return;
  const std::string& file = region_->texts_.find("region.toml")->first;
  TableReader in(*table, file, "", mistakes_);
  in.integer("format", 1, 1, Need::kRequired);
  region_->code_ = in.code("code", Need::kRequired).value;
  region_->name_ = {in.text("name", Need::kRequired).value, in.text("name_en", Need::kOptional).value};
  region_->note_ = in.text("note", Need::kOptional).value;
  if (auto hub = in.table("hub", Need::kRequired)) {
    Party party;
    party.kind = PartyKind::kHub;
    party.level = PartyLevel::kOther;
    const Text code = hub->code("code", Need::kRequired);
    const Text name = hub->text("name", Need::kRequired);
    party.code = code.value;
    party.name = {name.value, hub->text("name_en", Need::kOptional).value};
    party.telephone = hub->text("telephone", Need::kOptional).value;
    hub->finish();
    region_->hub_ = static_cast<PartyIndex>(region_->parties_.size());
    region_->parties_.push_back(std::move(party));
    claim(party_keys_, code, region_->hub_, "代码", "code");
    claim(party_keys_, name, region_->hub_, "名称", "name");
  }
  in.finish();
}

void Builder::read_parties() {
  const auto table = parse("parties.toml");
  parties_complete_ = table.has_value();
  if (!table) return;
  const std::string& file = region_->texts_.find("parties.toml")->first;
  TableReader in(*table, file, "", mistakes_);
  for (TableReader& party : in.tables("party", Need::kRequired)) read_party(party);
  in.finish();
  link_superiors();
}

void Builder::read_party(TableReader& in) {
  const auto index = static_cast<PartyIndex>(region_->parties_.size());
  Party party;
  const Text code = in.code("code", Need::kRequired);
  party.code = code.value;
  claim(party_keys_, code, index, "代码", "code");
  if (code.given()) party_codes_.try_emplace(code.value, Used{index, code.file, code.line});
  for (const Text& old_code : in.texts("old_codes", Need::kOptional)) {
    claim(party_keys_, old_code, index, "旧代码", "old code");
    party.old_codes.push_back(old_code.value);
  }
  for (const Text& alias : in.texts("aliases", Need::kOptional)) {
    claim(party_keys_, alias, index, "别名", "alias");
    party.aliases.push_back(alias.value);
  }
  const Text name = in.text("name", Need::kRequired);
  const Text name_en = in.text("name_en", Need::kOptional);
  claim(party_keys_, name, index, "名称", "name");
  claim(party_keys_, name_en, index, "名称", "name");
  party.name = {name.value, name_en.value};
  party.kind = in.word("kind", Need::kRequired, PartyKind::kOther);
  party.level = in.word("level", Need::kRequired, PartyLevel::kOther);
  party.province = in.text("province", Need::kOptional).value;
  party.telephone = in.text("telephone", Need::kOptional).value;
  if (Text superior = in.code("superior", Need::kOptional); superior.given())
    superiors_.push_back({index, std::move(superior)});
  in.finish();
  region_->parties_.push_back(std::move(party));
}

void Builder::link_superiors() {
  auto& parties = region_->parties_;
  for (const auto& [index, text] : superiors_) {
    parties[index].superior = party_ref(text);
    // Walking up from here must end; links are added one by one, so a ring is found by the link that closes it.
    for (PartyIndex above = parties[index].superior; above != kNone; above = parties[above].superior) {
      if (above != index) continue;
      add(text, Code::kRegionCycle,
          {fmt::format("“{}”最终成为自己的上级", parties[index].code),
           fmt::format("'{}' would be above itself", parties[index].code)});
      parties[index].superior = kNone;
      break;
    }
  }
}

}  // namespace thalweg::region
