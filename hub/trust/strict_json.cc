#include "trust/strict_json.h"

#include <vector>

namespace thalweg::trust {
namespace {

const nlohmann::json kNothing;
constexpr int kMaxDepth = 16;  // reading takes any depth, writing it again would take the stack

bool printable(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return false;
  }
  return true;
}

}  // namespace

Result<nlohmann::json> parse_object(std::string_view text, std::size_t limit_bytes) {
  using Event = nlohmann::json::parse_event_t;
  if (text.size() > limit_bytes) {
    return Error{Code::kCertificateInvalid, "it is larger than " + std::to_string(limit_bytes / 1024) + " KiB"};
  }
  bool twice = false, deep = false;
  std::vector<std::set<std::string>> names;
  const auto watch = [&](int depth, Event event, nlohmann::json& value) {
    deep = deep || depth > kMaxDepth;
    if (event == Event::object_start) {
      names.emplace_back();
    } else if (event == Event::object_end) {
      names.pop_back();
    } else if (event == Event::key) {
      twice = !names.back().insert(value.get_ref<const std::string&>()).second || twice;
    }
    return true;
  };
  nlohmann::json object = nlohmann::json::parse(text.begin(), text.end(), watch, false);
  if (object.is_discarded() || !object.is_object()) {
    return Error{Code::kCertificateInvalid, "the document is not a JSON object"};
  }
  if (twice) return Error{Code::kCertificateInvalid, "a member stands twice"};
  if (deep) return Error{Code::kCertificateInvalid, "it is nested too deeply"};
  return object;
}

Members::Members(const nlohmann::json& object, std::string_view what) : object_(object), what_(what) {
  if (!object.is_object()) error_ = Error{Code::kCertificateInvalid, what_ + " is not an object"};
}

const nlohmann::json& Members::any(const char* name) {
  if (error_) return kNothing;
  seen_.emplace(name);
  const auto found = object_.find(name);
  if (found == object_.end()) {
    fault(name, "is missing");
    return kNothing;
  }
  return *found;
}

std::string Members::text(const char* name, std::size_t max_bytes) {
  const nlohmann::json& value = any(name);
  if (error_) return {};
  if (!value.is_string()) {
    fault(name, "is not a string");
    return {};
  }
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() > max_bytes || !printable(text)) {
    fault(name, "is too long or has control characters");
    return {};
  }
  return text;
}

std::uint64_t Members::number(const char* name) {
  const nlohmann::json& value = any(name);
  if (error_) return 0;
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > (1ULL << 53) - 1) {
    fault(name, "is not a whole number from 0 to 2^53 - 1");
    return 0;
  }
  return value.get<std::uint64_t>();
}

bool Members::flag(const char* name) {
  const nlohmann::json& value = any(name);
  if (error_) return false;
  if (!value.is_boolean()) {
    fault(name, "is not true or false");
    return false;
  }
  return value.get<bool>();
}

void Members::fault(const char* name, std::string_view why, Code code) {
  if (!error_) error_ = Error{code, what_ + ": \"" + name + "\" " + std::string(why)};
}

Status Members::done() {
  if (error_) return *error_;
  for (const auto& member : object_.items()) {
    if (!seen_.contains(member.key())) {
      return Error{Code::kCertificateInvalid, what_ + ": a member \"" + member.key() + "\" is not known"};
    }
  }
  return {};
}

}  // namespace thalweg::trust
