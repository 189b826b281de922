// library.h: opens a plugin library: manifest first, then the file's owner and rights, then the code.
#pragma once

#include <string>

#include "base/file.h"
#include "thalweg/thalweg_plugin.h"

namespace thalweg::runner {

/// What plugin.json says, as far as a runner needs it.
struct Manifest {
  std::string id;
  std::string version;
  bool source = false;
  bool sink = false;
  bool routine = false;
  bool urgent = false;
  bool exercise_aware = false;

  /// Errors: kPluginLoad, with the key that is wrong.
  static Result<Manifest> parse(std::string_view json);
};

/// Refuses a file, and the folder it lies in, that somebody else than root or this user could change. Errors:
/// kPluginLoad with the path and what to type.
Status check_rights(const Path& file);

/// A plugin library whose table of functions is complete. Never closed: a plugin may leave threads or exit handlers.
class Library {
 public:
  /// `kind`: "source" or "sink". Errors: kPluginLoad, kAbi (no common major), kPluginContract (required functions
  /// missing, by name).
  static Result<Library> open(const Path& file, std::string_view kind);

  const tw_plugin& plugin() const { return plugin_; }
  const Manifest& manifest() const { return manifest_; }
  /// It, and its manifest, say that it tells an exercise from reality in all it writes.
  bool exercise_aware() const { return manifest_.exercise_aware && (plugin_.flags & TW_PLUGIN_EXERCISE_AWARE) != 0; }

 private:
  Library() = default;
  Manifest manifest_;
  tw_plugin plugin_{};
};

/// The code and message of a failed call.
Error to_error(tw_status status, const tw_error& error);
tw_error fresh_error();

}  // namespace thalweg::runner
