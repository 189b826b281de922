// schema_compiler.cc: turns the text of a JSON Schema into the tables of schema_nodes.h, or says what it cannot turn.
#include "model/schema_compiler.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace thalweg {

using nlohmann::json;

NameTable::NameTable(std::vector<std::string> names) : names_(std::move(names)) {
  std::size_t slots = 4;
  while (slots < names_.size() * 4) slots *= 2;
  mask_ = slots - 1;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    std::size_t at = hash(names_[i]) & mask_;
    while (slots_[at] != 0) at = (at + 1) & mask_;
    slots_[at] = static_cast<std::uint8_t>(i + 1);

    const std::string quoted = names_[i] + '"';
    char text[16] = {}, mask[16] = {};
    const std::size_t size = std::min(quoted.size(), sizeof text);
    std::memcpy(text, quoted.data(), size);  // NOLINT(bugprone-not-null-terminated-result): length and bytes
    std::memset(mask, 0xff, size);
    Packed packed;
    std::memcpy(&packed.first, text, 8);
    std::memcpy(&packed.second, text + 8, 8);
    std::memcpy(&packed.first_mask, mask, 8);
    std::memcpy(&packed.second_mask, mask + 8, 8);
    packed.whole = quoted.size() <= sizeof text;
    packed_.push_back(packed);
  }
}

namespace {

// Longer names would be compared beyond the padding behind a record; none of ours comes near.
constexpr std::size_t kMaxNameBytes = 48;
constexpr std::size_t kMaxNodes = 4096;

class Compiler {
 public:
  explicit Compiler(const json& root) : root_(root) {}

  Result<SchemaNodes> compile() {
    if (!root_.is_object()) return refuse("", "must be an object");
    TW_TRY(read_header());
    TW_ASSIGN(const std::uint32_t root_node, node_of(root_, "", /*depth=*/0));
    if (root_node != 0 || out_.nodes[0].types != kObjectType || out_.nodes[0].free_object) {
      return refuse("", "the root must describe the members of an object");
    }
    if (!out_.subject_member.empty()) {
      out_.subject_place = out_.nodes[0].members.find(out_.subject_member);
      if (out_.subject_place == NameTable::kAbsent) return refuse("/x-thalweg-subject", "names no member");
    }
    if (const auto definitions = root_.find("definitions"); definitions != root_.end()) {
      for (const auto& [name, unused] : definitions->items()) {
        if (!references_.contains(name)) return refuse("/definitions/" + name, "is not used");
      }
    }
    for (SchemaNode& node : out_.nodes) {
      node.order_at = out_.order_size;
      out_.order_size += static_cast<std::uint32_t>(node.members.size() + 1);
    }
    return std::move(out_);
  }

 private:
  static Error refuse(const std::string& at, std::string_view why) {
    return {Code::kConfig, "schema at " + (at.empty() ? std::string("/") : at) + ": " + std::string(why)};
  }

  Status read_header() {
    const auto dialect = root_.find("$schema");
    if (dialect == root_.end() || *dialect != "http://json-schema.org/draft-07/schema#") {
      return refuse("/$schema", "must be draft 7");
    }
    const auto id = root_.find("$id");
    if (id == root_.end() || !id->is_string()) return refuse("/$id", "is required");
    out_.id = id->get<std::string>();
    constexpr std::string_view kSuffix = ".json";
    const std::size_t slash = out_.id.rfind('/');
    if (slash == std::string::npos || !out_.id.ends_with(kSuffix)) return refuse("/$id", "must end in /<type>.json");
    out_.type = out_.id.substr(slash + 1, out_.id.size() - slash - 1 - kSuffix.size());
    if (!has_format(NamedFormat::kCode, out_.type)) return refuse("/$id", "must end in /<type>.json");
    if (const auto subject = root_.find("x-thalweg-subject"); subject != root_.end()) {
      if (!subject->is_string()) return refuse("/x-thalweg-subject", "must be text");
      out_.subject_member = subject->get<std::string>();
    }
    return {};
  }

  Result<std::uint32_t> new_node(const std::string& at) {
    if (out_.nodes.size() == kMaxNodes) return refuse(at, "too many subschemas");
    out_.nodes.emplace_back();
    return static_cast<std::uint32_t>(out_.nodes.size() - 1);
  }

