// stream_book.h: how far each stream has come: in the ledger, and on the way there.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/bytes.h"
#include "base/hash.h"
#include "model/parcel.h"

namespace thalweg::intake {

/// A parcel's number and root.
struct StreamHead {
  std::uint64_t number = 0;  ///< 0: no parcel yet
  Hash256 root{};
  bool operator==(const StreamHead&) const = default;
};

/// What a parcel is to its stream (rule 4 and the table of faults in link.md).
enum class Turn {
  kNext,      ///< the one that is waited for
  kUnderWay,  ///< was taken already and is being written: its answer comes
  kRepeat,    ///< is in the ledger: answered with the stored verdicts, if the root is equal
  kGap,       ///< an earlier one is missing: kParcelGap
  kConflict,  ///< its previous root is not the stream's: kParcelConflict
};

/// The streams of one lane. `durable` heads are in the ledger; `taken` heads include what waits for its sync.
///
/// Threads: one loop.
class StreamBook {
 public:
  Turn turn(const ParcelHeader& header) const;
  /// The parcel goes to the ledger. It was kNext.
  void take(const ParcelHeader& header);
  /// It is there. In order.
  void settle(const ParcelHeader& header);
  /// What a summary in the ledger says of a stream whose parcels may be gone. What is known to be further stays.
  void merge(const StreamId& stream, const StreamHead& known);
  /// The ledger failed: what was taken and is not durable never happened.
  void take_back();

  StreamHead durable(const StreamId& stream) const;
  /// The last one that is in the ledger or on its way there.
  StreamHead taken(const StreamId& stream) const;
  std::size_t size() const { return streams_.size(); }
  template <class Visit>
  void each(Visit&& visit) const {
    for (const auto& [stream, heads] : streams_) visit(stream, heads.durable);
  }

  void encode(Bytes& out) const;
  /// Errors: kLedgerFormat.
  Status decode(ByteReader& in, Lane lane);

 private:
  struct Heads {
    StreamHead durable;
    StreamHead taken;
  };
  std::unordered_map<StreamId, Heads> streams_;
};

/// The name under which the places of a stream's parcels stand in the place index: no party code has a ':'.
std::string stream_key(const ParcelHeader& header);
std::string stream_key(const StreamId& stream);

}  // namespace thalweg::intake
