// record_attributes.h: the attributes of a record by name, and what each may say. Private to record and record_shape.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/record.h"

namespace thalweg {

// In the order in which the builder writes them.
enum Attribute : unsigned {
  kSpecVersion,
  kId,
  kSource,
  kType,
  kSubject,
  kTime,
  kLane,
  kExercise,
  kCorrelationId,
  kSubmitter,
  kDataContentType,
  kDataSchema,
  kData,
  kAttributes
};
inline constexpr std::array<std::string_view, kAttributes> kAttributeNames = {
    "specversion",   "id",        "source",          "type",       "subject", "time", "lane", "exercise",
    "correlationid", "submitter", "datacontenttype", "dataschema", "data"};

/// A message in both languages.
struct AttributeFault {
  std::string english;
  std::string chinese;
};

/// The attribute whose name begins at `key`, behind its quote (16 bytes are readable: the padding), looked for from
/// `expected` on; kAttributes when it is none of them.
Attribute attribute_at(const char* key, unsigned expected);

/// Puts the text of an attribute, as it stands between its quotes, where it belongs in `envelope`. What is wrong with
/// it, if anything; then `envelope` may hold it all the same.
std::optional<AttributeFault> set_attribute(Attribute attribute, std::string_view text, Envelope& envelope);

}  // namespace thalweg
