// receipt_book.h: who signed for what: the receipts that came in, by the record they are about.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "ledger/segment_log.h"
#include "model/ids.h"
#include "model/lane.h"
#include "model/record.h"

namespace thalweg::gate {

inline constexpr std::string_view kReceiptType = "thalweg.receipt.v1";

/// One receipt, as far as `show` needs it.
struct Receipt {
  RecordId record;  ///< the record that it is about
  RecordId id;      ///< of the receipt itself
  std::string party, stage, officer, by, at, telephone, measures;
};

/// Receipts of both lanes: one for an urgent notice may come on either.
///
/// Any party may send any number about a record that it has, with pages of measures: these stay in the inbox until they
/// are asked for, and of one party about one record the newest kMostOfParty are kept, beside the first signature.
/// Threads: any (one mutex).
class ReceiptBook {
 public:
  static constexpr std::size_t kMostOfParty = 16;

  /// The log of the inbox that add() tells places of.
  void read_from(Lane lane, std::weak_ptr<const ledger::SegmentLog> inbox);
  /// Takes a receipt record; what is none is ignored. `lane` is whose inbox holds it; there: which record of which
  /// delivery it is.
  void add(Lane lane, ledger::Place place, std::uint32_t index, const Envelope& envelope);
  /// In the order in which they came. Measures that the inbox no longer holds are left out. Reads the log when there
  /// are measures: not on a loop.
  std::vector<Receipt> find(const RecordId& record) const;
  void encode(Lane lane, Bytes& out) const;
  bool decode(Lane lane, ByteReader& in);

 private:
  struct Kept {
    Receipt receipt;      // with measures only when it came from a snapshot without places
    ledger::Place place;  // of block 0: there are no measures to be read
    std::uint32_t index = 0;
  };
  struct Book {
    std::multimap<RecordId, Kept> receipts;
    std::weak_ptr<const ledger::SegmentLog> inbox;
    void keep(Kept kept);
  };
  mutable std::mutex mutex_;
  Book lanes_[2];
};

}  // namespace thalweg::gate
