// local.cc: frames of the local sockets: what runners and people send, and what they are sent.
#include "link/local_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace thalweg::link;
  const thalweg::ByteView bytes(data, size);
  LocalSubmit submit;
  (void)LocalSubmit::decode(bytes, submit);
  LocalSettled settled;
  (void)LocalSettled::decode(bytes, settled);
  LocalLater later;
  (void)LocalLater::decode(bytes, later);
  LocalDeliver deliver;
  (void)LocalDeliver::decode(bytes, deliver);
  LocalVerdicts verdicts;
  (void)LocalVerdicts::decode(bytes, verdicts);
  (void)LocalHello::decode(bytes);
  (void)LocalRequest::decode(bytes);
  (void)LocalReply::decode(bytes);
  (void)LocalLog::decode(bytes);
  (void)LocalStop::decode(bytes);
  return 0;
}
