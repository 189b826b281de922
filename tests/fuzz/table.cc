// table.cc: tables that people drop into a folder, in whatever encoding.
#include "plugins/tabular/csv.h"
#include "plugins/tabular/encoding.h"
#include "plugins/tabular/row_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace thalweg::tabular;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto text = to_utf8(bytes, Encoding::kAuto);
  if (!text) return 0;
  (void)to_gb18030(*text);
  const auto rows = parse_csv(*text, ',');
  if (!rows) return 0;
  // The first row names the columns: a time, a section, then factors.
  std::optional<RowReader> reader;
  Mapping mapping;
  if (!rows->empty() && rows->front().cells.size() >= 3) {
    const auto& header = rows->front().cells;
    mapping.time_column = header[0];
    mapping.subject.column = header[1];
    mapping.class_column = header[2];
    for (std::size_t i = 2; i < header.size(); ++i) mapping.factors.push_back({header[i], "w01009", "mg/L", ""});
    if (auto made = RowReader::make(mapping, header)) reader.emplace(*std::move(made));
  }
  for (const Row& row : *rows) {
    bool skipped = false;
    if (reader) (void)reader->read(row, skipped);
    for (const std::string& cell : row.cells) {
      (void)csv_cell(cell, CellKind::kText, CodeStyle::kFormula, ',');
      (void)cell_meaning(cell);
    }
  }
  return 0;
}
