#include "observation.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "thalweg/cpp/json_writer.h"
#include "thalweg/cpp/value.h"

namespace thalweg::hj212 {
namespace {

/// Statistics of HJ 212 field names, as the schema calls them. Order of output.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kStatistics{
    {{"Rtd", "instant"}, {"Avg", "mean"}, {"Min", "min"}, {"Max", "max"}}};

/// All that was said of one factor.
struct Said {
  std::string_view code;
  std::map<std::string_view, std::string_view> by_suffix;  // "Rtd", "Flag", "SampleTime" ...
};

bool code_like(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' ||
           c == '-';
  });
}

/// One reading of the schema; `text` as received.
void write_reading(JsonWriter& json, const Said& said, std::string_view unit, std::string_view text,
                   std::string_view statistic, int utc_offset_minutes) {
  const Value value = read_value(text);
  json.object().text("code", said.code).text("text", text.substr(0, 64));
  json.number("value", value.decimal.empty() ? std::string_view("null") : std::string_view(value.decimal));
  if (value.censored != 0) json.text("censored", std::string_view(&value.censored, 1));
  if (!value.limit.empty()) json.number("limit", value.limit);
  json.text("unit", unit);
  if (const auto flag = said.by_suffix.find("Flag"); flag != said.by_suffix.end() && code_like(flag->second))
    json.text("flag", flag->second);
  if (!statistic.empty()) json.text("statistic", statistic);
  if (const auto sampled = said.by_suffix.find("SampleTime"); sampled != said.by_suffix.end())
    if (const std::string at = rfc3339(sampled->second, utc_offset_minutes); !at.empty()) json.text("sampled_at", at);
  json.end();
}

/// True if `suffix` of a known factor became part of a reading.
bool understood(std::string_view suffix, std::string_view value, int utc_offset_minutes) {
  if (suffix == "Flag") return code_like(value);
  if (suffix == "SampleTime") return !rfc3339(value, utc_offset_minutes).empty();
  for (const auto& [name, statistic] : kStatistics)
    if (suffix == name) return value.size() <= 64;
  return false;
}

class Builder {
 public:
  Builder(std::string_view cn, const Station& station, const FactorTable& factors)
      : cn_(cn), station_(station), factors_(factors) {}

  Observation build(std::string_view data_time, const std::vector<const Field*>& fields) {
    Observation made;
    made.data_time = data_time;
    made.time = rfc3339(data_time, station_.utc_offset_minutes);
    JsonWriter json;
    json.object().text("section", station_.section).text("station", station_.mn).text("time", made.time);
    json.text("time_label", cn_ == "2011" ? "instant" : "start");
    if (cn_ != "2011") json.text("period", cn_ == "2061" ? "PT1H" : cn_ == "2031" ? "P1D" : station_.minute_period);
    json.text("mode", "automatic").text("review", "raw");
    if (!station_.owner.empty()) json.text("owner", station_.owner);
    std::vector<std::pair<std::string, std::string_view>> rest;
    std::vector<Said> all = sorted_out(fields, rest);
    json.array("factors");
    std::size_t readings = 0;
    for (const Said& said : all) {
      const std::string_view unit = unit_of(said.code);
      if (unit.empty() || readings + kStatistics.size() > 256) {
        made.unknown_factors.emplace_back(said.code);
        for (const auto& [suffix, value] : said.by_suffix) rest.emplace_back(full_name(said.code, suffix), value);
        continue;
      }
      const std::size_t before = readings;
      for (const auto& [suffix, statistic] : kStatistics) {
        const auto value = said.by_suffix.find(suffix);
        if (value == said.by_suffix.end() || value->second.size() > 64) continue;
        write_reading(json, said, unit, value->second, statistic, station_.utc_offset_minutes);
        ++readings;
      }
      if (readings == before) {  // only a flag, say D: the factor was meant and has no value
        write_reading(json, said, unit, "", "", station_.utc_offset_minutes);
        ++readings;
      }
      for (const auto& [suffix, value] : said.by_suffix)
        if (!understood(suffix, value, station_.utc_offset_minutes))
          rest.emplace_back(full_name(said.code, suffix), value);
    }
    json.end();
    if (!rest.empty()) {
      json.object("ext").object("hj212");
      for (const auto& [key, value] : rest) json.text(key, value);
      json.end().end();
    }
    json.end();
    made.data = json.take();
    return made;
  }

