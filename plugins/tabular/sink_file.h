// sink_file.h: appends lines to one file of a table, once per record, whatever crashed in between.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sink_config.h"

namespace thalweg::tabular {

/// A line and the id of its record.
struct Entry {
  std::string id;
  std::string text;  ///< UTF-8, without line end; ends with the id
};

struct Appended {
  std::filesystem::path path;  ///< the file that took the lines
  std::size_t written = 0;
  std::size_t present = 0;  ///< lines that stood there already
  std::string torn;         ///< half a line that a crash had left, and that was cut off
};

/// Files of one folder. Two processes (one per lane) may append to the same file.
/// Threads: one at a time.
class SinkFiles {
 public:
  explicit SinkFiles(const SinkSettings& settings) : settings_(settings) {}

  /// Appends those lines whose record is not among the last of the file, with one write and one sync; when this returns
  /// they, and those that stood there, are durable. A new file gets the mark of its encoding and the header. A file
  /// with another header is left alone: the lines go to the next free name.2, name.3 … Errors: kUnavailable (nothing is
  /// accepted; the next attempt repairs), kData (text that the encoding cannot hold).
  Result<Appended> append(const std::string& file, const std::string& header, const std::vector<Entry>& entries);

 private:
  struct Known {
    std::uint64_t inode = 0, size = 0;
    std::set<std::string> ids;
  };
  Result<std::string> encoded(const std::string& text) const;
  Status take_tail(int fd, const std::filesystem::path& path, Known& known, Appended& done);

  const SinkSettings& settings_;
  std::map<std::string, Known> known_;  // by path; what was read of the files' ends
};

}  // namespace thalweg::tabular
