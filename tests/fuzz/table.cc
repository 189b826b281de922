// table.cc: tables that people drop into a folder, in whatever encoding.
#include "plugins/tabular/csv.h"
#include "plugins/tabular/encoding.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace thalweg::tabular;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto text = to_utf8(bytes, Encoding::kAuto);
  if (!text) return 0;
  (void)to_gb18030(*text);
  const auto rows = parse_csv(*text, ',');
  if (!rows) return 0;
  for (const Row& row : *rows) {
    for (const std::string& cell : row.cells) {
      (void)csv_cell(cell, CellKind::kText, CodeStyle::kFormula, ',');
      (void)cell_meaning(cell);
    }
  }
  return 0;
}