  Result<std::uint32_t> node_of(const json& schema, const std::string& at, int depth) {
    if (depth > 32) return refuse(at, "nested too deeply");
    if (!schema.is_object()) return refuse(at, "must be an object");
    if (const auto reference = schema.find("$ref"); reference != schema.end())
      return referred(schema, *reference, at, depth);
    TW_ASSIGN(const std::uint32_t index, new_node(at));
    TW_TRY(fill(index, schema, at, depth));
    return index;
  }

  Result<std::uint32_t> referred(const json& schema, const json& reference, const std::string& at, int depth) {
    for (const auto& [key, unused] : schema.items()) {
      // Draft 7 ignores what stands beside $ref: a rule there would be passed over.
      if (key != "$ref" && key != "description") return refuse(at + "/" + key, "may not stand beside $ref");
    }
    constexpr std::string_view kPlace = "#/definitions/";
    if (!reference.is_string() || !reference.get_ref<const std::string&>().starts_with(kPlace)) {
      return refuse(at + "/$ref", "must begin with #/definitions/");
    }
    const std::string name = reference.get_ref<const std::string&>().substr(kPlace.size());
    if (const auto known = references_.find(name); known != references_.end()) return known->second;
    const auto definitions = root_.find("definitions");
    if (definitions == root_.end() || !definitions->is_object() || !definitions->contains(name)) {
      return refuse(at + "/$ref", "refers to nothing");
    }
    const json& target = (*definitions)[name];
    if (!target.is_object() || target.contains("$ref"))
      return refuse(at + "/$ref", "must refer to a subschema of its own");
    TW_ASSIGN(const std::uint32_t index, new_node(at));
    references_[name] = index;  // before filling: a definition may contain itself
    TW_TRY(fill(index, target, "/definitions/" + name, depth + 1));
    return index;
  }

  Status fill(std::uint32_t index, const json& schema, const std::string& at, int depth) {
    SchemaNode node;
    TW_TRY(read_types(node, schema, at));
    const bool is_root = index == 0;
    for (const auto& [key, value] : schema.items()) {
      const std::string here = at + "/" + key;
      const std::uint8_t concerns = types_of_keyword(key, is_root);
      if (concerns == 0) return refuse(here, "is a keyword that records are not checked for");
      if ((concerns & node.types) == 0) return refuse(here, "does not concern this type");
      if (key == "format") {
        TW_TRY(read_format(node, value, here));
      } else if (key == "enum" || key == "const") {
        TW_TRY(read_values(node, key, value, here));
      } else if (key == "minLength") {
        TW_TRY(read_count(node.min_length, value, here));
      } else if (key == "maxLength") {
        TW_TRY(read_count(node.max_length, value, here));
      } else if (key == "minItems") {
        TW_TRY(read_count(node.min_items, value, here));
      } else if (key == "maxItems") {
        TW_TRY(read_count(node.max_items, value, here));
      } else if (key == "maxProperties") {
        TW_TRY(read_count(node.max_members, value, here));
      } else if (key == "minimum" || key == "maximum") {
        if (!value.is_number()) return refuse(here, "must be a number");
        (key == "minimum" ? node.minimum : node.maximum) = value.get<double>();
        node.has_bounds = true;
      } else if (key == "items") {
        TW_ASSIGN(node.items, node_of(value, here, depth + 1));
      }
    }
    if (node.types & kArrayType && !schema.contains("items")) return refuse(at, "an array must say what its items are");
    if (node.types & kObjectType) TW_TRY(read_object(node, schema, at, depth));
    out_.nodes[index] = std::move(node);
    return {};
  }

  // The types that a keyword says something about; every type for what only describes; none for what is not understood.
  static std::uint8_t types_of_keyword(const std::string& key, bool is_root) {
    constexpr std::uint8_t kEvery = 0xff;
    static const std::map<std::string, std::uint8_t, std::less<>> kKeywords = {{"type", kEvery},
                                                                               {"title", kEvery},
                                                                               {"description", kEvery},
                                                                               {"$comment", kEvery},
                                                                               {"examples", kEvery},
                                                                               {"format", kStringType},
                                                                               {"enum", kStringType},
                                                                               {"const", kStringType},
                                                                               {"minLength", kStringType},
                                                                               {"maxLength", kStringType},
                                                                               {"minimum", kNumberType | kIntegerType},
                                                                               {"maximum", kNumberType | kIntegerType},
                                                                               {"items", kArrayType},
                                                                               {"minItems", kArrayType},
                                                                               {"maxItems", kArrayType},
                                                                               {"properties", kObjectType},
                                                                               {"required", kObjectType},
                                                                               {"additionalProperties", kObjectType},
                                                                               {"anyOf", kObjectType},
                                                                               {"allOf", kObjectType},
                                                                               {"maxProperties", kObjectType}};
    static const std::set<std::string, std::less<>> kRootOnly = {"$schema", "$id", "definitions", "x-thalweg-subject"};
    if (is_root && kRootOnly.contains(key)) return kEvery;
    const auto known = kKeywords.find(key);
    return known == kKeywords.end() ? std::uint8_t{0} : known->second;
  }

