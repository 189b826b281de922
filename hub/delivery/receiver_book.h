// receiver_book.h: how far the delivery sequence of each receiver has come: given out, in the ledger, settled, taken.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "ledger/entries.h"
#include "model/decision.h"

namespace thalweg::delivery {

/// One receiver in one lane. All numbers count deliveries; `given` >= `durable` >= `settled` >= `taken`.
struct ReceiverState {
  /// First delivery that an inbox needs which ends at `sequence` of `epoch`, an epoch other than the ledger's.
  std::uint64_t start_after(std::uint64_t epoch, std::uint64_t sequence) const;

  std::uint64_t given = 0;    ///< last sequence number in a decision, on its way to the ledger or in it
  std::uint64_t durable = 0;  ///< last one in the ledger
  std::uint64_t settled = 0;  ///< in the inbox, by the receiver's own signed word
  std::uint64_t taken = 0;    ///< answered by its adapters
  std::uint32_t dead = 0;     ///< dead letters at the receiver
  /// Up to here an operator decided that nobody waits for the receiver: it gets what is still there, nothing is kept
  /// for it.
  std::uint64_t given_up = 0;
  /// Nothing up to here is kept for the receiver's sake.
  std::uint64_t done() const { return std::max(settled, given_up); }
  /// Epochs of the ledger that began since, each with `settled` of that moment: up to there the receiver has what this
  /// ledger has; its numbers above may be of a life that the ledger lost.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> epochs;
  bool operator==(const ReceiverState&) const = default;
};

/// The receivers of one lane. Threads: one loop.
class ReceiverBook {
 public:
  /// Fills in the sequence numbers of a decision that goes to the ledger now.
  void give(Decision& decision);
  /// The decision is in the ledger (also: was found there at start).
  void settle_given(const Decision& decision);
  /// The ledger failed: numbers given out and not durable never were.
  void take_back();
  /// A settlement is in the ledger. Numbers never go down here: what a restored inbox lacks is sent again all the same.
  void settled(const ledger::Settlement& settlement);

  /// An operator gives up what was delivered to it and is not settled.
  void give_up(const std::string& receiver);
  /// What a summary in the ledger says of blocks that may be gone. What is known to be further stays.
  void merge(const std::string& receiver, const ReceiverState& known);

  /// A new epoch is in the ledger.
  void begin_epoch(std::uint64_t epoch);

  const ReceiverState* find(const std::string& receiver) const;
  const std::map<std::string, ReceiverState>& all() const { return receivers_; }

  void encode(Bytes& out) const;
  /// Errors: kLedgerFormat.
  Status decode(ByteReader& in);

 private:
  std::map<std::string, ReceiverState> receivers_;
};

}  // namespace thalweg::delivery
