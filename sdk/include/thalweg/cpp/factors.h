// factors.h: the dictionary of monitoring factors (sdk/data/factors.tsv) for adapters.
//
// thalweg_embed_factors(TARGET) of ThalwegPlugin.cmake compiles the file in, as "thalweg_factors_tsv.h".
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

namespace thalweg {

/// Names and default units by factor code. Views point into the text that was given. Immutable: any thread.
class FactorTable {
 public:
  struct Row {
    std::string_view code, name_zh, name_en, unit;
  };

  /// `tsv` outlives the table. Lines that are no rows are skipped.
  explicit FactorTable(std::string_view tsv) {
    while (!tsv.empty()) {
      const std::size_t end = std::min(tsv.find('\n'), tsv.size());
      std::string_view line = tsv.substr(0, end);
      tsv.remove_prefix(std::min(end + 1, tsv.size()));
      if (line.empty() || line[0] == '#' || line.substr(0, 4) == "code") continue;
      std::string_view columns[4];
      for (auto& column : columns) {
        const std::size_t tab = std::min(line.find('\t'), line.size());
        column = line.substr(0, tab);
        line.remove_prefix(std::min(tab + 1, line.size()));
      }
      if (!columns[3].empty()) rows_[columns[0]] = {columns[0], columns[1], columns[2], columns[3]};
    }
  }

  /// Nullptr if the code is not known.
  const Row* find(std::string_view code) const {
    const auto found = rows_.find(code);
    return found == rows_.end() ? nullptr : &found->second;
  }
  std::size_t size() const { return rows_.size(); }

 private:
  std::map<std::string_view, Row> rows_;
};

}  // namespace thalweg
