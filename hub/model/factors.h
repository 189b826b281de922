// factors.h: the dictionary of monitoring factors (sdk/data/factors.tsv), compiled in.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/cpp/result.h"

namespace thalweg {

/// One row of the dictionary. The views point into the dictionary's own text.
struct Factor {
  std::string_view code;     ///< w21003
  std::string_view name_zh;  ///< 氨氮
  std::string_view name_en;  ///< ammonia nitrogen
  std::string_view unit;     ///< the standard's default unit, spelled as in the schemas
  bool assumed = false;      ///< not in the standard's table: see `source` in the file
};

/// Factor codes and what they mean. Immutable after loading: any thread.
class FactorDictionary {
 public:
  /// The table that was compiled in; read once, lives as long as the process.
  static const FactorDictionary& builtin();
  /// Reads a table of the same form. Errors: kInvalid with the line: columns, a code twice or of another form.
  static Result<FactorDictionary> parse(std::string text);

  /// Nullptr when the code is not known. A few nanoseconds: one probe of a table.
  const Factor* find(std::string_view code) const;
  std::span<const Factor> all() const { return rows_; }
  /// Known codes close to `code`, each as "w21003 氨氮"; a name in words (氨氮) finds its code too.
  std::vector<std::string> nearest_to(std::string_view code) const;

 private:
  FactorDictionary() = default;
  std::shared_ptr<const std::string> text_;  // the rows' views point into it, wherever the dictionary is moved
  std::vector<Factor> rows_;
  struct Slot {
    std::uint64_t packed = 0;  // the six bytes of the code; 0 is empty
    std::size_t row = 0;
  };
  std::vector<Slot> slots_;
};

}  // namespace thalweg