  Status read_types(SchemaNode& node, const json& schema, const std::string& at) {
    static const std::map<std::string, std::uint8_t, std::less<>> kTypes = {
        {"null", kNullType},       {"boolean", kBooleanType},
        {"integer", kIntegerType}, {"number", kNumberType | kIntegerType},
        {"string", kStringType},   {"array", kArrayType},
        {"object", kObjectType}};
    const auto type = schema.find("type");
    if (type == schema.end()) return refuse(at, "must say its type");
    const std::string here = at + "/type";
    const auto add = [&](const json& name) -> Status {
      if (!name.is_string()) return refuse(here, "must be text");
      const auto known = kTypes.find(name.get_ref<const std::string&>());
      if (known == kTypes.end()) return refuse(here, "names no type");
      node.types |= known->second;
      return {};
    };
    if (!type->is_array()) return add(*type);
    for (const json& name : *type) TW_TRY(add(name));
    if (node.types == 0) return refuse(here, "names no type");
    return {};
  }

  static Status read_format(SchemaNode& node, const json& value, const std::string& here) {
    if (!value.is_string()) return refuse(here, "must be text");
    const auto format = format_from(value.get_ref<const std::string&>());
    if (!format) return refuse(here, "is a format that records are not checked for");
    node.format = *format;
    return {};
  }

  static Status read_values(SchemaNode& node, const std::string& key, const json& value, const std::string& here) {
    if (node.values.size() != 0) return refuse(here, "enum and const may not stand together");
    if (node.types != kStringType) return refuse(here, "values may be listed for strings only");
    const json list = key == "const" ? json::array({value}) : value;
    if (!list.is_array() || list.empty() || list.size() > NameTable::kMaxNames)
      return refuse(here, "must list 1 to 64 texts");
    std::vector<std::string> names;
    for (const json& name : list) {
      if (!name.is_string()) return refuse(here, "must list texts");
      names.push_back(name.get<std::string>());
      if (std::count(names.begin(), names.end(), names.back()) > 1) return refuse(here, "lists a text twice");
    }
    node.values = NameTable(std::move(names));
    return {};
  }

