#include "base/bytes.h"

namespace thalweg {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr char kBase64Digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> make_base64_values() {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = kNoDigit;
  for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<std::uint8_t>(kBase64Digits[i])] = i;
  return values;
}
constexpr auto kBase64Values = make_base64_values();

std::uint8_t hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return kNoDigit;
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string text(bytes.size() * 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text[2 * i] = kHexDigits[bytes[i] >> 4];
    text[2 * i + 1] = kHexDigits[bytes[i] & 15];
  }
  return text;
}

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return Error{Code::kInvalid, "hex text has an odd number of digits"};
  Bytes bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint8_t high = hex_value(text[2 * i]);
    const std::uint8_t low = hex_value(text[2 * i + 1]);
    if (high == kNoDigit || low == kNoDigit) return Error{Code::kInvalid, "hex text has a character that is no digit"};
    bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return bytes;
}

std::string to_base64(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group = static_cast<std::uint32_t>(bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2]);
    for (int shift = 18; shift >= 0; shift -= 6) text += kBase64Digits[group >> shift & 63];
  }
  if (const std::size_t left = bytes.size() - i; left != 0) {
    const std::uint32_t group =
        static_cast<std::uint32_t>(bytes[i] << 16) | (left == 2 ? static_cast<std::uint32_t>(bytes[i + 1] << 8) : 0U);
    text += kBase64Digits[group >> 18 & 63];
    text += kBase64Digits[group >> 12 & 63];
    text += left == 2 ? kBase64Digits[group >> 6 & 63] : '=';
    text += '=';
  }
  return text;
}

Result<Bytes> from_base64(std::string_view text) {
  const Error bad{Code::kInvalid, "not base64"};
  if (text.size() % 4 != 0) return bad;
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const std::size_t padding = !last || text[i + 3] != '=' ? 0 : text[i + 2] == '=' ? 2 : 1;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::uint8_t value = k >= 4 - padding ? 0 : kBase64Values[static_cast<std::uint8_t>(text[i + k])];
      if (value == kNoDigit) return bad;
      group = group << 6 | value;
    }
    // Bits that the padding cuts off must be zero, so that one content has one text.
    if ((padding == 1 && (group & 0xff) != 0) || (padding == 2 && (group & 0xffff) != 0)) return bad;
    bytes.push_back(static_cast<std::uint8_t>(group >> 16));
    if (padding < 2) bytes.push_back(static_cast<std::uint8_t>(group >> 8));
    if (padding < 1) bytes.push_back(static_cast<std::uint8_t>(group));
  }
  return bytes;
}

}  // namespace thalweg
