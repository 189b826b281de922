#include "delivery/dispatcher.h"

namespace thalweg::delivery {

void Dispatcher::connect(const std::string& receiver, std::uint64_t next_sequence, std::uint64_t epoch, Send send) {
  Cursor cursor;
  cursor.next = next_sequence;
  cursor.epoch = epoch;
  cursor.send = std::move(send);
  cursors_[receiver] = std::move(cursor);
}

void Dispatcher::disconnect(const std::string& receiver) { cursors_.erase(receiver); }

Result<BuiltDelivery> Dispatcher::build(const std::string& receiver, Cursor& cursor,
                                        const routing::RouteTable& routes) {
  if (cursor.places.empty()) {
    TW_ASSIGN(const std::vector<ledger::Place> places, places_.read(receiver, cursor.next, 64));
    if (places.empty())
      return Error{Code::kNotFound,
                   "delivery " + std::to_string(cursor.next) + " to " + receiver + " is not in the index"};
    cursor.places.assign(places.begin(), places.end());
  }
  const ledger::Place place = cursor.places.front();
  if (!cursor.block || cursor.block->info.number != place.block) {
    TW_ASSIGN(cursor.block, ledger_.read(place.block));
  }
  TW_ASSIGN(BuiltDelivery built, build_delivery(*cursor.block, place.entry, receiver, cursor.epoch, routes));
  cursor.places.pop_front();
  return built;
}

Result<bool> Dispatcher::pump(const std::string& receiver, const routing::RouteTable& routes) {
  const auto at = cursors_.find(receiver);
  const ReceiverState* state = receivers_.find(receiver);
  if (at == cursors_.end() || state == nullptr) return false;
  Cursor& cursor = at->second;
  for (int i = 0; i < kBatch; ++i) {
    if (cursor.next > state->durable) return false;
    if (!cursor.refused) {
      TW_ASSIGN(cursor.refused, build(receiver, cursor, routes));
    }
    if (!cursor.send(cursor.next, cursor.refused->bytes)) return false;
    progress_.sent(receiver, cursor.next, cursor.refused->stream, cursor.refused->number);
    cursor.refused.reset();
    ++cursor.next;
  }
  return cursor.next <= state->durable;
}

}  // namespace thalweg::delivery
