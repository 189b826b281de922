// row_writer.h: from one record to one line of a table. Pure: no files.
#pragma once

#include <string>

#include "sink_config.h"
#include "thalweg/cpp/record.h"

namespace thalweg::tabular {

/// One line and where it belongs.
struct Line {
  std::string file;    ///< relative to the folder
  std::string header;  ///< in UTF-8, without line end
  std::string text;    ///< in UTF-8, without line end; its last cell is the record id
};

/// `settings` outlives this. Threads: any.
class RowWriter {
 public:
  explicit RowWriter(const SinkSettings& settings) : settings_(settings) {}

  /// Errors: kData when the record's data is no JSON object.
  Result<Line> write(const RecordView& record) const;

 private:
  std::string file_of(const RecordView& record, std::string_view family) const;
  const SinkSettings& settings_;
};

}  // namespace thalweg::tabular
