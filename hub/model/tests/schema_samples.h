// schema_samples.h: the examples of sdk/schemas/examples and short ways to check JSON, for the tests of schemas.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "model/record.h"
#include "model/schema.h"
#include "model/schema_walker.h"

namespace thalweg::samples {

struct Sample {
  std::string type;  ///< record type
  std::string name;  ///< file name
  std::string json;  ///< the `data` of a record
};

inline std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Files are named <type>.<what it shows>.json.
inline std::vector<Sample> all() {
  std::vector<Sample> samples;
  for (const auto& entry : std::filesystem::directory_iterator(THALWEG_SOURCE_DIR "/sdk/schemas/examples")) {
    const std::string name = entry.path().stem().string();
    samples.push_back({name.substr(0, name.rfind('.')), name, text_of_file(entry.path())});
  }
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.name < b.name; });
  return samples;
}

inline std::string sample(std::string_view name) {
  return text_of_file(std::string(THALWEG_SOURCE_DIR "/sdk/schemas/examples/") + std::string(name) + ".json");
}

inline const SchemaSet& schemas() {
  static const SchemaSet set = SchemaSet::load_builtin().value();
  return set;
}

/// Bytes with padding behind them that would lead a careless reader astray.
class Padded {
 public:
  explicit Padded(std::string_view text, char padding = '}') : bytes_(text.begin(), text.end()), size_(text.size()) {
    bytes_.resize(size_ + kRecordPadding, static_cast<std::uint8_t>(padding));
  }
  ByteView view() const { return ByteView(bytes_).first(size_); }

 private:
  Bytes bytes_;
  std::size_t size_;
};

/// Checks `json` as the data of a record of `type`.
inline std::vector<Fault> faults_of(std::string_view type, std::string_view json, char padding = '}') {
  static SchemaWalker walker;
  const Padded padded(json, padding);
  WalkTask task;
  task.json = padded.view();
  task.root_path = "data";
  task.depth = 2;
  std::vector<Fault> faults;
  walker.check(*schemas().find(type), task, faults);
  return faults;
}

}  // namespace thalweg::samples
