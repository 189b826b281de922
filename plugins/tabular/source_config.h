// source_config.h: which folder is read, and what the columns of its tables mean. Keys are described in README.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "encoding.h"
#include "thalweg/cpp/config.h"
#include "thalweg/cpp/factors.h"

namespace thalweg::tabular {

/// Where one text of a record comes from: a column, or the same value for all rows.
struct Origin {
  std::string column;
  std::string value;
  std::map<std::string, std::string> values;  ///< what the column's words mean; empty: as they are

  bool given() const { return !column.empty() || !value.empty(); }
};

struct FactorColumn {
  std::string column;
  std::string code;
  std::string unit;
  std::string method;
};

/// From rows to records.
struct Mapping {
  std::string type = "thalweg.section.observation.v1";
  std::size_t skip_rows = 0;  ///< before the header
  std::string time_column;
  std::string time_format = "auto";
  std::string year_column;
  std::optional<int> year;
  int utc_offset_minutes = 480;
  Origin subject;                    ///< observations: the section
  bool skip_other_subjects = false;  ///< rows whose subject `values` does not name are left out instead of rejected

  // Observations.
  Origin station;
  std::string time_label = "instant";
  std::string period;
  std::string mode = "automatic";
  std::string review = "raw";
  std::string class_column;
  std::vector<FactorColumn> factors;

  // Other types: members of the data, and the attributes.
  std::vector<std::pair<std::string, Origin>> members;
  std::string time_member;      ///< gets the time too, e.g. learned_at
  std::string exercise_column;  ///< the drill's id; an empty cell is real

  /// Errors: kConfig with the key.
  static Result<Mapping> read(const Config& config, const FactorTable& factors);
};

struct SourceSettings {
  std::string folder;
  std::string done;
  std::string rejected;
  std::string ending = ".csv";
  Encoding encoding = Encoding::kAuto;
  char separator = ',';
  std::int64_t settle_ms = 2000;  ///< a file is taken once it has not changed for this long
  std::int64_t scan_ms = 2000;    ///< how often the folder is looked at
  std::uint64_t max_file_bytes = 16u << 20;
  bool key_by_row = false;  ///< origin key from the row's content, not from the file's and the row's number
  Mapping mapping;

  /// Reads mapping_file too. Errors: kConfig with the key.
  static Result<SourceSettings> read(std::string_view json, const FactorTable& factors);
};

/// "," "comma" ";" "tab" ...; shared with the sink.
Result<char> read_separator(const Config& config);
Result<Encoding> read_encoding(const Config& config, std::string_view otherwise);

}  // namespace thalweg::tabular
