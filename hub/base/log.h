// log.h: log lines to standard error, one a line, quiet by default (warnings and worse).
//
// Secrets and record contents are never logged. Component names are documented: hub, link, ledger, gate, runner,
// region, adapter.<instance>.
#pragma once

#include <fmt/format.h>

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

}  // namespace thalweg::log
