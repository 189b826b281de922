// receipt_book.h: who signed for what: the receipts that came in, by the record they are about.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/bytes.h"
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

/// Receipts of both lanes: one for an urgent notice may come on either. Threads: any (one mutex).
class ReceiptBook {
 public:
  /// Takes a receipt record; what is none is ignored. `lane` is whose inbox holds it.
  void add(Lane lane, const Envelope& envelope);
  std::vector<Receipt> find(const RecordId& record) const;
  void encode(Lane lane, Bytes& out) const;
  bool decode(Lane lane, ByteReader& in);

 private:
  mutable std::mutex mutex_;
  std::multimap<RecordId, Receipt> lanes_[2];
};

}  // namespace thalweg::gate
