// hj212_config.h: the configuration of the source, checked. Keys are described in README.md and plugin.json.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "observation.h"

namespace thalweg::hj212 {

struct Settings {
  std::string address;     ///< to listen on; an IP address
  std::uint16_t port = 0;  ///< 0: any free one, see port_file
  std::string port_file;   ///< gets the port in decimal once the source listens; empty: none
  std::size_t max_connections = 200;
  std::size_t max_segment_bytes = kStandardSegmentBytes;
  std::int64_t idle_ms = 3'600'000;  ///< a connection without a byte for this long is closed
  std::int64_t packet_ms = 30'000;   ///< a packet, or a packet in parts, not complete after this is given up
  std::size_t max_waiting = 4096;    ///< records without settlement; beyond it nothing is read from stations
  std::size_t max_faults = 16;       ///< in a row on one connection, which is then closed
  bool answer_each_part = false;     ///< of a split packet, at once, although the record is not yet durable
  std::map<std::string, Station, std::less<>> stations;  ///< by MN

  /// Errors: kConfig with the key.
  static Result<Settings> read(std::string_view json, const FactorTable& factors);
};

}  // namespace thalweg::hj212
