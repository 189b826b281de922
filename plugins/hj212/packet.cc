#include "packet.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace thalweg::hj212 {
namespace {

constexpr std::size_t kHead = 6;  // "##" and the length
constexpr std::size_t kCrc = 4;
constexpr unsigned kMaxParts = 64;  // 64 parts of 1,024 bytes are far beyond any station
constexpr std::size_t kMaxFields = 2048;

bool digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool station_number(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' ||
           c == '-';
  });
}

Error wrong(std::string what) { return Error{Code::kHj212Format, std::move(what)}; }

Result<unsigned> number(std::string_view key, std::string_view text, unsigned least, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    return wrong(std::string(key) + " must be from " + std::to_string(least) + " to " + std::to_string(most));
  return value;
}

Status take_head(std::string_view key, std::string_view value, Packet& packet) {
  if (key == "QN") {
    if (!digits(value) || value.size() > 20) return wrong("QN must be digits");
    packet.qn = value;
  } else if (key == "ST") {
    if (!digits(value) || value.size() > 4) return wrong("ST must be digits");
    packet.st = value;
  } else if (key == "CN") {
    if (!digits(value) || value.size() != 4) return wrong("CN must be four digits");
    packet.cn = value;
  } else if (key == "PW") {
    if (value.size() > 32) return wrong("PW is too long");
    packet.pw = value;
  } else if (key == "MN") {
    if (!station_number(value)) return wrong("MN must be 1 to 64 letters, digits, '.', '_' or '-'");
    packet.mn = value;
  } else if (key == "Flag") {
    TW_ASSIGN(packet.flag, number(key, value, 0, 255));
  } else if (key == "PNUM") {
    TW_ASSIGN(packet.parts, number(key, value, 1, kMaxParts));
  } else if (key == "PNO") {
    TW_ASSIGN(packet.part, number(key, value, 1, kMaxParts));
  }
  return {};  // other names are allowed and mean nothing here
}

/// Calls `take(key, value)` for each "key=value" between separators; a text without '=' is a fault.
template <class Take>
Status each_pair(std::string_view text, std::string_view separators, Take&& take) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) return wrong("a parameter without name or '='");
    TW_TRY(take(pair.substr(0, equals), pair.substr(equals + 1)));
  }
  return {};
}

}  // namespace

std::uint16_t crc16(std::string_view segment) {
  std::uint32_t crc = 0xFFFF;
  for (const char c : segment) {
    crc = (crc >> 8) ^ static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      const bool odd = (crc & 1U) != 0;
      crc >>= 1;
      if (odd) crc ^= 0xA001U;
    }
  }
  return static_cast<std::uint16_t>(crc);
}

std::string frame(std::string_view segment) {
  char head[16];
  char tail[16];
  std::snprintf(head, sizeof head, "##%04zu", segment.size() % 10000);
  std::snprintf(tail, sizeof tail, "%04X\r\n", static_cast<unsigned>(crc16(segment)));
  return head + std::string(segment) + tail;
}

Result<Packet> parse_segment(std::string_view segment) {
  for (const char c : segment)
    if (c < 0x20 || c > 0x7E) return wrong("the data segment holds a byte that is not printable ASCII");
  Packet packet;
  const std::size_t cp = segment.find("CP=&&");
  if (cp == std::string_view::npos || (cp > 0 && segment[cp - 1] != ';')) return wrong("CP=&& is missing");
  std::string_view parameters = segment.substr(cp + 5);
  if (parameters.size() < 2 || parameters.substr(parameters.size() - 2) != "&&")
    return wrong("the closing && is missing");
  parameters.remove_suffix(2);
  TW_TRY(each_pair(segment.substr(0, cp), ";", [&](auto key, auto value) { return take_head(key, value, packet); }));
  if (packet.cn.empty()) return wrong("CN is missing");
  if (packet.mn.empty()) return wrong("MN is missing");
  if (packet.part > packet.parts) return wrong("PNO is larger than PNUM");
  TW_TRY(each_pair(parameters, ";,", [&](std::string_view key, std::string_view value) -> Status {
    if (packet.fields.size() >= kMaxFields) return wrong("too many parameters");
    packet.fields.push_back({std::string(key), std::string(value)});
    return {};
  }));
  return packet;
}

