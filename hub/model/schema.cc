// schema.cc: the JSON Schemas of sdk/schemas, compiled once to what a walk over simdjson can check.
#include "model/schema.h"

#include <algorithm>

#include "model/builtin_texts.h"
#include "model/schema_compiler.h"

namespace thalweg {

Result<Schema> Schema::compile(std::string_view json_text) {
  TW_ASSIGN(SchemaNodes nodes, compile_schema(json_text));
  return Schema(std::make_shared<const SchemaNodes>(std::move(nodes)));
}

const std::string& Schema::type() const { return nodes_->type; }
const std::string& Schema::id() const { return nodes_->id; }
const std::string& Schema::subject_member() const { return nodes_->subject_member; }

Result<SchemaSet> SchemaSet::load(const std::vector<std::string>& texts) {
  SchemaSet set;
  for (const std::string& text : texts) {
    TW_ASSIGN(Schema schema, Schema::compile(text));
    if (set.find(schema.type()) != nullptr) return Error{Code::kExists, "two schemas for " + schema.type()};
    set.types_.push_back(schema.type());
    set.schemas_.push_back(std::move(schema));
  }
  return set;
}

Result<SchemaSet> SchemaSet::load_builtin() {
  const auto texts = builtin_schemas();
  return load(std::vector<std::string>(texts.begin(), texts.end()));
}

const Schema* SchemaSet::find(std::string_view type) const {
  // A handful of types: comparing lengths and a few bytes beats hashing.
  for (std::size_t i = 0; i < types_.size(); ++i) {
    if (types_[i] == type) return &schemas_[i];
  }
  return nullptr;
}

}  // namespace thalweg
