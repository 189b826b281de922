// schema_scalars.h: what a schema allows of a string, a number or a literal. Private to schema_walker and record_shape.
#pragma once

#include <string_view>

#include "model/json_token.h"
#include "model/schema_nodes.h"

namespace thalweg {

/// Whether `node` allows the string `text`, which is unescaped. `place` becomes its place in the schema's list, if
/// there is one and it stands there.
inline bool string_fits(const SchemaNode& node, std::string_view text, int& place) {
  if (node.values.size() > 0) {
    place = node.values.find(text);
    return place != NameTable::kAbsent;
  }
  // Bytes are at least as many as characters, and at most four times: mostly there is nothing to count.
  if (text.size() > node.max_length && characters(text) > node.max_length) return false;
  if (text.size() < std::size_t{node.min_length} * 4 && characters(text) < node.min_length) return false;
  return node.format == NamedFormat::kNone || has_format(node.format, text);
}

/// Whether `node` allows numbers of this form at all.
inline bool number_type_fits(const SchemaNode& node, NumberForm form) {
  return (node.types & kNumberType) != 0 || ((node.types & kIntegerType) != 0 && form == NumberForm::kInteger);
}
/// Whether the number is finite and within the bounds of `node`.
inline bool number_in_range(const SchemaNode& node, std::string_view token, NumberForm form) {
  if (!node.has_bounds && form != NumberForm::kLarge) return true;
  const double found = number_value(token);
  return found - found == 0 && found >= node.minimum && found <= node.maximum;
}

/// The type of a literal, or none (0) when it is not one of the three.
inline std::uint8_t literal_type(std::string_view token) {
  if (token == "null") return kNullType;
  return token == "true" || token == "false" ? std::uint8_t{kBooleanType} : std::uint8_t{0};
}

}  // namespace thalweg
