#include "intake/stream_book.h"

#include "base/invariant.h"

namespace thalweg::intake {

Turn StreamBook::turn(const ParcelHeader& header) const {
  const auto at = streams_.find(header.stream());
  const Heads heads = at == streams_.end() ? Heads{} : at->second;
  if (header.number <= heads.durable.number) return Turn::kRepeat;
  if (header.number <= heads.taken.number) return Turn::kUnderWay;
  if (header.number != heads.taken.number + 1) return Turn::kGap;
  return header.previous_root == heads.taken.root ? Turn::kNext : Turn::kConflict;
}

void StreamBook::take(const ParcelHeader& header) {
  Heads& heads = streams_[header.stream()];
  THALWEG_INVARIANT(header.number == heads.taken.number + 1);
  heads.taken = {header.number, header.merkle_root};
}

void StreamBook::settle(const ParcelHeader& header) {
  Heads& heads = streams_[header.stream()];
  // The first one that is read of a ledger whose front was dropped is not the first one that there was.
  THALWEG_INVARIANT(header.number == heads.durable.number + 1 || heads.durable.number == 0);
  heads.durable = {header.number, header.merkle_root};
  if (heads.taken.number < header.number) heads.taken = heads.durable;  // replay at start
}

void StreamBook::merge(const StreamId& stream, const StreamHead& known) {
  Heads& heads = streams_[stream];
  if (heads.durable.number < known.number) heads.durable = known;
  if (heads.taken.number < known.number) heads.taken = known;
}

void StreamBook::take_back() {
  for (auto& [stream, heads] : streams_) heads.taken = heads.durable;
}

StreamHead StreamBook::durable(const StreamId& stream) const {
  const auto at = streams_.find(stream);
  return at == streams_.end() ? StreamHead{} : at->second.durable;
}

StreamHead StreamBook::taken(const StreamId& stream) const {
  const auto at = streams_.find(stream);
  return at == streams_.end() ? StreamHead{} : at->second.taken;
}

void StreamBook::encode(Bytes& out) const {
  ByteWriter w(out);
  w.u32(static_cast<std::uint32_t>(streams_.size()));
  for (const auto& [stream, heads] : streams_) {
    w.short_text(stream.party);
    w.short_text(stream.gate);
    w.raw(stream.incarnation.bytes);
    w.u64(heads.durable.number);
    w.raw(heads.durable.root);
  }
}

Status StreamBook::decode(ByteReader& in, Lane lane) {
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    StreamId stream;
    stream.party = in.short_text();
    stream.gate = in.short_text();
    stream.incarnation.bytes = in.array<16>();
    stream.lane = lane;
    StreamHead head;
    head.number = in.u64();
    head.root = in.array<32>();
    streams_[stream] = {head, head};
  }
  if (!in.ok()) return Error{Code::kLedgerFormat, "the book of streams is cut short"};
  return {};
}

std::string stream_key(const ParcelHeader& header) { return stream_key(header.stream()); }

std::string stream_key(const StreamId& stream) {
  return "stream:" + stream.party + "/" + stream.gate + "/" + stream.incarnation.text();
}

}  // namespace thalweg::intake
