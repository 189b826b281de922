// The configuration schemas of the manifests say what the code says: samples are valid by both, mistakes by neither.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "loaded_plugin.h"
#include "testkit/fake_host.h"

using namespace thalweg;
using namespace thalweg::adapters;
using nlohmann::json;

namespace {

json manifest_of(const std::string& id) {
  return json::parse(content_of(std::string(THALWEG_PLUGINS) + "/" + id + "/plugin.json"));
}

bool valid(const json& schema_json, const json& config) {
  valijson::Schema schema;
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(schema_json), schema);
  valijson::Validator validator;
  return validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(config), nullptr);
}

bool taken(const LoadedPlugin& plugin, const std::string& kind, const json& config) {
  testkit::FakeHost host(plugin.open, {.kind = kind});
  return host.configure(config.dump()).has_value();
}

}  // namespace

TEST_CASE("samples are valid by the manifest and by the code, misspelt ones by neither", "[adapters][manifest]") {
  struct Sample {
    const char *id, *kind, *file;
  };
  for (const Sample& s : {Sample{"hj212", "source", "sample.json"},
                          {"tabular", "sink", "sample_sink.json"},
                          {"tabular", "source", "sample_source.json"}}) {
    INFO(s.id << " " << s.file);
    const LoadedPlugin plugin(s.id);
    const json schema = manifest_of(s.id)["configuration"][s.kind];
    json config = json::parse(content_of(std::string(THALWEG_SOURCE_DIR "/plugins/") + s.id + "/" + s.file));
    CHECK(valid(schema, config));
    CHECK(taken(plugin, s.kind, config));
    json misspelt = config;
    misspelt["no_such_option"] = 1;
    CHECK_FALSE(valid(schema, misspelt));
    CHECK_FALSE(taken(plugin, s.kind, misspelt));
    CHECK_FALSE(valid(schema, json::object()));
    CHECK_FALSE(taken(plugin, s.kind, json::object()));
  }
}

TEST_CASE("README shows the samples as they are", "[adapters][docs]") {
  for (const char* file : {"hj212/sample.json", "tabular/sample_sink.json", "tabular/sample_source.json"}) {
    const std::string path = std::string(THALWEG_SOURCE_DIR "/plugins/") + file;
    const std::string readme = content_of(path.substr(0, path.rfind('/')) + "/README.md");
    INFO(file);
    CHECK(readme.find("```json\n" + content_of(path) + "```") != std::string::npos);
  }
}

TEST_CASE("a manifest and its library agree on exercises", "[adapters][manifest]") {
  for (const char* id : {"hj212", "tabular", "minimal_sink_c", "minimal_source_cpp"}) {
    const LoadedPlugin plugin(id);
    const json manifest = manifest_of(id);
    testkit::FakeHost host(plugin.open, {.kind = manifest["kinds"][0].get<std::string>()});
    CHECK(host.breaches().empty());
    CHECK(((host.plugin().flags & TW_PLUGIN_EXERCISE_AWARE) != 0) == manifest["exercise_aware"].get<bool>());
  }
}