std::string answer(const Packet& packet, std::string_view cn) {
  std::string segment;
  if (!packet.qn.empty()) segment += "QN=" + packet.qn + ";";
  segment += "ST=91;CN=" + std::string(cn) + ";PW=" + packet.pw + ";MN=" + packet.mn;
  segment += ";Flag=" + std::to_string((packet.flag & 0xFCU) | (packet.split() ? 2U : 0U));
  if (packet.split()) segment += ";PNUM=" + std::to_string(packet.parts) + ";PNO=" + std::to_string(packet.part);
  return frame(segment + ";CP=&&&&");
}

void Framer::feed(std::string_view bytes, std::vector<Found>& found) {
  // In slices, so that the buffer never holds more than one packet and a slice, whatever comes in one read.
  constexpr std::size_t kSlice = 4096;
  while (!bytes.empty()) {
    const std::string_view slice = bytes.substr(0, kSlice);
    bytes.remove_prefix(slice.size());
    buffer_ += slice;
    while (step(found)) {
    }
  }
}

/// Takes the first thing out of the buffer; false when more bytes are needed.
bool Framer::step(std::vector<Found>& found) {
  while (!buffer_.empty() && (buffer_[0] == '\r' || buffer_[0] == '\n')) buffer_.erase(0, 1);
  const std::size_t start = buffer_.find("##");
  if (start == std::string::npos) {
    // A single '#' at the end may be the first half of the mark.
    skip(buffer_.size() - (!buffer_.empty() && buffer_.back() == '#' ? 1 : 0), found);
    return false;
  }
  if (start > 0) {
    skip(start, found);
    return true;
  }
  if (buffer_.size() < kHead) return false;
  const std::string_view length_text = std::string_view(buffer_).substr(2, 4);
  std::size_t length = 0;
  if (digits(length_text)) std::from_chars(length_text.data(), length_text.data() + 4, length);
  if (!digits(length_text) || length == 0 || length > max_segment_bytes_) {
    if (!skipping_)
      found.push_back({{},
                       wrong(digits(length_text) ? "a data segment of " + std::to_string(length) +
                                                       " bytes; allowed are 1 to " + std::to_string(max_segment_bytes_)
                                                 : std::string("the length behind ## is not a number"))});
    skipping_ = true;
    buffer_.erase(0, 1);  // "###" may hold the mark one byte on
    return true;
  }
  if (buffer_.size() < kHead + length + kCrc) return false;
  const std::string_view segment = std::string_view(buffer_).substr(kHead, length);
  const std::string_view sum = std::string_view(buffer_).substr(kHead + length, kCrc);
  unsigned given = 0;
  const auto [end, error] = std::from_chars(sum.data(), sum.data() + kCrc, given, 16);
  if (error != std::errc{} || end != sum.data() + kCrc || given != crc16(segment)) {
    char expected[8];
    std::snprintf(expected, sizeof expected, "%04X", static_cast<unsigned>(crc16(segment)));
    found.push_back({{},
                     Error{Code::kHj212Crc,
                           std::string("the checksum of ") + std::to_string(length) + " bytes should be " + expected}});
    skipping_ = true;
    buffer_.erase(0, 2);  // a packet cut short may have the next one inside
    return true;
  }
  found.push_back({std::string(segment), std::nullopt});
  skipping_ = false;
  buffer_.erase(0, kHead + length + kCrc);
  return !buffer_.empty();
}

void Framer::skip(std::size_t bytes, std::vector<Found>& found) {
  if (bytes == 0) return;
  if (!skipping_) found.push_back({{}, wrong(std::to_string(bytes) + " bytes that belong to no packet")});
  skipping_ = true;
  buffer_.erase(0, bytes);
}

}  // namespace thalweg::hj212
