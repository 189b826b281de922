// sink_config.h: which files the sink writes, and with which columns. Keys are described in README.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "csv.h"
#include "encoding.h"
#include "thalweg/cpp/config.h"
#include "thalweg/cpp/factors.h"

namespace thalweg::tabular {

enum class Language : std::uint8_t { kZh, kEn, kBoth };

/// One column of a file.
struct Column {
  std::string from;  ///< "@record_id" (of the record), "w01009" (a factor), "/contact" (a member of the data)
  std::string header;
  CellKind kind = CellKind::kText;
};

/// Names readings that people should see: the column @mark gets `text`.
struct Mark {
  std::string factor, unit, text;
  double below = 0, above = 0;
  bool has_below = false, has_above = false;
};

struct SinkSettings {
  std::string folder;
  std::string pattern = "{family}/{subject}/{month}.csv";
  Encoding encoding = Encoding::kUtf8;
  char separator = ',';
  CodeStyle code_style = CodeStyle::kFormula;
  Language language = Language::kBoth;
  int utc_offset_minutes = 480;
  bool crlf = true;
  std::map<std::string, std::string> names;  ///< of sections and parties, by code; shown in @subject_name, @party_name
  std::map<std::string, std::vector<Column>>
      columns;                               ///< by family; always begins with @exercise and ends with @record_id
  std::map<std::string, std::string> units;  ///< of the factor columns, by code: what their headers say
  std::vector<Mark> marks;

  /// Errors: kConfig with the key.
  static Result<SinkSettings> read(std::string_view json, const FactorTable& factors);

  std::string_view line_end() const { return crlf ? "\r\n" : "\n"; }
};

/// "observation", "notice", "report", "enforcement", "receipt", or "other": what files and columns go by.
std::string_view family_of(std::string_view type);

/// The columns of a family when the configuration has none: what a duty officer or an analyst asks first.
std::vector<std::string> default_columns(std::string_view family);

/// A column by its `from`, with the header in `language`. Errors: kConfig (an unknown @name, a factor that the
/// dictionary lacks).
Result<Column> make_column(const std::string& from, const std::string& header, Language language,
                           const FactorTable& factors);

/// What a word of the schemas means to people, e.g. "warning" in /kind of a notice; the word itself if nothing is
/// known.
std::string word_for(std::string_view family, std::string_view member, std::string_view word, Language language);

}  // namespace thalweg::tabular