 private:
  static std::string full_name(std::string_view code, std::string_view suffix) {
    return std::string(code) + "-" + std::string(suffix);
  }

  std::string_view unit_of(std::string_view code) const {
    if (const auto given = station_.units.find(std::string(code)); given != station_.units.end()) return given->second;
    const FactorTable::Row* row = factors_.find(code);
    return row == nullptr ? std::string_view{} : row->unit;
  }

  /// Groups fields by factor, in the order of first mention; what is of no factor goes to `rest`.
  std::vector<Said> sorted_out(const std::vector<const Field*>& fields,
                               std::vector<std::pair<std::string, std::string_view>>& rest) const {
    std::vector<Said> all;
    std::map<std::string_view, std::size_t> place;
    for (const Field* field : fields) {
      const std::string_view key = field->key;
      const std::size_t dash = key.find('-');
      if (dash == std::string_view::npos || dash == 0) {
        rest.emplace_back(std::string(key), field->value);
        continue;
      }
      const auto [at, fresh] = place.emplace(key.substr(0, dash), all.size());
      if (fresh) all.push_back({key.substr(0, dash), {}});
      if (!all[at->second].by_suffix.emplace(key.substr(dash + 1), field->value).second)
        rest.emplace_back(std::string(key) + "#2", field->value);  // said twice: keep both
    }
    return all;
  }

  std::string_view cn_;
  const Station& station_;
  const FactorTable& factors_;
};

int two(std::string_view text, std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); }

}  // namespace

bool is_section_data(std::string_view cn) { return cn == "2011" || cn == "2051" || cn == "2061" || cn == "2031"; }

std::string rfc3339(std::string_view data_time, int utc_offset_minutes) {
  if (data_time.size() < 14 || data_time.size() > 17) return {};
  for (const char c : data_time)
    if (c < '0' || c > '9') return {};
  const int year = two(data_time, 0) * 100 + two(data_time, 2);
  const int month = two(data_time, 4), day = two(data_time, 6);
  const int hour = two(data_time, 8), minute = two(data_time, 10), second = two(data_time, 12);
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1970 || month < 1 || month > 12) return {};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (day < 1 || day > kDays[month - 1] + (month == 2 && leap ? 1 : 0)) return {};
  if (hour > 23 || minute > 59 || second > 59) return {};
  char text[96];
  const int offset = utc_offset_minutes < 0 ? -utc_offset_minutes : utc_offset_minutes;
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", year, month, day, hour, minute, second,
                utc_offset_minutes < 0 ? '-' : '+', offset / 60, offset % 60);
  return text;
}

Result<std::vector<Observation>> observations(std::string_view cn, const std::vector<Field>& fields,
                                              const Station& station, const FactorTable& factors) {
  std::vector<std::pair<std::string_view, std::vector<const Field*>>> groups;
  for (const Field& field : fields) {
    if (field.key == "DataTime") {
      if (rfc3339(field.value, station.utc_offset_minutes).empty())
        return Error{Code::kHj212Format, "DataTime is no moment: " + field.value.substr(0, 20)};
      const auto same =
          std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == field.value; });
      if (same == groups.end()) {
        groups.push_back({field.value, {}});
      } else {
        std::rotate(same, same + 1, groups.end());  // the later parts of a split packet repeat it: go on with that one
      }
    } else if (groups.empty()) {
      return Error{Code::kHj212Format, "DataTime must come first, found " + field.key.substr(0, 40)};
    } else {
      groups.back().second.push_back(&field);
    }
  }
  if (groups.empty()) return Error{Code::kHj212Format, "DataTime is missing"};
  Builder builder(cn, station, factors);
  std::vector<Observation> made;
  for (const auto& [data_time, of_it] : groups) made.push_back(builder.build(data_time, of_it));
  return made;
}

}  // namespace thalweg::hj212
