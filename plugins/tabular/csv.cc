#include "csv.h"

#include <algorithm>

#include "thalweg/cpp/value.h"

namespace thalweg::tabular {
namespace {

constexpr std::size_t kMaxCells = 4096;
constexpr std::size_t kMaxCellBytes = 64 * 1024;

/// A code that a spreadsheet would not leave alone: digits (12-1 and 1/2 become dates, 1E5 a number).
bool misread(std::string_view code) {
  if (code.empty()) return false;
  const bool letters = std::any_of(code.begin(), code.end(), [](char c) {
    return !((c >= '0' && c <= '9') || c == '-' || c == '/' || c == '.' || c == ':' || c == ' ' || c == 'e' ||
             c == 'E' || c == '+');
  });
  return !letters;
}

/// What may stand inside ="…" without being anything else.
bool bare(std::string_view code) {
  return code.size() <= 64 && std::all_of(code.begin(), code.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
                  c == '.' || c == ':' || c == '/' || c == ' ';
         });
}

bool dangerous(std::string_view text) {
  for (const std::string_view start : {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"})
    if (text.substr(0, start.size()) == start) return true;
  return false;
}

bool only_dashes(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c == '-'; });
}

}  // namespace

bool plain_number(std::string_view text) {
  return !text.empty() && text[0] != '+' && text[0] != ' ' && text.back() != ' ' && !json_number(text).empty();
}

Result<std::vector<Row>> parse_csv(std::string_view text, char separator) {
  std::vector<Row> rows;
  std::size_t line = 1;
  std::size_t at = 0;
  while (at < text.size()) {
    Row row;
    row.line = line;
    bool end_of_row = false;
    while (!end_of_row) {
      std::string cell;
      if (at < text.size() && text[at] == '"') {
        ++at;
        for (;;) {
          if (at >= text.size())
            return Error{Code::kMappingInvalid, "line " + std::to_string(row.line) + ": a quoted cell does not end"};
          const char c = text[at++];
          if (c == '\n') ++line;
          if (c != '"') {
            cell += c;
          } else if (at < text.size() && text[at] == '"') {
            cell += '"';
            ++at;
          } else {
            break;
          }
          if (cell.size() > kMaxCellBytes)
            return Error{Code::kMappingInvalid,
                         "line " + std::to_string(row.line) + ": a cell of over 64 KiB; is a quote open?"};
        }
      }
      const std::size_t stop = std::min(text.find_first_of(std::string{separator, '\r', '\n'}, at), text.size());
      cell += text.substr(at, stop - at);
      at = stop;
      if (cell.size() > kMaxCellBytes || row.cells.size() >= kMaxCells)
        return Error{Code::kMappingInvalid, "line " + std::to_string(row.line) + ": too many cells, or one too large"};
      row.cells.push_back(std::move(cell));
      if (at < text.size() && text[at] == separator) {
        ++at;
        continue;
      }
      end_of_row = true;
      if (at < text.size() && text[at] == '\r') ++at;
      if (at < text.size() && text[at] == '\n') {
        ++at;
      }
      ++line;
    }
    const bool empty =
        std::all_of(row.cells.begin(), row.cells.end(), [](const std::string& cell) { return cell.empty(); });
    if (!empty) rows.push_back(std::move(row));
  }
  return rows;
}

std::string csv_cell(std::string_view text, CellKind kind, CodeStyle style, char separator) {
  std::string cell(text);
  if (kind == CellKind::kCode && style != CodeStyle::kPlain && misread(text) && bare(text)) {
    if (style == CodeStyle::kFormula) return "=\"" + cell + "\"";
    return "\"\t" + cell + "\"";
  }
  const bool number = kind == CellKind::kNumber && plain_number(text);
  // A free text that happens to be a number stays one: it can do no harm.
  if (!number && !plain_number(text) && !only_dashes(text) && dangerous(text)) cell.insert(0, "'");
  for (char& c : cell)
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  const bool quote =
      cell.find(separator) != std::string::npos || cell.find('"') != std::string::npos ||
      (!cell.empty() && (cell.front() == ' ' || cell.back() == ' ' || cell.find('\t') != std::string::npos));
  if (!quote) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string cell_meaning(std::string_view cell) {
  while (!cell.empty() && (cell.front() == ' ' || cell.front() == '\t')) cell.remove_prefix(1);
  while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\t' || cell.back() == '\r')) cell.remove_suffix(1);
  if (cell.size() >= 3 && cell.substr(0, 2) == "=\"" && cell.back() == '"')
    return std::string(cell.substr(2, cell.size() - 3));
  if (cell.size() >= 2 && cell[0] == '\'' && dangerous(cell.substr(1))) return std::string(cell.substr(1));
  return std::string(cell);
}

}  // namespace thalweg::tabular
