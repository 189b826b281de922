// schema_compiler.h: turns the text of a JSON Schema into the tables of schema_nodes.h, or says what it cannot turn.
#pragma once

#include <string_view>

#include "model/schema_nodes.h"
#include "thalweg/cpp/result.h"

namespace thalweg {

/// The part of draft 7 that is understood is listed in docs/formats/families.md. Errors: kConfig with the JSON pointer
/// of the first keyword, or form of one, that the walk would not check.
Result<SchemaNodes> compile_schema(std::string_view json_text);

}  // namespace thalweg
