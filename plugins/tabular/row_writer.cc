#include "row_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "moment.h"
#include "thalweg/cpp/value.h"

namespace thalweg::tabular {
namespace {

using nlohmann::json;

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// A value for people: texts as they are, lists joined, objects by what names them.
std::string shown(const json& value, int depth = 0) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null() || depth > 3) return {};
  if (value.is_array()) {
    std::string joined;
    for (const json& item : value) joined += (joined.empty() ? "" : "；") + shown(item, depth + 1);
    return joined;
  }
  if (value.is_object()) {
    std::string joined;
    for (const char* key :
         {"name", "code", "party", "id", "kind", "role", "amount", "officer", "telephone", "description"})
      if (const auto found = value.find(key); found != value.end() && !found->is_structured()) {
        const std::string text = shown(*found, depth + 1);
        if (!text.empty()) joined += (joined.empty() ? "" : " ") + text;
      }
    return joined.empty() ? value.dump(-1, ' ', false, json::error_handler_t::replace) : joined;
  }
  return value.dump();
}

bool looks_like_time(std::string_view text) {
  return text.size() >= 20 && text[4] == '-' && text[10] == 'T' && text[13] == ':';
}

/// The readings of an observation, sorted into columns.
class Readings {
 public:
  Readings(const json& data, const SinkSettings& settings, const std::vector<Column>& columns) {
    const auto factors = data.find("factors");
    if (factors == data.end() || !factors->is_array()) return;
    for (const json& reading : *factors) {
      if (!reading.is_object()) continue;
      const std::string code = text_of(reading, "code"), text = text_of(reading, "text"),
                        unit = text_of(reading, "unit");
      const std::string statistic = text_of(reading, "statistic"), flag = text_of(reading, "flag");
      if (!flag.empty() && flag != "N") flags_ += (flags_.empty() ? "" : "；") + code + ":" + flag;
      mark(reading, code, unit, settings);
      const bool usual = statistic.empty() || statistic == "instant" || statistic == "mean";
      const bool has_column =
          std::any_of(columns.begin(), columns.end(), [&](const Column& c) { return c.from == code; });
      if (usual && has_column && unit == unit_of(settings, code) && cells_.emplace(code, text).second) continue;
      other_ += (other_.empty() ? "" : "；") + code + (usual ? "" : "-" + statistic) + "=" + text +
                (unit == "1" ? "" : " " + unit);
    }
  }
  const std::string* cell(const std::string& code) const {
    const auto found = cells_.find(code);
    return found == cells_.end() ? nullptr : &found->second;
  }
  const std::string& flags() const { return flags_; }
  const std::string& other() const { return other_; }
  const std::string& marks() const { return marks_; }

 private:
  /// A column's unit stands in its header; a reading in another one goes to @other, with its unit.
  static std::string unit_of(const SinkSettings& settings, const std::string& code) {
    const auto found = settings.units.find(code);
    return found == settings.units.end() ? std::string{} : found->second;
  }

  void mark(const json& reading, const std::string& code, const std::string& unit, const SinkSettings& settings) {
    const auto value = reading.find("value");
    if (value == reading.end() || !value->is_number()) return;
    for (const Mark& m : settings.marks) {
      if (m.factor != code || m.unit != unit) continue;
      const double v = value->get<double>();
      if ((m.has_below && v < m.below) || (m.has_above && v > m.above)) marks_ += (marks_.empty() ? "" : "；") + m.text;
    }
  }

  std::map<std::string, std::string> cells_;
  std::string flags_, other_, marks_;
};

std::string name_of(const SinkSettings& settings, std::string_view code) {
  const auto found = settings.names.find(std::string(code));
  return found == settings.names.end() ? std::string{} : found->second;
}

std::string attribute(const std::string& from, const RecordView& record, const SinkSettings& settings,
                      std::string_view family) {
  if (from == "@exercise") return std::string(record.exercise());
  if (from == "@time") return sheet_time(record.time_unix_ns(), settings.utc_offset_minutes);
  if (from == "@type") return std::string(record.type());
  if (from == "@subject") return std::string(record.subject());
  if (from == "@subject_name") return name_of(settings, record.subject());
  if (from == "@party") return std::string(record.party());
  if (from == "@party_name") return name_of(settings, record.party());
  if (from == "@submitter") return std::string(record.submitter());
  if (from == "@correlation") return std::string(record.correlation());
  if (from == "@lane") return word_for(family, from, record.urgent() ? "urgent" : "routine", settings.language);
  if (from == "@record_id") return record.id_text();
  if (from == "@data") return std::string(record.data());
  return {};
}

