// The compiled walk against valijson, a general validator that knows nothing of it: both must say the same.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include <map>
#include <memory>
#include <random>
#include <string>

#include "model/builtin_texts.h"
#include "model/factors.h"
#include "schema_samples.h"

using namespace thalweg;
using nlohmann::json;

namespace {

// Our named formats as regular expressions, so that the other validator checks them too, in its own way.
const std::map<std::string, std::string>& patterns() {
  static const std::map<std::string, std::string> table = [] {
    const std::string leap = R"((\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00))";
    const std::string date = R"((\d{4}-(0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|\d{4}-(0[469]|11)-(0[1-9]|[12]\d|30))"
                             R"(|\d{4}-02-(0[1-9]|1\d|2[0-8])|)" +
                             leap + "-02-29)";
    std::string factors;
    for (const Factor& factor : FactorDictionary::builtin().all())
      factors += (factors.empty() ? "" : "|") + std::string(factor.code);
    return std::map<std::string, std::string>{
        {"date", "^" + date + "$"},
        {"date-time", "^" + date + R"(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$)"},
        {"duration", R"(^P(?=\d|T)(\d{1,9}Y)?(\d{1,9}M)?(\d{1,9}D)?(T(?=\d)(\d{1,9}H)?(\d{1,9}M)?(\d{1,9}S)?)?$)"},
        {"uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
        {"thalweg-code", "^[0-9A-Za-z._-]{1,64}$"},
        {"thalweg-line", R"(^[^\x00-\x1f\x7f]*$)"},
        {"thalweg-telephone", R"(^(?=[^0-9]*[0-9][^0-9]*[0-9][^0-9]*[0-9])[^\x00-\x1f\x7f]{3,60}$)"},
        {"thalweg-sha256", "^[0-9a-f]{64}$"},
        {"thalweg-media-type", "^(?=.{3,127}$)[0-9A-Za-z!#$&^_.+-]+/[0-9A-Za-z!#$&^_.+-]+$"},
        {"thalweg-factor", "^(" + factors + ")$"},
    };
  }();
  return table;
}

void formats_to_patterns(json& schema) {
  if (schema.is_object() && schema.contains("format") && schema["format"].is_string()) {
    schema["pattern"] = patterns().at(schema["format"].get<std::string>());
    schema.erase("format");
  }
  if (schema.is_structured()) {
    for (json& child : schema) formats_to_patterns(child);
  }
}

class Oracle {
 public:
  explicit Oracle(std::string_view text) {
    json document = json::parse(text);
    formats_to_patterns(document);
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    valijson::adapters::NlohmannJsonAdapter adapter(document);
    parser.populateSchema(adapter, schema_);
  }
  bool accepts(const json& data) {
    valijson::Validator validator(valijson::Validator::kStrongTypes);
    valijson::adapters::NlohmannJsonAdapter adapter(data);
    return validator.validate(schema_, adapter, nullptr);
  }

  static Oracle& of(const std::string& type) {
    static std::map<std::string, std::unique_ptr<Oracle>> oracles;
    if (oracles.empty()) {
      for (std::string_view text : builtin_schemas()) {
        const std::string name = Schema::compile(text)->type();
        oracles[name] = std::make_unique<Oracle>(text);
      }
    }
    return *oracles.at(type);
  }

 private:
  valijson::Schema schema_;
};

// Compares, and returns what both said.
bool both(const std::string& type, const json& data) {
  const std::string text = data.dump();
  const auto faults = samples::faults_of(type, text);
  const bool oracle = Oracle::of(type).accepts(data);
  if (faults.empty() != oracle) {
    INFO(type << " " << text.substr(0, 3000));
    INFO("walk: " << (faults.empty() ? "good" : summary(faults)) << "; oracle: " << (oracle ? "good" : "bad"));
    CHECK(faults.empty() == oracle);
  }
  return oracle;
}

// Every value of a document, the document itself first.
void collect(json& value, std::vector<json*>& all) {
  all.push_back(&value);
  if (value.is_structured()) {
    for (json& child : value) collect(child, all);
  }
}

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  void mutate(json& data) {
    std::vector<json*> all;
    collect(data, all);
    json& value = *all[below(all.size())];
    switch (below(12)) {
      case 0:
        return remove(value);
      case 1:
        return rename(value);
      case 2:
        value = other_type();
        return;
      case 3:
        value = *std::make_unique<json>(*all[below(all.size())]);  // something that is right elsewhere
        return;
      case 4:
        return grow(value);
      case 5:
      case 6:
      case 7:
        return alter_scalar(value);
      case 8:
        return add_member(value);
      case 9:
        if (value.is_object() || value.is_array()) return remove(value);
        return alter_scalar(value);
      case 10:
        if (value.is_string()) value = value.get<std::string>() + " ";
        return;
      default:
        return rename(data);
    }
  }
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

 private:
  void remove(json& value) {
    if (!value.is_structured() || value.empty()) return;
    value.erase(std::next(value.begin(), static_cast<std::ptrdiff_t>(below(value.size()))));
  }
  void rename(json& value) {
    if (!value.is_object() || value.empty()) return;
    const auto at = std::next(value.begin(), static_cast<std::ptrdiff_t>(below(value.size())));
    std::string key = at.key();
    json kept = at.value();
    value.erase(at);
    if (below(2) == 0) {
      std::swap(key[below(key.size())], key[below(key.size())]);
    } else {
      key = name();
    }
    value[key] = std::move(kept);
  }
  json other_type() {
    switch (below(8)) {
      case 0:
        return nullptr;
      case 1:
        return below(2) == 0;
      case 2:
        return static_cast<std::int64_t>(below(400)) - 200;
      case 3:
        return static_cast<double>(below(4000)) / 8 - 200.5;
      case 4:
        return json::array();
      case 5:
        return json::object();
      case 6:
        return json::array({"a", 1});
      default:
        return name();
    }
  }
  void grow(json& value) {
    if (value.is_array() && !value.empty()) {
      const json item = value[0];
      const std::size_t wanted = below(2) == 0 ? value.size() + 1 : 60 + below(220);
      while (value.size() < wanted) value.push_back(item);
    } else if (value.is_string()) {
      std::string text = value;
      const std::string piece = below(2) == 0 ? "x" : "演";
      const std::size_t count = below(3) == 0 ? 20000 - below(3) : below(330);
      for (std::size_t i = 0; i < count; ++i) text += piece;
      value = text.size() > 30000 && patterned_ ? "" : text;
    }
  }
  void alter_scalar(json& value) {
    if (value.is_number()) {
      switch (below(5)) {
        case 0:
          value = -value.get<double>();
          return;
        case 1:
          value = static_cast<std::int64_t>(value.get<double>());
          return;
        case 2:
          value = value.get<double>() * 1000;
          return;
        case 3:
          value = value.get<double>() + 0.5;
          return;
        default:
          value = std::numeric_limits<std::int64_t>::max();  // beyond it valijson reads a negative number
          return;
      }
    }
    if (!value.is_string()) return;
    std::string text = value;
    // ASCII only: a broken character would not be JSON, and the oracle could not read it.
    std::vector<std::size_t> ascii;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (static_cast<unsigned char>(text[i]) < 0x80) ascii.push_back(i);
    }
    if (ascii.empty()) return;
    const std::size_t at = ascii[below(ascii.size())];
    switch (below(5)) {
      case 0:
        text.erase(at, 1);
        break;
      case 1:
        text[at] = static_cast<char>('0' + below(10));
        break;
      case 2:
        text[at] = "abzAZ-_.:/+ \t\x7f\x01"[below(15)];
        break;
      case 3:
        text.insert(at, 1, "0T-"[below(3)]);
        break;
      default:
        std::swap(text[at], text[ascii[below(ascii.size())]]);
    }
    value = text;
  }
  void add_member(json& value) {
    if (value.is_object()) value[name()] = below(2) == 0 ? other_type() : json(name());
  }
  // Names and values that mean something in one schema or another.
  std::string name() {
    static const std::vector<std::string> names = [] {
      std::vector<std::string> found;
      for (std::string_view text : builtin_schemas()) {
        const json schema = json::parse(text);
        const auto visit = [&found](const auto& self, const json& node) -> void {
          if (node.is_object()) {
            for (const auto& [key, child] : node.items()) {
              found.push_back(key);
              self(self, child);
            }
          } else if (node.is_array()) {
            for (const json& child : node) self(self, child);
          } else if (node.is_string() && node.get_ref<const std::string&>().size() < 30) {
            found.push_back(node);
          }
        };
        visit(visit, schema);
      }
      found.insert(found.end(), {"", "2026-09-23T06:00:00+08:00", "PT1H", "110", "w21003", "500153",
                                 "01997c2a-7b10-7cc3-98c4-dc0c0c07398f"});
      return found;
    }();
    return names[below(names.size())];
  }

