// incident_book.h: which parties were told about an incident, so that its end reaches them all.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"

namespace thalweg::intake {

/// Receivers of the notices of each incident. Bounded: of the oldest incidents beyond `most` it forgets.
///
/// Threads: one loop.
class IncidentBook {
 public:
  explicit IncidentBook(std::size_t most = 10'000) : most_(most) {}

  void told(std::string_view incident, std::string_view receiver);
  /// Valid until the next told().
  std::vector<std::string_view> receivers(std::string_view incident) const;

  void encode(Bytes& out) const;
  /// Errors: kLedgerFormat.
  Status decode(ByteReader& in);

 private:
  std::size_t most_;
  std::unordered_map<std::string, std::vector<std::string>> receivers_;
  std::deque<std::string> order_;
};

}  // namespace thalweg::intake
