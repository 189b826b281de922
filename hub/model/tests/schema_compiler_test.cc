#include "model/schema_compiler.h"

#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <string>

#include "model/builtin_texts.h"
#include "schema_samples.h"

using namespace thalweg;

namespace {

const std::string kHead = R"({"$schema":"http://json-schema.org/draft-07/schema#","$id":"https://x/t.v1.json",)";

std::string closed(const std::string& properties, const std::string& more = "") {
  return kHead + R"("type":"object","additionalProperties":false,"properties":{)" + properties + "}" + more + "}";
}
std::string refusal(const std::string& schema) {
  const auto compiled = compile_schema(schema);
  if (compiled) return "compiled";
  CHECK(compiled.error().code == Code::kConfig);
  return compiled.error().message;
}

}  // namespace

TEST_CASE("every schema of the SDK is compiled in, and none that is not there", "[model][schema]") {
  std::set<std::string> files, built;
  for (const auto& entry : std::filesystem::directory_iterator(THALWEG_SOURCE_DIR "/sdk/schemas")) {
    if (entry.path().extension() == ".json") files.insert(samples::text_of_file(entry.path()));
  }
  for (std::string_view text : builtin_schemas()) built.insert(std::string(text));
  CHECK(files == built);
  const auto set = SchemaSet::load_builtin();
  REQUIRE(set);
  CHECK(set->types().size() == files.size());
  for (const std::string& type : set->types()) {
    INFO(type);
    REQUIRE(set->find(type) != nullptr);
    CHECK(set->find(type)->id() == "https://thalweg.example/schemas/" + type + ".json");
    CHECK(std::filesystem::exists(THALWEG_SOURCE_DIR "/sdk/schemas/" + type + ".json"));
  }
  CHECK(set->find("thalweg.section.observation.v2") == nullptr);
  CHECK(set->find("") == nullptr);
}

TEST_CASE("every family has examples, and every example is of a family", "[model][schema]") {
  std::set<std::string> shown;
  for (const auto& sample : samples::all()) shown.insert(sample.type);
  const auto& types = samples::schemas().types();
  CHECK(shown == std::set<std::string>(types.begin(), types.end()));
}

TEST_CASE("a keyword that the walk would pass over is refused with its place", "[model][schema]") {
  const auto member = [](const std::string& schema) { return refusal(closed("\"a\":" + schema)); };
  REQUIRE(member(R"({"type":"string","description":"x","title":"y","$comment":"z"})") == "compiled");
  CHECK(member(R"({"type":"string","pattern":"^a"})").find("/properties/a/pattern") != std::string::npos);
  for (const char* keyword : {"pattern", "uniqueItems", "oneOf", "not", "dependencies", "multipleOf",
                              "exclusiveMinimum", "contains", "patternProperties", "propertyNames", "minProperties",
                              "additionalItems", "default", "tpye", "$id", "definitions", "if", "then", "else"}) {
    INFO(keyword);
    CHECK(member(R"({"type":"object",")" + std::string(keyword) + R"(":true})").find(keyword) != std::string::npos);
  }
  CHECK(member(R"({"type":"string","format":"email"})").find("format") != std::string::npos);
  CHECK(member(R"({"type":"number","maxLength":3})").find("does not concern") != std::string::npos);
  CHECK(member(R"({"type":"string","minimum":3})").find("does not concern") != std::string::npos);
  CHECK(member(R"({"type":"string","maxLength":-1})").find("count") != std::string::npos);
  CHECK(member(R"({"type":"string","maxLength":1.5})").find("count") != std::string::npos);
  CHECK(member(R"({"type":"number","enum":[1,2]})").find("does not concern") != std::string::npos);
  CHECK(member(R"({"type":["string","null"],"enum":["a"]})").find("strings only") != std::string::npos);
  CHECK(member(R"({"type":"string","enum":["a",1]})").find("texts") != std::string::npos);
  CHECK(member(R"({"type":"string","enum":["a","a"]})").find("twice") != std::string::npos);
  CHECK(member(R"({"type":"string","enum":[]})").find("1 to 64") != std::string::npos);
  CHECK(member(R"({"type":"text"})").find("names no type") != std::string::npos);
  CHECK(member(R"({"type":[]})").find("names no type") != std::string::npos);
  CHECK(member(R"({})").find("must say its type") != std::string::npos);
  CHECK(member(R"(true)").find("must be an object") != std::string::npos);
  CHECK(member(R"({"type":"array"})").find("what its items are") != std::string::npos);
  CHECK(member(R"({"type":"array","items":[{"type":"string"}]})").find("items") != std::string::npos);
}

