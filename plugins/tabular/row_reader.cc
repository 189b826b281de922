#include "row_reader.h"

#include <algorithm>

#include "moment.h"
#include "thalweg/cpp/json_writer.h"
#include "thalweg/cpp/value.h"

namespace thalweg::tabular {

std::string class_of(std::string_view text) {
  std::string word = cell_meaning(text);
  for (const std::string_view ending : {"水质", "类", "類"})
    if (word.size() > ending.size() && word.compare(word.size() - ending.size(), ending.size(), ending) == 0)
      word.resize(word.size() - ending.size());
  static const std::map<std::string, std::string, std::less<>> kWords{
      {"1", "I"},  {"I", "I"},   {"Ⅰ", "I"},   {"一", "I"},    {"2", "II"},    {"II", "II"},
      {"Ⅱ", "II"}, {"二", "II"}, {"3", "III"}, {"III", "III"}, {"Ⅲ", "III"},   {"三", "III"},
      {"4", "IV"}, {"IV", "IV"}, {"Ⅳ", "IV"},  {"四", "IV"},   {"5", "V"},     {"V", "V"},
      {"Ⅴ", "V"},  {"五", "V"},  {"6", "劣V"}, {"劣V", "劣V"}, {"劣Ⅴ", "劣V"}, {"劣五", "劣V"}};
  const auto found = kWords.find(word);
  return found == kWords.end() ? std::string{} : found->second;
}

RowReader::RowReader(const Mapping& mapping, const std::vector<std::string>& header) : mapping_(&mapping) {
  for (std::size_t i = 0; i < header.size(); ++i)
    columns_.emplace(cell_meaning(header[i]), i);  // the first of equal names
}

Result<RowReader> RowReader::make(const Mapping& mapping, const std::vector<std::string>& header) {
  RowReader reader(mapping, header);
  std::string lacking;
  const auto need = [&](const std::string& column) {
    if (!column.empty() && reader.columns_.count(column) == 0) lacking += (lacking.empty() ? "" : ", ") + column;
  };
  need(mapping.time_column);
  need(mapping.year_column);
  need(mapping.subject.column);
  need(mapping.station.column);
  need(mapping.class_column);
  need(mapping.exercise_column);
  for (const FactorColumn& factor : mapping.factors) need(factor.column);
  for (const auto& [name, from] : mapping.members) need(from.column);
  if (!lacking.empty()) return Error{Code::kMappingInvalid, "the table has no column named: " + lacking};
  return reader;
}

std::string RowReader::cell(const Row& row, std::string_view column) const {
  const auto found = columns_.find(column);
  if (found == columns_.end() || found->second >= row.cells.size()) return {};
  return cell_meaning(row.cells[found->second]);
}

Result<std::string> RowReader::origin(const Row& row, const Origin& from, bool& unnamed) const {
  unnamed = false;
  if (from.column.empty()) return from.value;
  const std::string word = cell(row, from.column);
  if (from.values.empty()) return word;
  const auto found = from.values.find(word);
  if (found != from.values.end()) return found->second;
  unnamed = true;
  return Error{Code::kData, from.column + ": the mapping does not say what \"" + word.substr(0, 60) + "\" means"};
}

Result<Submission> RowReader::read(const Row& row, bool& skipped) const {
  skipped = false;
  Submission record;
  record.type = mapping_->type;
  bool unnamed = false;
  auto subject = origin(row, mapping_->subject, unnamed);
  if (unnamed && mapping_->skip_other_subjects) {
    skipped = true;
    return record;
  }
  if (!subject) {
    Error error = std::move(subject).error();
    if (mapping_->type == "thalweg.section.observation.v1") error.code = Code::kSectionUnknown;
    return error;
  }
  record.subject = *subject;
  if (record.subject.empty()) return Error{Code::kData, mapping_->subject.column + ": is empty"};
  std::optional<int> year = mapping_->year;
  if (!mapping_->year_column.empty()) {
    const std::string text = cell(row, mapping_->year_column);
    if (text.size() != 4 || text.find_first_not_of("0123456789") != std::string::npos)
      return Error{Code::kTimeWithoutYear, mapping_->year_column + ": is no year: \"" + text.substr(0, 20) + "\""};
    year = std::stoi(text);
  }
  auto time = read_time(cell(row, mapping_->time_column), mapping_->time_format, year, mapping_->utc_offset_minutes);
  if (!time) return std::move(time).error().in(mapping_->time_column);
  record.time = *time;
  if (!mapping_->exercise_column.empty()) record.exercise = cell(row, mapping_->exercise_column);
  if (mapping_->type == "thalweg.section.observation.v1") {
    TW_ASSIGN(record.data, observation(row, record.subject, record.time));
  } else {
    TW_ASSIGN(record.data, members(row, record.time));
  }
  return record;
}

Result<std::string> RowReader::observation(const Row& row, const std::string& section, const std::string& time) const {
  JsonWriter json;
  json.object().text("section", section);
  bool unnamed = false;
  TW_ASSIGN(const std::string station, origin(row, mapping_->station, unnamed));
  if (!station.empty()) json.text("station", station);
  json.text("time", time).text("time_label", mapping_->time_label);
  if (!mapping_->period.empty()) json.text("period", mapping_->period);
  json.text("mode", mapping_->mode).text("review", mapping_->review);
  if (!mapping_->class_column.empty())
    if (const std::string grade = class_of(cell(row, mapping_->class_column)); !grade.empty())
      json.text("published_class", grade);
  json.array("factors");
  for (const FactorColumn& factor : mapping_->factors) {
    const std::string text = cell(row, factor.column);
    const Value value = read_value(text);
    if (value.missing()) {
      if (text.empty() || text.find_first_not_of("-/") == std::string::npos || text == "NA" || text == "N/A") continue;
      // Words that are no value: kept as text, so that a person can see them.
    }
    json.object().text("code", factor.code).text("name", factor.column.substr(0, 60)).text("text", text.substr(0, 64));
    json.number("value", value.decimal.empty() ? "null" : value.decimal);
    if (value.censored != 0) json.text("censored", std::string_view(&value.censored, 1));
    if (!value.limit.empty()) json.number("limit", value.limit);
    json.text("unit", factor.unit);
    if (!factor.method.empty()) json.text("method", factor.method);
    json.end();
  }
  json.end().end();
  return json.take();
}

Result<std::string> RowReader::members(const Row& row, const std::string& time) const {
  JsonWriter json;
  json.object();
  for (const auto& [name, from] : mapping_->members) {
    bool unnamed = false;
    TW_ASSIGN(const std::string text, origin(row, from, unnamed));
    if (!text.empty()) json.text(name, text);
  }
  if (!mapping_->time_member.empty()) json.text(mapping_->time_member, time);
  json.end();
  return json.take();
}

}  // namespace thalweg::tabular
