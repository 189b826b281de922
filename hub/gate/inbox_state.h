// inbox_state.h: what follows from the entries of an inbox.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <tuple>

#include "gate/held_leaves.h"
#include "gate/inbox_entries.h"
#include "ledger/ledger.h"

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

/// The inbox as a value. Memory: 40 bytes per held delivery, dead letters, held leaves. Threads: one.
class InboxState {
 public:
  struct Slot {
    ledger::Place place;
    std::uint64_t epoch = 0;
    std::uint64_t sequence = 0;
    std::uint32_t records = 0;
    std::uint32_t flags = 0;
    std::int64_t time_unix_ns = 0;
    static constexpr std::uint32_t kDoubtful = 1;
    static constexpr std::uint32_t kHeld = 2;  ///< some records were held before
  };
  struct Cursor {
    std::uint64_t ordinal = 1;
    std::uint32_t index = 0;
    std::uint32_t attempts = 0;
    std::int64_t first_attempt_unix_ns = 0;
  };

  Status apply(std::uint8_t type, ByteView bytes, ledger::Place place, std::int64_t time_unix_ns);
  void encode(Bytes& out) const;
  bool decode(ByteReader& in);

  std::uint64_t last_ordinal() const { return first_ordinal + slots.size() - 1; }
  const Slot* slot(std::uint64_t ordinal) const {
    return ordinal < first_ordinal || ordinal > last_ordinal() ? nullptr : &slots[ordinal - first_ordinal];
  }
  void forget_before(std::uint64_t block);
  /// Delivery sequence up to which all of `sinks` have answered; 0 without sinks, and in an epoch that just began.
  std::uint64_t taken_sequence(const std::vector<std::string>& sinks) const;

  bool fresh = true;  ///< nothing was ever delivered
  std::uint64_t epoch = 0;
  std::uint64_t last_sequence = 0;
  Hash256 last_root{};
  HeldLeaves held;
  std::uint64_t first_ordinal = 1;
  std::deque<Slot> slots;
  std::map<std::string, Cursor, std::less<>> cursors;
  std::map<std::uint64_t, InboundLetter> letters;  ///< open ones
  std::uint64_t retrying = 0;                      ///< letters that a person lets be tried again
  std::uint64_t next_letter = 1;
  std::uint64_t records = 0, taken_letters = 0, dropped_letters = 0;

 private:
  Status apply_delivery(ByteView bytes, ledger::Place place, std::int64_t time_unix_ns);
  void apply_letter(LetterEntry entry, std::int64_t time_unix_ns);
  /// Takes a letter out of the open ones. False when it is none.
  bool close_letter(std::uint64_t id);

  /// The open letter of a record for a sink. An adapter that rejects everything must not make each rejection dearer.
  std::map<std::tuple<std::string, std::uint64_t, std::uint32_t>, std::uint64_t> letter_of_;
};

}  // namespace thalweg::gate
