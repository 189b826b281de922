// docs/formats/families.md says what the schemas say, and its examples are those of the SDK.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>

#include "model/builtin_texts.h"
#include "schema_samples.h"

using namespace thalweg;
using nlohmann::json;

namespace {

const std::string& page() {
  static const std::string text = samples::text_of_file(THALWEG_SOURCE_DIR "/docs/formats/families.md");
  return text;
}

std::string section_of(const std::string& type) {
  const std::size_t from = page().find("\n## " + type + "\n");
  if (from == std::string::npos) return {};
  return page().substr(from, page().find("\n## ", from + 1) - from);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Members of one object: named in `where`, and described in a row of the page.
void check_members(const json& object, const std::string& where) {
  for (const auto& [name, schema] : object["properties"].items()) {
    INFO(name);
    CHECK(has(where, "`" + name + "`"));
    if (!schema.contains("description")) continue;
    const std::string description = schema["description"];
    const std::size_t at = page().find("| " + description + " |\n");
    CHECK(at != std::string::npos);
  }
}

}  // namespace

TEST_CASE("the page of families names every member of every schema", "[model][docs]") {
  for (std::string_view text : builtin_schemas()) {
    const json schema = json::parse(text);
    const std::string id = schema["$id"];
    const std::string type = id.substr(id.rfind('/') + 1, id.size() - id.rfind('/') - 6);
    INFO(type);
    const std::string section = section_of(type);
    REQUIRE_FALSE(section.empty());
    CHECK(has(section, schema["title"].get<std::string>()));
    check_members(schema, section);
    const json definitions = schema.value("definitions", json::object());
    for (const auto& [name, definition] : definitions.items()) {
      INFO(name);
      CHECK(has(page(), "\n### " + name + ": "));
      check_members(definition, page());
    }
    // Rows of required members say so.
    for (const json& member : schema["required"]) {
      const std::string row = "| `" + member.get<std::string>() + "` | yes |";
      const bool as_in_notice = has(section, "As in the notice") && has(section_of("thalweg.emergency.notice.v1"), row);
      CHECK((has(section, row) || as_in_notice));
    }
  }
}

TEST_CASE("the examples of the page are files of the SDK", "[model][docs]") {
  const std::string mark = "Example `";
  std::size_t count = 0;
  for (std::size_t at = 0; (at = page().find(mark, at)) != std::string::npos; ++count) {
    at += mark.size();
    const std::string name = page().substr(at, page().find(".json`", at) - at);
    const std::size_t from = page().find("```json\n", at) + 8;
    INFO(name);
    CHECK(json::parse(page().substr(from, page().find("```\n", from) - from)) == json::parse(samples::sample(name)));
  }
  CHECK(count >= builtin_schemas().size());
}

TEST_CASE("the page explains every unit", "[model][docs]") {
  const json schema =
      json::parse(samples::text_of_file(THALWEG_SOURCE_DIR "/sdk/schemas/thalweg.section.observation.v1.json"));
  const std::string units = page().substr(page().find("\n## Units"));
  for (const json& unit : schema["definitions"]["reading"]["properties"]["unit"]["enum"]) {
    INFO(unit);
    CHECK(has(units, "`" + unit.get<std::string>() + "`"));
  }
}
