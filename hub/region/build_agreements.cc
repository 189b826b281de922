// build_agreements.cc: agreements, and what may not be said in one.
#include <fmt/format.h>

#include <algorithm>

#include "region/builder.h"

namespace thalweg::region {
namespace {

bool is_agreement_file(std::string_view name) {
  return name == "agreements.toml" || (name.starts_with("agreements/") && name.ends_with(".toml"));
}

bool subset(const std::vector<PartyIndex>& some, const std::vector<PartyIndex>& all) {
  return std::ranges::includes(all, some);
}

/// A whole type: "thalweg.section.observation.v1", "org.example.siltation.v1".
bool looks_like_type(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return text.find('.') != std::string_view::npos && text.front() != '.' && text.back() != '.' &&
         std::ranges::all_of(text, allowed);
}

}  // namespace

void Builder::read_agreements() {
  for (const auto& [file, text] : region_->texts_) {
    if (!is_agreement_file(file)) continue;
    const auto table = parse(file);
    if (!table) continue;
    TableReader in(*table, file, "", mistakes_);
    for (TableReader& agreement : in.tables("agreement", Need::kOptional)) read_agreement(agreement);
    in.finish();
  }
}

void Builder::read_agreement(TableReader& in) {
  const auto index = static_cast<AgreementIndex>(region_->agreements_.size());
  Agreement agreement;
  const Text id = in.code("id", Need::kRequired);
  claim(agreement_ids_, id, index, "协议编号", "agreement id");
  agreement.id = id.value;
  agreement.version = static_cast<std::uint32_t>(in.integer("version", 1, 1'000'000, Need::kOptional, 1));
  agreement.title = {in.text("title", Need::kRequired).value, in.text("title_en", Need::kOptional).value};
  agreement.kind = in.word("kind", Need::kRequired, AgreementKind::kBilateral);
  agreement.citation = in.text("citation", Need::kOptional).value;
  const std::vector<Text> parties = in.texts("parties", Need::kRequired);
  agreement.parties = party_refs(parties);
  if (parties.size() == 1) in.mistake("parties", Code::kRegionValue, {"至少要有两个主体", "needs two parties or more"});
  if (agreement.kind == AgreementKind::kBilateral && parties.size() > 2)
    in.mistake("parties", Code::kRegionValue, {"双边协议只能有两个主体", "a bilateral agreement has two parties"});
  read_direction(in, agreement);
  read_topics(in, agreement);
  read_scope(in, agreement);
  read_validity(in, agreement);
  agreement.deadline_minutes = static_cast<std::uint32_t>(in.integer("deadline_minutes", 1, 525'600, Need::kOptional));
  agreement.interval_minutes = static_cast<std::uint32_t>(in.integer("interval_minutes", 1, 525'600, Need::kOptional));
  read_signatures(in, agreement);
  in.finish();
  region_->agreements_.push_back(std::move(agreement));
}

void Builder::read_direction(TableReader& in, Agreement& agreement) {
  agreement.direction = in.word("direction", Need::kRequired, Direction::kMutual);
  if (agreement.direction == Direction::kMutual) {
    agreement.from = agreement.to = agreement.parties;
    for (const std::string_view key : {"from", "to"}) {
      in.texts(key, Need::kOptional);
      if (in.has(key))
        in.mistake(key, Code::kRegionValue, {"仅用于 direction = \"one_way\"", "only with direction = \"one_way\""});
    }
    return;
  }
  for (const auto& [key, list] : {std::pair("from", &agreement.from), std::pair("to", &agreement.to)}) {
    *list = party_refs(in.texts(key, Need::kRequired));
    if (!subset(*list, agreement.parties) && parties_complete_)
      in.mistake(key, Code::kRegionReference, {"所列主体不在“parties”中", "names a party that is not among 'parties'"});
  }
}

void Builder::read_topics(TableReader& in, Agreement& agreement) {
  const auto check = [&](const Text& topic) {
    if (family_from_topic(topic.value)) return true;
    // A type that begins like ours but is of no family is a slip of the pen: it would never match anything.
    const bool ours = topic.value.starts_with("thalweg.");
    if (looks_like_type(topic.value) && (!ours || family_of(topic.value) != Family::kOther)) {
      if (family_of(topic.value) != Family::kReceipt) return true;
      add(topic, Code::kRegionValue, {"回执不需要协议", "receipts need no agreement"});
      return false;
    }
    const Words near = nearest_words(topic.value, topic_words());
    add(topic, Code::kRegionValue,
        {fmt::format("主题“{}”未知，可用：{}，或完整的记录类型{}", topic.value, fmt::join(topic_words(), "、"),
                     near.zh),
         fmt::format("the topic '{}' is not known: use one of {}, or a whole record type{}", topic.value,
                     fmt::join(topic_words(), ", "), near.en)});
    return false;
  };
  for (const Text& topic : in.texts("topics", Need::kRequired))
    if (check(topic)) agreement.topics.push_back(topic.value);
  if (in.has("lanes")) {
    agreement.routine = agreement.urgent = false;
    for (const Text& lane : in.texts("lanes", Need::kRequired))
      if (const auto value = in.word_of<Lane>(lane))
        (*value == Lane::kUrgent ? agreement.urgent : agreement.routine) = true;
  } else {
    in.texts("lanes", Need::kOptional);
  }
  for (const Text& topic : in.texts("urgent_topics", Need::kOptional)) {
    if (!check(topic)) continue;
    const bool covered = std::ranges::any_of(
        agreement.topics, [&](const std::string& of) { return of == topic.value || topic_covers(of, topic.value); });
    if (!covered) add(topic, Code::kRegionReference, {"不在“topics”所列主题之内", "is not covered by 'topics'"});
    agreement.urgent_topics.push_back(topic.value);
  }
  if (agreement.urgent && agreement.urgent_topics.empty() && !in.has("urgent_topics"))
    in.mistake("lanes", Code::kRegionValue,
               {"使用紧急通道须用“urgent_topics”列明主题",
                "the urgent lane needs 'urgent_topics', which name what may be urgent"});
  if (!agreement.urgent && !agreement.urgent_topics.empty())
    in.mistake("urgent_topics", Code::kRegionValue,
               {"须同时在“lanes”中列出 \"urgent\"", "needs \"urgent\" among 'lanes'"});
}

void Builder::read_scope(TableReader& in, Agreement& agreement) {
  if (!in.is_table("scope")) {
    const Text text = in.text("scope", Need::kRequired);
    agreement.scope.all = true;  // also when it is wrong: one mistake is enough
    if (text.given() && text.value != "all")
      add(text, Code::kRegionValue,
          {"应为 \"all\" 或 { rivers = [...], sections = [...] }",
           "must be \"all\" or { rivers = [...], sections = [...] }"});
    return;
  }
  auto table = in.table("scope", Need::kRequired);
  const auto read = [&](std::string_view key, const UsedBy& used, bool complete, std::string_view zh,
                        std::string_view en, std::vector<std::uint32_t>& into) {
    for (const Text& text : table->texts(key, Need::kOptional))
      if (const std::uint32_t found = refer(used, text, complete, zh, en); found != kNone) into.push_back(found);
    std::ranges::sort(into);
    into.erase(std::unique(into.begin(), into.end()), into.end());
  };
  read("rivers", river_codes_, rivers_complete_, "河流", "river", agreement.scope.rivers);
  read("sections", section_keys_, sections_complete_, "断面", "section", agreement.scope.sections);
  if (!table->has("rivers") && !table->has("sections"))
    in.mistake("scope", Code::kRegionValue, {"须列出河流或断面", "must name rivers or sections"});
  table->finish();
}

void Builder::read_validity(TableReader& in, Agreement& agreement) {
  agreement.status = in.word("status", Need::kRequired, AgreementStatus::kProposed);
  const bool dated = agreement.status != AgreementStatus::kProposed;
  if (const auto from = in.moment("valid_from", TableReader::Edge::kStart, dated ? Need::kRequired : Need::kOptional))
    agreement.from_unix_ns = *from;
  const bool ended = agreement.status == AgreementStatus::kEnded && agreement.kind != AgreementKind::kStatutory;
  if (const auto to = in.moment("valid_to", TableReader::Edge::kEnd, ended ? Need::kRequired : Need::kOptional))
    agreement.to_unix_ns = *to;
  if (agreement.to_unix_ns <= agreement.from_unix_ns)
    in.mistake("valid_to", Code::kRegionValue, {"结束早于开始", "ends before it begins"});
  if (agreement.kind != AgreementKind::kStatutory) return;
  if (agreement.status == AgreementStatus::kSuspended || agreement.status == AgreementStatus::kEnded)
    in.mistake("status", Code::kRegionValue, {"法定义务不能中止或终止", "a duty by law cannot be suspended or ended"});
  if (in.has("valid_to"))
    in.mistake("valid_to", Code::kRegionValue, {"法定义务没有终止日期", "a duty by law has no end"});
  if (agreement.citation.empty() && !in.has("citation"))
    in.mistake("citation", Code::kRegionValue, {"法定义务须注明依据", "a duty by law needs its citation"});
}

void Builder::read_signatures(TableReader& in, Agreement& agreement) {
  for (TableReader& table : in.tables("signature", Need::kOptional)) {
    AgreementSignature signature;
    const Text party = table.code("party", Need::kRequired);
    signature.party = party_ref(party);
    signature.key = table.text("key", Need::kRequired).value;
    signature.signature = table.text("signature", Need::kRequired).value;
    table.finish();
    if (signature.party == kNone) continue;
    if (!std::ranges::binary_search(agreement.parties, signature.party))
      add(party, Code::kRegionReference, {"不是本协议的主体", "is no party to this agreement"});
    else if (std::ranges::find(agreement.signatures, signature.party, &AgreementSignature::party) !=
             agreement.signatures.end())
      add(party, Code::kRegionDuplicate, {"该主体已签名", "has signed already"});
    else
      agreement.signatures.push_back(std::move(signature));
  }
}

}  // namespace thalweg::region
