// entry_places.h: where the parcels of an outbox, or the deliveries of an inbox, stand in its log.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/bytes.h"
#include "ledger/segment_log.h"

namespace thalweg::gate {

/// Entries of one type, numbered as they follow one another in a log.
///
/// Remembers one place in so many; the others are found by reading on from there. So memory hardly grows with what is
/// held: 32 bytes for each kMarkEntries or kMarkBytes, 3 MB for 8 GiB. A place costs nothing when it is new or near one
/// that was asked for, else reading kMarkBytes or one entry. Threads: one.
class EntryPlaces {
 public:
  static constexpr std::size_t kMarkEntries = 512, kMarkBytes = 128u << 10;

  explicit EntryPlaces(std::uint8_t type, std::uint64_t first = 1) : type_(type), first_(first), last_(first - 1) {}

  std::uint64_t first() const { return first_; }
  std::uint64_t last() const { return last_; }  ///< first() - 1 when there is none
  std::uint64_t size() const { return last_ + 1 - first_; }
  bool holds(std::uint64_t number) const { return number >= first_ && number <= last_; }

  /// The next one: it stands there, with so many bytes.
  void add(ledger::Place place, std::size_t bytes, std::int64_t time_unix_ns);
  /// `log` is the one that all of them stand in. Errors: kNotFound (not held), kDamaged, kIo.
  Result<ledger::Place> find(const ledger::SegmentLog& log, std::uint64_t number) const;

  /// A block before which nothing of these stands: those from `number` on, and those of `since_unix_ns` and later; up
  /// to kMarkEntries more stay. `none` when there are none of these.
  std::uint64_t first_block_of(std::uint64_t number, std::int64_t since_unix_ns, std::uint64_t none) const;
  /// What stands before `block` is gone. Forgets up to kMarkEntries more, but nothing behind a first_block_of() that
  /// is not before `block`.
  void forget_before(std::uint64_t block);

  void encode(ByteWriter& out) const;
  /// False when the bytes are none of encode().
  bool decode(ByteReader& in);

 private:
  struct Mark {
    std::uint64_t number = 0;
    ledger::Place place;
    std::int64_t time_unix_ns = 0;
  };
  /// All places from a mark to the next.
  struct Window {
    std::uint64_t first = 0;
    std::vector<ledger::Place> places;
  };
  Result<std::vector<ledger::Place>> read(const ledger::SegmentLog& log, const Mark& from, std::size_t count) const;

  std::uint8_t type_;
  std::uint64_t first_, last_;
  std::int64_t newest_unix_ns_ = 0;
  std::size_t bytes_ = 0;              // since the last mark
  std::deque<Mark> marks_;             // ascending; empty when nothing is held
  std::vector<ledger::Place> newest_;  // from the last mark on
  // Who sends, who is answered and who feeds an adapter each stand elsewhere.
  mutable std::array<Window, 8> windows_;
  mutable std::size_t oldest_window_ = 0;
};

}  // namespace thalweg::gate
