// link.cc: every message of the link, from either side.
#include "link/message.h"

namespace {

template <class... Messages>
void decode_all(thalweg::ByteView bytes) {
  ((void)Messages::decode(bytes), ...);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace thalweg::link;
  const thalweg::ByteView bytes(data, size);
  (void)message_type(bytes);
  decode_all<Hello, Welcome, Refuse, Chunk, Ack, Credit, Settle, Progress, Lookup, Found, Document, Ping, Pong, Bye>(
      bytes);
  return 0;
}
