// documents.cc: signed public documents: certificates, revocations, the hub's card, manifests, checkpoints.
#include "trust/certificate.h"
#include "trust/checkpoint.h"
#include "trust/directory.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace thalweg;
  const ByteView bytes(data, size);
  (void)trust::open_certificate(bytes);
  (void)trust::open_revocation(bytes);
  (void)trust::open_hub_card(bytes);
  (void)trust::open_manifest(bytes);
  (void)trust::decode_checkpoint(bytes);
  (void)trust::KeyDirectory::decode(bytes);
  return 0;
}