/// A part of a file name: letters of any script, digits, '.', '_', '-'; never a way out of the folder.
std::string file_part(std::string_view text) {
  std::string part;
  for (const char c : text.substr(0, 80)) {
    const auto u = static_cast<unsigned char>(c);
    const bool fine = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
                      c == '-' || c == '.' || u >= 0x80;
    part += fine ? c : '_';
  }
  while (!part.empty() && (static_cast<unsigned char>(part.back()) & 0x80U) != 0 && !valid_utf8(part)) part.pop_back();
  if (part.empty()) return "-";
  if (part.front() == '.') part.front() = '_';
  return part;
}

}  // namespace

std::string RowWriter::file_of(const RecordView& record, std::string_view family) const {
  const Calendar at = calendar_of(record.time_unix_ns(), settings_.utc_offset_minutes);
  const std::string date = sheet_time(record.time_unix_ns(), settings_.utc_offset_minutes).substr(0, 10);
  const std::string subject = file_part(record.subject());
  const std::string name = name_of(settings_, record.subject());
  const std::pair<std::string_view, std::string> parts[] = {{"{family}", std::string(family)},
                                                            {"{subject}", subject},
                                                            {"{name}", name.empty() ? subject : file_part(name)},
                                                            {"{party}", file_part(record.party())},
                                                            {"{lane}", record.urgent() ? "urgent" : "routine"},
                                                            {"{date}", date},
                                                            {"{month}", date.substr(0, 7)},
                                                            {"{year}", std::to_string(at.year)}};
  std::string file;
  for (std::size_t i = 0; i < settings_.pattern.size();) {
    bool replaced = false;
    for (const auto& [key, value] : parts) {
      if (settings_.pattern.compare(i, key.size(), key) != 0) continue;
      file += value;
      i += key.size();
      replaced = true;
      break;
    }
    if (!replaced) file += settings_.pattern[i++];
  }
  // Drills never share a file with reality, and the file's name says so.
  if (!record.exercise().empty()) {
    const std::size_t slash = file.rfind('/');
    file.insert(slash == std::string::npos ? 0 : slash + 1, "演练-EXERCISE-" + file_part(record.exercise()) + "-");
  }
  return file;
}

Result<Line> RowWriter::write(const RecordView& record) const {
  const json data = json::parse(record.data(), nullptr, /*allow_exceptions=*/false);
  if (data.is_discarded() || !data.is_object()) return Error{Code::kData, "the record's data is no JSON object"};
  const std::string_view family = family_of(record.type());
  const std::vector<Column>& columns = settings_.columns.at(std::string(family));
  const Readings readings(data, settings_, columns);
  Line line;
  line.file = file_of(record, family);
  for (const Column& column : columns) {
    std::string text;
    CellKind kind = column.kind;
    if (column.from == "@mark") {
      text = readings.marks();
    } else if (column.from == "@flags") {
      text = readings.flags();
    } else if (column.from == "@other") {
      text = readings.other();
    } else if (column.from[0] == '@') {
      text = attribute(column.from, record, settings_, family);
    } else if (column.from[0] == '/') {
      const auto found = data.find(column.from.substr(1));
      if (found != data.end()) text = word_for(family, column.from, shown(*found), settings_.language);
      if (looks_like_time(text)) text = sheet_time(text, settings_.utc_offset_minutes);
    } else if (const std::string* cell = readings.cell(column.from)) {
      text = *cell;
    }
    if (!line.text.empty() || &column != &columns.front()) {
      line.text += settings_.separator;
      line.header += settings_.separator;
    }
    line.text += csv_cell(text, kind, settings_.code_style, settings_.separator);
    line.header += csv_cell(column.header, CellKind::kText, settings_.code_style, settings_.separator);
  }
  return line;
}

}  // namespace thalweg::tabular
