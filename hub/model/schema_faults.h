// schema_faults.h: the words for what a walk finds wrong, in both languages. Off the good path, so it may allocate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/fault.h"
#include "model/schema_nodes.h"

namespace thalweg {

enum class Bound { kLeast, kMost };
enum class CountOf { kItems, kMembers };

Fault missing_member(std::string path);
/// `member` has `value`, and that asks for what is missing.
Fault missing_because(std::string path, std::string_view member, std::string_view value);
Fault missing_one_of(std::string path, const SchemaNode& node);
/// `known` are the names that the object may have.
Fault unknown_member(std::string path, std::string_view name, const NameTable& known);
Fault repeated_member(std::string path);
Fault wrong_type(std::string path, std::uint8_t allowed, std::uint8_t found);
Fault wrong_value(std::string path, const NameTable& allowed, std::string_view found);
/// For a text that string_fits() refused: its value, length or format.
Fault wrong_string(std::string path, const SchemaNode& node, std::string_view found);
/// kFactorUnknown with the nearest factors for NamedFormat::kFactor, else kRecordSchema.
Fault wrong_format(std::string path, NamedFormat format, std::string_view found);
Fault wrong_length(std::string path, Bound bound, std::uint32_t limit, std::size_t found);
Fault wrong_number(std::string path, const SchemaNode& node, std::string_view found);
Fault wrong_count(std::string path, Bound bound, std::uint32_t limit, CountOf what);
Fault too_deep(std::string path);
Fault null_character(std::string path);
Fault wrong_subject(std::string path, std::string_view subject, std::string_view found);
Fault too_large(std::string path);
/// `reason` is simdjson's or ours, in English; `offset` in bytes, where it is known.
Fault not_json(std::string path, std::string_view reason, std::optional<std::size_t> offset = {});

}  // namespace thalweg
