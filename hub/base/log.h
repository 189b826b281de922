// log.h: log lines to standard error, one a line, quiet by default (warnings and worse).
//
// Secrets and record contents are never logged. Component names are documented: hub, link, ledger, gate, runner,
// region, adapter.<instance>.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace thalweg::log {

enum class Level { kDebug, kInfo, kWarning, kError };

/// Lines below `level` are not written. Threads: any.
void set_level(Level level);
bool enabled(Level level);
void write(Level level, std::string_view component, std::string_view message);

template <class... Args>
void debug(std::string_view component, fmt::format_string<Args...> text, Args&&... args) {
  if (enabled(Level::kDebug)) write(Level::kDebug, component, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void info(std::string_view component, fmt::format_string<Args...> text, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, component, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void warning(std::string_view component, fmt::format_string<Args...> text, Args&&... args) {
  write(Level::kWarning, component, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void error(std::string_view component, fmt::format_string<Args...> text, Args&&... args) {
  write(Level::kError, component, fmt::format(text, std::forward<Args>(args)...));
}

/// Lets a few log lines through in a while, and counts the rest: peers decide how often something goes wrong, they must
/// not decide how much is logged. Threads: one.
class Limit {
 public:
  /// True: write this line. `suppressed()` says how many were not written since the last one that was.
  bool admit(std::int64_t steady_ns) {
    constexpr std::int64_t kPeriod_ns = 10'000'000'000;
    constexpr int kLines = 20;
    if (steady_ns - since_ns_ > kPeriod_ns) {
      since_ns_ = steady_ns;
      lines_ = 0;
    }
    if (lines_ >= kLines) {
      ++suppressed_;
      return false;
    }
    ++lines_;
    return true;
  }
  std::uint64_t suppressed() {
    const std::uint64_t n = suppressed_;
    suppressed_ = 0;
    return n;
  }

 private:
  std::int64_t since_ns_ = 0;
  int lines_ = 0;
  std::uint64_t suppressed_ = 0;
};

}  // namespace thalweg::log
