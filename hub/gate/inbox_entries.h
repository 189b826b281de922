// inbox_entries.h: what stands in the blocks of an inbox. Bytes: docs/formats/gate.md, "Inbox".
#pragma once

#include <string>
#include <vector>

#include "base/hash.h"
#include "gate/outbox_entries.h"
#include "model/ids.h"

namespace thalweg::gate {

/// Persistent: never change or reuse a number. 1 is the genesis entry of the log.
enum class InboxType : std::uint8_t {
  kDelivery = 2,
  kSkipped = 3,
  kCursor = 4,
  kLetter = 5,
  kAct = 6,  ///< ActEntry
  kTaken = 7,
};

/// In front of the bytes of a delivery (model/delivery.h), as the hub sent them.
struct DeliveryEntryHead {
  static constexpr std::uint8_t kReceipts = 1;  ///< holds receipts: they are indexed at every start
  static constexpr std::uint8_t kAgain = 2;     ///< judged anew on a person's word; says nothing about the sequence

  std::uint8_t flags = 0;
  Code code = Code::kOk;  ///< why it is not to be believed (kParcelSignature, kKeyUnknown ...); then no sink gets it
  std::string text;
  std::uint32_t records = 0;
  std::vector<std::uint32_t> held;  ///< indexes of records that came before: no sink gets them a second time

  Bytes encode() const;
  /// Leaves `in` at the delivery.
  static Result<DeliveryEntryHead> decode(ByteReader& in);
};

/// A delivery of which every record was held already.
struct SkippedEntry {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  Hash256 root{};

  Bytes encode() const;
  static Result<SkippedEntry> decode(ByteView bytes);
};

/// Where a sink stands: everything before (`ordinal`, `index`) is answered.
struct CursorEntry {
  std::string instance;
  std::uint64_t ordinal = 0;  ///< deliveries of this inbox count 1, 2, 3 ...
  std::uint32_t index = 0;
  std::uint32_t attempts = 0;  ///< of the record that stands there
  std::int64_t first_attempt_unix_ns = 0;

  Bytes encode() const;
  static Result<CursorEntry> decode(ByteView bytes);
};

/// A record that a sink did not take, or that nobody may believe (instance empty).
struct LetterEntry {
  std::string instance;
  std::uint64_t ordinal = 0;
  std::uint32_t index = 0;
  RecordId record;
  Code code = Code::kOk;
  std::string text;
  std::uint32_t attempts = 0;

  Bytes encode() const;
  static Result<LetterEntry> decode(ByteView bytes);
};

/// A dead letter that was retried has been taken.
struct TakenEntry {
  std::uint64_t letter = 0;

  Bytes encode() const;
  static Result<TakenEntry> decode(ByteView bytes);
};

}  // namespace thalweg::gate
