// load.h: a region from its TOML files: whole, or every mistake at once.
#pragma once

#include "base/file.h"
#include "region/region.h"

namespace thalweg::region {

/// One thing that is wrong in a region's files.
struct Mistake {
  std::string file;        ///< relative to the folder
  std::uint32_t line = 0;  ///< 1 is the first; 0 for the file as a whole
  std::string key;         ///< "party[2].superior" (the second party); empty for the file as a whole
  Code code = Code::kRegionValue;
  Words message;

  /// "parties.toml:14: party[2].superior: ...": one line, with the number of the code.
  std::string text(Language language) const;
};

/// Reads the files of a region folder: region.toml, parties.toml, rivers.toml, sections.toml, agreements.toml and
/// agreements/*.toml. A .toml file of another name is a mistake (a misspelled name would be left out unnoticed).
/// Files are bounded: 32 MiB each, 1,000 files. What could be read is returned even when there are mistakes.
Texts read_texts(FileSystem& files, const Path& folder, std::vector<Mistake>& mistakes);

/// The region of these texts. On failure `mistakes` holds every one, by file and line, and there is no region.
/// The same texts always give the same outcome, whatever the time: agreements are judged by status, not by today.
/// Errors: the code of the first mistake, with their number. Costs about 30 µs per agreement: 0.3 s for 10,000.
Result<std::shared_ptr<const Region>> load(Texts texts, std::vector<Mistake>& mistakes);
/// read_texts() and load(), with the mistakes of both.
Result<std::shared_ptr<const Region>> load_folder(FileSystem& files, const Path& folder,
                                                  std::vector<Mistake>& mistakes);

/// Neighbours along the water without a statutory notice in force at `at_unix_ns` (rule 24), as load() finds those
/// that lack one in status; for `region check` and for warnings when a date has passed.
std::vector<Mistake> statutory_gaps(const Region& region, std::int64_t at_unix_ns);

}  // namespace thalweg::region
