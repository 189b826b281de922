// A whole source in C++: submits each line of a file that grows, e.g.
// {"key": "case-7/1", "type": "thalweg.enforcement.record.v1", "time": "2026-08-26T13:00:00+08:00", "data": {...}}
// See sdk/README.md.
#include <fstream>

#include "thalweg/cpp/adapter.h"
#include "thalweg/cpp/config.h"

namespace {

class LineSource final : public thalweg::Source {
 public:
  thalweg::Status configure(std::string_view json) override {
    TW_ASSIGN(const auto config, thalweg::Config::parse(json));
    TW_TRY(config.only({"file"}));
    TW_ASSIGN(path_, config.text("file"));
    return {};
  }

  thalweg::Result<std::chrono::milliseconds> poll(std::chrono::milliseconds) override {
    std::ifstream file(path_);
    if (!file) return thalweg::Error{thalweg::Code::kUnavailable, "cannot open " + path_};
    std::string line;
    for (std::uint64_t number = 0; std::getline(file, line) && !file.eof() && !host().should_stop(); ++number) {
      if (number < next_) continue;
      const auto record = read(line);
      if (!record) host().warning("line " + std::to_string(number + 1) + ": " + record.error().message);
      if (record) {
        TW_ASSIGN(const std::size_t taken, host().submit(std::span(&*record, 1)));
        if (taken == 0) break;  // no room now: the same line again at the next poll
      }
      next_ = number + 1;
    }
    return std::chrono::milliseconds(1000);
  }

  void settled(std::span<const thalweg::Settled> all) override {
    for (const auto& s : all)
      if (s.rejected()) host().warning("refused: " + std::string(s.reason));
  }

 private:
  static thalweg::Result<thalweg::Submission> read(const std::string& line) {
    TW_ASSIGN(const auto json, thalweg::Config::parse(line));
    thalweg::Submission record;
    TW_ASSIGN(record.origin_key, json.text("key"));
    TW_ASSIGN(record.type, json.text("type"));
    TW_ASSIGN(record.time, json.text("time"));
    TW_ASSIGN(record.data, json.raw("data"));
    return record;
  }

  std::string path_;
  std::uint64_t next_ = 0;  // lines below were taken; after a restart all come again: the same key is the same record
};

}  // namespace
THALWEG_SOURCE(LineSource)
