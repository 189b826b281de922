#include "encoding.h"

#include <iconv.h>

#include <cerrno>

namespace thalweg::tabular {
namespace {

Result<std::string> convert(std::string_view text, const char* to, const char* from) {
  iconv_t cd = iconv_open(to, from);
  if (cd == reinterpret_cast<iconv_t>(-1))  // NOLINT: the interface of iconv
    return Error{Code::kUnsupported, std::string("this system cannot convert from ") + from + " to " + to};
  std::string out;
  char buffer[4096];
  char* in = const_cast<char*>(text.data());  // iconv does not write to it
  std::size_t left = text.size();
  Status done;
  while (left > 0) {
    char* at = buffer;
    std::size_t room = sizeof buffer;
    const std::size_t result = iconv(cd, &in, &left, &at, &room);
    out.append(buffer, sizeof buffer - room);
    if (result != static_cast<std::size_t>(-1) || errno == E2BIG) continue;
    done = Error{Code::kData, std::string("not ") + from + " at byte " + std::to_string(text.size() - left)};
    break;
  }
  iconv_close(cd);
  if (!done) return std::move(done).error();
  return out;
}

}  // namespace

bool valid_utf8(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    const auto at = [&](std::size_t k) { return i + k < s.size() ? static_cast<unsigned char>(s[i + k]) : 0U; };
    const auto tail = [&](std::size_t k) { return (at(k) & 0xC0U) == 0x80U; };
    const unsigned a = at(0), b = at(1);
    if (a < 0x80) {
      ++i;
    } else if (a >= 0xC2 && a <= 0xDF && tail(1)) {
      i += 2;
    } else if (a >= 0xE0 && a <= 0xEF && tail(1) && tail(2) && !(a == 0xE0 && b < 0xA0) && !(a == 0xED && b > 0x9F)) {
      i += 3;
    } else if (a >= 0xF0 && a <= 0xF4 && tail(1) && tail(2) && tail(3) && !(a == 0xF0 && b < 0x90) &&
               !(a == 0xF4 && b > 0x8F)) {
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

Result<std::string> to_utf8(std::string_view bytes, Encoding from) {
  if (bytes.substr(0, kUtf8Bom.size()) == kUtf8Bom && from != Encoding::kGb18030) {
    bytes.remove_prefix(kUtf8Bom.size());
    from = Encoding::kUtf8;
  }
  if (from != Encoding::kGb18030 && valid_utf8(bytes)) return std::string(bytes);
  if (from == Encoding::kUtf8) return Error{Code::kData, "not UTF-8"};
  return convert(bytes, "UTF-8", "GB18030");
}

Result<std::string> to_gb18030(std::string_view text) { return convert(text, "GB18030", "UTF-8"); }

}  // namespace thalweg::tabular
