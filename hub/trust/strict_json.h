// strict_json.h: JSON objects of signed documents: every member is known, there once, and of the right form.
// For .cc files of this module only: it brings nlohmann/json with it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace thalweg::trust {

/// Parses one object of at most `limit` bytes and a bounded depth; a name that stands twice in one object makes it
/// invalid, since two readers could see two contents. Errors: kCertificateInvalid.
Result<nlohmann::json> parse_object(std::string_view text, std::size_t limit_bytes);

/// Takes members out of an object. The first fault is kept, with the member's name; later reads give empty values.
class Members {
 public:
  Members(const nlohmann::json& object, std::string_view what);

  const nlohmann::json& any(const char* name);
  std::string text(const char* name, std::size_t max_bytes);
  /// A whole number, 0 to 2^53 - 1, so that every JSON reader sees the same.
  std::uint64_t number(const char* name);
  bool flag(const char* name);
  /// Notes a fault of `name` that the caller found.
  void fault(const char* name, std::string_view why, Code code = Code::kCertificateInvalid);
  /// The first fault; a member that nobody asked for is one.
  Status done();

 private:
  const nlohmann::json& object_;
  std::string what_;
  std::set<std::string, std::less<>> seen_;
  std::optional<Error> error_;
};

}  // namespace thalweg::trust
