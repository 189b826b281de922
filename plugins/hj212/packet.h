// packet.h: HJ 212-2017 packets: from bytes to fields and back. Knows nothing of sockets, sections or records.
//
// HJ 212-2017 section 6.3: "##", length of the data segment (four decimal digits), data segment, CRC (four hex digits),
// CR LF. The CRC is annex A's, over the data segment only; it is not Modbus CRC-16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/cpp/result.h"

namespace thalweg::hj212 {

inline constexpr std::size_t kStandardSegmentBytes = 1024;  ///< what the standard allows a data segment to have
inline constexpr std::size_t kLargestSegmentBytes = 9999;   ///< what four digits can say

/// The checksum of annex A.
std::uint16_t crc16(std::string_view segment);

/// "##0101...1C80\r\n" around a data segment of at most kLargestSegmentBytes.
std::string frame(std::string_view segment);

/// One `key=value` of the command parameters.
struct Field {
  std::string key;    ///< "DataTime", "w01009-Rtd", "w01009-Flag"
  std::string value;  ///< as received
};

/// The data segment, taken apart. Everything in it is ASCII, checked.
struct Packet {
  std::string qn;  ///< request number YYYYMMDDhhmmsszzz; may be absent
  std::string st;  ///< system: 21 surface water
  std::string cn;  ///< command: 2011 real-time, 2051 minutes, 2061 hour, 2031 day data
  std::string pw;  ///< password; never logged
  std::string mn;  ///< station number, 1 to 64 characters of [0-9A-Za-z._-]
  unsigned flag =
      0;  ///< bit 0: an answer is wanted; bit 1: PNUM and PNO are there; bits 2 to 7: version of the standard
  unsigned parts = 1;  ///< PNUM: into how many packets this was split
  unsigned part = 1;   ///< PNO, from 1
  std::vector<Field> fields;

  bool answer_wanted() const { return (flag & 1U) != 0; }
  bool split() const { return (flag & 2U) != 0 && parts > 1; }
};

/// Errors: kHj212Format, with what is wrong.
Result<Packet> parse_segment(std::string_view segment);

/// An answer of the receiving side to `packet`: 9014 (data) or 9013 (notice), framed. Same QN, PW and MN, ST=91, the
/// version bits of its Flag and no wish for an answer; PNUM and PNO as received where it was split.
std::string answer(const Packet& packet, std::string_view cn);

/// Finds packets in a stream of bytes that may begin and end anywhere and hold garbage.
///
/// Holds at most one packet of the largest size allowed. Threads: one at a time.
class Framer {
 public:
  explicit Framer(std::size_t max_segment_bytes) : max_segment_bytes_(max_segment_bytes) {}

  /// What stood in the stream: a data segment with a good checksum, or a fault (kHj212Crc, kHj212Format).
  struct Found {
    std::string segment;
    std::optional<Error> fault;
  };
  /// Takes bytes in and appends what they complete to `found`. Looks for "##" again after a fault.
  void feed(std::string_view bytes, std::vector<Found>& found);

  /// True while a packet has begun that is not complete.
  bool in_packet() const { return !buffer_.empty(); }

 private:
  bool step(std::vector<Found>& found);
  void skip(std::size_t bytes, std::vector<Found>& found);

  std::size_t max_segment_bytes_;
  std::string buffer_;
  bool skipping_ = false;  // a fault was reported and no good packet seen since: garbage is one fault, not many
};

}  // namespace thalweg::hj212
