// entries.cc: what stands in ledgers, outboxes and inboxes, which may come from a damaged disk or a stranger's copy.
#include "ledger/entries.h"
#include "gate/inbox_entries.h"
#include "gate/outbox_entries.h"
#include "ledger/segment_format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace thalweg;
  const ByteView bytes(data, size);
  (void)ledger::decode_segment_header(bytes);
  (void)ledger::decode_genesis(bytes);
  (void)ledger::decode_parcel(bytes);
  (void)ledger::decode_settlement(bytes);
  (void)ledger::decode_region_version(bytes);
  (void)ledger::decode_act(bytes);
  (void)ledger::decode_redelivery(bytes);
  (void)ledger::decode_epoch(bytes);
  (void)ledger::decode_summary(bytes);
  ByteReader outbox(bytes), inbox(bytes);
  (void)gate::ParcelEntryHead::decode(outbox);
  (void)gate::DeliveryEntryHead::decode(inbox);
  (void)gate::IncarnationEntry::decode(bytes);
  (void)gate::AcknowledgedEntry::decode(bytes);
  (void)gate::ProgressEntry::decode(bytes);
  (void)gate::LedgerEntry::decode(bytes);
  (void)gate::ActEntry::decode(bytes);
  (void)gate::SkippedEntry::decode(bytes);
  (void)gate::TakenEntry::decode(bytes);
  (void)gate::CursorEntry::decode(bytes);
  (void)gate::LetterEntry::decode(bytes);
  return 0;
}
