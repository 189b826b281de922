// dispatcher.h: sends each connected receiver what comes next in its sequence, as fast as it takes it. Start here.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "delivery/delivery_builder.h"
#include "delivery/progress_book.h"
#include "delivery/receiver_book.h"
#include "ledger/place_index.h"

namespace thalweg::delivery {

/// The queues to the receivers of one lane. A queue is a position in the ledger: an absent receiver costs nothing, a
/// slow one holds one delivery in memory.
///
/// Borrows: ledger, index and books, which outlive it. Threads: one loop.
class Dispatcher {
 public:
  /// Takes a delivery for the wire; false when there is no room (then call pump() when there is).
  using Send = std::function<bool(std::uint64_t sequence, std::shared_ptr<const Bytes> bytes)>;

  Dispatcher(const ledger::Ledger& ledger, const ledger::PlaceIndex& places, const ReceiverBook& receivers,
             ProgressBook& progress)
      : ledger_(ledger), places_(places), receivers_(receivers), progress_(progress) {}

  /// The receiver is there and has everything before `next_sequence`; it was told `epoch`. Replaces an earlier
  /// connection.
  void connect(const std::string& receiver, std::uint64_t next_sequence, std::uint64_t epoch, Send send);
  void disconnect(const std::string& receiver);
  bool connected(const std::string& receiver) const { return cursors_.contains(receiver); }

  /// Sends what there is room for, at most kBatch deliveries, so that a lane with much to catch up still hears others.
  /// True: there is more to send and room for it: call again.
  /// Errors: kDamaged, kIo, kLedgerFormat: this receiver's queue stands still at the fault, others go on.
  Result<bool> pump(const std::string& receiver, const routing::RouteTable& routes);
  static constexpr int kBatch = 16;

 private:
  struct Cursor {
    std::uint64_t next = 0;
    std::uint64_t epoch = 0;
    Send send;
    std::deque<ledger::Place> places;      // of next, next + 1 …
    ledger::BlockPtr block;                // of the last place
    std::optional<BuiltDelivery> refused;  // built, but there was no room
  };
  Result<BuiltDelivery> build(const std::string& receiver, Cursor& cursor, const routing::RouteTable& routes);

  const ledger::Ledger& ledger_;
  const ledger::PlaceIndex& places_;
  const ReceiverBook& receivers_;
  ProgressBook& progress_;
  std::map<std::string, Cursor> cursors_;
};

}  // namespace thalweg::delivery
