// payloads.h: what peers carry: the bytes of the records that Thalweg's own bench makes, or as many that do not
// compress.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace thalweg::bench {

/// Records of about 1,010 bytes, all distinct. Making one costs a copy of its bytes.
class Payloads {
 public:
  enum class Kind { kReadings, kRandom };
  explicit Payloads(Kind kind = Kind::kReadings);

  /// Valid until the next call.
  std::span<const std::string> batch(std::size_t count);
  /// One that says its number; number_of() reads it.
  const std::string& marked(std::size_t number);
  static std::size_t number_of(std::string_view record);

 private:
  struct Pattern {
    std::string record;
    std::size_t id_at, time_at, observed_at, turbidity_text_at, turbidity_value_at;
  };
  void readings(std::string& out);
  void random(std::string& out);

  Kind kind_;
  std::uint64_t next_ = 1, state_ = 0;
  std::vector<Pattern> patterns_;
  std::vector<std::string> batch_;
};

}  // namespace thalweg::bench
