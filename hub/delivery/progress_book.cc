#include "delivery/progress_book.h"

#include <algorithm>

namespace thalweg::delivery {

void ProgressBook::sent(const std::string& receiver, std::uint64_t sequence, const StreamId& stream,
                        std::uint64_t number) {
  auto& waiting = sent_[receiver];
  // A receiver that starts again is sent the same once more.
  while (!waiting.empty() && waiting.back().sequence >= sequence) waiting.pop_back();
  if (waiting.size() >= kMostWaiting) waiting.pop_front();
  waiting.push_back({sequence, stream, number});
}

std::set<StreamId> ProgressBook::settled(const std::string& receiver, std::uint64_t sequence, std::uint64_t taken) {
  std::set<StreamId> changed;
  auto& waiting = sent_[receiver];
  auto& untaken = untaken_[receiver];
  while (!waiting.empty() && waiting.front().sequence <= sequence) {
    Waiting& w = waiting.front();
    Reached& reached = reached_[w.stream][receiver];
    reached.in_inbox = std::max(reached.in_inbox, w.number);
    changed.insert(w.stream);
    // Where much waits for an adapter, a coarser step is as good: the older entry of the two goes.
    if (untaken.size() >= kMostWaiting) untaken.pop_front();
    untaken.push_back(std::move(w));
    waiting.pop_front();
  }
  while (!untaken.empty() && untaken.front().sequence <= taken) {
    Reached& reached = reached_[untaken.front().stream][receiver];
    reached.taken = std::max(reached.taken, untaken.front().number);
    changed.insert(std::move(untaken.front().stream));
    untaken.pop_front();
  }
  return changed;
}

std::vector<link::Progress> ProgressBook::of(const StreamId& stream) const {
  std::vector<link::Progress> list;
  if (const auto at = reached_.find(stream); at != reached_.end())
    for (const auto& [receiver, reached] : at->second) list.push_back({receiver, reached.in_inbox, reached.taken});
  return list;
}

void ProgressBook::encode(Bytes& out) const {
  ByteWriter w(out);
  w.u32(static_cast<std::uint32_t>(reached_.size()));
  for (const auto& [stream, receivers] : reached_) {
    w.short_text(stream.party);
    w.short_text(stream.gate);
    w.raw(stream.incarnation.bytes);
    w.u32(static_cast<std::uint32_t>(receivers.size()));
    for (const auto& [receiver, reached] : receivers) {
      w.short_text(receiver);
      w.u64(reached.in_inbox);
      w.u64(reached.taken);
    }
  }
}

Status ProgressBook::decode(ByteReader& in, Lane lane) {
  const std::uint32_t streams = in.u32();
  for (std::uint32_t i = 0; i < streams && in.ok(); ++i) {
    StreamId stream;
    stream.party = in.short_text();
    stream.gate = in.short_text();
    stream.incarnation.bytes = in.array<16>();
    stream.lane = lane;
    const std::uint32_t receivers = in.u32();
    for (std::uint32_t r = 0; r < receivers && in.ok(); ++r) {
      const std::string receiver(in.short_text());
      Reached& reached = reached_[stream][receiver];
      reached.in_inbox = in.u64();
      reached.taken = in.u64();
    }
  }
  if (!in.ok()) return Error{Code::kLedgerFormat, "the book of progress is cut short"};
  return {};
}

}  // namespace thalweg::delivery
