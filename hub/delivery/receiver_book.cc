#include "delivery/receiver_book.h"

#include <algorithm>

namespace thalweg::delivery {

void ReceiverBook::give(Decision& decision) {
  for (ReceiverSequence& s : decision.sequences) s.sequence = ++receivers_[s.receiver].given;
}

void ReceiverBook::settle_given(const Decision& decision) {
  for (const ReceiverSequence& s : decision.sequences) {
    ReceiverState& state = receivers_[s.receiver];
    state.durable = s.sequence;
    state.given = std::max(state.given, s.sequence);
  }
}

void ReceiverBook::take_back() {
  for (auto& [receiver, state] : receivers_) state.given = state.durable;
}

void ReceiverBook::settled(const ledger::Settlement& settlement) {
  ReceiverState& state = receivers_[settlement.receiver];
  state.settled = std::max(state.settled, std::min(settlement.sequence, state.durable));
  state.taken = std::max(state.taken, std::min(settlement.taken_sequence, state.settled));
  state.dead = settlement.dead;
}

const ReceiverState* ReceiverBook::find(const std::string& receiver) const {
  const auto at = receivers_.find(receiver);
  return at == receivers_.end() ? nullptr : &at->second;
}

void ReceiverBook::encode(Bytes& out) const {
  ByteWriter w(out);
  w.u32(static_cast<std::uint32_t>(receivers_.size()));
  for (const auto& [receiver, state] : receivers_) {
    w.short_text(receiver);
    w.u64(state.durable);
    w.u64(state.settled);
    w.u64(state.taken);
    w.u32(state.dead);
  }
}

Status ReceiverBook::decode(ByteReader& in) {
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    ReceiverState& state = receivers_[std::string(in.short_text())];
    state.given = state.durable = in.u64();
    state.settled = in.u64();
    state.taken = in.u64();
    state.dead = in.u32();
  }
  if (!in.ok()) return Error{Code::kLedgerFormat, "the book of receivers is cut short"};
  return {};
}

}  // namespace thalweg::delivery
