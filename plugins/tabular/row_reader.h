// row_reader.h: from one row of a table to one record, by the mapping. Pure: no files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "csv.h"
#include "source_config.h"
#include "thalweg/cpp/record.h"

namespace thalweg::tabular {

class RowReader {
 public:
  /// Finds the columns that the mapping names. `mapping` outlives this.
  /// Errors: kMappingInvalid, naming the columns that the header lacks.
  static Result<RowReader> make(const Mapping& mapping, const std::vector<std::string>& header);

  /// The record of `row`, without ticket and origin key. `skipped` is set for rows that the mapping leaves out.
  /// Errors: kTimeWithoutYear, kSectionUnknown, kData, naming the column.
  Result<Submission> read(const Row& row, bool& skipped) const;

 private:
  RowReader(const Mapping& mapping, const std::vector<std::string>& header);
  std::string cell(const Row& row, std::string_view column) const;
  Result<std::string> origin(const Row& row, const Origin& from, bool& unnamed) const;
  Result<std::string> observation(const Row& row, const std::string& section, const std::string& time) const;
  Result<std::string> members(const Row& row, const std::string& time) const;

  const Mapping* mapping_;
  std::map<std::string, std::size_t, std::less<>> columns_;
};

/// "III" for 3, Ⅲ, III类, Ⅲ类 …; "劣V" for 6, 劣Ⅴ, 劣V类; empty for -1, -- and what is no class.
std::string class_of(std::string_view text);

}  // namespace thalweg::tabular
