// config.h: typed reads of an adapter's JSON configuration; errors name the key by its path.
//
// The only SDK header with a foreign dependency (nlohmann/json); include it where the configuration is read, nowhere
// else.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "thalweg/cpp/result.h"

namespace thalweg {

/// One JSON object of the configuration, and where it stands. A value; threads: one at a time.
///
/// Every read gives kConfig with the path, e.g. "stations[2].mn: is missing", when the key is absent, has another type
/// or lies outside its bounds. `..._or` gives the default for an absent key only.
class Config {
 public:
  /// Errors: kConfig when `json` is no JSON object (the message gives the byte).
  static Result<Config> parse(std::string_view json) {
    nlohmann::json value;
    try {
      value = nlohmann::json::parse(json);
    } catch (const std::exception& e) {
      return Error{Code::kConfig, std::string("not JSON: ") + e.what()};
    }
    if (!value.is_object()) return Error{Code::kConfig, "the configuration must be a JSON object"};
    return Config(std::move(value), "");
  }

  /// Refuses keys that are not in `known`: a misspelt option must not be ignored.
  Status only(std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : value_.items()) {
      bool found = false;
      for (std::string_view k : known) found = found || k == key;
      if (!found) return fault(key, "is not an option here");
    }
    return {};
  }

  bool has(std::string_view key) const { return value_.contains(key); }

  /// Not empty.
  Result<std::string> text(std::string_view key) const {
    const auto* v = find(key);
    if (v == nullptr) return fault(key, "is missing");
    if (!v->is_string()) return fault(key, "must be text");
    auto held = v->template get<std::string>();
    if (held.empty()) return fault(key, "must not be empty");
    return held;
  }
  /// May be empty.
  Result<std::string> text_or(std::string_view key, std::string_view otherwise) const {
    const auto* v = find(key);
    if (v == nullptr) return std::string(otherwise);
    if (!v->is_string()) return fault(key, "must be text");
    return v->template get<std::string>();
  }
  /// One of `allowed`.
  Result<std::string> choice_or(std::string_view key, std::string_view otherwise,
                                std::initializer_list<std::string_view> allowed) const {
    auto held = text_or(key, otherwise);
    if (!held) return held;
    std::string list;
    for (std::string_view a : allowed) {
      if (*held == a) return held;
      list += (list.empty() ? "" : ", ") + std::string(a);
    }
    return fault(key, "must be one of: " + list);
  }
  Result<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most) const {
    const auto* v = find(key);
    if (v == nullptr) return fault(key, "is missing");
    if (!v->is_number_integer()) return fault(key, "must be a whole number");
    if (v->is_number_unsigned() && v->template get<std::uint64_t>() > std::uint64_t{INT64_MAX})
      return bounds(key, least, most);
    const auto held = v->template get<std::int64_t>();
    if (held < least || held > most) return bounds(key, least, most);
    return held;
  }
  Result<std::int64_t> integer_or(std::string_view key, std::int64_t otherwise, std::int64_t least,
                                  std::int64_t most) const {
    if (find(key) == nullptr) return otherwise;
    return integer(key, least, most);
  }
  Result<bool> flag_or(std::string_view key, bool otherwise) const {
    const auto* v = find(key);
    if (v == nullptr) return otherwise;
    if (!v->is_boolean()) return fault(key, "must be true or false");
    return v->template get<bool>();
  }

  /// The object at `key`; an empty one if the key is absent and `required` is false.
  Result<Config> object(std::string_view key, bool required = true) const {
    const auto* v = find(key);
    if (v == nullptr) {
      if (required) return fault(key, "is missing");
      return Config(nlohmann::json::object(), path(key));
    }
    if (!v->is_object()) return fault(key, "must be an object");
    return Config(*v, path(key));
  }
  /// The objects of the array at `key`; none if it is absent.
  Result<std::vector<Config>> objects(std::string_view key) const {
    std::vector<Config> all;
    const auto* v = find(key);
    if (v == nullptr) return all;
    if (!v->is_array()) return fault(key, "must be an array");
    for (std::size_t i = 0; i < v->size(); ++i) {
      const std::string at = path(key) + "[" + std::to_string(i) + "]";
      if (!(*v)[i].is_object()) return Error{Code::kConfig, at + ": must be an object"};
      all.push_back(Config((*v)[i], at));
    }
    return all;
  }
  /// The texts of the array at `key`; none if it is absent.
  Result<std::vector<std::string>> texts(std::string_view key) const {
    std::vector<std::string> all;
    const auto* v = find(key);
    if (v == nullptr) return all;
    if (!v->is_array()) return fault(key, "must be an array");
    for (const auto& item : *v) {
      if (!item.is_string()) return fault(key, "must hold texts only");
      all.push_back(item.template get<std::string>());
    }
    return all;
  }
  /// The JSON text of whatever stands at `key`.
  Result<std::string> raw(std::string_view key) const {
    const auto* v = find(key);
    if (v == nullptr) return fault(key, "is missing");
    return v->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  /// The keys of this object, sorted.
  std::vector<std::string> keys() const {
    std::vector<std::string> all;
    for (const auto& [key, value] : value_.items()) all.push_back(key);
    return all;
  }

  /// An error about `key`, as the reads give it; for checks of the adapter's own.
  Error fault(std::string_view key, std::string_view what) const {
    return Error{Code::kConfig, path(key) + ": " + std::string(what)};
  }

 private:
  Config(nlohmann::json value, std::string at) : value_(std::move(value)), at_(std::move(at)) {}

  const nlohmann::json* find(std::string_view key) const {
    const auto found = value_.find(key);
    return found == value_.end() ? nullptr : &*found;
  }
  std::string path(std::string_view key) const { return at_.empty() ? std::string(key) : at_ + "." + std::string(key); }
  Error bounds(std::string_view key, std::int64_t least, std::int64_t most) const {
    return fault(key, "must be from " + std::to_string(least) + " to " + std::to_string(most));
  }

  nlohmann::json value_;
  std::string at_;
};

}  // namespace thalweg
