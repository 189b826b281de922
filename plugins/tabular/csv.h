// csv.h: CSV as spreadsheets read and write it (RFC 4180), in UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/cpp/result.h"

namespace thalweg::tabular {

/// One row and the line on which it begins.
struct Row {
  std::size_t line = 1;
  std::vector<std::string> cells;
};

/// Reads a whole table. Quoted cells may hold separators, line breaks and doubled quotes; rows that are empty
/// throughout are left out. Errors: kMappingInvalid with the line (a quote that does not end, more than 4,096 cells, a
/// cell over 64 KiB).
Result<std::vector<Row>> parse_csv(std::string_view text, char separator);

/// How a cell is to be taken by a spreadsheet.
enum class CellKind : std::uint8_t {
  kText,    ///< free text, from anywhere: made harmless
  kCode,    ///< a code or number that is a name: stays text, with its zeros and digits
  kNumber,  ///< a decimal, if it is one; else as kText
};

/// How codes that a spreadsheet would take for numbers or dates are kept as text.
enum class CodeStyle : std::uint8_t {
  kFormula,  ///< ="500153": Excel and WPS show 500153 and hold it as text
  kTab,      ///< a tab in front: text in every spreadsheet, with an invisible character
  kPlain,    ///< as it is, for programs that read the file
};

/// One cell, quoted where needed. Line breaks become spaces, so that a row is always a line. Text that begins with = +
/// - @ tab CR LF, or their full-width forms, gets an apostrophe in front (OWASP, CSV injection); what is a plain
/// number, or only dashes, does not.
std::string csv_cell(std::string_view text, CellKind kind, CodeStyle style, char separator);

/// True for -?digits[.digits][e±digits]: what a spreadsheet computes with.
bool plain_number(std::string_view text);

/// What a cell written as ="…" or with a tab or apostrophe in front meant.
std::string cell_meaning(std::string_view cell);

}  // namespace thalweg::tabular
