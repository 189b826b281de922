// former_parcels.cc: see former_parcels.h.
#include "gate/former_parcels.h"

#include <algorithm>
#include <utility>

#include "gate/outbox_entries.h"

namespace thalweg::gate {

void FormerParcels::add(EntryPlaces places, std::uint64_t first, std::uint64_t last) {
  if (first <= last) streams_.push_back({std::move(places), first, last});
}

void FormerParcels::take(FormerParcels& other) {
  for (Stream& stream : other.streams_) streams_.push_back(std::move(stream));
  other.streams_.clear();
}

std::uint64_t FormerParcels::size() const {
  std::uint64_t all = 0;
  for (const Stream& stream : streams_) all += stream.last + 1 - stream.first;
  return all;
}

Result<FormerParcels::Parcel> FormerParcels::at(const ledger::SegmentLog& log, std::uint64_t skipped) const {
  for (const Stream& stream : streams_) {
    const std::uint64_t held = stream.last + 1 - stream.first;
    if (skipped >= held) {
      skipped -= held;
      continue;
    }
    const std::uint64_t number = stream.first + skipped;
    TW_ASSIGN(const ledger::Place place, stream.places.find(log, number));
    return Parcel{number, place};
  }
  return Error{Code::kNotFound, "no further parcel of an earlier stream is held"};
}

void FormerParcels::copied(std::uint64_t number) {
  if (streams_.empty() || streams_.front().first != number) return;
  Stream& stream = streams_.front();
  if (++stream.first > stream.last) streams_.pop_front();
}

std::uint64_t FormerParcels::first_block(std::uint64_t none) const {
  std::uint64_t first = none;
  for (const Stream& stream : streams_)
    first = std::min(first, stream.places.first_block_of(stream.first, INT64_MAX, none));
  return first;
}

std::uint64_t FormerParcels::first_block_since(std::int64_t since_unix_ns, std::uint64_t none) const {
  std::uint64_t first = none;
  for (const Stream& stream : streams_)
    first = std::min(first, stream.places.first_block_of(UINT64_MAX, since_unix_ns, none));
  return first;
}

void FormerParcels::forget_before(std::uint64_t block) {
  for (Stream& stream : streams_) {
    stream.places.forget_before(block);
    stream.first = std::max(stream.first, stream.places.first());
  }
  std::erase_if(streams_, [](const Stream& stream) { return stream.first > stream.last; });
}

void FormerParcels::encode(ByteWriter& out) const {
  out.u64(streams_.size());
  for (const Stream& stream : streams_) {
    out.u64(stream.first);
    out.u64(stream.last);
    stream.places.encode(out);
  }
}

bool FormerParcels::decode(ByteReader& in) {
  streams_.clear();
  const std::uint64_t streams = in.u64();
  for (std::uint64_t i = 0; i < streams && in.ok(); ++i) {
    const std::uint64_t first = in.u64(), last = in.u64();
    EntryPlaces places(static_cast<std::uint8_t>(OutboxType::kParcel));
    if (!places.decode(in) || first > last || !places.holds(first) || !places.holds(last)) return false;
    streams_.push_back({std::move(places), first, last});
  }
  return in.ok();
}

}  // namespace thalweg::gate
