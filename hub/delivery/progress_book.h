// progress_book.h: how far each receiver has got with each stream, for the origin to see.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>

#include "link/message.h"
#include "model/ids.h"

namespace thalweg::delivery {

/// For people, not for exactness: after a restart of the hub it catches up with the next settlement.
///
/// Threads: one loop. Memory: bounded by what is under way (credit) and by kMostWaiting per receiver.
class ProgressBook {
 public:
  static constexpr std::size_t kMostWaiting = 1024;

  /// `sequence` of `receiver`, which is parcel `number` of `stream`, is on its way.
  void sent(const std::string& receiver, std::uint64_t sequence, const StreamId& stream, std::uint64_t number);
  /// The receiver has settled: gives the streams whose origin may be told something new.
  std::set<StreamId> settled(const std::string& receiver, std::uint64_t sequence, std::uint64_t taken);
  /// What the origin of `stream` is told.
  std::vector<link::Progress> of(const StreamId& stream) const;

  void encode(Bytes& out) const;
  /// Errors: kLedgerFormat.
  Status decode(ByteReader& in, Lane lane);

 private:
  struct Waiting {
    std::uint64_t sequence;
    StreamId stream;
    std::uint64_t number;
  };
  struct Reached {
    std::uint64_t in_inbox = 0;
    std::uint64_t taken = 0;
  };
  std::map<std::string, std::deque<Waiting>> sent_;     // by receiver: not yet settled
  std::map<std::string, std::deque<Waiting>> untaken_;  // by receiver: settled, not yet taken
  std::map<StreamId, std::map<std::string, Reached>> reached_;
};

}  // namespace thalweg::delivery
