// schema.h: the JSON Schemas of sdk/schemas, compiled once to what a walk over simdjson can check.
// See docs/formats/families.md for the families and for the part of draft 7 that a schema may use.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/fault.h"
#include "thalweg/cpp/result.h"

namespace thalweg {

struct SchemaNodes;  // schema_nodes.h

/// The schema of one record type. Immutable: any thread. Cheap to copy (shares its tables).
class Schema {
 public:
  /// Compiles the text of one schema. Refuses every keyword and every form of one that the walk would not check, so
  /// that no rule is passed over in silence. Errors: kConfig with the JSON pointer of the first such place.
  static Result<Schema> compile(std::string_view json_text);

  /// "thalweg.section.observation.v1": the last part of `$id`.
  const std::string& type() const;
  /// `$id`: what a record's `dataschema` must say.
  const std::string& id() const;
  /// The member of `data` that must equal the record's `subject` (x-thalweg-subject), or empty.
  const std::string& subject_member() const;
  const std::shared_ptr<const SchemaNodes>& nodes() const { return nodes_; }

 private:
  explicit Schema(std::shared_ptr<const SchemaNodes> nodes) : nodes_(std::move(nodes)) {}
  std::shared_ptr<const SchemaNodes> nodes_;
};

/// The schemas a program knows, by record type. Immutable after loading: any thread.
class SchemaSet {
 public:
  /// The schemas of sdk/schemas, which are compiled into the library. About 2 ms.
  static Result<SchemaSet> load_builtin();
  /// From texts, one schema each. Errors: as Schema::compile; kExists for a type twice.
  static Result<SchemaSet> load(const std::vector<std::string>& texts);

  /// Nullptr when the type is not known. Lives as long as the set.
  const Schema* find(std::string_view type) const;
  const std::vector<std::string>& types() const { return types_; }

 private:
  SchemaSet() = default;
  std::vector<Schema> schemas_;
  std::vector<std::string> types_;  // same order as schemas_
};

}  // namespace thalweg
