#include "source_config.h"

#include <fstream>
#include <iterator>

namespace thalweg::tabular {
namespace {

/// {"column": "断面名称", "values": {"高洞电站": "laixi-gaodong"}} or {"value": "laixi-gaodong"}.
Result<Origin> read_origin(const Config& config, std::string_view key, bool required) {
  Origin origin;
  TW_ASSIGN(const Config given, config.object(key, required));
  TW_TRY(given.only({"column", "value", "values"}));
  TW_ASSIGN(origin.column, given.text_or("column", ""));
  TW_ASSIGN(origin.value, given.text_or("value", ""));
  TW_ASSIGN(const Config values, given.object("values", false));
  for (const std::string& word : values.keys()) {
    TW_ASSIGN(origin.values[word], values.text(word));
  }
  if (!origin.column.empty() && !origin.value.empty()) return config.fault(key, "must have column or value, not both");
  if (required && !origin.given()) return config.fault(key, "must have column or value");
  return origin;
}

Status read_time_keys(const Config& config, Mapping& mapping) {
  TW_ASSIGN(const Config time, config.object("time"));
  TW_TRY(time.only({"column", "format", "year", "year_column", "utc_offset_minutes", "member"}));
  TW_ASSIGN(mapping.time_column, time.text("column"));
  TW_ASSIGN(mapping.time_format, time.text_or("format", "auto"));
  TW_ASSIGN(mapping.year_column, time.text_or("year_column", ""));
  TW_ASSIGN(mapping.time_member, time.text_or("member", ""));
  if (time.has("year")) {
    TW_ASSIGN(const auto year, time.integer("year", 1900, 9999));
    mapping.year = static_cast<int>(year);
  }
  TW_ASSIGN(const auto offset, time.integer_or("utc_offset_minutes", 480, -14 * 60, 14 * 60));
  mapping.utc_offset_minutes = static_cast<int>(offset);
  return {};
}

Status read_observation(const Config& config, const FactorTable& factors, Mapping& mapping) {
  TW_ASSIGN(mapping.subject, read_origin(config, "section", true));
  TW_ASSIGN(mapping.station, read_origin(config, "station", false));
  TW_ASSIGN(mapping.time_label, config.choice_or("time_label", "instant", {"instant", "start", "end"}));
  TW_ASSIGN(mapping.period, config.text_or("period", ""));
  if (mapping.time_label != "instant" && mapping.period.empty())
    return config.fault("period", "is needed with time_label start or end");
  TW_ASSIGN(mapping.mode, config.choice_or("mode", "automatic", {"automatic", "manual", "laboratory"}));
  TW_ASSIGN(mapping.review, config.choice_or("review", "raw", {"raw", "reviewed", "final"}));
  TW_ASSIGN(mapping.class_column, config.text_or("class_column", ""));
  TW_ASSIGN(const auto columns, config.objects("factors"));
  if (columns.empty()) return config.fault("factors", "must name at least one column");
  for (const Config& entry : columns) {
    TW_TRY(entry.only({"column", "code", "unit", "method"}));
    FactorColumn factor;
    TW_ASSIGN(factor.column, entry.text("column"));
    TW_ASSIGN(factor.code, entry.text("code"));
    const FactorTable::Row* row = factors.find(factor.code);
    if (row == nullptr) return entry.fault("code", "is not in the factor dictionary: " + factor.code);
    TW_ASSIGN(factor.unit, entry.text_or("unit", row->unit));
    TW_ASSIGN(factor.method, entry.text_or("method", ""));
    mapping.factors.push_back(std::move(factor));
  }
  return {};
}

Status read_members(const Config& config, Mapping& mapping) {
  TW_ASSIGN(mapping.subject, read_origin(config, "subject", true));
  TW_ASSIGN(const Config members, config.object("members"));
  for (const std::string& name : members.keys()) {
    TW_ASSIGN(Origin origin, read_origin(members, name, true));
    mapping.members.emplace_back(name, std::move(origin));
  }
  return {};
}

Result<std::string> read_text_file(const Config& config, std::string_view key, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return config.fault(key, "cannot be read: " + path);
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Result<char> read_separator(const Config& config) {
  TW_ASSIGN(const std::string word, config.choice_or("separator", "comma", {"comma", "semicolon", "tab"}));
  return word == "comma" ? ',' : word == "semicolon" ? ';' : '\t';
}

Result<Encoding> read_encoding(const Config& config, std::string_view otherwise) {
  TW_ASSIGN(const std::string word, config.choice_or("encoding", otherwise, {"auto", "utf-8", "gb18030"}));
  return word == "auto" ? Encoding::kAuto : word == "utf-8" ? Encoding::kUtf8 : Encoding::kGb18030;
}

Result<Mapping> Mapping::read(const Config& config, const FactorTable& factors) {
  Mapping mapping;
  TW_ASSIGN(mapping.type, config.text_or("type", mapping.type));
  TW_ASSIGN(const auto skip, config.integer_or("skip_rows", 0, 0, 1000));
  mapping.skip_rows = static_cast<std::size_t>(skip);
  TW_ASSIGN(mapping.skip_other_subjects, config.flag_or("skip_other_subjects", false));
  TW_ASSIGN(mapping.exercise_column, config.text_or("exercise_column", ""));
  TW_TRY(read_time_keys(config, mapping));
  if (mapping.type == "thalweg.section.observation.v1") {
    TW_TRY(config.only({"type", "skip_rows", "skip_other_subjects", "exercise_column", "time", "section", "station",
                        "time_label", "period", "mode", "review", "class_column", "factors"}));
    TW_TRY(read_observation(config, factors, mapping));
  } else {
    TW_TRY(config.only({"type", "skip_rows", "skip_other_subjects", "exercise_column", "time", "subject", "members"}));
    TW_TRY(read_members(config, mapping));
  }
  return mapping;
}

Result<SourceSettings> SourceSettings::read(std::string_view json, const FactorTable& factors) {
  TW_ASSIGN(const Config config, Config::parse(json));
  TW_TRY(config.only({"folder", "done", "rejected", "ending", "encoding", "separator", "settle_ms", "scan_ms",
                      "max_file_bytes", "origin_key", "mapping", "mapping_file"}));
  SourceSettings settings;
  TW_ASSIGN(settings.folder, config.text("folder"));
  TW_ASSIGN(settings.done, config.text_or("done", settings.folder + "/done"));
  TW_ASSIGN(settings.rejected, config.text_or("rejected", settings.folder + "/rejected"));
  TW_ASSIGN(settings.ending, config.text_or("ending", ".csv"));
  TW_ASSIGN(settings.encoding, read_encoding(config, "auto"));
  TW_ASSIGN(settings.separator, read_separator(config));
  TW_ASSIGN(settings.settle_ms, config.integer_or("settle_ms", 2000, 0, 3'600'000));
  TW_ASSIGN(settings.scan_ms, config.integer_or("scan_ms", 2000, 10, 3'600'000));
  TW_ASSIGN(const auto largest, config.integer_or("max_file_bytes", 16 << 20, 1024, 1 << 30));
  settings.max_file_bytes = static_cast<std::uint64_t>(largest);
  TW_ASSIGN(const std::string key, config.choice_or("origin_key", "file", {"file", "row"}));
  settings.key_by_row = key == "row";
  TW_ASSIGN(const std::string mapping_file, config.text_or("mapping_file", ""));
  if (mapping_file.empty() == !config.has("mapping"))
    return config.fault("mapping", "or mapping_file is needed, not both");
  if (mapping_file.empty()) {
    TW_ASSIGN(const Config mapping, config.object("mapping"));
    TW_ASSIGN(settings.mapping, Mapping::read(mapping, factors));
    return settings;
  }
  TW_ASSIGN(const std::string text, read_text_file(config, "mapping_file", mapping_file));
  auto parsed = Config::parse(text);
  if (!parsed) return std::move(parsed).error().in(mapping_file);
  auto mapping = Mapping::read(*parsed, factors);
  if (!mapping) return std::move(mapping).error().in(mapping_file);
  settings.mapping = *std::move(mapping);
  return settings;
}

}  // namespace thalweg::tabular
