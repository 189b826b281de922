// record.h: records as an adapter sees them: a view over a delivered one, and one to be submitted.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "thalweg/thalweg_plugin.h"

namespace thalweg {

inline std::string_view view(tw_str text) {
  return text.size == 0 ? std::string_view{} : std::string_view{text.data, text.size};
}
inline std::string_view view(tw_bytes bytes) {
  return bytes.size == 0 ? std::string_view{} : std::string_view{reinterpret_cast<const char*>(bytes.data), bytes.size};
}
inline tw_str to_tw(std::string_view text) { return {text.data(), text.size()}; }
inline tw_bytes to_tw_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// 16 bytes as "0190b4c2-....": lower case, with hyphens.
inline std::string uuid_text(const std::uint8_t (&id)[16]) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[id[i] >> 4];
    text += kHex[id[i] & 15];
  }
  return text;
}

/// A record given to a sink. Borrows: everything it returns lives until deliver() returns. See tw_record.
class RecordView {
 public:
  explicit RecordView(const tw_record* record) : record_(record) {}

  std::string_view type() const { return view(record_->type); }
  std::string_view subject() const { return view(record_->subject); }
  /// RFC 3339 with the origin's offset.
  std::string_view time() const { return view(record_->time); }
  std::int64_t time_unix_ns() const { return record_->time_unix_ns; }
  /// "/party/500153".
  std::string_view source() const { return view(record_->source); }
  /// The code behind "/party/".
  std::string_view party() const {
    constexpr std::string_view kPrefix = "/party/";
    const std::string_view whole = source();
    return whole.substr(0, kPrefix.size()) == kPrefix ? whole.substr(kPrefix.size()) : whole;
  }
  /// The drill's id; empty means real.
  std::string_view exercise() const { return view(record_->exercise); }
  std::string_view correlation() const { return view(record_->correlation); }
  std::string_view submitter() const { return view(record_->submitter); }
  /// JSON.
  std::string_view data() const { return view(record_->data); }
  std::string_view raw() const { return view(record_->raw); }
  std::string id_text() const { return uuid_text(record_->id); }
  bool urgent() const { return record_->lane == TW_LANE_URGENT; }
  std::uint32_t attempt() const { return record_->attempt; }
  bool replayed() const { return (record_->flags & TW_RECORD_REPLAY) != 0; }
  const tw_record& c() const { return *record_; }

 private:
  const tw_record* record_;
};

/// A record that a source submits. See tw_record for what each means and tw_host.submit for what happens to it.
struct Submission {
  std::uint64_t ticket = 0;  ///< the source's own number; Settled brings it back
  std::string type;          ///< required
  std::string time;          ///< required; RFC 3339 with an offset
  std::string origin_key;    ///< required; 1 to 256 bytes
  std::string data;          ///< required; JSON
  std::string subject;
  std::string exercise;
  std::string correlation;

  /// Borrows from this object.
  tw_record c() const {
    tw_record record;
    std::memset(&record, 0, sizeof record);
    record.struct_size = sizeof record;
    record.ticket = ticket;
    record.type = to_tw(type);
    record.time = to_tw(time);
    record.origin_key = to_tw(origin_key);
    record.data = to_tw_bytes(data);
    record.subject = to_tw(subject);
    record.exercise = to_tw(exercise);
    record.correlation = to_tw(correlation);
    return record;
  }
};

}  // namespace thalweg
