// state.cc: snapshots of what an outbox or inbox knows, of this version and those before it.
#include "base/invariant.h"
#include "gate/inbox_state.h"
#include "gate/outbox_state.h"

namespace {

using namespace thalweg;

/// What was understood can be written, and is understood again.
template <class State>
void read_and_write(State state, State again, ByteView bytes) {
  ByteReader in(bytes);
  if (!state.decode(in)) return;
  Bytes written;
  state.encode(written);
  ByteReader back(written);
  THALWEG_INVARIANT(again.decode(back));
  THALWEG_INVARIANT(back.left() == 0);
  state.forget_before(3);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  if ((data[0] & 1) != 0)
    read_and_write(gate::OutboxState(1000, 1), gate::OutboxState(1000, 1), bytes);
  else
    read_and_write(gate::InboxState(), gate::InboxState(), bytes);
  return 0;
}
