// hub_voice.h: what the hub itself concludes, as signed records of its own stream (architecture.md, section 2).
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "intake/stream_book.h"
#include "model/parcel.h"
#include "model/record_checker.h"
#include "model/schema.h"
#include "region/region.h"
#include "trust/keys.h"

namespace thalweg::app {

/// One record of the family thalweg.hub.event.v1; what is empty or 0 is left out. See docs/formats/families.md.
struct HubEvent {
  std::string kind;     ///< as in the schema
  std::string by = {};  ///< who did it; "hub" when nobody did
  std::string party = {}, gate = {}, serial = {}, fingerprint = {}, reason = {}, digest = {};
  std::uint64_t region_version = 0, epoch = 0;
  std::vector<std::string> changes = {};
  /// Party codes: into whose inboxes it goes.
  std::vector<std::string> receivers = {};
};

/// Makes the hub's parcels: party is the hub's code, the gate is called "hub", the key is the hub's signing key.
///
/// Threads: one loop.
class HubVoice {
 public:
  static constexpr std::string_view kGate = "hub";

  HubVoice(const Clock& clock, Lane lane, std::string hub, const trust::SigningKey& key);

  /// Goes on with the newest of the hub's streams in the ledger; there is none yet: begins one.
  void resume(const intake::StreamBook& streams);
  /// The ledger was set back to an older copy: numbers of the stream may have been used for what is lost.
  void begin_anew();

  struct Spoken {
    ParcelHeader header;
    Bytes parcel;
    RecordId record;
  };
  /// The next parcel of the stream, with this one record. Errors: those of build_checked_record() and seal_parcel().
  Result<Spoken> say(const HubEvent& event, const intake::StreamBook& streams, const Hash256& ledger_id);

 private:
  const Clock& clock_;
  const Lane lane_;
  const std::string hub_;
  const trust::SigningKey& key_;
  SchemaSet schemas_;
  RecordChecker checker_;
  Uuid incarnation_;
};

/// What differs between two versions of a region, in lines for people; and whom it concerns.
struct RegionChanges {
  std::vector<std::string> lines;    ///< at most 256, the last of which says how many more there are
  std::vector<std::string> parties;  ///< codes, sorted: changed themselves, or party to an agreement that changed
};
RegionChanges changes_between(const region::Region& before, const region::Region& after);

/// Codes of the parties that are in some agreement with this one, sorted; not itself.
std::vector<std::string> partners_of(const region::Region& region, std::string_view party);

}  // namespace thalweg::app
