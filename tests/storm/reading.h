// reading.h: what stands in the logs of a site, read from its files as docs/formats/gate.md and segment.md say.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "model/ids.h"
#include "model/lane.h"
#include "thalweg/cpp/result.h"
#include "trust/keys.h"

namespace thalweg::storm {

/// Records of an inbox by origin (party), in the order in which they came; what the gate marked as held before is left
/// out, as adapters do.
using InboxRecords = std::map<std::string, std::vector<RecordId>>;

/// The gate does not run. Errors: those of the log; kDamaged for an entry that is not as the page says, or a delivery
/// that the gate did not believe.
Result<InboxRecords> read_inbox(const Path& gate_folder, Lane lane);

/// Records of an outbox that the hub has acknowledged and not refused, in no order. The gate does not run.
Result<std::vector<RecordId>> read_acknowledged(const Path& gate_folder, Lane lane);

/// Is this log whole and true? `hub_key`: whose signatures a ledger must bear; none for a box of a gate, where only the
/// chain is checked. Errors: what is wrong, with file and offset.
Status verify_log(const Path& folder, const trust::PublicKey* hub_key);

}  // namespace thalweg::storm
