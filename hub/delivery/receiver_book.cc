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

void ReceiverBook::give_up(const std::string& receiver) {
  ReceiverState& state = receivers_[receiver];
  state.given_up = std::max(state.given_up, state.durable);
}

void ReceiverBook::merge(const std::string& receiver, const ReceiverState& known) {
  ReceiverState& state = receivers_[receiver];
  state.durable = std::max(state.durable, known.durable);
  state.given = std::max(state.given, state.durable);
  state.settled = std::max(state.settled, known.settled);
  state.taken = std::max(state.taken, known.taken);
  state.given_up = std::max(state.given_up, known.given_up);
  if (state.dead == 0) state.dead = known.dead;
  // Epochs since the summary have come on top of the older ones.
  auto epochs = known.epochs;
  for (const auto& one : state.epochs)
    if (epochs.empty() || one.first > epochs.back().first) epochs.push_back(one);
  state.epochs = std::move(epochs);
}

void ReceiverBook::begin_epoch(std::uint64_t epoch) {
  for (auto& [receiver, state] : receivers_)
    if (state.epochs.empty() || state.epochs.back().first < epoch) state.epochs.emplace_back(epoch, state.settled);
}

// What is sent once too often the inbox knows by its leaves; what is left out nobody would ever miss.
std::uint64_t ReceiverState::start_after(std::uint64_t epoch, std::uint64_t sequence) const {
  std::uint64_t common = std::min(settled, sequence);
  for (const auto& [began, at] : epochs)
    if (began > epoch) {
      common = std::min(common, at);
      break;
    }
  return common + 1;
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
    w.u64(state.given_up);
    w.u32(static_cast<std::uint32_t>(state.epochs.size()));
    for (const auto& [epoch, at] : state.epochs) {
      w.u64(epoch);
      w.u64(at);
    }
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
    state.given_up = in.u64();
    const std::uint32_t epochs = in.u32();
    for (std::uint32_t e = 0; e < epochs && in.ok(); ++e) {
      const std::uint64_t epoch = in.u64();
      state.epochs.emplace_back(epoch, in.u64());
    }
  }
  if (!in.ok()) return Error{Code::kLedgerFormat, "the book of receivers is cut short"};
  return {};
}

}  // namespace thalweg::delivery
