// box_query.h: questions about what stands in outbox and inbox, answered from the logs, newest first.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "gate/receipt_book.h"
#include "ledger/segment_log.h"
#include "model/ids.h"
#include "model/lane.h"

namespace thalweg::gate {

/// Which records. Empty members match all.
struct BoxFilter {
  std::string type;
  std::string subject;
  std::optional<RecordId> record;
  std::int64_t since_unix_ns = INT64_MIN;  ///< by the record's own time
  std::int64_t until_unix_ns = INT64_MAX;
  std::size_t limit = 50;
};

/// What of the stream is not in the log: how far receivers have got, telephones.
struct BoxContext {
  Lane lane = Lane::kRoutine;
  int utc_offset_minutes = 480;
  Uuid incarnation;  ///< the current one; what is said of receivers holds for it only
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>, std::less<>> progress;
  std::string manifest;  ///< what the hub says of the region (JSON): names and duty telephones
  const ReceiptBook* receipts = nullptr;
  bool whole = false;  ///< with the record's bytes, receivers and receipts: for `show`
};

/// Records of the outbox as a JSON list (docs/formats/gate.md, "records" and "show"), newest first. `complete` is false
/// when the search ended before the log did: at the limit, or after half a gigabyte.
/// Threads: any; reads the log, so not on a loop. Errors: kIo, kDamaged.
Result<nlohmann::json> search_outbox(const ledger::SegmentLog& log, const BoxFilter& filter, const BoxContext& context,
                                     bool& complete);
Result<nlohmann::json> search_inbox(const ledger::SegmentLog& log, const BoxFilter& filter, const BoxContext& context,
                                    bool& complete);

}  // namespace thalweg::gate
