// topic.h: what agreements speak about: families of record types, or single types.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "region/words.h"

namespace thalweg::region {

enum class Family : std::uint8_t {
  kSectionData,      ///< thalweg.section.*
  kEmergencyNotice,  ///< thalweg.emergency.notice.*: to neighbours
  kEmergencyReport,  ///< thalweg.emergency.report.*: upwards only
  kEnforcement,      ///< thalweg.enforcement.*
  kResources,        ///< thalweg.resource.*
  kCompensation,     ///< thalweg.compensation.*
  kReceipt,          ///< thalweg.receipt.*: answers; need no agreement and are no topic of one
  kOther,            ///< a type outside of these: only an agreement that names the type itself covers it
};

/// The family of a record type. Any thread; a few nanoseconds.
Family family_of(std::string_view type);
/// The word for a family in region files ("section_data"); empty for kReceipt and kOther.
std::string_view topic_word(Family family);
std::optional<Family> family_from_topic(std::string_view word);
/// All words of families, for nearest names.
std::span<const std::string> topic_words();
/// Does `topic` (a word of a family, or a whole type) cover records of `type`?
bool topic_covers(std::string_view topic, std::string_view type);

}  // namespace thalweg::region
