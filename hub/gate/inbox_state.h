// inbox_state.h: what follows from the entries of an inbox.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <tuple>

#include "gate/entry_places.h"
#include "gate/held_leaves.h"
#include "gate/inbox_entries.h"

namespace thalweg::gate {

/// A dead letter of the inbox.
struct InboundLetter {
  std::uint64_t id = 0;
  std::string instance;  ///< empty: nobody may believe it
  std::uint64_t ordinal = 0;
  std::uint32_t index = 0;
  RecordId record;
  Code code = Code::kOk;
  std::string text;
  std::uint32_t attempts = 0;
  std::int64_t time_unix_ns = 0;
  bool retrying = false;
};

/// The inbox as a value. Memory: where deliveries stand (EntryPlaces), dead letters, held leaves. Threads: one.
class InboxState {
 public:
  struct Cursor {
    std::uint64_t ordinal = 1;
    std::uint32_t index = 0;
    std::uint32_t attempts = 0;
    std::int64_t first_attempt_unix_ns = 0;
  };

  Status apply(std::uint8_t type, ByteView bytes, ledger::Place place, std::int64_t time_unix_ns);
  void encode(Bytes& out) const;
  bool decode(ByteReader& in);

  std::uint64_t first_ordinal() const { return deliveries.first(); }
  std::uint64_t last_ordinal() const { return deliveries.last(); }
  void forget_before(std::uint64_t block);
  /// Delivery sequence up to which all of `sinks` have answered; 0 without sinks, and in an epoch that just began.
  std::uint64_t taken_sequence(const std::vector<std::string>& sinks) const;

  bool fresh = true;  ///< nothing was ever delivered
  std::uint64_t epoch = 0;
  std::uint64_t last_sequence = 0;
  Hash256 last_root{};
  HeldLeaves held;
  EntryPlaces deliveries{static_cast<std::uint8_t>(InboxType::kDelivery)};
  std::map<std::string, Cursor, std::less<>> cursors;
  std::map<std::uint64_t, InboundLetter> letters;  ///< open ones
  std::uint64_t retrying = 0;                      ///< letters that a person lets be tried again
  std::uint64_t next_letter = 1;
  std::uint64_t records = 0, taken_letters = 0, dropped_letters = 0;

 private:
  /// Deliveries whose sequence grows with their ordinal, from the first one on.
  struct Sequence {
    std::uint64_t ordinal = 0, epoch = 0, sequence = 0;
  };
  void add_sequence(std::uint64_t ordinal, std::uint64_t in_epoch, std::uint64_t sequence);
  void read_every_place(ByteReader& in);
  Status apply_delivery(ByteView bytes, ledger::Place place, std::int64_t time_unix_ns);
  void apply_letter(LetterEntry entry, std::int64_t time_unix_ns);
  /// Takes a letter out of the open ones. False when it is none.
  bool close_letter(std::uint64_t id);

  std::deque<Sequence> sequences_;  // ascending ordinals; the first may begin before what is held
  /// The open letter of a record for a sink. An adapter that rejects everything must not make each rejection dearer.
  std::map<std::tuple<std::string, std::uint64_t, std::uint32_t>, std::uint64_t> letter_of_;
};

}  // namespace thalweg::gate
