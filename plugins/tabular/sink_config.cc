#include "sink_config.h"

#include <algorithm>

#include "source_config.h"
#include "thalweg/cpp/value.h"

namespace thalweg::tabular {
namespace {

Status read_columns(const Config& config, const FactorTable& factors, SinkSettings& settings) {
  TW_ASSIGN(const Config given, config.object("columns", false));
  TW_TRY(given.only({"observation", "notice", "report", "enforcement", "receipt", "other"}));
  for (const std::string_view family : {"observation", "notice", "report", "enforcement", "receipt", "other"}) {
    std::vector<std::pair<std::string, std::string>> wanted;  // from, header
    if (given.has(family)) {
      TW_ASSIGN(const auto entries, given.objects(family));
      for (const Config& entry : entries) {
        TW_TRY(entry.only({"from", "header"}));
        TW_ASSIGN(std::string from, entry.text("from"));
        TW_ASSIGN(std::string header, entry.text_or("header", ""));
        wanted.emplace_back(std::move(from), std::move(header));
      }
    } else {
      for (std::string& from : default_columns(family)) wanted.emplace_back(std::move(from), "");
    }
    std::vector<Column>& columns = settings.columns[std::string(family)];
    const auto add = [&](const std::string& from, const std::string& header) -> Status {
      auto column = make_column(from, header, settings.language, factors);
      if (!column) return std::move(column).error().in("columns." + std::string(family));
      if (const FactorTable::Row* row = factors.find(from)) settings.units[from] = row->unit;
      columns.push_back(*std::move(column));
      return {};
    };
    // A drill is seen first, and a row that is whole ends with its record: tables of one's own cannot leave these out.
    TW_TRY(add("@exercise", ""));
    for (const auto& [from, header] : wanted)
      if (from != "@exercise" && from != "@record_id") TW_TRY(add(from, header));
    TW_TRY(add("@record_id", ""));
  }
  return {};
}

Result<double> read_limit(const Config& entry, std::string_view key) {
  TW_ASSIGN(const std::string raw, entry.raw(key));
  const std::string number = json_number(raw);
  if (number.empty()) return entry.fault(key, "must be a number");
  return std::stod(number);
}

Status read_marks(const Config& config, const FactorTable& factors, SinkSettings& settings) {
  TW_ASSIGN(const auto entries, config.objects("marks"));
  for (const Config& entry : entries) {
    TW_TRY(entry.only({"factor", "unit", "below", "above", "text"}));
    Mark mark;
    TW_ASSIGN(mark.factor, entry.text("factor"));
    const FactorTable::Row* row = factors.find(mark.factor);
    if (row == nullptr) return entry.fault("factor", "is not in the factor dictionary: " + mark.factor);
    TW_ASSIGN(mark.unit, entry.text_or("unit", row->unit));
    TW_ASSIGN(mark.text, entry.text("text"));
    mark.has_below = entry.has("below");
    mark.has_above = entry.has("above");
    if (!mark.has_below && !mark.has_above) return entry.fault("below", "or above is needed");
    if (mark.has_below) {
      TW_ASSIGN(mark.below, read_limit(entry, "below"));
    }
    if (mark.has_above) {
      TW_ASSIGN(mark.above, read_limit(entry, "above"));
    }
    settings.marks.push_back(std::move(mark));
  }
  return {};
}

Status check_pattern(const Config& config, const std::string& pattern) {
  constexpr std::string_view kKnown[] = {"family", "subject", "name", "party", "lane", "date", "month", "year"};
  if (pattern.front() == '/' || pattern.find("..") != std::string::npos)
    return config.fault("pattern", "must stay inside the folder");
  for (std::size_t at = 0; (at = pattern.find('{', at)) != std::string::npos; ++at) {
    const std::size_t end = pattern.find('}', at);
    const std::string_view name =
        std::string_view(pattern).substr(at + 1, end == std::string::npos ? end : end - at - 1);
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
      return config.fault("pattern", "knows {family} {subject} {name} {party} {lane} {date} {month} {year}, not {" +
                                         std::string(name) + "}");
  }
  if (pattern.find("{family}") == std::string::npos)
    return config.fault("pattern", "needs {family}: the families have different columns");
  return {};
}

}  // namespace

Result<SinkSettings> SinkSettings::read(std::string_view json, const FactorTable& factors) {
  TW_ASSIGN(const Config config, Config::parse(json));
  TW_TRY(config.only({"folder", "pattern", "encoding", "separator", "codes", "language", "utc_offset_minutes",
                      "line_end", "names", "columns", "marks"}));
  SinkSettings settings;
  TW_ASSIGN(settings.folder, config.text("folder"));
  TW_ASSIGN(settings.pattern, config.text_or("pattern", settings.pattern));
  if (settings.pattern.empty()) return config.fault("pattern", "must not be empty");
  TW_TRY(check_pattern(config, settings.pattern));
  TW_ASSIGN(settings.encoding, read_encoding(config, "utf-8"));
  if (settings.encoding == Encoding::kAuto) return config.fault("encoding", "must be utf-8 or gb18030");
  TW_ASSIGN(settings.separator, read_separator(config));
  TW_ASSIGN(const std::string codes, config.choice_or("codes", "formula", {"formula", "tab", "plain"}));
  settings.code_style = codes == "formula" ? CodeStyle::kFormula : codes == "tab" ? CodeStyle::kTab : CodeStyle::kPlain;
  TW_ASSIGN(const std::string language, config.choice_or("language", "both", {"zh", "en", "both"}));
  settings.language = language == "zh" ? Language::kZh : language == "en" ? Language::kEn : Language::kBoth;
  TW_ASSIGN(const auto offset, config.integer_or("utc_offset_minutes", 480, -14 * 60, 14 * 60));
  settings.utc_offset_minutes = static_cast<int>(offset);
  TW_ASSIGN(const std::string line_end, config.choice_or("line_end", "crlf", {"crlf", "lf"}));
  settings.crlf = line_end == "crlf";
  TW_ASSIGN(const Config names, config.object("names", false));
  for (const std::string& code : names.keys()) {
    TW_ASSIGN(settings.names[code], names.text(code));
  }
  TW_TRY(read_columns(config, factors, settings));
  TW_TRY(read_marks(config, factors, settings));
  return settings;
}

}  // namespace thalweg::tabular
