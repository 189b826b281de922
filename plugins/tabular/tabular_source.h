// tabular_source.h: reads tables that people drop into a folder, and moves them away once every row is safe.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "row_reader.h"
#include "thalweg/cpp/adapter.h"

namespace thalweg::tabular {

/// One file at a time, in the order of names. Nothing is remembered on disk: after a crash the file still lies in the
/// folder, is read again, and the same rows have the same origin keys.
class TabularSource final : public Source {
 public:
  TabularSource();
  Status configure(std::string_view json) override;
  Status start() override;
  Result<std::chrono::milliseconds> poll(std::chrono::milliseconds budget) override;
  void settled(std::span<const Settled> all) override;
  void room() override {}
  void stop(std::chrono::milliseconds grace) override;

 private:
  struct Refused {
    Row row;
    Code code;
    std::string reason;
  };
  /// The file under way.
  struct Work {
    std::filesystem::path path;
    std::vector<std::string> header;
    std::vector<Row> rows;
    std::unique_ptr<RowReader> reader;
    std::string key;                           // of the content
    std::size_t next = 0;                      // row that has not been offered
    std::map<std::uint64_t, Submission> open;  // by ticket = row index + 1: taken, not settled
    std::deque<Submission> again;              // to be offered once more
    std::vector<Refused> refused;
    std::size_t accepted = 0, known = 0, skipped = 0;
    bool refused_written = false;

    bool finished() const { return next == rows.size() && open.empty() && again.empty(); }
  };

  std::optional<std::filesystem::path> next_file();
  Status open_file(const std::filesystem::path& path);
  Status finish();
  Status set_aside(const std::filesystem::path& path, const Error& why);
  bool offer();
  std::string origin_key(std::size_t row) const;

  const FactorTable factors_;
  SourceSettings settings_;
  std::unique_ptr<Work> work_;
};

}  // namespace thalweg::tabular