TEST_CASE("an object names its members and is closed, or is free, nothing between", "[model][schema]") {
  CHECK(refusal(closed(R"("a":{"type":"object","maxProperties":3})")) == "compiled");
  CHECK(refusal(closed(R"("a":{"type":"object","properties":{"b":{"type":"string"}}})")).find("additionalProperties") !=
        std::string::npos);
  CHECK(refusal(closed(R"("a":{"type":"object","additionalProperties":false})")).find("needs properties") !=
        std::string::npos);
  CHECK(refusal(closed("")).find("1 to 64") != std::string::npos);
  CHECK(refusal(closed(R"("a b":{"type":"string"})")).find("plain") != std::string::npos);
  CHECK(refusal(closed(R"("a\"b":{"type":"string"})")).find("plain") != std::string::npos);
  CHECK(refusal(closed("\"" + std::string(49, 'a') + R"(":{"type":"string"})")).find("48") != std::string::npos);
  std::string many;
  for (int i = 0; i < 65; ++i) many += (i ? ",\"m" : "\"m") + std::to_string(i) + R"(":{"type":"null"})";
  CHECK(refusal(closed(many)).find("64") != std::string::npos);
  CHECK(refusal(closed(R"("a":{"type":"string"})", R"(,"required":["b"])")).find("names no member") !=
        std::string::npos);
  CHECK(refusal(closed(R"("a":{"type":"string"})", R"(,"required":[])")).find("list of names") != std::string::npos);
}

TEST_CASE("choices and conditions have one form", "[model][schema]") {
  const std::string ab = R"("a":{"type":"string","enum":["x","y"]},"b":{"type":"string"})";
  const auto rule = [&](const std::string& when, const std::string& then) {
    return refusal(closed(ab, R"(,"allOf":[{"if":)" + when + R"(,"then":)" + then + "}]"));
  };
  CHECK(rule(R"({"properties":{"a":{"const":"x"}},"required":["a"]})", R"({"required":["b"]})") == "compiled");
  CHECK(rule(R"({"properties":{"a":{"enum":["x","y"]}},"required":["a"]})", R"({"required":["b"]})") == "compiled");
  CHECK(rule(R"({"properties":{"a":{"const":"z"}},"required":["a"]})", R"({"required":["b"]})").find("cannot have") !=
        std::string::npos);
  CHECK(rule(R"({"properties":{"b":{"const":"x"}},"required":["b"]})", R"({"required":["a"]})").find("cannot have") !=
        std::string::npos);
  CHECK(rule(R"({"properties":{"a":{"const":"x"}}})", R"({"required":["b"]})").find("may only hold") !=
        std::string::npos);
  CHECK(rule(R"({"properties":{"a":{"const":"x"}},"required":["b"]})", R"({"required":["b"]})").find("may only hold") !=
        std::string::npos);
  CHECK(rule(R"({"properties":{"a":{"const":"x"}},"required":["a"]})", R"({"properties":{}})").find("may only hold") !=
        std::string::npos);
  CHECK(refusal(closed(ab, R"(,"anyOf":[{"required":["a"]},{"required":["b"]}])")) == "compiled");
  CHECK(refusal(closed(ab, R"(,"anyOf":[{"type":"object"}])")).find("may only hold") != std::string::npos);
  CHECK(refusal(closed(ab, R"(,"allOf":[{"required":["a"]}])")).find("may only hold") != std::string::npos);
}

TEST_CASE("references reach definitions of the same file, and all definitions are used", "[model][schema]") {
  const std::string d = R"(,"definitions":{"d":{"type":"string"}})";
  CHECK(refusal(closed(R"("a":{"$ref":"#/definitions/d","description":"x"})", d)) == "compiled");
  CHECK(refusal(closed(R"("a":{"$ref":"#/definitions/e"})", d)).find("refers to nothing") != std::string::npos);
  CHECK(refusal(closed(R"("a":{"$ref":"other.json"})", d)).find("#/definitions/") != std::string::npos);
  CHECK(refusal(closed(R"("a":{"$ref":"#/definitions/d","maxLength":3})", d)).find("beside $ref") != std::string::npos);
  CHECK(refusal(closed(R"("a":{"type":"string"})", d)).find("not used") != std::string::npos);
  const std::string tree =
      R"(,"definitions":{"t":{"type":"object","additionalProperties":false,"properties":{"t":{"$ref":"#/definitions/t"}}}})";
  CHECK(refusal(closed(R"("a":{"$ref":"#/definitions/t"})", tree)) == "compiled");
}

TEST_CASE("what is no schema is refused, not compiled to one that lets all pass", "[model][schema]") {
  for (const char* text : {"", "{", "[]", "null", "{}", R"({"$schema":"http://json-schema.org/draft-06/schema#"})"}) {
    INFO(text);
    CHECK(refusal(text) != "compiled");
  }
  CHECK(refusal(kHead + R"("type":"string"})") != "compiled");
  CHECK(refusal(kHead + R"("type":"object"})") != "compiled");
  CHECK(refusal(closed(R"("a":{"type":"string"})", R"(,"x-thalweg-subject":"b")")).find("names no member") !=
        std::string::npos);
  std::string deep = R"({"type":"string"})";
  for (int i = 0; i < 200; ++i) deep = R"({"type":"array","items":)" + deep + "}";
  CHECK(refusal(closed("\"a\":" + deep)).find("too deeply") != std::string::npos);
  CHECK(SchemaSet::load({closed(R"("a":{"type":"string"})"), closed(R"("b":{"type":"string"})")}).error().code ==
        Code::kExists);
}

TEST_CASE("definitions of one name say the same in every family", "[model][schema]") {
  // A definition's text runs from its name to the line that closes it at the same indent.
  std::map<std::string, std::string> texts;
  for (std::string_view schema : builtin_schemas()) {
    for (const char* name : {"attachment", "position", "sensitive_place", "pollutant"}) {
      const std::string open = "\n    \"" + std::string(name) + "\": {\n";
      const std::size_t from = schema.find(open, schema.find("\"definitions\""));
      if (from == std::string_view::npos) continue;
      const std::string text(schema.substr(from, schema.find("\n    }", from) - from));
      const auto [known, added] = texts.emplace(name, text);
      CHECK(known->second == text);
    }
  }
  CHECK(texts.size() == 4);
}