  std::mt19937 random_;
  bool patterned_ = true;  // std::regex recurses once per character: very long texts are left to the other tests
};

}  // namespace

TEST_CASE("walk and oracle both accept every example", "[model][schema][oracle]") {
  for (const auto& sample : samples::all()) {
    INFO(sample.name);
    CHECK(both(sample.type, json::parse(sample.json)));
  }
}

TEST_CASE("walk and oracle refuse the same bad records", "[model][schema][oracle]") {
  struct Bad {
    const char* sample;
    const char* patch;
  };
  const Bad table[] = {
      {"thalweg.section.observation.v1.station", R"([{"op":"remove","path":"/section"}])"},
      {"thalweg.section.observation.v1.station", R"([{"op":"replace","path":"/section","value":"高洞"}])"},
      {"thalweg.section.observation.v1.station", R"([{"op":"replace","path":"/factors","value":{}}])"},
      {"thalweg.section.observation.v1.station", R"([{"op":"replace","path":"/factors/0/value","value":"26.1"}])"},
      {"thalweg.section.observation.v1.station", R"([{"op":"replace","path":"/factors/0/code","value":"w99999"}])"},
      {"thalweg.section.observation.v1.station", R"([{"op":"replace","path":"/factors/0/unit","value":"mg/l"}])"},
      {"thalweg.section.observation.v1.station", R"([{"op":"add","path":"/factors/0/censored","value":"<="}])"},
      {"thalweg.section.observation.v1.station", R"([{"op":"replace","path":"/time_label","value":"end"}])"},
      {"thalweg.section.observation.v1.station",
       R"([{"op":"replace","path":"/time","value":"2026-02-29T06:00:00+08:00"}])"},
      {"thalweg.section.observation.v1.hourly_mean", R"([{"op":"remove","path":"/period"}])"},
      {"thalweg.section.observation.v1.hourly_mean", R"([{"op":"replace","path":"/period","value":"1H"}])"},
      {"thalweg.section.observation.v1.laboratory", R"([{"op":"replace","path":"/replicate","value":1.5}])"},
      {"thalweg.section.observation.v1.laboratory", R"([{"op":"replace","path":"/ext","value":[]}])"},
      {"thalweg.emergency.notice.v1.night", R"([{"op":"remove","path":"/place"}])"},
      {"thalweg.emergency.notice.v1.night", R"([{"op":"replace","path":"/telephone","value":"no"}])"},
      {"thalweg.emergency.notice.v1.night", R"([{"op":"add","path":"/level","value":"Ⅱ"}])"},
      {"thalweg.emergency.notice.v1.night", R"([{"op":"add","path":"/approval","value":"approved"}])"},
      {"thalweg.emergency.notice.v1.warning", R"([{"op":"replace","path":"/position/longitude","value":181}])"},
      {"thalweg.emergency.notice.v1.warning", R"([{"op":"replace","path":"/attachments/0/sha256","value":"00"}])"},
      {"thalweg.emergency.report.v1.final", R"([{"op":"remove","path":"/result"}])"},
      {"thalweg.emergency.report.v1.follow_up", R"([{"op":"remove","path":"/measures_taken"}])"},
      {"thalweg.enforcement.record.v1.transfer", R"([{"op":"remove","path":"/transfer"}])"},
      {"thalweg.enforcement.record.v1.assigned", R"([{"op":"remove","path":"/deadline"}])"},
      {"thalweg.enforcement.record.v1.finding", R"([{"op":"replace","path":"/parties","value":[]}])"},
      {"thalweg.enforcement.record.v1.finding", R"([{"op":"replace","path":"/evidence/0/custody","value":[]}])"},
      {"thalweg.receipt.v1.signed", R"([{"op":"remove","path":"/officer"}])"},
      {"thalweg.receipt.v1.signed", R"([{"op":"replace","path":"/stage","value":"measures"}])"},
      {"thalweg.hub.event.v1.key_revoked", R"([{"op":"remove","path":"/reason"}])"},
      {"thalweg.hub.event.v1.region_changed", R"([{"op":"replace","path":"/region_version","value":-1}])"},
  };
  for (const Bad& bad : table) {
    INFO(bad.sample << " " << bad.patch);
    const std::string name = bad.sample;
    const json data = json::parse(samples::sample(name)).patch(json::parse(bad.patch));
    CHECK_FALSE(both(name.substr(0, name.rfind('.')), data));
  }
}

TEST_CASE("walk and oracle agree on thousands of records that were spoilt at random", "[model][schema][oracle]") {
  constexpr std::size_t kRounds = 200;
  Mutator mutator(20260923);
  std::size_t good = 0, bad = 0;
  for (const auto& sample : samples::all()) {
    const json whole = json::parse(sample.json);
    for (std::size_t round = 0; round < kRounds; ++round) {
      json data = whole;
      for (std::size_t left = 1 + mutator.below(3); left > 0; --left) mutator.mutate(data);
      if (!data.is_object()) data = json::object();  // data that is no object never gets this far
      (both(sample.type, data) ? good : bad) += 1;
    }
  }
  // The test means something only when it saw both kinds.
  CHECK(good > 400);
  CHECK(bad > 1500);
  UNSCOPED_INFO(good << " accepted and " << bad << " refused by both");
}