  static Status read_count(std::uint32_t& into, const json& value, const std::string& here) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() >= SchemaNode::kUnbounded) {
      return refuse(here, "must be a count");
    }
    into = value.get<std::uint32_t>();
    return {};
  }

  Status read_object(SchemaNode& node, const json& schema, const std::string& at, int depth) {
    const auto properties = schema.find("properties");
    const auto closed = schema.find("additionalProperties");
    if (properties == schema.end()) {
      for (const char* key : {"required", "anyOf", "allOf", "additionalProperties"}) {
        if (schema.contains(key)) return refuse(at + "/" + key, "needs properties beside it");
      }
      node.free_object = true;
      return {};
    }
    if (closed == schema.end() || *closed != false) {
      return refuse(at, "an object that names its members must have additionalProperties false");
    }
    if (!properties->is_object() || properties->empty() || properties->size() > NameTable::kMaxNames) {
      return refuse(at + "/properties", "must have 1 to 64 members");
    }
    std::vector<std::string> names;
    for (const auto& [name, unused] : properties->items()) {
      // Keys are compared as they stand in the record, so a known name is one that needs no escape.
      const bool plain =
          std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c != '"' && c != '\\' && c < 0x7f; });
      if (name.empty() || name.size() > kMaxNameBytes || !plain)
        return refuse(at + "/properties", "a name must be 1 to 48 plain characters");
      names.push_back(name);
    }
    node.members = NameTable(std::move(names));
    node.member_slots.assign(node.members.size(), SchemaNode::kNoSlot);
    for (const std::string& name : node.members.names()) {
      TW_ASSIGN(const std::uint32_t child, node_of((*properties)[name], at + "/properties/" + name, depth + 1));
      node.member_nodes.push_back(child);
    }
    TW_TRY(read_required(node, node.required, schema, at));
    if (const auto choices = schema.find("anyOf"); choices != schema.end()) {
      if (!choices->is_array() || choices->empty()) return refuse(at + "/anyOf", "must be a list");
      for (const json& choice : *choices) {
        if (!choice.is_object() || choice.size() != 1 || !choice.contains("required")) {
          return refuse(at + "/anyOf", "may only hold objects with `required` and nothing else");
        }
        TW_TRY(read_required(node, node.any_required.emplace_back(0), choice, at + "/anyOf"));
      }
    }
    if (const auto rules = schema.find("allOf"); rules != schema.end()) {
      if (!rules->is_array() || rules->empty()) return refuse(at + "/allOf", "must be a list");
      for (const json& rule : *rules) TW_TRY(read_condition(node, rule, at + "/allOf"));
    }
    return {};
  }

  static Status read_required(const SchemaNode& node, std::uint64_t& mask, const json& schema, const std::string& at) {
    const auto required = schema.find("required");
    if (required == schema.end()) return {};
    if (!required->is_array() || required->empty()) return refuse(at + "/required", "must be a list of names");
    for (const json& name : *required) {
      const int place = name.is_string() ? node.members.find(name.get_ref<const std::string&>()) : NameTable::kAbsent;
      if (place == NameTable::kAbsent) return refuse(at + "/required", "names no member");
      mask |= std::uint64_t{1} << place;
    }
    return {};
  }

  // {"if": {"properties": {"kind": {"const": "x"}}, "required": ["kind"]}, "then": {"required": ["y"]}}
  Status read_condition(SchemaNode& node, const json& rule, const std::string& at) {
    constexpr std::string_view kForm =
        "may only hold {if: {properties: {NAME: {const or enum}}, required: [NAME]}, then: {required: [...]}}";
    if (!rule.is_object() || rule.size() != 2 || !rule.contains("if") || !rule.contains("then"))
      return refuse(at, kForm);
    const json& when = rule["if"];
    const json& then = rule["then"];
    if (!when.is_object() || when.size() != 2 || !when.contains("properties") || !when.contains("required"))
      return refuse(at, kForm);
    if (!then.is_object() || then.size() != 1 || !then.contains("required")) return refuse(at, kForm);
    const json& tested = when["properties"];
    if (!tested.is_object() || tested.size() != 1) return refuse(at, kForm);
    const std::string name = tested.begin().key();
    const json& test = tested.begin().value();
    if (when["required"] != json::array({name}) || !test.is_object() || test.size() != 1) return refuse(at, kForm);
    const int member = node.members.find(name);
    if (member == NameTable::kAbsent) return refuse(at, "`if` names no member");
    const auto place = static_cast<std::size_t>(member);
    const NameTable& values = out_.nodes[node.member_nodes[place]].values;
    SchemaCondition condition;
    condition.member = static_cast<std::uint8_t>(place);
    const json listed = test.contains("const") ? json::array({test["const"]}) : test.value("enum", json::array());
    if (listed.empty()) return refuse(at, kForm);
    for (const json& value : listed) {
      const int found = value.is_string() && values.size() > 0 ? values.find(value.get_ref<const std::string&>())
                                                               : NameTable::kAbsent;
      if (found == NameTable::kAbsent) return refuse(at, "`if` tests for a value that the member cannot have");
      condition.values |= std::uint64_t{1} << found;
    }
    std::uint8_t& slot = node.member_slots[place];
    if (slot == SchemaNode::kNoSlot) {
      const auto used = std::count_if(node.member_slots.begin(), node.member_slots.end(),
                                      [](std::uint8_t s) { return s != SchemaNode::kNoSlot; });
      if (static_cast<std::size_t>(used) == SchemaNode::kMaxSlots) return refuse(at, "tests more than four members");
      slot = static_cast<std::uint8_t>(used);
    }
    condition.slot = slot;
    TW_TRY(read_required(node, condition.required, then, at + "/then"));
    node.conditions.push_back(condition);
    return {};
  }

  const json& root_;
  SchemaNodes out_;
  std::map<std::string, std::uint32_t, std::less<>> references_;
};

}  // namespace

Result<SchemaNodes> compile_schema(std::string_view json_text) {
  try {
    // nlohmann keeps members sorted by name; the walk finds them in any order, so nothing depends on it.
    const json root = json::parse(json_text, nullptr, /*allow_exceptions=*/false);
    if (root.is_discarded()) return Error{Code::kConfig, "schema is not JSON"};
    return Compiler(root).compile();
  } catch (const json::exception& wrong) {
    return Error{Code::kConfig, std::string("schema: ") + wrong.what()};
  }
}

}  // namespace thalweg
