// json_writer.h: writes JSON text member by member, so that numbers keep the digits that were received.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace thalweg {

/// Appends to its own text. Keys and texts must be UTF-8; what is not becomes U+FFFD. Nesting is the caller's to close.
///
///   JsonWriter json;
///   json.object().text("section", "A500226_0002").array("factors");
///   json.object().text("code", "w01009").number("value", "2.82").end();
///   json.end().end();
class JsonWriter {
 public:
  JsonWriter& object() { return open('{'); }
  JsonWriter& object(std::string_view key) { return name(key), open('{'); }
  JsonWriter& array(std::string_view key) { return name(key), open('['); }
  JsonWriter& end() {
    out_ += ends_.back();
    ends_.pop_back();
    first_ = false;
    return *this;
  }
  JsonWriter& text(std::string_view key, std::string_view value) {
    name(key);
    quote(value);
    return *this;
  }
  JsonWriter& element(std::string_view value) {
    comma();
    quote(value);
    return *this;
  }
  /// `value` is the text of a JSON number, true, false or null, written as it is.
  JsonWriter& number(std::string_view key, std::string_view value) {
    name(key);
    out_ += value;
    after_name_ = false;
    return *this;
  }
  JsonWriter& integer(std::string_view key, std::int64_t value) { return number(key, std::to_string(value)); }
  JsonWriter& boolean(std::string_view key, bool value) { return number(key, value ? "true" : "false"); }

  const std::string& str() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char c) {
    if (!after_name_) comma();
    after_name_ = false;
    out_ += c;
    ends_ += c == '{' ? '}' : ']';
    first_ = true;
    return *this;
  }
  void comma() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  void name(std::string_view key) {
    comma();
    quote(key);
    out_ += ':';
    after_name_ = true;
  }
  void quote(std::string_view value) {
    after_name_ = false;
    out_ += '"';
    for (std::size_t i = 0; i < value.size();) {
      const auto c = static_cast<unsigned char>(value[i]);
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += static_cast<char>(c);
        ++i;
      } else if (c < 0x20) {
        static constexpr char kHex[] = "0123456789abcdef";
        out_ += "\\u00";
        out_ += kHex[c >> 4];
        out_ += kHex[c & 15];
        ++i;
      } else if (c < 0x80) {
        out_ += static_cast<char>(c);
        ++i;
      } else {
        const std::size_t length = utf8_length(value.substr(i));
        out_ += length == 0 ? std::string_view("\xEF\xBF\xBD") : value.substr(i, length);
        i += length == 0 ? 1 : length;
      }
    }
    out_ += '"';
  }
  /// Bytes of the well-formed character at the front of `s`; 0 if there is none.
  static std::size_t utf8_length(std::string_view s) {
    const auto at = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U; };
    const auto tail = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
    const unsigned a = at(0), b = at(1);
    if (a >= 0xC2 && a <= 0xDF) return tail(1) ? 2 : 0;
    if (a >= 0xE0 && a <= 0xEF) {
      if ((a == 0xE0 && b < 0xA0) || (a == 0xED && b > 0x9F)) return 0;
      return tail(1) && tail(2) ? 3 : 0;
    }
    if (a >= 0xF0 && a <= 0xF4) {
      if ((a == 0xF0 && b < 0x90) || (a == 0xF4 && b > 0x8F)) return 0;
      return tail(1) && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
  }

  std::string out_;
  std::string ends_;
  bool first_ = true;
  bool after_name_ = false;
};

}  // namespace thalweg
