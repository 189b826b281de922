// topic.cc: what agreements speak about: families of record types, or single types.
#include "region/topic.h"

#include <vector>

#include "region/vocabulary.h"

namespace thalweg::region {
namespace {

struct Prefix {
  std::string_view prefix;
  Family family;
};
constexpr Prefix kPrefixes[] = {
    {"section.", Family::kSectionData},
    {"emergency.notice.", Family::kEmergencyNotice},
    {"emergency.report.", Family::kEmergencyReport},
    {"enforcement.", Family::kEnforcement},
    {"resource.", Family::kResources},
    {"compensation.", Family::kCompensation},
    {"receipt.", Family::kReceipt},
};
constexpr std::string_view kOwn = "thalweg.";

}  // namespace

Family family_of(std::string_view type) {
  if (!type.starts_with(kOwn)) return Family::kOther;
  type.remove_prefix(kOwn.size());
  for (const Prefix& p : kPrefixes)
    if (type.starts_with(p.prefix)) return p.family;
  return Family::kOther;
}

std::string_view topic_word(Family family) { return term(family).word; }

std::optional<Family> family_from_topic(std::string_view word) {
  for (const Term<Family>& t : terms<Family>())
    if (!t.word.empty() && t.word == word) return t.value;
  return std::nullopt;
}

std::span<const std::string> topic_words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> all;
    for (const Term<Family>& t : terms<Family>())
      if (!t.word.empty()) all.emplace_back(t.word);
    return all;
  }();
  return words;
}

bool topic_covers(std::string_view topic, std::string_view type) {
  if (topic == type) return true;
  const std::string_view word = topic_word(family_of(type));
  return !word.empty() && topic == word;
}

}  // namespace thalweg::region
